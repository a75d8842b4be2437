// Operators beyond the element-wise ones on float16: what they compute in float32, rounded once.
// SPDX-License-Identifier: MIT
#include "../support/typed.hpp"
#include <array>
#include <span>

using namespace tenon_test;
using tn::float16;

namespace {

template <class Op, class... T> constexpr tn::error fault(const typename Op::options& o, T... in) {
  const tn::tensor all[] = {in...};
  return Op::infer(o, {all, sizeof...(T)}).error();
}
constexpr tn::tensor halves(auto... extent) { return {tn::type::float16, tn::extents(extent...)}; }
static_assert(
    fault<tn::matmul_t>({}, halves(2, 3), floats(3, 4)).is(tn::code::element_type, "matmul"));
static_assert(
    fault<tn::matmul_t>({}, floats(2, 3), halves(3, 4)).is(tn::code::element_type, "matmul"));
static_assert(fault<tn::matmul_t>({}, halves(2, 3), halves(3, 4)).ok());
static_assert(fault<tn::conv2d_t>({}, ints(tn::extents(1, 1, 3, 3)), ints(tn::extents(1, 1, 1, 1)))
                  .is(tn::code::element_type, "conv2d"));
static_assert(fault<tn::layerNormalization_t>({}, halves(2, 3), floats(3))
                  .is(tn::code::element_type, "layerNormalization"));
static_assert(fault<tn::averagePool2d_t>({}, ints(tn::extents(1, 1, 3, 3)))
                  .is(tn::code::element_type, "averagePool2d"));

/// Numbers of which sums stay far from 65,504.
typed<float16> moderate(const tn::shape& s, dice& d) {
  typed<float16> r{s, {}};
  for (tn::i64 i = 0; i < s.count(); ++i) r.at.push_back(float16(d.real()));
  return r;
}
typed<float> widened(const typed<float16>& x) {
  typed<float> r{x.shape, {}};
  for (const float16 e : x.at) r.at.push_back(static_cast<float>(e));
  return r;
}
typed<float16> rounded(const typed<float>& x) {
  typed<float16> r{x.shape, {}};
  for (const float e : x.at) r.at.push_back(float16(e));
  return r;
}
template <class Op, class... X> void check_op(const typename Op::options& o, const X&... x) {
  const typed<float16> wanted = rounded(operate_typed<Op, float>(o, true, widened(x)...));
  check_same(wanted, operate_typed<Op, float16>(o, true, x...), Op::name);
  check_same(wanted, operate_typed<Op, float16>(o, false, x...), Op::name);
}

constexpr auto network = [](auto image) {
  auto a = tn::relu(tn::layer::conv2d<4, 3, tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      image, tn::name("conv")));
  auto b = tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}, .strides = {2, 2}}>(a);
  return tn::softmax<1>(tn::layer::dense<5>(tn::layer::flatten(b), tn::name("dense")));
};

}  // namespace

TEST_CASE("contractions, pools and normalizations of float16 are those of float32, rounded") {
  for (int round = 0; round < times(2); ++round) {
    dice d = dice_of(761, round);
    check_op<tn::matmul_t>({}, moderate(tn::extents(3, 7, 33), d),
                           moderate(tn::extents(33, 19), d));
    check_op<tn::gemm_t>({.alpha = 0.5f, .beta = 2, .bTranspose = true},
                         moderate(tn::extents(9, 21), d), moderate(tn::extents(17, 21), d),
                         moderate(tn::extents(17), d));
    check_op<tn::conv2d_t>({.padding = {1, 0, 1, 1}, .groups = 2},
                           moderate(tn::extents(2, 4, 9, 11), d),
                           moderate(tn::extents(6, 2, 3, 3), d), moderate(tn::extents(6), d));
    check_op<tn::maxPool2d_t>(
        {.windowDimensions = {3, 2}, .padding = {1, 1, 0, 1}, .strides = {2, 1}},
        moderate(tn::extents(1, 3, 9, 11), d));
    check_op<tn::averagePool2d_t>({.windowDimensions = {3, 2}, .padding = {1, 1, 0, 1}},
                                  moderate(tn::extents(1, 3, 9, 11), d));
    check_op<tn::softmax_t>({1}, moderate(tn::extents(4, 31, 3), d));
    check_op<tn::layerNormalization_t>({.axes = {2, 1}}, moderate(tn::extents(3, 5, 7), d),
                                       moderate(tn::extents(7, 5), d),
                                       moderate(tn::extents(7, 5), d));
    check_op<tn::batchNormalization_t>({.epsilon = 2}, moderate(tn::extents(2, 3, 4), d),
                                       moderate(tn::extents(3), d), moderate(tn::extents(3), d),
                                       moderate(tn::extents(3), d));
    check_op<tn::instanceNormalization_t>({}, moderate(tn::extents(2, 3, 4, 5), d),
                                          moderate(tn::extents(3), d));
    check_op<tn::attention_t>({2}, moderate(tn::extents(1, 5, 8), d),
                              moderate(tn::extents(1, 6, 8), d), moderate(tn::extents(1, 6, 4), d),
                              moderate(tn::extents(5, 6), d));
  }
}
TEST_CASE("reductions of float16 are those of float32, rounded") {
  dice d = dice_of(762, 0);
  const typed<float16> x = moderate(tn::extents(5, 37, 3), d);
  typed<float16> positive = x;
  for (float16& e : positive.at) e = float16(std::abs(static_cast<float>(e)) + 0.5f);
  for (const tn::reduce_options& o : {tn::reduce_options{}, tn::reduce_options{.axes = {1}},
                                      tn::reduce_options{.axes = {1, 2}, .keepDimensions = true}}) {
    check_op<tn::reduceSum_t>(o, x);
    check_op<tn::reduceProduct_t>(o, x);
    check_op<tn::reduceMax_t>(o, x);
    check_op<tn::reduceMin_t>(o, x);
    check_op<tn::reduceMean_t>(o, x);
    check_op<tn::reduceL1_t>(o, x);
    check_op<tn::reduceL2_t>(o, x);
    check_op<tn::reduceSumSquare_t>(o, x);
    check_op<tn::reduceLogSum_t>(o, positive);
    check_op<tn::reduceLogSumExp_t>(o, x);
  }
  const auto wanted = operate_typed<tn::argMax_t, std::int32_t>({1}, false, widened(x));
  check_same(wanted, operate_typed<tn::argMax_t, std::int32_t>({1}, false, x), "argMax");
}
TEST_CASE("a matrix product of float16 is the exact one within a unit of float16") {
  dice d = dice_of(763, 0);
  const typed<float16> a = moderate(tn::extents(13, 57), d), b = moderate(tn::extents(57, 11), d);
  const typed<float16> y = operate_typed<tn::matmul_t, float16>({}, false, a, b);
  for (tn::i64 i = 0; i < 13; ++i)
    for (tn::i64 k = 0; k < 11; ++k) {
      double exact = 0, size = 0;
      for (tn::i64 j = 0; j < 57; ++j) {
        exact += static_cast<double>(a[i * 57 + j]) * static_cast<double>(b[j * 11 + k]);
        size += std::abs(static_cast<double>(a[i * 57 + j]) * static_cast<double>(b[j * 11 + k]));
      }
      REQUIRE(std::abs(static_cast<double>(y[i * 11 + k]) - exact) <=
              std::abs(exact) * 0x1p-11 + size * 57 * 0x1p-24 + 0x1p-25);
    }
}
TEST_CASE("a network of float16 runs as a static graph and as one built at run time") {
  dice d = dice_of(764, 0);
  using net = tn::graph<network, tn::input<"image", float16, 2, 3, 8, 8>>;
  static_assert(net::view().nodes[net::view().outputs[0]].out == halves(2, 5));
  byte_weights weights;
  for (const int w : net::view().weights) {
    const tn::node n = net::view().nodes[w];
    REQUIRE(n.out.type == tn::type::float16);
    weights.all.emplace_back(net::view().name_of(n), n.out, bytes_of(moderate(n.out.shape, d)));
  }
  const typed<float16> image = moderate(tn::extents(2, 3, 8, 8), d);
  const typed<float16> wanted = run_typed<float16>(net::view(), {bytes_of(image)}, weights);
  const tn::model<net, tn::reference> defining(weights);
  check_same(wanted, call_typed<float16>(defining, {bytes_of(image)}), "static, reference");
  const tn::model<net, tn::cpu> fast(weights);
  check_same(wanted, call_typed<float16>(fast, {bytes_of(image)}), "static, cpu");
  std::array<float16, 10> y{};
  tn::instance caller(fast);
  REQUIRE(caller(std::span<const float16, 384>(image.at), std::span<float16, 10>(y)).ok());
  for (tn::i64 i = 0; i < 10; ++i) REQUIRE(same_element(wanted[i], y[static_cast<std::size_t>(i)]));
  for (tn::i64 row = 0; row < 2; ++row) {
    double sum = 0;
    for (tn::i64 k = 0; k < 5; ++k) sum += static_cast<double>(wanted[row * 5 + k]);
    REQUIRE(std::abs(sum - 1) < 5 * 0x1p-11);
  }
}
