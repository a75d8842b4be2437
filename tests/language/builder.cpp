// The run-time front end: the tables of the compile-time one, and every misuse.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"
#include <limits>
#include <string>
#include <vector>

namespace tn = tenon;
using namespace tenon_test;
using tn::builder, tn::code, tn::error, tn::extents, tn::tensor, tn::type;

namespace {

constexpr tn::result<tn::table> built_lenet() {
  builder b;
  constexpr tn::conv2d_options pad{.padding = {2, 2, 2, 2}};
  const auto image = b.input("image", floats(1, 1, 28, 28));
  const auto w1 = b.weight("conv1.weight", floats(8, 1, 5, 5)),
             b1 = b.weight("conv1.bias", floats(8));
  const auto p1 =
      b.add<tn::maxPool2d_t>({.windowDimensions = {2, 2}, .strides = {2, 2}},
                             {b.add<tn::relu_t>({}, {b.add<tn::conv2d_t>(pad, {image, w1, b1})})});
  const auto w2 = b.weight("conv2.weight", floats(16, 8, 5, 5)),
             b2 = b.weight("conv2.bias", floats(16));
  const auto p2 =
      b.add<tn::maxPool2d_t>({.windowDimensions = {3, 3}, .strides = {3, 3}},
                             {b.add<tn::relu_t>({}, {b.add<tn::conv2d_t>(pad, {p1, w2, b2})})});
  const auto flat = b.add<tn::reshape_t>({.newShape = {1, 256}}, {p2});
  const auto w3 = b.weight("fc.weight", floats(256, 10)), b3 = b.weight("fc.bias", floats(10));
  return b.finish({b.add<tn::softmax_t>({1}, {b.add<tn::gemm_t>({}, {flat, w3, b3})})});
}
/// The example of the class's comment, as it stands there.
constexpr int nodes_of_example() {
  using namespace tenon;
  builder b;
  builder::value x = b.input("x", {type::float32, extents(1, 4)});
  builder::value y = b.add<relu_t>({}, {x});
  result<table> net = b.finish({y});
  return net->nodes.size();
}
static_assert(nodes_of_example() == 2);

static_assert(same(built_lenet()->view(), lenet_graph::view()),
              "the builder works in constant expressions too");

// Every operator, with options, by both front ends. One call with two recording arguments would
// leave their order to the compiler: each stands on its own line.
constexpr tn::gemm_options gemm_all{
    .alpha = 0.5f, .beta = 2.0f, .aTranspose = true, .bTranspose = true};
constexpr tn::conv2d_options conv_all{.padding = {1, 0, 2, 1},
                                      .strides = {2, 1},
                                      .dilations = {1, 2},
                                      .groups = 2,
                                      .inputLayout = tn::image_layout::nhwc,
                                      .filterLayout = tn::filter_layout::ohwi};
constexpr tn::pool2d_options pool_all{.windowDimensions = {2, 3},
                                      .padding = {1, 1, 0, 0},
                                      .strides = {2, 1},
                                      .dilations = {2, 1},
                                      .layout = tn::image_layout::nhwc,
                                      .outputShapeRounding = tn::rounding::ceil};
constexpr tn::clamp_options six{.minValue = 0, .maxValue = 6};
constexpr auto everything = [](auto x, auto a) {
  auto c = tn::conv2d<conv_all>(x, tn::weight<"f", float, 6, 3, 3, 3>);
  auto p = tn::maxPool2d<pool_all>(c);
  auto q = tn::averagePool2d<tn::pool2d_options{.layout = tn::image_layout::nhwc}>(c);
  auto r = tn::on<1>(tn::reduceSum<tn::reduce_options{.axes = {1, 2}, .keepDimensions = true}>(p));
  auto s = tn::add(r, tn::sub(q, tn::clamp<six>(q)));
  auto relu = tn::relu(s);
  auto gate = tn::sigmoid(s);
  auto gated = tn::mul(relu, gate);
  auto t = tn::div(gated, tn::exp(tn::tanh(s)));
  auto u = tn::map([](auto v, auto w) { return select(v < w, v, 3.0f * w); })(t, s);
  auto u1 = u + 1.0f;
  auto u2 = 2.0f * (u / 4.0f);
  auto m = tn::reshape<6, 2>(u1 - u2);
  auto n2 = 1.0f - (m - 3.0f) * 5.0f;
  auto n3 = 6.0f / (7.0f + m);
  auto n = n2 + n3;
  auto g = tn::gemm<gemm_all>(n, tn::weight<"g", float, 5, 6>, tn::weight<"h", float, 2, 1>);
  auto h = tn::matmul(tn::transpose<>(g), a);
  auto y = tn::on<3>(tn::softmax<0>(h));
  auto top = tn::reduceMax(h);
  return tn::outputs(y, top, tn::transpose<1, 0, 2>(h), g);
};
using everything_graph =
    tn::graph<everything, tn::input<"x", float, 2, 7, 6, 6>, tn::input<"a", float, 3, 2, 4>>;

constexpr tn::result<tn::table> built_everything() {
  using tn::maps::with_number;
  builder b;
  const auto x = b.input("x", floats(2, 7, 6, 6)), a = b.input("a", floats(3, 2, 4));
  const auto c = b.add<tn::conv2d_t>(conv_all, {x, b.weight("f", floats(6, 3, 3, 3))});
  const auto p = b.add<tn::maxPool2d_t>(pool_all, {c});
  const auto q = b.add<tn::averagePool2d_t>({.layout = tn::image_layout::nhwc}, {c});
  const auto r = b.on(1, b.add<tn::reduceSum_t>({.axes = {1, 2}, .keepDimensions = true}, {p}));
  const auto s = b.add<tn::add_t>({}, {r, b.add<tn::sub_t>({}, {q, b.add<tn::clamp_t>(six, {q})})});
  const auto relu = b.add<tn::relu_t>({}, {s}), gate = b.add<tn::sigmoid_t>({}, {s});
  const auto gated = b.add<tn::mul_t>({}, {relu, gate});
  const auto t = b.add<tn::div_t>({}, {gated, b.add<tn::exp_t>({}, {b.add<tn::tanh_t>({}, {s})})});
  const auto u = b.map<2>([](auto v, auto w) { return select(v < w, v, 3.0f * w); }, {t, s});
  const auto u1 = b.add<with_number<tn::add_t, false>>({1}, {u});
  const auto u2 =
      b.add<with_number<tn::mul_t, true>>({2}, {b.add<with_number<tn::div_t, false>>({4}, {u})});
  const auto m = b.add<tn::reshape_t>({.newShape = {6, 2}}, {b.add<tn::sub_t>({}, {u1, u2})});
  const auto n1 =
      b.add<with_number<tn::mul_t, false>>({5}, {b.add<with_number<tn::sub_t, false>>({3}, {m})});
  const auto n2 = b.add<with_number<tn::sub_t, true>>({1}, {n1});
  const auto n3 =
      b.add<with_number<tn::div_t, true>>({6}, {b.add<with_number<tn::add_t, true>>({7}, {m})});
  const auto n = b.add<tn::add_t>({}, {n2, n3});
  const auto w = b.weight("g", floats(5, 6)), z = b.weight("h", floats(2, 1));
  const auto g = b.add<tn::gemm_t>(gemm_all, {n, w, z});
  const auto h = b.add<tn::matmul_t>({}, {b.add<tn::transpose_t>({}, {g}), a});
  const auto y = b.on(3, b.add<tn::softmax_t>({0}, {h}));
  const auto top = b.add<tn::reduceMax_t>({}, {h}),
             turned = b.add<tn::transpose_t>({.permutation = {1, 0, 2}}, {h});
  return b.finish({y, top, turned, g});
}

}  // namespace

TEST_CASE("the builder makes the table of LeNet") {
  const auto net = built_lenet();
  REQUIRE(net.ok());
  CHECK(std::string(difference(net->view(), lenet_graph::view())) == "");
}

TEST_CASE("the builder makes the table of a model with every operator") {
  const auto net = built_everything();
  REQUIRE(net.ok());
  CHECK(std::string(difference(net->view(), everything_graph::view())) == "");
}

TEST_CASE("a value knows its tensor") {
  builder b;
  const auto x = b.input("x", floats(2, 3));
  const auto y = b.add<tn::reduceSum_t>({.axes = {1}}, {x});
  CHECK(b.type_of_value(x) == floats(2, 3));
  CHECK(b.type_of_value(y) == floats(2));
  CHECK(b.type_of_value({}) == tensor{});
}

TEST_CASE("a lambda given to a builder may capture") {
  builder b;
  const float slope = 0.25f;
  const auto x = b.input("x", floats(3));
  const auto net = b.finish({b.map<1>([=](auto v) { return max(v, slope * v); }, {x})});
  REQUIRE(net.ok());
  CHECK(net->view().program_of(net->nodes[1]).size == 4);
}

TEST_CASE("weights are interned by name and conflict when they differ") {
  builder b;
  const auto w = b.weight("w", floats(4)), again = b.weight("w", floats(4));
  CHECK(w.id == again.id);
  CHECK(b.fault().ok());
  (void)b.weight("w", floats(4, 1));
  CHECK(b.fault() == error{code::name_conflict, "weight", "w", extents(4), extents(4, 1)});

  builder other_type;
  (void)other_type.weight("w", floats(4));
  (void)other_type.weight("w", {type::int32, extents(4)});
  CHECK(other_type.fault().is(code::name_conflict, "weight"));
}

TEST_CASE("hundreds of weights are found again by name, and forgotten with their table") {
  builder b;
  for (int round = 0; round < 2; ++round) {
    const auto x = b.input("x", floats(4));
    int ids[500];
    for (int i = 0; i < 500; ++i)
      ids[i] = b.weight(tn::name("layer.") + i + ".weight", floats(4)).id;
    for (int i = 0; i < 500; ++i) {
      CHECK(ids[i] == i + 1);
      CHECK(b.weight(tn::name("layer.") + i + ".weight", floats(4)).id == ids[i]);
    }
    const auto net = b.finish({b.add<tn::relu_t>({}, {x})});
    REQUIRE(net.ok());
    CHECK(net->nodes.size() == 502);
  }
}

TEST_CASE("two inputs of one name are a conflict, next to each other too") {
  builder b;
  (void)b.input("x", floats(4));
  (void)b.input("x", floats(4));
  CHECK(b.fault() == error{code::name_conflict, "input", "x", extents(4), extents(4)});

  builder apart;
  (void)apart.input("x", floats(4));
  (void)apart.weight("w", floats(4));
  (void)apart.input("x", floats(4));
  CHECK(apart.fault().is(code::name_conflict, "input"));
}

TEST_CASE("a weight and an input of one name are a conflict in both orders") {
  builder input_first;
  (void)input_first.input("x", floats(4));
  (void)input_first.weight("x", floats(4));
  CHECK(input_first.fault().is(code::name_conflict, "weight"));

  builder weight_first;
  (void)weight_first.weight("x", floats(4));
  (void)weight_first.input("x", floats(4));
  CHECK(weight_first.fault().is(code::name_conflict, "input"));
}

TEST_CASE("names have 1 to 95 characters") {
  const std::string longest(95, 'a'), longer(96, 'a');
  builder b;
  CHECK(b.type_of_value(b.input(longest.c_str(), floats(4))) == floats(4));
  CHECK(b.fault().ok());
  (void)b.weight(longer.c_str(), floats(4));
  CHECK(b.fault().is(code::name_length, "weight"));
  builder empty;
  (void)empty.input("", floats(4));
  CHECK(empty.fault() == error{code::name_length, "input", "", 95, 0});
}

TEST_CASE("extents are at least 1 and a tensor has at most 2^40 elements") {
  const auto fault = [](const tn::shape& s) {
    builder b;
    (void)b.input("x", {type::float32, s});
    return b.fault();
  };
  constexpr tn::i64 most = tn::i64{1} << 40, huge = std::numeric_limits<tn::i64>::max();
  CHECK(fault(extents()).ok());
  CHECK(fault(extents(most)).ok());
  CHECK(fault(extents(4, 0)) == error{code::extent, "input", "x", most / 4, 0});
  CHECK(fault(extents(-1)) == error{code::extent, "input", "x", most, -1});
  CHECK(fault(extents(most + 1)).what == code::extent);
  CHECK(fault(extents(2, most)).what == code::extent);
  CHECK(fault(extents(huge, huge)).what == code::extent);
  tn::shape deep;
  deep.rank = 9;
  CHECK(fault(deep) == error{code::rank, "input", "x", 8, 9});
  deep.rank = -1;
  CHECK(fault(deep) == error{code::rank, "input", "x", 8, -1});
}

TEST_CASE("a result of more than 2^40 elements is refused") {
  builder b;
  const auto x = b.input("x", floats(tn::i64{1} << 30, 1)),
             y = b.input("y", floats(1, tn::i64{1} << 30));
  (void)b.add<tn::matmul_t>({}, {x, y});
  CHECK(b.fault().is(code::extent, "matmul"));
}

TEST_CASE("values of another builder, of nobody and of failed calls are refused") {
  builder mine, other;
  const auto x = mine.input("x", floats(4));
  const auto foreign = other.input("x", floats(4));
  CHECK(mine.type_of_value(foreign) == tensor{});
  (void)mine.add<tn::add_t>({}, {x, foreign});
  CHECK(mine.fault().is(code::output, "add"));
  (void)other.add<tn::relu_t>({}, {builder::value{}});
  CHECK(other.fault() == error{code::output, "relu", "operand", 1, -1});

  builder failed;
  const auto a = failed.input("a", floats(4));
  const auto bad = failed.add<tn::matmul_t>({}, {a, a});
  CHECK(failed.fault().is(code::rank, "matmul"));
  CHECK(bad.id == -1);
}

TEST_CASE("the first error sticks, and nothing is recorded behind it") {
  builder b;
  const auto x = b.input("x", floats(4));
  (void)b.add<tn::softmax_t>({5}, {x});
  const error first = b.fault();
  CHECK(first == error{code::axis, "softmax", "axis", 1, 5});
  CHECK(b.input("y", floats(4)).id == -1);
  CHECK(b.add<tn::relu_t>({}, {x}).id == -1);
  (void)b.add<tn::matmul_t>({}, {x, x});
  (void)b.on(9, x);
  CHECK(b.fault() == first);
  const auto net = b.finish({x});
  CHECK_FALSE(net.ok());
  CHECK(net.error() == first);
}

TEST_CASE("an operator takes one to 64 operands") {
  builder b;
  const auto x = b.input("x", floats(4));
  (void)b.add<tn::relu_t>({}, {});
  CHECK(b.fault() == error{code::operand_count, "relu", "", 1, 0});
  builder nine;
  const auto y = nine.input("x", floats(4));
  (void)nine.add<tn::add_t>({}, {y, y, y, y, y, y, y, y, y});
  CHECK(nine.fault() == error{code::operand_count, "add", "", 2, 9});
  for (const int n : {9, 64, 65}) {
    builder many;
    const std::vector<builder::value> all(static_cast<std::size_t>(n), many.input("x", floats(4)));
    const tn::list<builder::value> operands{all.data(), n};
    const auto joined = many.add<tn::concat_t>({}, operands);
    if (n > 64)
      CHECK(many.fault() == error{code::operand_count, "concat", "", 64, n});
    else
      CHECK(many.type_of_value(joined) == floats(4 * n));
    const auto net = many.finish(operands);
    CHECK(net.ok() == (n <= 64));
    if (net.ok()) CHECK(net->outputs.size() == n);
  }
  builder wrong;
  const auto z = wrong.input("x", floats(4));
  (void)wrong.map<2>([](auto p, auto q) { return p + q; }, {z});
  CHECK(wrong.fault() == error{code::operand_count, "map", "", 2, 1});
  CHECK(x.id == 0);
}

TEST_CASE("an invalid, a long and a wide program are refused") {
  const auto fault = [](auto f) {
    builder b;
    (void)b.map<1>(f, {b.input("x", floats(4))});
    return b.fault();
  };
  CHECK(fault([](auto x) { return x + 1; }).ok());
  CHECK(fault([](auto x) { return x + tn::cast<std::int32_t>(x); }).is(code::program, "map"));
  CHECK(fault([](auto x) {
          for (int i = 0; i < 300; ++i) x = x + static_cast<float>(i);
          return x;
        }).is(code::program, "map"));
  const auto wide = fault([](auto x) {
    tn::scalar power[40];
    for (int i = 0; i < 40; ++i) power[i] = i == 0 ? x : power[i - 1] * x;
    tn::scalar sum = power[39];
    for (int i = 38; i >= 0; --i) sum = sum / power[i];
    return sum;
  });
  CHECK(wide == error{code::program, "map", "registers", 32, 40});
}

TEST_CASE("a position is 0 to 7 and belongs to a value") {
  builder b;
  const auto x = b.input("x", floats(4));
  (void)b.on(8, x);
  CHECK(b.fault() == error{code::policy, "on", "policy", 7, 8});
  builder negative;
  (void)negative.on(-1, negative.input("x", floats(4)));
  CHECK(negative.fault() == error{code::policy, "on", "policy", 7, -1});
  builder nobody;
  (void)nobody.on(0, {});
  CHECK(nobody.fault().is(code::policy, "on"));
}

TEST_CASE("a graph has at least one output, and only its own") {
  builder none;
  (void)none.input("x", floats(4));
  CHECK(none.finish({}).error() == error{code::output, "finish", "outputs", 1, 0});
  builder b;
  const auto x = b.input("x", floats(4));
  CHECK(b.finish({x, builder::value{}}).error() == error{code::output, "finish", "outputs", 1, -1});
  CHECK(b.finish({x}).error().is(code::output, "finish"));  // sticks
}

TEST_CASE("a builder is empty after finish and its values are refused") {
  builder b;
  const auto x = b.input("x", floats(4));
  CHECK(b.finish({x, x}).ok());
  CHECK_FALSE(b.finish({x}).ok());
}

TEST_CASE("values of a copied or moved builder are refused, its own are not") {
  builder b;
  const auto x = b.input("x", floats(4));
  builder copy = b;
  CHECK(copy.finish({x}).error().is(code::output, "finish"));
  CHECK(b.finish({x}).ok());
}
