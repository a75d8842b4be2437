// Layers: what their weights are called and shaped, and which operators they are.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"

namespace tn = tenon;
namespace layer = tn::layer;
using namespace tenon_test;
using tn::code;

namespace {

using image = tn::input<"x", float, 2, 6, 9, 8>;
using image_nhwc = tn::input<"x", float, 2, 9, 8, 6>;
using matrix = tn::input<"x", float, 2, 6>;
using sequences = tn::input<"x", float, 3, 5, 6>;

/// Two models over one input give the same table.
template <auto A, auto B, class... In>
constexpr bool equal_models = same(tn::graph<A, In...>::view(), tn::graph<B, In...>::view());

constexpr tn::conv2d_options grouped{.padding = {1, 1, 0, 0}, .strides = {2, 1}, .groups = 2};
constexpr auto conv = [](auto x) {
  return layer::conv2d<4, layer::kernel(3, 1), grouped>(x, tn::name("c") + 1);
};
constexpr auto conv_written = [](auto x) {
  return tn::conv2d<grouped>(x, tn::weight<"c1.weight", float, 4, 3, 3, 1>,
                             tn::weight<"c1.bias", float, 4>);
};
static_assert(equal_models<conv, conv_written, image>);

constexpr auto plain = [](auto x) { return layer::conv2d<4, 3>(x, "c"); };
constexpr auto plain_written = [](auto x) {
  return tn::conv2d(x, tn::weight<"c.weight", float, 4, 6, 3, 3>, tn::weight<"c.bias", float, 4>);
};
static_assert(equal_models<plain, plain_written, image>);

constexpr auto no_bias = [](auto x) {
  return layer::conv2d<4, 3, tn::conv2d_options{}, layer::bias::none>(x, "c");
};
constexpr auto no_bias_written = [](auto x) {
  return tn::conv2d(x, tn::weight<"c.weight", float, 4, 6, 3, 3>);
};
static_assert(equal_models<no_bias, no_bias_written, image>);

// Filters stand as the options say.
template <tn::filter_layout L> constexpr auto laid_out = [](auto x) {
  constexpr tn::conv2d_options o{
      .groups = 3, .inputLayout = tn::image_layout::nhwc, .filterLayout = L};
  return layer::conv2d<9, layer::kernel(4, 5), o>(x, "c");
};
template <tn::filter_layout L>
constexpr tn::shape filter_of = tn::graph<laid_out<L>, image_nhwc>::view().nodes[1].out.shape;
static_assert(filter_of<tn::filter_layout::oihw> == tn::extents(9, 2, 4, 5));
static_assert(filter_of<tn::filter_layout::hwio> == tn::extents(4, 5, 2, 9));
static_assert(filter_of<tn::filter_layout::ohwi> == tn::extents(9, 4, 5, 2));
static_assert(filter_of<tn::filter_layout::ihwo> == tn::extents(2, 4, 5, 9));

constexpr tn::conv2d_options same_size{.padding = {1, 1, 1, 1}};
constexpr tn::conv2d_options six_groups{.padding = {1, 1, 1, 1}, .groups = 6};
constexpr auto depthwise = [](auto x) { return layer::depthwise<3, same_size>(x, "d"); };
constexpr auto depthwise_written = [](auto x) {
  return tn::conv2d<six_groups>(x, tn::weight<"d.weight", float, 6, 1, 3, 3>,
                                tn::weight<"d.bias", float, 6>);
};
static_assert(equal_models<depthwise, depthwise_written, image>);
constexpr tn::conv2d_options channels_last{.inputLayout = tn::image_layout::nhwc,
                                           .filterLayout = tn::filter_layout::ihwo};
constexpr auto depthwise_nhwc = [](auto x) {
  return layer::depthwise<3, channels_last, layer::bias::none>(x, "d");
};
static_assert(tn::graph<depthwise_nhwc, image_nhwc>::view().nodes[1].out == floats(1, 3, 3, 6));
static_assert(tn::graph<depthwise_nhwc, image_nhwc>::view().weights.size == 1);

// Two axes: gemm.
constexpr tn::gemm_options rows{.bTranspose = true};
constexpr auto dense = [](auto x) { return layer::dense<7>(x, "fc"); };
constexpr auto dense_written = [](auto x) {
  return tn::gemm<rows>(x, tn::weight<"fc.weight", float, 7, 6>, tn::weight<"fc.bias", float, 7>);
};
static_assert(equal_models<dense, dense_written, matrix>);
constexpr auto columns = [](auto x) {
  return layer::dense<7, layer::matrix_layout::io, layer::bias::none>(x, "fc");
};
constexpr auto columns_written = [](auto x) {
  return tn::gemm(x, tn::weight<"fc.weight", float, 6, 7>);
};
static_assert(equal_models<columns, columns_written, matrix>);

// More axes: matmul on the last one.
constexpr auto stack_written = [](auto x) {
  return tn::matmul(x, tn::transpose<1, 0>(tn::weight<"fc.weight", float, 7, 6>)) +
         tn::weight<"fc.bias", float, 7>;
};
static_assert(equal_models<dense, stack_written, sequences>);
static_assert(
    tn::graph<dense, sequences>::view().nodes[tn::graph<dense, sequences>::view().outputs[0]].out ==
    floats(3, 5, 7));
constexpr auto stack_columns_written = [](auto x) {
  return tn::matmul(x, tn::weight<"fc.weight", float, 6, 7>);
};
static_assert(equal_models<columns, stack_columns_written, sequences>);

// Normalizations.
constexpr tn::layerNormalization_options last{.axes = {2}, .epsilon = 1e-12f};
constexpr auto norm = [](auto x) { return layer::layerNormalization<last>(x, "n"); };
constexpr auto norm_written = [](auto x) {
  return tn::layerNormalization<last>(x, tn::weight<"n.weight", float, 6>,
                                      tn::weight<"n.bias", float, 6>);
};
static_assert(equal_models<norm, norm_written, sequences>);
constexpr auto norm_all = [](auto x) { return layer::layerNormalization(x, "n"); };
static_assert(tn::graph<norm_all, sequences>::view().nodes[1].out == floats(5, 6),
              "all axes but the first");
constexpr auto batch = [](auto x) { return layer::batchNormalization(x, "n"); };
constexpr auto batch_written = [](auto x) {
  return tn::batchNormalization(x, tn::weight<"n.running_mean", float, 6>,
                                tn::weight<"n.running_var", float, 6>,
                                tn::weight<"n.weight", float, 6>, tn::weight<"n.bias", float, 6>);
};
static_assert(equal_models<batch, batch_written, image>);

constexpr auto flatten = [](auto x) { return layer::flatten(x); };
constexpr auto flatten_written = [](auto x) { return tn::reshape<2, 432>(x); };
static_assert(equal_models<flatten, flatten_written, image>);

// Layers in a loop; a name twice is a shared layer.
constexpr auto looped = [](auto x) {
  for (int i = 0; i < 3; ++i) x = tn::relu(layer::depthwise<3, same_size>(x, tn::name("d") + i));
  return layer::depthwise<3, same_size>(x, "d1");
};
static_assert(tn::graph<looped, image>::view().weights.size == 6);

// Errors are those of the operators, whatever the input.
template <auto Model, class In> constexpr tn::error fault = tn::check<tn::graph<Model, In>>;
static_assert(fault<plain, matrix>.is(code::rank, "conv2d"));
static_assert(fault<depthwise, matrix>.is(code::rank, "conv2d"));
static_assert(fault<dense, tn::input<"x", float, 6>>.is(code::rank, "matmul"));
static_assert(fault<plain, tn::input<"x", std::int32_t, 1, 1, 5, 5>>.is(code::element_type,
                                                                        "conv2d"));
static_assert(fault<plain, tn::input<"x", float, 1, 6, 2, 8>>.is(code::window, "conv2d"));
static_assert(fault<norm, matrix>.is(code::axis, "layerNormalization"));
static_assert(fault<batch, tn::input<"x", float, 6>>.is(code::axis, "batchNormalization"));
static_assert(fault<batch, tn::input<"x", std::int32_t, 1, 6, 5, 5>>.is(code::element_type,
                                                                        "batchNormalization"));
constexpr auto odd_groups = [](auto x) { return layer::conv2d<5, 3, grouped>(x, "c"); };
static_assert(fault<odd_groups, image>.is(code::groups, "conv2d"));
constexpr auto no_groups = [](auto x) {
  return layer::conv2d<5, 3, tn::conv2d_options{.groups = 0}>(x, "c");
};
static_assert(fault<no_groups, image>.is(code::groups, "conv2d"));
constexpr auto behind = [](auto x) {
  return layer::dense<3>(layer::flatten(layer::depthwise<3>(layer::conv2d<5, 99>(x, "c"), "d")),
                         "f");
};
static_assert(fault<behind, image>.is(code::window, "conv2d"), "the first error passes through");

template <auto Model> tn::error recorded_fault() {
  tn::recorder r;
  return tn::front::run<std::remove_const_t<decltype(Model)>, tn::mode::build, image>(r);
}

}  // namespace

TEST_CASE("a layer needs a name, and one name has one shape") {
  constexpr auto nameless = [](auto x) { return layer::conv2d<4, 3>(x, ""); };
  CHECK(recorded_fault<nameless>().is(code::name_length, "weight"));
  constexpr auto too_long = [](auto x) {
    tn::name n = "n";
    for (int i = 0; i < 10; ++i) n = n + "123456789";
    return layer::conv2d<4, 3>(x, n);
  };
  CHECK(recorded_fault<too_long>().is(code::name_length, "weight"));
  constexpr auto twice = [](auto x) {
    return layer::conv2d<4, 3>(layer::conv2d<4, 3>(x, "c"), "c");
  };
  CHECK(recorded_fault<twice>().is(code::name_conflict, "weight"));
  CHECK(recorded_fault<twice>().operand == tn::name("c.weight"));
}

TEST_CASE("a layer on weights alone waits for a table") {
  constexpr auto constant = [](auto x) {
    return x + layer::depthwise<3, same_size>(tn::weight<"w", float, 2, 6, 9, 8>, "d");
  };
  const tn::table_view t = tn::graph<constant, image>::view();
  CHECK(t.weights.size == 3);
  CHECK(t.nodes[t.outputs[0]].out == floats(2, 6, 9, 8));
}
