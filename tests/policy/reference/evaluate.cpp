// A model of 49,680 multiply-adds inside a static_assert, bit for bit what the policy `reference`
// gives.
// SPDX-License-Identifier: MIT
#include <tenon/policy/reference/evaluate.hpp>
#include <tenon/reference.hpp>
#include <tenon/run/instance.hpp>
#include "../../catch.hpp"
#include "../../support/same.hpp"
#include <array>
#include <bit>
#include <cstdint>

namespace tn = tenon;
using namespace tenon_test;
using tn::code, tn::given;

namespace {

/// Numbers in [-1, 1) from a linear congruential generator (Numerical Recipes).
template <int N> struct numbers {
  float item[N]{};
  constexpr explicit numbers(std::uint32_t seed) {
    for (float& x : item) {
      seed = seed * 1664525u + 1013904223u;
      x = static_cast<float>(static_cast<std::int32_t>(seed >> 8) - (1 << 23)) * 0x1p-23f;
    }
  }
};

// 12 x 12 x 9 x 4 x 5 = 25,920 for the convolution, 180 x 132 = 23,760 for the product.
constexpr auto model = [](auto x) {
  auto a = tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      x, tn::weight<"filter", float, 5, 4, 3, 3>, tn::weight<"bias", float, 5>);
  auto b =
      tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}, .strides = {2, 2}}>(tn::relu(a));
  return tn::softmax<1>(tn::gemm(tn::reshape<1, 180>(b), tn::weight<"matrix", float, 180, 132>,
                                 tn::weight<"offset", float, 132>));
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 12, 12>>;

constexpr numbers<576> x{1};
constexpr numbers<180> filter{2};
constexpr numbers<5> bias{3};
constexpr numbers<180 * 132> matrix{4};
constexpr numbers<132> offset{5};

struct outcome {
  code what = code::ok;
  float y[132]{};
};
constexpr outcome run() {
  outcome r;
  r.what =
      tn::evaluate<net>({given("x", x.item), given("filter", filter.item), given("bias", bias.item),
                         given("matrix", matrix.item), given("offset", offset.item)},
                        r.y);
  return r;
}
constexpr outcome constant = run();
static_assert(constant.what == code::ok);
constexpr float total = [] {
  float sum = 0;
  for (const float p : constant.y) sum += p;
  return sum;
}();
static_assert(total > 0.99999f && total < 1.00001f);
// The same bits by every compiler that compiles this file.
static_assert(std::bit_cast<std::uint32_t>(constant.y[0]) == 0x00017a67 &&
              std::bit_cast<std::uint32_t>(constant.y[131]) == 0x2096c00e);

// Every family, small: strided views of a transpose, an average, a sum, broadcasting.
constexpr auto families = [](auto v) {
  auto t = tn::transpose<>(tn::reshape<3, 4>(v));
  auto s =
      tn::reduceSum<tn::reduce_options{.axes = {0}}>(tn::matmul(t, tn::reshape<3, 4>(v)) / 2.0f);
  return tn::outputs(
      s, tn::averagePool2d<tn::pool2d_options{.padding = {1, 0, 0, 1}}>(tn::reshape<1, 1, 3, 4>(v)),
      v);
};
using small = tn::graph<families, tn::input<"v", float, 12>>;
constexpr float v[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
template <int N> constexpr std::array<float, N> output(int which) {
  float y[N]{};
  if (tn::evaluate<small>({given("v", v)}, y, which) != code::ok) return {};
  return std::to_array(y);
}
static_assert(output<4>(0) == std::array<float, 4>{259, 298, 337, 376});
static_assert(output<4>(1) == std::array<float, 4>{4.5f, 5, 6.5f, 7});
static_assert(output<12>(2) == std::to_array(v));

// Moves that compute places, writes at indices, and the parts of a transposed convolution.
constexpr auto places = [](auto x12, auto where) {
  auto m = tn::reshape<3, 4>(x12);
  auto image = tn::reshape<1, 1, 3, 4>(x12);
  auto two = tn::slice<tn::slice_options{.starts = {0}, .sizes = {2}}>(x12);
  return tn::outputs(
      tn::triangular<tn::triangular_options{.diagonal = 1}>(m),
      tn::resample2d<tn::resample2d_options{.sizes = {2, 2}}>(image),
      tn::resample2d<tn::resample2d_options{.mode = tn::interpolation::linear, .sizes = {1, 2}}>(
          image),
      tn::scatterElements<0>(m, where, m), tn::scatterND(x12, tn::reshape<12, 1>(where), -x12),
      tn::convTranspose2d<tn::convTranspose2d_options{.strides = {2, 2}}>(
          tn::reshape<1, 1, 1, 2>(two), tn::weight<"f", float, 1, 1, 2, 2>));
};
using placed = tn::graph<places, tn::input<"v", float, 12>, tn::input<"at", std::int32_t, 3, 4>>;
constexpr std::int32_t at[] = {0, 1, 2, 0, 0, 0, 2, -1, 1, 1, 1, 99};
constexpr float f[] = {1, 2, 3, 4};
template <int N> constexpr std::array<float, N> placed_output(int which) {
  float y[N]{};
  if (tn::evaluate<placed>({given("v", v), given("at", at), given("f", f)}, y, which) != code::ok)
    return {};
  return std::to_array(y);
}
static_assert(placed_output<12>(0) == std::array<float, 12>{0, 2, 3, 4, 0, 0, 7, 8, 0, 0, 0, 12});
static_assert(placed_output<4>(1) == std::array<float, 4>{1, 3, 9, 11});
static_assert(placed_output<2>(2) == std::array<float, 2>{5.5f, 7.5f});
static_assert(placed_output<12>(3) ==
              std::array<float, 12>{5, 6, 3, 4, 9, 10, 11, 8, 9, 10, 7, 12});
static_assert(placed_output<12>(4) ==
              std::array<float, 12>{-6, -11, -7, 4, 5, 6, 7, 8, 9, 10, 11, -12});
static_assert(placed_output<8>(5) == std::array<float, 8>{1, 2, 2, 4, 3, 4, 6, 8});

// Errors.
constexpr code fault_of(std::initializer_list<tn::constant> values) {
  float y[4]{};
  return tn::evaluate<small>(values, y);
}
constexpr float short_run[] = {1, 2};
static_assert(fault_of({}) == code::missing && fault_of({given("w", v)}) == code::missing);
static_assert(fault_of({given("v", short_run)}) == code::size);
static_assert([] {
  float y[5]{};
  return tn::evaluate<small>({given("v", v)}, y);
}() == code::size);
static_assert([] {
  float y[4]{};
  return tn::evaluate<small>({given("v", v)}, y, 3);
}() == code::output);

}  // namespace

TEST_CASE("the policy reference gives the bits of the constant expression") {
  const tn::model<net, tn::reference> bound{tn::weights{
      tn::named("filter", filter.item, tn::extents(5, 4, 3, 3)), tn::named("bias", bias.item),
      tn::named("matrix", matrix.item, tn::extents(180, 132)), tn::named("offset", offset.item)}};
  REQUIRE(bound.fault().ok());
  tn::instance instance{bound};
  std::array<float, 132> y{};
  REQUIRE(instance(std::span(x.item), std::span(y)).ok());
  for (std::size_t i = 0; i < 132; ++i)
    CHECK(std::bit_cast<std::uint32_t>(y[i]) == std::bit_cast<std::uint32_t>(constant.y[i]));
  const outcome again = run();  // evaluate itself at run time
  for (std::size_t i = 0; i < 132; ++i)
    CHECK(std::bit_cast<std::uint32_t>(again.y[i]) == std::bit_cast<std::uint32_t>(constant.y[i]));
}
