// The compile-time front end: weights, constants, outputs, placement and regions.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "../support/same.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::family;

namespace {

using x4 = tn::input<"x", float, 4>;

// Weights are interned by name.
constexpr auto twice = [](auto x) {
  return x * tn::weight<"w", float, 4> + tn::weight<"w", float, 4>;
};
static_assert(tn::graph<twice, x4>::view().weights.size == 1);
static_assert(tn::graph<twice, x4>::view().nodes.size == 4);
constexpr auto first = [](auto x) { return tn::weight<"w", float, 4> - x; };
static_assert(tn::graph<first, x4>::view().nodes[2].in[0] == 1,
              "a weight may be the first operand");
static_assert(tn::graph<first, x4>::view().nodes[2].in[1] == 0);

// Operators on weights alone are recorded where they meet a handle.
constexpr auto deferred = [](auto x) {
  constexpr auto scaled = tn::exp(tn::weight<"a", float, 4> + tn::weight<"b", float, 1>);
  static_assert(scaled.type == floats(4));
  return x + scaled;
};
constexpr tn::table_view d = tn::graph<deferred, x4>::view();
static_assert(d.nodes.size == 6 && d.weights.size == 2 && d.nodes[3].kind == family::map &&
              d.nodes[4].in[0] == 3);
static_assert(d.nodes[5].in[0] == 0 && d.nodes[5].in[1] == 4);
constexpr auto constant = [](auto) { return tn::relu(tn::weight<"w", float, 4>); };
static_assert(tn::graph<constant, x4>::view().outputs[0] == 2,
              "a result may be made of weights alone");
constexpr auto product = [](auto x) {
  return tn::matmul(x, tn::transpose<1, 0>(tn::weight<"w", float, 7, 4>));
};
static_assert(tn::graph<product, tn::input<"x", float, 2, 4>>::view().nodes[3].out == floats(2, 7));

// Outputs: several, in order; an input, a weight, the same value twice.
constexpr auto many = [](auto x, auto y) {
  auto z = x + y;
  return tn::outputs(z, tn::relu(z), y, tn::weight<"w", float, 4>, z);
};
constexpr tn::table_view m = tn::graph<many, x4, tn::input<"y", float, 4>>::view();
static_assert(m.outputs.size == 5 && m.outputs[0] == 2 && m.outputs[1] == 3 && m.outputs[2] == 1 &&
              m.outputs[4] == 2);
static_assert(m.nodes[m.outputs[3]].kind == family::weight);
constexpr auto untouched = [](auto x) { return x; };
static_assert(tn::graph<untouched, x4>::view().nodes.size == 1 &&
              tn::graph<untouched, x4>::view().outputs[0] == 0);

// A number becomes a literal of the program, on its side of the operator.
constexpr auto numbers = [](auto x) { return 2 - (1.0f / (x - 3.0)); };
constexpr tn::table_view n = tn::graph<numbers, x4>::view();
constexpr float literal(const tn::table_view& t, int id) {
  const tn::program_view p = t.program_of(t.nodes[id]);
  for (int i = 0; i < p.size; ++i)
    if (p.code[i].is_literal()) return p.code[i].real();
  return -1;
}
static_assert(n.nodes.size == 4 && literal(n, 1) == 3.0f && literal(n, 2) == 1.0f &&
              literal(n, 3) == 2.0f);
constexpr bool literal_first(const tn::table_view& t, int id) {
  const tn::program_view p = t.program_of(t.nodes[id]);
  return p.code[p.code[p.size - 1].a()].is_literal();
}
static_assert(!literal_first(n, 1) && literal_first(n, 2) && literal_first(n, 3));

// Loops over layers through an assignable handle.
constexpr auto loop = [](auto x) {
  for (int i = 0; i < 5; ++i) x = tn::relu(x + float(i));
  return x;
};
static_assert(tn::graph<loop, x4>::view().nodes.size == 11);

// Placement tags the operator, or the whole composite.
constexpr auto placed = [](auto x) {
  return tn::relu(tn::on<1>(tn::softmax<1>(tn::on<2>(tn::exp(x)))));
};
constexpr tn::table_view p = tn::graph<placed, tn::input<"x", float, 2, 3>>::view();
static_assert(p.nodes[1].policy == 2 && p.nodes[6].policy == -1);
static_assert(p.nodes[2].policy == 1 && p.nodes[3].policy == 1 && p.nodes[4].policy == 1 &&
              p.nodes[5].policy == 1);

// One graph is one type: the same model and inputs give the same table.
static_assert(std::is_same_v<tn::graph<twice, x4>, tn::graph<twice, x4>>);

// A graph is named by its closure's type, and depends on its inputs.
static_assert(tn::graph<loop, tn::input<"x", float, 2, 2>>::view().nodes[10].out == floats(2, 2));

// A lambda is called with symbols only: what it would compute in double is recorded in float.
constexpr auto custom = [](auto a, auto b) {
  return tn::map([](auto x, auto y) { return max(x, 0.1 * y); })(a, b);
};
constexpr tn::table_view c =
    tn::graph<custom, tn::input<"a", float, 3, 1>, tn::input<"b", float, 2>>::view();
static_assert(c.nodes[2].out == floats(3, 2) && literal(c, 2) == 0.1f);

// Maps take up to eight operands.
constexpr auto eight = [](auto x) {
  return tn::map([](auto... v) { return (v + ...); })(x, x, x, x, x, x, x, x);
};
static_assert(tn::graph<eight, x4>::view().nodes[1].operands == 8);

}  // namespace

TEST_CASE("a model traced at run time gives the table of the compile-time graph") {
  tn::recorder r;
  const tn::error e =
      tn::front::run<decltype(placed), tn::mode::build, tn::input<"x", float, 2, 3>>(r);
  CHECK(e.ok());
  CHECK(std::string(difference(r.out.view(), p)) == "");
}

TEST_CASE("a weight with the name of an input is a conflict") {
  tn::recorder r;
  constexpr auto clash = [](auto x) { return x + tn::weight<"x", float, 4>; };
  const tn::error e = tn::front::run<std::remove_const_t<decltype(clash)>, tn::mode::build, x4>(r);
  CHECK(e.is(tn::code::name_conflict, "weight"));
  CHECK(e.operand == tn::name("x"));
}
