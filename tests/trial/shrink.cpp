// Small failing cases: lists of decisions, parts of random graphs, tables of one operator.
// SPDX-License-Identifier: MIT
#include <tenon/language/operators.hpp>
#include <tenon/trial/shrink.hpp>
#include "../catch.hpp"
#include <numeric>

namespace tn = tenon;

namespace {

using namespace tenon::trial;
using tn::builder, tn::extents, tn::type;

/// A step of node `node`; one without operands is an input.
step step_of(int node, std::vector<int> operands, step::leaf is = step::leaf::none) {
  step s;
  s.node = node;
  s.operands = std::move(operands);
  s.is = is;
  s.out = {type::float32, extents(2)};
  return s;
}
std::vector<int> nodes_of(const random_graph& g) {
  std::vector<int> r;
  for (const step& s : g.steps) r.push_back(s.node);
  return r;
}
/// Inputs 0 and 1, a state 2; 3 reads 0, 4 reads 1 and 2, 5 reads 3. The state becomes 3.
random_graph graph_of_six() {
  random_graph g;
  g.steps = {step_of(0, {}, step::leaf::input),
             step_of(1, {}, step::leaf::weight),
             step_of(2, {}, step::leaf::state),
             step_of(3, {0}),
             step_of(4, {1, 2}),
             step_of(5, {3})};
  g.next = {{2, 3}};
  g.outputs = {4, 5};
  return g;
}
/// x, relu(x), exp of it, tanh of that: nodes 0 to 3.
tn::table line() {
  builder b;
  const builder::value x = b.input("x", {type::float32, extents(2)});
  const builder::value a = b.add<tn::relu_t>({}, {x}), c = b.add<tn::exp_t>({}, {a});
  return b.finish({b.add<tn::tanh_t>({}, {c})}).value();
}
/// A policy that is wrong about exp.
std::optional<difference> wrong_exp(const tn::table_view& t, const contents&) {
  const tn::node& n = t.nodes[t.outputs[0]];
  for (int i = 0; i <= t.outputs[0]; ++i)
    if (tn::name(t.nodes[i].op) == tn::name("exp")) return difference{n.op};
  return {};
}

}  // namespace

TEST_CASE("a list shrinks to the one decision that matters, and that to its least value") {
  const auto fails = [](const choices::list& l) {
    return std::any_of(l.begin(), l.end(), [](std::uint32_t v) { return v >= 7; });
  };
  CHECK(shrink({3, 0, 900, 12, 8, 4}, 1000, fails) == choices::list{7});
  CHECK(shrink({5, 5}, 1000, [](const choices::list&) { return true; }).empty());
}

TEST_CASE("what remains fails, and no smaller number in its place would") {
  const auto sum = [](const choices::list& l) {
    return std::accumulate(l.begin(), l.end(), std::uint32_t{0});
  };
  const choices::list r =
      shrink({60, 50, 9}, 1000, [&](const choices::list& l) { return sum(l) >= 100; });
  CHECK(sum(r) == 100);
  CHECK(r.size() == 2);
}

TEST_CASE("attempts are limited, and a list that cannot shrink stays") {
  int calls = 0;
  const choices::list ones(100, 1);
  CHECK(shrink(ones, 5, [&](const choices::list&) { return ++calls, false; }) == ones);
  CHECK(calls == 5);
  CHECK(shrink({1, 2}, 1000, [](const choices::list& l) {
          return l == choices::list{1, 2};
        }) == choices::list{1, 2});
}

TEST_CASE("the part of a graph: what its outputs need, states with what they become") {
  const random_graph g = graph_of_six();
  const random_graph last = part_of(g, {5}, -1);
  CHECK(nodes_of(last) == std::vector<int>{0, 3, 5});
  CHECK(last.next.empty());
  CHECK(last.outputs == std::vector<int>{5});
  const random_graph carried = part_of(g, {4}, -1);
  CHECK(nodes_of(carried) == std::vector<int>{0, 1, 2, 3, 4});
  CHECK(carried.next.size() == 1);
}

TEST_CASE("a replaced step becomes an input of its type, and what it read goes") {
  const random_graph r = part_of(graph_of_six(), {5}, 3);
  REQUIRE(nodes_of(r) == std::vector<int>{3, 5});
  CHECK(r.steps[0].is == step::leaf::input);
  CHECK(r.steps[0].operands.empty());
  CHECK(r.steps[0].label == tn::name("v3"));
  CHECK(r.steps[0].out.shape == extents(2));
}

TEST_CASE("a cut table needs what leads to its only output, up to the inputs in place of nodes") {
  const tn::table t = line();
  cut_table c(t.view());
  c.give_only(2);
  CHECK(c.needed() == std::vector<bool>{true, true, true, false});
  c.replace(1);
  CHECK(c.needed() == std::vector<bool>{false, true, true, false});
  const tn::table_view v = c.view();
  CHECK((v.outputs.size == 1 && v.inputs.size == 2));
  CHECK(v.nodes[1].kind == tn::family::input);
  CHECK(v.name_of(v.nodes[1]) == tn::name("v1"));
  CHECK(t.nodes[1].kind == tn::family::map);  // its source stays as it was
}

TEST_CASE("a failing table is cut down to the first node that differs, fed by inputs") {
  const tn::table t = line();
  contents c(4);
  c[0].resize(8);
  const auto small = cut_down(t.view(), c, std::vector<bool>(4, true), wrong_exp);
  REQUIRE(small.has_value());
  CHECK(small->net.needed() == std::vector<bool>{false, true, true, false});
  CHECK(small->what.way == "exp");
  CHECK(small->values[1].size() == 8);  // what relu gave
  const auto inside = cut_down(t.view(), c, {true, false, true, true}, wrong_exp);
  REQUIRE(inside.has_value());
  CHECK(inside->net.needed() == std::vector<bool>{true, true, true, false});
  const auto none = [](const tn::table_view&, const contents&) {
    return std::optional<difference>{};
  };
  CHECK_FALSE(cut_down(t.view(), c, std::vector<bool>(4, true), none).has_value());
}
