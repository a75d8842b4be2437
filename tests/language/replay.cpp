// Recording a graph again with other extents gives the table of the graph with these extents.
// SPDX-License-Identifier: MIT
#include <tenon/language/replay.hpp>
#include "../catch.hpp"
#include "../support/same.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::code;

namespace {

constexpr auto model = [](auto x, auto y, auto at) {
  constexpr tn::conv2d_options framed{.padding = {1, 1, 1, 1}, .strides = {2, 1}};
  auto a = tn::relu(tn::conv2d<framed>(x, tn::weight<"w", float, 4, 3, 3, 3>,
                                       tn::weight<"b", float, 4>)) *
           0.5f;
  auto p =
      tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}, .padding = {0, 1, 1, 0}}>(a);
  auto m = tn::reduceMean<tn::reduce_options{.axes = {2, 3}}>(p);
  auto n = tn::layerNormalization(tn::concat<0>(m, tn::exp(y)), tn::weight<"s", float, 4>);
  auto [left, right] = tn::split<1, 1, 3>(tn::gather<0>(n, at));
  auto q = tn::transpose<0, 2, 1>(tn::reduceMax<tn::reduce_options{.axes = {3}}>(p));
  auto padded =
      tn::pad<tn::pad_options{.beginningPadding = {1, 0}, .endingPadding = {0, 2}}>(right);
  return tn::outputs(tn::attention<tn::attention_options{.heads = 1}>(q, q, q),
                     tn::softmax<1>(tn::matmul(left, tn::transpose<1, 0>(left))),
                     tn::argMax<0>(tn::tile<2, 1>(padded)));
};
template <tn::i64 N, tn::i64 H, tn::i64 W, tn::i64 M, tn::i64 K> using exact =
    tn::graph<model, tn::input<"x", float, N, 3, H, W>, tn::input<"y", float, M, 4>,
              tn::input<"at", std::int32_t, K>>;
using limited =
    tn::graph<model, tn::input<"x", float, tn::upto<3>, 3, tn::upto<9>, tn::upto<12>>,
              tn::input<"y", float, tn::upto<5>, 4>, tn::input<"at", std::int32_t, tn::upto<6>>>;

// Bounds are extents but for what says that they vary.
constexpr tn::table_view t = limited::view();
static_assert(same(t, exact<3, 9, 12, 5, 6>::view()));
static_assert(t.limits.size == 3 && t.limits[0].input == 0 && t.limits[0].axes == 0b1101 &&
              t.limits[2].axes == 1);
static_assert(t.recipes.size > 0 && exact<3, 9, 12, 5, 6>::view().recipes.size == 0);

/// Shapes of the inputs.
struct call {
  tn::shape of[3];
};
constexpr call shapes(tn::i64 n, tn::i64 h, tn::i64 w, tn::i64 m, tn::i64 k) {
  return {{tn::extents(n, 3, h, w), tn::extents(m, 4), tn::extents(k)}};
}

/// The first pool in which what was recorded again differs from a graph with these extents.
constexpr const char* differs(const tn::table_view& a, const tn::table_view& b) {
  if (!equal(a.nodes, b.nodes)) return "nodes";
  if (!equal(a.code, b.code) || !equal(a.programs, b.programs)) return "programs";
  if (!equal(a.contractions, b.contractions)) return "contractions";
  if (!equal(a.windowings, b.windowings)) return "windowings";
  if (!equal(a.reductions, b.reductions)) return "reductions";
  if (!equal(a.movements, b.movements)) return "movements";
  if (!equal(a.gatherings, b.gatherings)) return "gatherings";
  if (!equal(a.names, b.names)) return "names";
  if (!equal(a.regions, b.regions)) return "regions";
  return "";
}
template <class Exact> constexpr bool replays(const call& c) {
  tn::recorder r;
  return tn::replay(t, c.of, r).ok() && same_text(differs(r.out.view(), Exact::view()), "");
}
static_assert(replays<exact<3, 9, 12, 5, 6>>(shapes(3, 9, 12, 5, 6)));
static_assert(replays<exact<1, 1, 1, 1, 1>>(shapes(1, 1, 1, 1, 1)));
static_assert(replays<exact<2, 4, 7, 5, 3>>(shapes(2, 4, 7, 5, 3)));

/// Records other programs for other extents: what a graph with limits cannot have.
struct divided_t {
  static constexpr const char* name = "divided";
  using options = tn::no_options;
  static constexpr tn::result<tn::tensor> infer(tn::no_options, tn::list<tn::tensor> in) {
    return in[0];
  }
  static constexpr int record(tn::recorder& r, tn::no_options, tn::list<int> in,
                              const tn::tensor& out) {
    const float n = static_cast<float>(out.shape[0]);
    const int half =
        r.map(name, tn::record_program<1>([&](auto x) { return x / n; }), {in[0]}, out);
    return r.map(name, tn::record_program<1>([&](auto x) { return x + 1.0f; }), {half}, out);
  }
};

}  // namespace

TEST_CASE("a recorder that is used again gives the same tables, in any order") {
  tn::recorder r;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(tn::replay(t, shapes(2, 4, 7, 5, 3).of, r).ok());
    CHECK(differs(r.out.view(), exact<2, 4, 7, 5, 3>::view()) == std::string());
    REQUIRE(tn::replay(t, shapes(1, 1, 1, 1, 1).of, r).ok());
    CHECK(differs(r.out.view(), exact<1, 1, 1, 1, 1>::view()) == std::string());
    REQUIRE(tn::replay(t, shapes(3, 9, 12, 5, 6).of, r).ok());
    CHECK(differs(r.out.view(), exact<3, 9, 12, 5, 6>::view()) == std::string());
  }
}

TEST_CASE("what an operator refuses is the error, and the next shapes work") {
  constexpr auto pools = [](auto x, auto y) {
    return tn::matmul(tn::reduceSum<tn::reduce_options{.axes = {0, 1}}>(
                          tn::averagePool2d<tn::pool2d_options{.windowDimensions = {3, 1}}>(x)),
                      y);
  };
  using net = tn::graph<pools, tn::input<"x", float, 1, 1, tn::upto<8>, tn::upto<5>>,
                        tn::input<"y", float, tn::upto<5>, 2>>;
  tn::recorder r;
  const auto fault = [&](tn::i64 h, tn::i64 w, tn::i64 k) {
    const tn::shape s[] = {tn::extents(1, 1, h, w), tn::extents(k, 2)};
    return tn::replay(net::view(), s, r);
  };
  for (int round = 0; round < 2; ++round) {
    CHECK(fault(2, 5, 5).is(code::window, "averagePool2d"));
    CHECK(fault(3, 4, 4).ok());
    CHECK(fault(3, 4, 3).is(code::inner_extent, "matmul"));
    CHECK(fault(8, 5, 5).ok());
  }
}

TEST_CASE("an operator whose programs depend on extents is refused") {
  tn::builder b;
  const auto x = b.input("x", floats(8, 2), {0});
  const auto net = b.finish({b.add<divided_t>({}, {x})});
  REQUIRE(net.ok());
  tn::recorder r;
  const tn::shape limit[] = {tn::extents(8, 2)}, smaller[] = {tn::extents(7, 2)};
  CHECK(tn::replay(net->view(), limit, r).ok());
  CHECK(tn::replay(net->view(), smaller, r).is(code::capacity, "divided"));
  tn::recorder fresh;
  CHECK(tn::replay(net->view(), smaller, fresh).is(code::capacity, "divided"));
}

TEST_CASE("the builder refuses a limit on an axis that is not there") {
  tn::builder b;
  (void)b.input("x", floats(8, 2), {2});
  CHECK(b.fault().is(code::axis, "input"));
  tn::builder c;
  (void)c.input("x", floats(8, 2), {-1});
  CHECK(c.fault().is(code::axis, "input"));
}
