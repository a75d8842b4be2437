// Graphs with upto<>: every extent up to the limit gives the bits of a graph with exactly that
// extent.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"
#include <memory>
#include <thread>

using namespace tenon_test;
using tn::code;

namespace {

using shapes = std::vector<tn::shape>;

/// A graph with these input shapes, which are limits along some axes if `limited`.
struct building {
  tn::builder b;
  shapes s;
  bool limited = false;
  template <class... Axis> auto input(const char* label, int at, tn::type t, Axis... axis) {
    const tn::tensor is{t, s[static_cast<std::size_t>(at)]};
    return limited ? b.input(label, is, {axis...}) : b.input(label, is);
  }
  tn::builder::value weight(const char* label, tn::shape w) { return b.weight(label, reals(w)); }
};
using build_type = tn::result<tn::table> (*)(building&);

std::vector<array> random_inputs(const tn::table_view& t, dice& d) {
  std::vector<array> r;
  for (int i = 0; i < t.call_inputs(); ++i) r.push_back(random_array(t.nodes[t.inputs[i]].out, d));
  return r;
}
/// Indices stay small, so that some are in and some out of range.
void make_indices_small(std::vector<array>& inputs, dice& d) {
  for (array& a : inputs)
    if (a.is.type != tn::type::float32)
      for (double& x : a.at) x = d.in(-14, 14);
}

/// One bound model and its one instance, called with all extents.
template <class Model, class Memory = tn::owned> struct caller {
  const Model& model;
  tn::instance<Model, Memory> own;
  explicit caller(const Model& m) : model(m), own(m) { REQUIRE(m.fault().ok()); }
  std::vector<array> operator()(const std::vector<array>& inputs,
                                const std::vector<tn::tensor>& wanted) {
    arrays_call c(inputs, wanted);
    const tn::status done = own.run(c.in, c.out);
    INFO("status " << tn::text_of(done.what) << ", expected " << done.expected << ", found "
                   << done.found);
    REQUIRE(done.ok());
    return c.take();
  }
};

/// Calls one instance of each kind of model with all `cases` in a random order.
template <class Graph>
void check_extents(build_type build, const shapes& limits, std::vector<shapes> cases, dice& d) {
  building all{{}, limits, true};
  const tn::result<tn::table> made = build(all);
  INFO(tn::text_of(made.error().what) << " " << made.error().op.c_str());
  REQUIRE(made.ok());
  CHECK(Graph::view().nodes.size == made->view().nodes.size);
  std::vector<array> weights;
  for (const int w : Graph::view().weights)
    weights.push_back(random_array(Graph::view().nodes[w].out, d));
  const array_source source(Graph::view(), weights);
  const tn::model<Graph, tn::reference> a(source);
  const tn::model<Graph, tn::cpu> b(source);
  const tn::model<tn::dynamic, tn::reference> e(made->view(), source);
  const tn::model<tn::dynamic, tn::cpu> f(made->view(), source);
  caller static_reference(a);
  caller static_cpu(b);
  caller dynamic_reference(e);
  caller dynamic_cpu(f);
  const auto inside_reference = std::make_unique<caller<decltype(a), tn::embedded>>(a);
  const auto inside_cpu = std::make_unique<caller<decltype(b), tn::embedded>>(b);
  for (std::size_t i = cases.size(); i > 1; --i) std::swap(cases[i - 1], cases[d.next() % i]);
  for (const shapes& s : cases) {
    std::string extents;
    for (const tn::shape& x : s) extents += text_of(x);
    INFO(extents);
    building exact{{}, s, false};
    const tn::result<tn::table> table = build(exact);
    REQUIRE(table.ok());
    std::vector<array> inputs = random_inputs(table->view(), d);
    make_indices_small(inputs, d);
    const tn::model<tn::dynamic, tn::reference> defining(table->view(), source);
    const std::vector<array> wanted = call(defining, inputs);
    const std::vector<tn::tensor> outputs = outputs_of(table->view());
    check_same(wanted, static_reference(inputs, outputs), "static, reference", 0);
    check_same(wanted, static_cpu(inputs, outputs), "static, cpu");
    check_same(wanted, (*inside_reference)(inputs, outputs), "static, reference, embedded", 0);
    check_same(wanted, (*inside_cpu)(inputs, outputs), "static, cpu, embedded");
    check_same(wanted, dynamic_reference(inputs, outputs), "run time, reference", 0);
    check_same(wanted, dynamic_cpu(inputs, outputs), "run time, cpu");
  }
}

// A row of layers: product, normalization, softmax, and a product of few columns.
constexpr auto layers = [](auto x) {
  auto a = tn::relu(tn::gemm(x, tn::weight<"w", float, 16, 24>, tn::weight<"b", float, 24>));
  auto n = tn::layerNormalization<tn::layerNormalization_options{.axes = {1}}>(
      a, tn::weight<"s", float, 24>, tn::weight<"t", float, 24>);
  return tn::outputs(tn::softmax<1>(tn::matmul(n, tn::weight<"v", float, 24, 3>)),
                     tn::matmul(tn::transpose<1, 0>(n), x),
                     tn::matmul(n, tn::weight<"one", float, 24, 1>),
                     tn::matmul(tn::weight<"left", float, 5, 24>, tn::transpose<1, 0>(n)));
};
using layers_net = tn::graph<layers, tn::input<"x", float, tn::upto<21>, 16>>;
tn::result<tn::table> build_layers(building& g) {
  const auto x = g.input("x", 0, tn::type::float32, 0);
  const auto a = g.b.add<tn::relu_t>(
      {}, {g.b.add<tn::gemm_t>(
              {}, {x, g.weight("w", tn::extents(16, 24)), g.weight("b", tn::extents(24))})});
  const auto n = g.b.add<tn::layerNormalization_t>(
      {.axes = {1}}, {a, g.weight("s", tn::extents(24)), g.weight("t", tn::extents(24))});
  const auto s = g.b.add<tn::softmax_t>(
      {1}, {g.b.add<tn::matmul_t>({}, {n, g.weight("v", tn::extents(24, 3))})});
  const auto t =
      g.b.add<tn::matmul_t>({}, {g.b.add<tn::transpose_t>({.permutation = {1, 0}}, {n}), x});
  const auto one = g.b.add<tn::matmul_t>({}, {n, g.weight("one", tn::extents(24, 1))});
  return g.b.finish(
      {s, t, one,
       g.b.add<tn::matmul_t>({}, {g.weight("left", tn::extents(5, 24)),
                                  g.b.add<tn::transpose_t>({.permutation = {1, 0}}, {n})})});
}

// Attention over a sequence of its own length, and of two.
constexpr auto attends = [](auto q, auto k) {
  auto self = tn::attention<tn::attention_options{.heads = 2}>(q, q, q);
  auto cross = tn::attention<tn::attention_options{.heads = 4}>(q + self, k, tn::tanh(k));
  return tn::outputs(cross, tn::reduceMean<tn::reduce_options{.axes = {1}}>(self));
};
using attention_net = tn::graph<attends, tn::input<"q", float, 2, tn::upto<9>, 8>,
                                tn::input<"k", float, 2, tn::upto<17>, 8>>;
tn::result<tn::table> build_attention(building& g) {
  const auto q = g.input("q", 0, tn::type::float32, 1), k = g.input("k", 1, tn::type::float32, 1);
  const auto self = g.b.add<tn::attention_t>({.heads = 2}, {q, q, q});
  const auto sum = g.b.add<tn::add_t>({}, {q, self});
  const auto cross = g.b.add<tn::attention_t>({.heads = 4}, {sum, k, g.b.add<tn::tanh_t>({}, {k})});
  return g.b.finish({cross, g.b.add<tn::reduceMean_t>({.axes = {1}}, {self})});
}

// Images of any number and size: direct and pointwise convolutions, groups, strides, pooling.
constexpr tn::conv2d_options framed{.padding = {1, 1, 1, 1}, .strides = {2, 1}};
constexpr tn::conv2d_options two_groups{.padding = {1, 0, 2, 1}, .groups = 2};
constexpr tn::pool2d_options pooled{
    .windowDimensions = {2, 3}, .padding = {1, 0, 1, 1}, .strides = {2, 1}};
constexpr auto images = [](auto x) {
  auto a = tn::relu(
      tn::conv2d<framed>(x, tn::weight<"w", float, 6, 4, 3, 3>, tn::weight<"b", float, 6>));
  auto p = tn::conv2d(a, tn::weight<"p", float, 18, 6, 1, 1>);
  auto g = tn::conv2d<two_groups>(a, tn::weight<"g", float, 4, 3, 2, 3>) * 0.5f;
  return tn::outputs(tn::maxPool2d<pooled>(p), tn::averagePool2d<pooled>(g),
                     tn::reduceMean<tn::reduce_options{.axes = {2, 3}}>(p));
};
using images_net =
    tn::graph<images, tn::input<"x", float, tn::upto<3>, 4, tn::upto<9>, tn::upto<7>>>;
tn::result<tn::table> build_images(building& g) {
  const auto x = g.input("x", 0, tn::type::float32, 0, 2, 3);
  const auto a = g.b.add<tn::relu_t>(
      {}, {g.b.add<tn::conv2d_t>(
              framed, {x, g.weight("w", tn::extents(6, 4, 3, 3)), g.weight("b", tn::extents(6))})});
  const auto p = g.b.add<tn::conv2d_t>({}, {a, g.weight("p", tn::extents(18, 6, 1, 1))});
  const auto c = g.b.add<tn::conv2d_t>(two_groups, {a, g.weight("g", tn::extents(4, 3, 2, 3))});
  const auto h = g.b.map<1>([](auto v) { return v * 0.5f; }, {c});
  return g.b.finish({g.b.add<tn::maxPool2d_t>(pooled, {p}),
                     g.b.add<tn::averagePool2d_t>(pooled, {h}),
                     g.b.add<tn::reduceMean_t>({.axes = {2, 3}}, {p})});
}

// One channel each, in both layouts: kernels of their own.
constexpr tn::conv2d_options each_channel{.padding = {1, 1, 1, 1}, .groups = 5};
constexpr tn::conv2d_options each_last{.padding = {0, 1, 1, 0},
                                       .strides = {1, 2},
                                       .groups = 5,
                                       .inputLayout = tn::image_layout::nhwc,
                                       .filterLayout = tn::filter_layout::ihwo};
constexpr auto depthwise = [](auto x) {
  auto a = tn::relu(tn::conv2d<each_channel>(x, tn::weight<"d", float, 5, 1, 3, 3>));
  return tn::outputs(
      a, tn::conv2d<each_last>(tn::transpose<0, 2, 3, 1>(a), tn::weight<"l", float, 1, 2, 2, 5>),
      tn::matmul(a, tn::transpose<0, 1, 3, 2>(a)));
};
using depthwise_net =
    tn::graph<depthwise, tn::input<"x", float, tn::upto<2>, 5, tn::upto<40>, tn::upto<33>>>;
tn::result<tn::table> build_depthwise(building& g) {
  const auto x = g.input("x", 0, tn::type::float32, 0, 2, 3);
  const auto a = g.b.add<tn::relu_t>(
      {}, {g.b.add<tn::conv2d_t>(each_channel, {x, g.weight("d", tn::extents(5, 1, 3, 3))})});
  const auto t = g.b.add<tn::transpose_t>({.permutation = {0, 2, 3, 1}}, {a});
  const auto c = g.b.add<tn::conv2d_t>(each_last, {t, g.weight("l", tn::extents(1, 2, 2, 5))});
  return g.b.finish({a, c,
                     g.b.add<tn::matmul_t>(
                         {}, {a, g.b.add<tn::transpose_t>({.permutation = {0, 1, 3, 2}}, {a})})});
}

// Moves and gathers along the axis with the limit.
constexpr auto moves = [](auto x, auto y, auto at) {
  auto joined = tn::concat<0>(tn::exp(x), y, tn::concat<0>(tn::tanh(y), tn::sin(x)));
  auto [left, right] = tn::split<1, 2, 4>(joined);
  auto edged = tn::pad<tn::pad_options{
      .beginningPadding = {2, 1}, .endingPadding = {1, 0}, .mode = tn::padding_mode::edge}>(x);
  auto picked = tn::gather<0>(joined, at);
  auto wide = tn::concat<1>(tn::tile<1, 2>(right), tn::reverse<0>(left), joined);
  return tn::outputs(tn::relu(left) + 1.0f, tn::reverse<>(right), edged, picked, wide,
                     tn::argMax<0>(joined), tn::reduceSum(joined),
                     tn::reduceMean<tn::reduce_options{.axes = {0}}>(picked),
                     tn::transpose<1, 0>(joined), tn::where(x > 0.25f, x, x * x));
};
using moves_net =
    tn::graph<moves, tn::input<"x", float, tn::upto<5>, 6>, tn::input<"y", float, tn::upto<4>, 6>,
              tn::input<"at", std::int32_t, tn::upto<6>>>;
tn::result<tn::table> build_moves(building& g) {
  tn::builder& b = g.b;
  const auto x = g.input("x", 0, tn::type::float32, 0), y = g.input("y", 1, tn::type::float32, 0),
             at = g.input("at", 2, tn::type::int32, 0);
  const auto exp = b.add<tn::exp_t>({}, {x}), tanh = b.add<tn::tanh_t>({}, {y}),
             sin = b.add<tn::sin_t>({}, {x});
  const auto joined = b.add<tn::concat_t>({0}, {exp, y, b.add<tn::concat_t>({0}, {tanh, sin})});
  const auto left = b.add<tn::split_t>({1, 0, 2}, {joined}),
             right = b.add<tn::split_t>({1, 2, 4}, {joined});
  const auto edged = b.add<tn::pad_t>({{2, 1}, {1, 0}, tn::padding_mode::edge}, {x});
  const auto picked = b.add<tn::gather_t>({0}, {joined, at});
  const auto tiled = b.add<tn::tile_t>({{1, 2}}, {right}),
             back = b.add<tn::reverse_t>({{0}}, {left});
  const auto wide = b.add<tn::concat_t>({1}, {tiled, back, joined});
  const auto one = b.add<tn::relu_t>({}, {left});
  const auto more = b.map<1>([](auto v) { return v + 1.0f; }, {one});
  const auto turned = b.add<tn::reverse_t>({}, {right});
  const auto most = b.add<tn::argMax_t>({0, {}}, {joined});
  const auto sum = b.add<tn::reduceSum_t>({}, {joined});
  const auto mean = b.add<tn::reduceMean_t>({.axes = {0}}, {picked});
  const auto across = b.add<tn::transpose_t>({.permutation = {1, 0}}, {joined});
  const auto mask = b.map<1>([](auto v) { return tn::cast<std::uint8_t>(v > 0.25f); }, {x});
  const auto square = b.add<tn::mul_t>({}, {x, x});
  return b.finish({more, turned, edged, picked, wide, most, sum, mean, across,
                   b.add<tn::where_t>({}, {mask, x, square})});
}

// Recurrent nets over sequences of any number of steps: as many turns of one body.
constexpr tn::gru_options there_and_back{
    .bias = true, .returnSequence = true, .direction = tn::recurrent_direction::both};
constexpr tn::lstm_options back{.direction = tn::recurrent_direction::backward};
constexpr tn::cumulativeSum_options along{.axis = 1, .exclusive = true};
constexpr auto recurrent = [](auto x) {
  auto [last, all] =
      tn::gru<there_and_back>(x, tn::weight<"w", float, 2, 15, 3>, tn::weight<"r", float, 2, 15, 5>,
                              tn::weight<"b", float, 2, 15>);
  auto [hidden, cell] =
      tn::lstm<back>(x, tn::weight<"lw", float, 1, 16, 3>, tn::weight<"lr", float, 1, 16, 4>);
  return tn::outputs(last, all, hidden, cell, tn::cumulativeSum(x), tn::cumulativeSum<along>(x));
};
using recurrent_net = tn::graph<recurrent, tn::input<"x", float, tn::upto<7>, tn::upto<3>, 3>>;
tn::result<tn::table> build_recurrent(building& g) {
  const auto x = g.input("x", 0, tn::type::float32, 0, 1);
  const auto both = g.b.add_all<tn::gru_t>(
      there_and_back, {x, g.weight("w", tn::extents(2, 15, 3)),
                       g.weight("r", tn::extents(2, 15, 5)), g.weight("b", tn::extents(2, 15))});
  const auto one = g.b.add_all<tn::lstm_t>(
      back, {x, g.weight("lw", tn::extents(1, 16, 3)), g.weight("lr", tn::extents(1, 16, 4))});
  const auto sum = g.b.add<tn::cumulativeSum_t>({}, {x});
  return g.b.finish(
      {both[0], both[1], one[0], one[1], sum, g.b.add<tn::cumulativeSum_t>(along, {x})});
}

// Every dimension of a batched product varies.
constexpr auto product = [](auto a, auto b) { return tn::matmul(a, tn::exp(b)) * 0.5f; };
using product_net =
    tn::graph<product, tn::input<"a", float, tn::upto<3>, tn::upto<9>, tn::upto<20>>,
              tn::input<"b", float, tn::upto<3>, tn::upto<20>, tn::upto<35>>>;
tn::result<tn::table> build_product(building& g) {
  const auto a = g.input("a", 0, tn::type::float32, 0, 1, 2),
             b = g.input("b", 1, tn::type::float32, 0, 1, 2);
  const auto m = g.b.add<tn::matmul_t>({}, {a, g.b.add<tn::exp_t>({}, {b})});
  return g.b.finish({g.b.map<1>([](auto v) { return v * 0.5f; }, {m})});
}

/// A call with spans, which know no shape.
template <class Model>
tn::status call_flat(tn::instance<Model>& own, std::span<const float> x, std::span<float> y) {
  return own(x, y);
}

}  // namespace

TEST_CASE("every number of rows gives the bits of a graph of that many rows") {
  dice d = dice_of(801, 0);
  std::vector<shapes> cases;
  for (int n = 1; n <= 21; ++n) cases.push_back({tn::extents(n, 16)});
  check_extents<layers_net>(build_layers, {tn::extents(21, 16)}, cases, d);
}

TEST_CASE("attention over sequences of every length has the bits of a graph of that length") {
  dice d = dice_of(802, 0);
  std::vector<shapes> cases;
  for (int n = 1; n <= 9; ++n)
    cases.push_back({tn::extents(2, n, 8), tn::extents(2, 17 + n - 9, 8)});
  for (int n = 1; n <= 17; ++n)
    cases.push_back({tn::extents(2, d.in(1, 9), 8), tn::extents(2, n, 8)});
  check_extents<attention_net>(build_attention, {tn::extents(2, 9, 8), tn::extents(2, 17, 8)},
                               cases, d);
}

TEST_CASE(
    "convolutions and pooling of every number and size of images have the bits of a graph of that "
    "size") {
  dice d = dice_of(803, 0);
  std::vector<shapes> cases;
  for (int n = 1; n <= 3; ++n)
    for (int h = 1; h <= 9; ++h)
      for (int w = 1; w <= 7; ++w) cases.push_back({tn::extents(n, 4, h, w)});
  check_extents<images_net>(build_images, {tn::extents(3, 4, 9, 7)}, cases, d);
}

TEST_CASE(
    "depthwise convolutions of every height and width have the bits of a graph of that size") {
  dice d = dice_of(810, 0);
  std::vector<shapes> cases{{tn::extents(2, 5, 40, 33)},
                            {tn::extents(1, 5, 1, 1)},
                            {tn::extents(2, 5, 40, 1)},
                            {tn::extents(2, 5, 1, 33)}};
  for (int n = 2; n <= 40; ++n) cases.push_back({tn::extents(d.in(1, 2), 5, n, d.in(1, 33))});
  for (int n = 2; n <= 33; ++n) cases.push_back({tn::extents(d.in(1, 2), 5, d.in(1, 40), n)});
  check_extents<depthwise_net>(build_depthwise, {tn::extents(2, 5, 40, 33)}, cases, d);
}

TEST_CASE("moves, gathers and reductions along an axis with a limit") {
  dice d = dice_of(804, 0);
  std::vector<shapes> cases;
  for (int n = 1; n <= 5; ++n)
    for (int m = 1; m <= 4; ++m)
      cases.push_back({tn::extents(n, 6), tn::extents(m, 6), tn::extents(d.in(1, 6))});
  for (int k = 1; k <= 6; ++k)
    cases.push_back({tn::extents(5, 6), tn::extents(1, 6), tn::extents(k)});
  check_extents<moves_net>(build_moves, {tn::extents(5, 6), tn::extents(4, 6), tn::extents(6)},
                           cases, d);
}

TEST_CASE("recurrent nets over sequences of every length have the bits of a graph of that length") {
  dice d = dice_of(811, 0);
  std::vector<shapes> cases;
  for (int steps = 1; steps <= 7; ++steps)
    for (int batch = 1; batch <= 3; ++batch) cases.push_back({tn::extents(steps, batch, 3)});
  check_extents<recurrent_net>(build_recurrent, {tn::extents(7, 3, 3)}, cases, d);
}

TEST_CASE("products all of whose dimensions vary") {
  dice d = dice_of(805, 0);
  std::vector<shapes> cases;
  for (int round = 0; round < times(60); ++round) {
    const int n = d.in(1, 3), k = d.in(1, 20);
    cases.push_back({tn::extents(n, d.in(1, 9), k), tn::extents(n, k, d.in(1, 35))});
  }
  cases.push_back({tn::extents(3, 9, 20), tn::extents(3, 20, 35)});
  cases.push_back({tn::extents(1, 1, 1), tn::extents(1, 1, 1)});
  check_extents<product_net>(build_product, {tn::extents(3, 9, 20), tn::extents(3, 20, 35)}, cases,
                             d);
}

TEST_CASE("a view without a shape tells one extent with a limit") {
  constexpr auto doubled = [](auto x) { return x * 2.0f; };
  using net = tn::graph<doubled, tn::input<"x", float, tn::upto<8>, 3>>;
  const tn::model<net, tn::cpu> model{tn::weights<0>{}};
  tn::instance own{model};
  std::vector<float> x(24), y(24, -1);
  for (std::size_t i = 0; i < 24; ++i) x[i] = static_cast<float>(i);
  for (const std::size_t n : {2u, 8u, 1u, 5u}) {
    std::fill(y.begin(), y.end(), -1.0f);
    REQUIRE(own(std::span<const float>(x.data(), 3 * n), std::span<float>(y.data(), 3 * n)).ok());
    for (std::size_t i = 0; i < 24; ++i) REQUIRE(y[i] == (i < 3 * n ? 2 * x[i] : -1.0f));
  }
  const auto refused = [&](std::size_t in, std::size_t out) {
    return own(std::span<const float>(x.data(), in), std::span<float>(y.data(), out));
  };
  CHECK(refused(7, 6) == tn::status{code::size, 0, 3, 7});
  CHECK(refused(0, 0).what == code::extent);
  CHECK(refused(6, 9) == tn::status{code::size, 1, 6, 9});
  // Two unknown extents need a shape, unless all elements of the limit are there.
  using plane = tn::graph<doubled, tn::input<"x", float, tn::upto<4>, tn::upto<6>>>;
  const tn::model<plane, tn::cpu> other{tn::weights<0>{}};
  tn::instance two{other};
  CHECK(two(std::span<const float>(x.data(), 6), std::span<float>(y.data(), 6)).what == code::rank);
  CHECK(two(std::span<const float>(x), std::span<float>(y)).ok());
}

namespace {

template <class Model> void check_refusals(const Model& model) {
  dice d = dice_of(806, 0);
  tn::instance own{model};
  const auto status_of = [&](const std::vector<array>& in, const std::vector<tn::tensor>& out) {
    arrays_call c(in, out);
    const tn::status s = own.run(c.in, c.out);
    if (!s.ok()) CHECK(c.untouched());
    // The next good call works.
    const array x = random_array(floats(3, 5), d), y = random_array(floats(3, 5), d);
    arrays_call good({x, y}, {floats(3, 5), floats(3)});
    REQUIRE(own.run(good.in, good.out).ok());
    const array sum = good.take()[0];
    for (tn::i64 i = 0; i < 15; ++i)
      REQUIRE(sum[i] == static_cast<double>(static_cast<float>(x[i] + y[i])));
    return s;
  };
  const auto of = [&](tn::shape s) { return random_array(reals(s), d); };
  const std::vector<tn::tensor> out{floats(3, 5), floats(3)};
  CHECK(status_of({of(tn::extents(8, 5)), of(tn::extents(8, 5))}, {floats(8, 5), floats(8)}).ok());
  CHECK(status_of({of(tn::extents(9, 5)), of(tn::extents(9, 5))}, {floats(9, 5), floats(9)}) ==
        tn::status{code::extent, 0, 8, 9});
  CHECK(status_of({of(tn::extents(3, 5)), of(tn::extents(11, 5))}, out) ==
        tn::status{code::extent, 1, 8, 11});
  CHECK(status_of({of(tn::extents(0, 5)), of(tn::extents(0, 5))}, {floats(0, 5), floats(0)}) ==
        tn::status{code::extent, 0, 8, 0});
  CHECK(status_of({of(tn::extents(3, 5, 1)), of(tn::extents(3, 5))}, out) ==
        tn::status{code::rank, 0, 2, 3});
  CHECK(status_of({of(tn::extents(3, 5)), of(tn::extents(15))}, out) ==
        tn::status{code::rank, 1, 2, 1});
  CHECK(status_of({of(tn::extents(3, 4)), of(tn::extents(3, 5))}, out).what == code::size);
  CHECK(status_of({of(tn::extents(5, 3)), of(tn::extents(5, 5))}, {floats(5, 5), floats(5)}).what ==
        code::size);
  // Inputs that disagree, and one that would repeat.
  CHECK(status_of({of(tn::extents(4, 5)), of(tn::extents(3, 5))}, {floats(4, 5), floats(4)}).what ==
        code::broadcast);
  CHECK(status_of({of(tn::extents(4, 5)), of(tn::extents(1, 5))}, {floats(4, 5), floats(4)}).what ==
        code::broadcast);
  CHECK(status_of({of(tn::extents(1, 5)), of(tn::extents(4, 5))}, {floats(4, 5), floats(4)}).what ==
        code::broadcast);
  CHECK(status_of({of(tn::extents(1, 5)), of(tn::extents(1, 5))}, {floats(1, 5), floats(1)}).ok());
  // Outputs of another extent than the inputs ask for.
  CHECK(status_of({of(tn::extents(4, 5)), of(tn::extents(4, 5))}, {floats(8, 5), floats(4)}) ==
        tn::status{code::size, 2, 20, 40});
  CHECK(status_of({of(tn::extents(4, 5)), of(tn::extents(4, 5))}, {floats(5, 4), floats(4)}) ==
        tn::status{code::extent, 2, 4, 5});
  // Another element type.
  CHECK(status_of({random_array(ints(tn::extents(4, 5)), d), of(tn::extents(4, 5))},
                  {floats(4, 5), floats(4)})
            .what == code::element_type);
}
constexpr auto sums = [](auto x, auto y) {
  return tn::outputs(x + y, tn::reduceMax<tn::reduce_options{.axes = {1}}>(x * y));
};
using sums_net =
    tn::graph<sums, tn::input<"x", float, tn::upto<8>, 5>, tn::input<"y", float, tn::upto<8>, 5>>;

}  // namespace

TEST_CASE("extents that do not fit are refused, and nothing is written") {
  check_refusals(tn::model<sums_net, tn::cpu>{tn::weights<0>{}});
  check_refusals(tn::model<sums_net, tn::reference>{tn::weights<0>{}});
  check_refusals(tn::model<tn::dynamic, tn::cpu>{sums_net::view(), tn::weights<0>{}});
}

TEST_CASE("what an operator refuses for the extents of a call is the call's status") {
  constexpr auto pools = [](auto x) {
    return tn::maxPool2d<tn::pool2d_options{.windowDimensions = {3, 3}}>(x);
  };
  using net = tn::graph<pools, tn::input<"x", float, 1, 1, tn::upto<6>, 6>>;
  const tn::model<net, tn::cpu> model{tn::weights<0>{}};
  tn::instance own{model};
  dice d = dice_of(807, 0);
  for (const int h : {6, 2, 3, 1, 5}) {
    const array x = random_array(floats(1, 1, h, 6), d);
    arrays_call c({x}, {floats(1, 1, h < 3 ? 1 : h - 2, 4)});
    const tn::status s = own.run(c.in, c.out);
    INFO(h);
    CHECK(s.what == (h < 3 ? code::window : code::ok));
    if (h < 3) CHECK(c.untouched());
    if (h >= 3)
      CHECK(difference(operate<tn::maxPool2d_t>({.windowDimensions = {3, 3}}, {x}), c.take()[0]) ==
            "");
  }
}

namespace {

/// Says with few rows what it means in many nodes, programs and reductions.
struct wordy_t {
  static constexpr const char* name = "wordy";
  using options = tn::no_options;
  static constexpr tn::result<tn::tensor> infer(options, tn::list<tn::tensor> in) { return in[0]; }
  static constexpr int record(tn::recorder& r, options, tn::list<int> in, const tn::tensor& out) {
    r.open(name);
    const int rows = static_cast<int>(out.shape[0]);
    int y = in[0];
    tn::tensor row = out;
    row.shape.extent[1] = 1;
    for (int i = 0; i < (rows < 4 ? 90 : 1); ++i) {
      const int sum = r.reduce(name, {tn::combine::sum, 2u, true}, y, row);
      y = r.map(name, tn::record_program<2>([&](auto a, auto b) {
                  return a + b * static_cast<float>(i + 2);
                }),
                {y, sum}, out);
    }
    r.close();
    return y;
  }
};
template <tn::operand_like X> constexpr auto wordy(X x) { return tn::apply<wordy_t>(x); }

template <class Instance> void check_wordy(Instance& own) {
  dice d = dice_of(810, 0);
  for (const tn::i64 rows : {8, 3, 4, 1, 2, 7}) {
    const array x = random_array(floats(rows, 5), d);
    arrays_call c({x}, {floats(rows, 5)});
    INFO(rows);
    CHECK(own.run(c.in, c.out).what == (rows < 4 ? code::capacity : code::ok));
    if (rows < 4) CHECK(c.untouched());
    if (rows < 4) continue;
    const array y = c.take()[0];
    CHECK(y[0] != x[0]);
  }
}

}  // namespace

TEST_CASE("an operator that records more for fewer rows is refused, in any memory") {
  constexpr auto model = [](auto x) { return tn::exp(wordy(x)); };
  using net = tn::graph<model, tn::input<"x", float, tn::upto<8>, 5>>;
  const tn::model<net, tn::reference> slow{tn::weights<0>{}};
  const tn::model<net, tn::cpu> fast{tn::weights<0>{}};
  tn::instance owned{slow};
  check_wordy(owned);
  tn::instance<decltype(slow), tn::embedded> embedded{slow};
  check_wordy(embedded);
  tn::instance<decltype(fast), tn::embedded> other{fast};
  check_wordy(other);
}

TEST_CASE("two threads call one model with different extents") {
  dice d = dice_of(808, 0);
  std::vector<array> weights;
  for (const int w : layers_net::view().weights)
    weights.push_back(random_array(layers_net::view().nodes[w].out, d));
  const array_source source(layers_net::view(), weights);
  const tn::model<layers_net, tn::cpu> model(source);
  std::vector<array> inputs;
  std::vector<std::vector<array>> wanted;
  const auto outputs = [](tn::i64 n) {
    return std::vector<tn::tensor>{floats(n, 3), floats(24, 16), floats(n, 1), floats(5, n)};
  };
  tn::instance first{model};
  for (int n = 1; n <= 21; ++n) {
    inputs.push_back(random_array(floats(n, 16), d));
    arrays_call c({inputs.back()}, outputs(n));
    REQUIRE(first.run(c.in, c.out).ok());
    wanted.push_back(c.take());
  }
  std::string problems[2];
  const auto work = [&](std::size_t which) {
    tn::instance own{model};
    for (int i = 0; i < 200; ++i) {
      const auto n = static_cast<std::size_t>((i * (which ? 5 : 13) + i / 21) % 21);
      arrays_call c({inputs[n]}, outputs(static_cast<tn::i64>(n) + 1));
      if (!own.run(c.in, c.out).ok()) problems[which] = "status";
      const std::vector<array> found = c.take();
      for (std::size_t o = 0; o < found.size(); ++o)
        if (problems[which].empty()) problems[which] = difference(wanted[n][o], found[o]);
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  CHECK(problems[0] == "");
  CHECK(problems[1] == "");
}

TEST_CASE("owned and borrowed instances with threads take any extent") {
  dice d = dice_of(809, 0);
  std::vector<array> weights;
  for (const int w : images_net::view().weights)
    weights.push_back(random_array(images_net::view().nodes[w].out, d));
  const array_source source(images_net::view(), weights);
  const tn::model<images_net, tn::cpu> model(source);
  using model_type = tn::model<images_net, tn::cpu>;
  guarded_bytes arena(tn::aligned(tn::instance<model_type, tn::borrowed>::bytes_needed(model)),
                      wall::behind);
  tn::instance borrowed{model, arena.span()};
  splitting_executor threads(3, splitting_executor::order::shuffled, d.next());
  tn::instance many{model, threads};
  tn::instance own{model};
  for (int round = 0; round < 20; ++round) {
    const int n = d.in(1, 3), h = d.in(1, 9), w = d.in(1, 7);
    building exact{{}, {tn::extents(n, 4, h, w)}, false};
    const tn::result<tn::table> table = build_images(exact);
    const array x = random_array(floats(n, 4, h, w), d);
    arrays_call a({x}, outputs_of(table->view())), b({x}, outputs_of(table->view())),
        c({x}, outputs_of(table->view()));
    REQUIRE(own.run(a.in, a.out).ok());
    REQUIRE(borrowed.run(b.in, b.out).ok());
    REQUIRE(many.run(c.in, c.out).ok());
    check_same(a.take(), b.take(), "borrowed", 0);
    check_same(a.take(), c.take(), "threads", 0);
  }
  CHECK(arena.untouched());
}

TEST_CASE("random convolutions and products with random limits have the bits of graphs without") {
  for (int round = 0; round < times(60); ++round) {
    dice d = dice_of(811, round);
    const bool nhwc = d.one_in(2), each = d.one_in(3), by_matrix = d.one_in(4);
    const int groups = each ? d.in(2, 6) : d.in(1, 2), c = each ? groups : groups * d.in(1, 4),
              o = each && d.one_in(2) ? c : groups * d.in(1, 20);
    tn::conv2d_options how{.padding = {d.in(0, 2), d.in(0, 2), d.in(0, 2), d.in(0, 2)},
                           .strides = {d.in(1, 3), d.in(1, 3)},
                           .dilations = {d.in(1, 2), d.in(1, 2)},
                           .groups = groups,
                           .inputLayout = nhwc ? tn::image_layout::nhwc : tn::image_layout::nchw};
    const tn::shape filter = tn::extents(o, c / groups, d.in(1, 3), d.in(1, 3));
    const bool given = d.one_in(4);  // the filter as an input
    const int most_n = d.in(1, 3), most_h = d.in(3, 40), most_w = d.in(3, 40),
              columns = d.in(1, 40);
    const auto image_of = [&](int n, int h, int w) {
      return nhwc ? tn::extents(n, h, w, c) : tn::extents(n, c, h, w);
    };
    const auto build = [&](const tn::shape& x, bool limited) {
      tn::builder b;
      const auto v = !limited ? b.input("x", reals(x))
                     : nhwc   ? b.input("x", reals(x), {0, 1, 2})
                              : b.input("x", reals(x), {0, 2, 3});
      if (by_matrix) {  // of every row of the image
        const auto w = b.weight("f", floats(nhwc ? c : columns, nhwc ? columns : c));
        if (nhwc) return b.finish({b.add<tn::relu_t>({}, {b.add<tn::matmul_t>({}, {v, w})})});
        return b.finish({b.add<tn::matmul_t>(
            {}, {w, b.add<tn::transpose_t>({.permutation = {0, 2, 1, 3}}, {v})})});
      }
      const auto f = given ? b.input("f", reals(filter)) : b.weight("f", reals(filter));
      const auto y = b.add<tn::conv2d_t>(how, {v, f});
      return b.finish({d.one_in(2) ? y : b.add<tn::tanh_t>({}, {y})});
    };
    dice again = d;
    const tn::result<tn::table> made = build(image_of(most_n, most_h, most_w), true);
    REQUIRE((made.ok() || made.error().what == code::window));
    if (!made.ok()) continue;
    const array w =
        random_array(by_matrix ? floats(nhwc ? c : columns, nhwc ? columns : c) : reals(filter), d);
    const std::vector<array> weights(given && !by_matrix ? 0 : 1, w);
    const array_source source(made->view(), weights);
    const tn::model<tn::dynamic, tn::cpu> model(made->view(), source);
    REQUIRE(model.fault().ok());
    tn::instance own{model};
    for (int k = 0; k < 8; ++k) {
      const tn::shape s = k == 0 ? image_of(most_n, most_h, most_w)
                                 : image_of(d.in(1, most_n), d.one_in(4) ? 1 : d.in(1, most_h),
                                            d.one_in(4) ? 1 : d.in(1, most_w));
      const dice here = d;
      d = again;
      const tn::result<tn::table> exact = build(s, false);
      d = here;
      INFO("round " << round << ", " << text_of(s) << " of "
                    << text_of(image_of(most_n, most_h, most_w)) << text_of(made->view()));
      std::vector<array> in{random_array(reals(s), d)};
      if (given && !by_matrix) in.push_back(w);
      if (!exact.ok()) {
        arrays_call refused(in, {floats(1)});
        CHECK(own.run(refused.in, refused.out).what == exact.error().what);
        continue;
      }
      const array_source same(exact->view(), weights);
      const tn::model<tn::dynamic, tn::reference> defining(exact->view(), same);
      const std::vector<array> wanted = call(defining, in);
      arrays_call c2(in, outputs_of(exact->view()));
      const tn::status done = own.run(c2.in, c2.out);
      INFO(tn::text_of(done.what) << ", expected " << done.expected << ", found " << done.found);
      REQUIRE(done.ok());
      check_same(wanted, c2.take(), "cpu");
    }
  }
}
