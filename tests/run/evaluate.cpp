// A model of 49,680 multiply-adds inside a static_assert, bit for bit what the policy `reference` gives.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../graph/same.hpp"
#include <tenon/run/instance.hpp>
#include <tenon/run/reference.hpp>
#include <tenon/run/reference/evaluate.hpp>
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
  auto a = tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(x, tn::weight<"filter", float, 5, 4, 3, 3>, tn::weight<"bias", float, 5>);
  auto b = tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}, .strides = {2, 2}}>(tn::relu(a));
  return tn::softmax<1>(tn::gemm(tn::reshape<1, 180>(b), tn::weight<"matrix", float, 180, 132>, tn::weight<"offset", float, 132>));
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
  r.what = tn::evaluate<net>({given("x", x.item), given("filter", filter.item), given("bias", bias.item),
                              given("matrix", matrix.item), given("offset", offset.item)}, r.y);
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
static_assert(std::bit_cast<std::uint32_t>(constant.y[0]) == 0x00017a67 && std::bit_cast<std::uint32_t>(constant.y[131]) == 0x2096c00e);

// Every family, small: strided views of a transpose, an average, a sum, broadcasting.
constexpr auto families = [](auto v) {
  auto t = tn::transpose<>(tn::reshape<3, 4>(v));
  auto s = tn::reduceSum<tn::reduce_options{.axes = {0}}>(tn::matmul(t, tn::reshape<3, 4>(v)) / 2.0f);
  return tn::outputs(s, tn::averagePool2d<tn::pool2d_options{.padding = {1, 0, 0, 1}}>(tn::reshape<1, 1, 3, 4>(v)), v);
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
  const tn::model<net, tn::reference> bound{tn::weights{tn::named("filter", filter.item, tn::extents(5, 4, 3, 3)), tn::named("bias", bias.item),
                                                        tn::named("matrix", matrix.item, tn::extents(180, 132)), tn::named("offset", offset.item)}};
  REQUIRE(bound.fault().ok());
  tn::instance instance{bound};
  std::array<float, 132> y{};
  REQUIRE(instance(std::span(x.item), std::span(y)).ok());
  for (std::size_t i = 0; i < 132; ++i) CHECK(std::bit_cast<std::uint32_t>(y[i]) == std::bit_cast<std::uint32_t>(constant.y[i]));
  const outcome again = run();  // evaluate itself at run time
  for (std::size_t i = 0; i < 132; ++i) CHECK(std::bit_cast<std::uint32_t>(again.y[i]) == std::bit_cast<std::uint32_t>(constant.y[i]));
}
