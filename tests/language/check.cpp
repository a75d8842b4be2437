// Every error that a front end gives: `check` of a static graph equals the error of the builder.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::code, tn::error, tn::extents, tn::tensor, tn::type;

namespace {

template <int I, tensor T> struct fed {
  static constexpr tensor type = T;
  static constexpr tn::name name = tn::name("x") + I;
  static constexpr int record(tn::recorder& r) { return r.input(name, type); }
};
template <class Op, auto Options>
inline constexpr auto alone = [](auto... x) { return tn::apply<Op, Options>(x...); };

/// The error of an operator on inputs of these types by both front ends; a made-up one if they
/// differ.
template <class Op, auto Options, tensor... T> constexpr error refused() {
  return []<int... I>(std::integer_sequence<int, I...>) {
    constexpr error traced = tn::check<tn::graph<alone<Op, Options>, fed<I, T>...>>;
    tn::builder b;
    const tn::builder::value x[] = {b.input(fed<I, T>::name, T)...};
    (void)b.add<Op>(Options, {x[I]...});
    return b.fault() == traced ? traced : error{code::corrupt, "front ends", "differ", {}, {}};
  }
  (std::make_integer_sequence<int, sizeof...(T)>{});
}

constexpr tn::no_options plain{};
constexpr tensor integers{type::int32, extents(4, 4)};
constexpr tensor image = floats(1, 4, 8, 8), filter = floats(6, 4, 3, 3);
template <class... I> constexpr tn::shape sh(I... i) { return extents(i...); }

static_assert(refused<tn::add_t, plain, floats(4), floats(1)>().ok());

// The number of operands.
static_assert(refused<tn::add_t, plain, floats(4)>() ==
              error{code::operand_count, "add", "", 2, 1});
static_assert(refused<tn::relu_t, plain, floats(4), floats(4)>() ==
              error{code::operand_count, "relu", "", 1, 2});
static_assert(refused<tn::matmul_t, plain, floats(4, 4)>() ==
              error{code::operand_count, "matmul", "", 2, 1});
static_assert(refused<tn::gemm_t, tn::gemm_options{}, floats(4, 4)>() ==
              error{code::operand_count, "gemm", "", 2, 1});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, filter, floats(6), floats(6)>() ==
              error{code::operand_count, "conv2d", "", 2, 4});
static_assert(refused<tn::maxPool2d_t, tn::pool2d_options{}, image, image>() ==
              error{code::operand_count, "maxPool2d", "", 1, 2});
static_assert(refused<tn::reduceSum_t, tn::reduce_options{}, image, image>() ==
              error{code::operand_count, "reduceSum", "", 1, 2});
static_assert(refused<tn::softmax_t, tn::softmax_options{}, image, image>() ==
              error{code::operand_count, "softmax", "", 1, 2});
static_assert(refused<tn::reshape_t, tn::reshape_options{}, image, image>() ==
              error{code::operand_count, "reshape", "", 1, 2});
static_assert(refused<tn::transpose_t, tn::transpose_options{}, image, image>() ==
              error{code::operand_count, "transpose", "", 1, 2});

// Element types.
static_assert(refused<tn::exp_t, plain, integers>() ==
              error{code::element_type, "exp", "input", type::float32, type::int32});
static_assert(refused<tn::where_t, plain, floats(4), floats(4), floats(4)>() ==
              error{code::element_type, "where", "condition", type::uint8, type::float32});
static_assert(refused<tn::logicalNot_t, plain, floats(4)>() ==
              error{code::element_type, "logicalNot", "a", type::uint8, type::float32});
static_assert(refused<tn::mul_t, plain, floats(4), integers>() ==
              error{code::element_type, "mul", "b", type::float32, type::int32});
static_assert(refused<tn::matmul_t, plain, floats(4, 4), integers>() ==
              error{code::element_type, "matmul", "b", type::float32, type::int32});
static_assert(refused<tn::gemm_t, tn::gemm_options{}, floats(4, 4), floats(4, 4), integers>() ==
              error{code::element_type, "gemm", "c", type::float32, type::int32});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, integers>() ==
              error{code::element_type, "conv2d", "filter", type::float32, type::int32});
static_assert(refused<tn::averagePool2d_t, tn::pool2d_options{}, integers>() ==
              error{code::element_type, "averagePool2d", "input", type::float32, type::int32});
static_assert(refused<tn::reduceMean_t, tn::reduce_options{}, integers>() ==
              error{code::element_type, "reduceMean", "input", type::float32, type::int32});
static_assert(refused<tn::softmax_t, tn::softmax_options{}, integers>() ==
              error{code::element_type, "softmax", "input", type::float32, type::int32});

// Ranks.
static_assert(refused<tn::matmul_t, plain, floats(4), floats(4, 4)>() ==
              error{code::rank, "matmul", "a", 2, 1});
static_assert(refused<tn::matmul_t, plain, floats(4, 4), floats(4)>() ==
              error{code::rank, "matmul", "b", 2, 1});
static_assert(refused<tn::gemm_t, tn::gemm_options{}, image, floats(4, 4)>() ==
              error{code::rank, "gemm", "a", 2, 4});
static_assert(refused<tn::gemm_t, tn::gemm_options{}, floats(4, 4), image>() ==
              error{code::rank, "gemm", "b", 2, 4});
static_assert(
    refused<tn::gemm_t, tn::gemm_options{}, floats(4, 4), floats(4, 4), floats(1, 4, 4)>() ==
    error{code::rank, "gemm", "c", 2, 3});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, floats(4, 8, 8), filter>() ==
              error{code::rank, "conv2d", "input", 4, 3});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, floats(6, 4, 3)>() ==
              error{code::rank, "conv2d", "filter", 4, 3});
static_assert(refused<tn::maxPool2d_t, tn::pool2d_options{}, floats(8, 8)>() ==
              error{code::rank, "maxPool2d", "input", 4, 2});
static_assert(refused<tn::reshape_t, tn::reshape_options{.newShape = {1, 1, 1, 1, 1, 1, 1, 1, 4}},
                      floats(4)>() == error{code::rank, "reshape", "newShape", 8, 9});
static_assert(refused<tn::transpose_t, tn::transpose_options{.permutation = {0}}, floats(4, 4)>() ==
              error{code::rank, "transpose", "permutation", 2, 1});

// Extents.
static_assert(refused<tn::reshape_t, tn::reshape_options{.newShape = {0, 4}}, floats(4)>() ==
              error{code::extent, "reshape", "newShape", 1, 0});
static_assert(refused<tn::reshape_t, tn::reshape_options{.newShape = {-1}}, floats(4)>() ==
              error{code::extent, "reshape", "newShape", 1, -1});
static_assert(refused<tn::reshape_t, tn::reshape_options{.newShape = {5}}, floats(4)>() ==
              error{code::element_count, "reshape", "newShape", sh(4), sh(5)});
static_assert(
    refused<tn::reshape_t,
            tn::reshape_options{.newShape = {std::int64_t{1} << 33, std::int64_t{1} << 33}},
            floats(4)>()
            .what == code::element_count,
    "no overflow");
static_assert(refused<tn::matmul_t, plain, floats(2, 3), floats(4, 5)>() ==
              error{code::inner_extent, "matmul", "b", 3, 4});
static_assert(
    refused<tn::gemm_t, tn::gemm_options{.aTranspose = true}, floats(2, 3), floats(3, 5)>() ==
    error{code::inner_extent, "gemm", "b", 2, 3});
static_assert(
    refused<tn::gemm_t, tn::gemm_options{.bTranspose = true}, floats(2, 3), floats(3, 5)>() ==
    error{code::inner_extent, "gemm", "b", 3, 5});

// Broadcasting.
static_assert(refused<tn::add_t, plain, floats(2, 3), floats(2)>() ==
              error{code::broadcast, "add", "b", sh(2, 3), sh(2)});
static_assert(refused<tn::div_t, plain, floats(2), floats(4, 2, 3)>() ==
              error{code::broadcast, "div", "b", sh(2), sh(4, 2, 3)});
static_assert(refused<tn::matmul_t, plain, floats(2, 3, 4), floats(3, 4, 5)>() ==
              error{code::broadcast, "matmul", "b", sh(2, 3, 4), sh(3, 4, 5)});
static_assert(refused<tn::gemm_t, tn::gemm_options{}, floats(2, 3), floats(3, 5), floats(2)>() ==
              error{code::broadcast, "gemm", "c", sh(2, 5), sh(2)});
static_assert(refused<tn::gemm_t, tn::gemm_options{}, floats(2, 3), floats(3, 5), floats(5, 2)>() ==
              error{code::broadcast, "gemm", "c", sh(2, 5), sh(5, 2)});

// Convolutions.
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, floats(6, 3, 3, 3)>() ==
              error{code::input_channels, "conv2d", "filter", 4, 3});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.groups = 2}, image, filter>() ==
              error{code::input_channels, "conv2d", "filter", 2, 4});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.inputLayout = tn::image_layout::nhwc},
                      image, filter>() == error{code::input_channels, "conv2d", "filter", 8, 4});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.filterLayout = tn::filter_layout::hwio},
                      image, filter>() == error{code::input_channels, "conv2d", "filter", 4, 3});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.groups = 3}, image, filter>() ==
              error{code::groups, "conv2d", "groups", 4, 3});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.groups = 4}, image, floats(6, 1, 3, 3)>() ==
                  error{code::groups, "conv2d", "groups", 4, 4},
              "the filters too");
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.groups = 0}, image, filter>() ==
              error{code::groups, "conv2d", "groups", 4, 0});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.groups = -2}, image, filter>() ==
              error{code::groups, "conv2d", "groups", 4, -2});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, filter, floats(4)>() ==
              error{code::bias, "conv2d", "bias", sh(6), sh(4)});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, filter, floats(6, 1)>() ==
              error{code::bias, "conv2d", "bias", sh(6), sh(6, 1)});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{}, image, floats(6, 4, 9, 3)>() ==
              error{code::window, "conv2d", "filter", 8, 9});
static_assert(
    refused<tn::conv2d_t, tn::conv2d_options{.padding = {0, 1, 0, 0}}, image, floats(6, 4, 9, 3)>()
        .ok());
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.dilations = {1, 4}}, image, filter>() ==
              error{code::window, "conv2d", "filter", 8, 9});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.dilations = {1 << 24, 1}}, image,
                      floats(1, 4, std::int64_t{1} << 37, 1)>() ==
                  error{code::window, "conv2d", "filter", 1 << 24, std::int64_t{1} << 37},
              "no overflow");
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.strides = {0, 1}}, image, filter>() ==
              error{code::stride, "conv2d", "strides", 1, 0});
static_assert(refused<tn::conv2d_t, tn::conv2d_options{.dilations = {1, -1}}, image, filter>() ==
              error{code::stride, "conv2d", "dilations", 1, -1});
static_assert(
    refused<tn::conv2d_t, tn::conv2d_options{.strides = {1, (1 << 24) + 1}}, image, filter>() ==
    error{code::capacity, "conv2d", "strides", 1 << 24, (1 << 24) + 1});
static_assert(
    refused<tn::maxPool2d_t, tn::pool2d_options{.padding = {0, 1 << 25, 0, 0}}, image>() ==
    error{code::capacity, "maxPool2d", "padding", 1 << 24, 1 << 25});
static_assert(
    refused<tn::averagePool2d_t, tn::pool2d_options{.dilations = {1, 1 << 25}}, image>() ==
    error{code::capacity, "averagePool2d", "dilations", 1 << 24, 1 << 25});
static_assert(
    refused<tn::conv2d_t, tn::conv2d_options{.padding = {0, 0, -1, 0}}, image, filter>() ==
    error{code::padding, "conv2d", "padding", 0, -1});
static_assert(
    refused<tn::conv2d_t, tn::conv2d_options{.padding = {0, 0, 0, -3}}, image, filter>() ==
    error{code::padding, "conv2d", "padding", 0, -3});

// Pools.
constexpr tn::pool2d_options three{.windowDimensions = {3, 3}, .strides = {2, 2}};
constexpr tn::pool2d_options with_sizes(tn::pair sizes) {
  tn::pool2d_options o = three;
  o.outputSizes = sizes;
  return o;
}
static_assert(refused<tn::maxPool2d_t, tn::pool2d_options{.windowDimensions = {3, 9}}, image>() ==
              error{code::window, "maxPool2d", "windowDimensions", 8, 9});
static_assert(
    refused<tn::averagePool2d_t, tn::pool2d_options{.windowDimensions = {-3, 2}}, image>() ==
    error{code::window, "averagePool2d", "windowDimensions", 1, -3});
static_assert(
    refused<tn::maxPool2d_t,
            tn::pool2d_options{.windowDimensions = {2, 2}, .padding = {-1, 0, 0, 0}}, image>() ==
    error{code::padding, "maxPool2d", "padding", 0, -1});
static_assert(
    refused<tn::maxPool2d_t, tn::pool2d_options{.windowDimensions = {2, 2}, .dilations = {0, 1}},
            image>() == error{code::stride, "maxPool2d", "dilations", 1, 0});
static_assert(refused<tn::maxPool2d_t, with_sizes({3, 3}), image>().ok() &&
              refused<tn::maxPool2d_t, with_sizes({4, 4}), image>().ok());
static_assert(refused<tn::maxPool2d_t, with_sizes({5, 3}), image>() ==
              error{code::option, "maxPool2d", "outputSizes", 3, 5});
static_assert(refused<tn::averagePool2d_t, with_sizes({3, -1}), image>() ==
              error{code::option, "averagePool2d", "outputSizes", 3, -1});

// Axes, permutations, limits.
static_assert(refused<tn::reduceSum_t, tn::reduce_options{.axes = {2}}, floats(4, 4)>() ==
              error{code::axis, "reduceSum", "axes", 2, 2});
static_assert(refused<tn::reduceSum_t, tn::reduce_options{.axes = {0, 0}}, floats(4, 4)>() ==
              error{code::axis, "reduceSum", "axes", 2, 0});
static_assert(refused<tn::reduceMax_t, tn::reduce_options{.axes = {-1}}, floats(4, 4)>() ==
              error{code::axis, "reduceMax", "axes", 2, -1});
static_assert(refused<tn::reduceMax_t, tn::reduce_options{.axes = {0, 1, 2, 3, 4, 5, 6, 7, 8}},
                      floats(1, 1, 1, 1, 1, 1, 1, 1)>() ==
                  error{code::axis, "reduceMax", "axes", 8, -1},
              "more axes than a tensor has");
static_assert(refused<tn::softmax_t, tn::softmax_options{2}, floats(4, 4)>() ==
              error{code::axis, "softmax", "axis", 2, 2});
static_assert(refused<tn::softmax_t, tn::softmax_options{-1}, floats(4, 4)>() ==
              error{code::axis, "softmax", "axis", 2, -1});
static_assert(refused<tn::softmax_t, tn::softmax_options{0}, floats()>() ==
                  error{code::axis, "softmax", "axis", 0, 0},
              "a scalar has no axis");
static_assert(
    refused<tn::transpose_t, tn::transpose_options{.permutation = {0, 0}}, floats(4, 4)>() ==
    error{code::permutation, "transpose", "permutation", 2, 0});
static_assert(
    refused<tn::transpose_t, tn::transpose_options{.permutation = {0, 2}}, floats(4, 4)>() ==
    error{code::permutation, "transpose", "permutation", 2, 2});
static_assert(refused<tn::clamp_t, tn::clamp_options{1, 0}, floats(4)>().is(code::option, "clamp"));
static_assert(refused<tn::clamp_t, tn::clamp_options{0, 0}, floats(4)>().ok());

// Names.
constexpr auto conflict = [](auto x) {
  return x * tn::weight<"w", float, 4> + tn::weight<"w", float, 1>;
};
static_assert(tn::check<tn::graph<conflict, tn::input<"x", float, 4>>> ==
              error{code::name_conflict, "weight", "w", sh(4), sh(1)});
constexpr auto nameless = [](auto x) { return x + tn::weight<"", float, 4>; };
static_assert(tn::check<tn::graph<nameless, tn::input<"x", float, 4>>> ==
              error{code::name_length, "weight", "", 95, 0});
constexpr auto sum = [](auto x, auto y) { return x + y; };
static_assert(tn::check<tn::graph<sum, tn::input<"x", float, 4>, tn::input<"x", float, 4>>> ==
              error{code::name_conflict, "input", "x", sh(4), sh(4)});

// The first error passes through everything behind it.
constexpr auto chain = [](auto x) {
  auto bad = tn::matmul(x, x);
  return tn::outputs(tn::relu(x), tn::softmax<7>(tn::relu(2.0f - bad) + x), bad);
};
static_assert(tn::check<tn::graph<chain, tn::input<"x", float, 2, 3>>> ==
              error{code::inner_extent, "matmul", "b", 3, 2});
static_assert(tn::check<lenet_graph>.ok());

// A model without results.
constexpr auto silent = [](auto) {};
static_assert(tn::check<tn::graph<silent, tn::input<"x", float, 4>>> ==
              error{code::output, "graph", "outputs", 1, 0});

}  // namespace

TEST_CASE("every code has a text of its own") {
  for (int i = 0; i <= static_cast<int>(code::duplicate); ++i) {
    const std::string text = tn::text_of(static_cast<code>(i));
    CHECK_FALSE(text.empty());
    for (int j = 0; j < i; ++j) CHECK(text != tn::text_of(static_cast<code>(j)));
  }
}
