// The first pass: dead nodes, chains of element-wise nodes, fma.
// SPDX-License-Identifier: MIT
#include <tenon/plan/prepare.hpp>
#include "../catch.hpp"
#include "toy.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::builder, tn::family, tn::sop;

namespace {

template <auto Model, class... In> struct shrunk {
  static constexpr int operands_of_last = [] {
    const tn::table t = tn::plans::prepare(tn::graph<Model, In...>::view());
    return t.nodes[t.outputs[0]].operands;
  }();
  static constexpr int maps = [] {
    return count(tn::plans::prepare(tn::graph<Model, In...>::view()).view(), family::map);
  }();
  static constexpr int nodes = [] {
    return tn::plans::prepare(tn::graph<Model, In...>::view()).nodes.size();
  }();
};
/// How often an instruction stands in the first map of the prepared table.
template <auto Model, class... In> constexpr int uses_of(sop o) {
  const tn::table t = tn::plans::prepare(tn::graph<Model, In...>::view());
  int n = 0;
  for (const tn::instruction& i : t.code) n += i.op() == o;
  return n;
}
using x4 = tn::input<"x", float, 4>;
using y4 = tn::input<"y", float, 4>;

// Chains become one node, from both operands.
constexpr auto chain = [](auto x) { return tn::relu(tn::exp(x * 2.0f) + 1.0f); };
static_assert(shrunk<chain, x4>::maps == 1 && shrunk<chain, x4>::operands_of_last == 1);
constexpr auto tree = [](auto x, auto y) {
  return (tn::exp(x) + tn::tanh(y)) * (tn::sigmoid(x) - tn::relu(y));
};
static_assert(shrunk<tree, x4, y4>::maps == 1 && shrunk<tree, x4, y4>::operands_of_last == 2,
              "shared operands are read once");
constexpr auto silu = [](auto x) { return x * tn::sigmoid(x); };
static_assert(shrunk<silu, x4>::maps == 1 && shrunk<silu, x4>::operands_of_last == 1);
constexpr auto deep_silu = [](auto x) {
  auto y = tn::exp(x);
  return y * tn::sigmoid(y);
};
static_assert(shrunk<deep_silu, x4>::maps == 1, "after sigmoid is merged, y has one user left");

// A node with two users stays; so does an output.
constexpr auto two_users = [](auto x) {
  auto y = tn::exp(x);
  return tn::outputs(tn::relu(y), tn::tanh(y));
};
static_assert(shrunk<two_users, x4>::maps == 3);
constexpr auto also_output = [](auto x) {
  auto y = tn::exp(x);
  return tn::outputs(tn::relu(y), y);
};
static_assert(shrunk<also_output, x4>::maps == 2);
static_assert([] {
  const tn::table t = tn::plans::prepare(tn::graph<also_output, x4>::view());
  return t.outputs.size() == 2 && t.outputs[0] == 2 && t.outputs[1] == 1;
}());

// A chain that broadcasts in between stays in parts: each part runs over its own shape.
constexpr auto widened = [](auto x, auto y) { return tn::relu(x) + y; };
static_assert(shrunk<widened, tn::input<"x", float, 4, 1>, tn::input<"y", float, 4, 8>>::maps == 2);

// What is placed apart stays apart.
constexpr auto apart = [](auto x) { return tn::relu(tn::on<1>(tn::exp(x))); };
static_assert(shrunk<apart, x4>::maps == 2);

// Dead nodes and dead weights go, dead inputs stay.
constexpr auto dead = [](auto x, auto y) {
  auto unused = tn::relu(y) + tn::weight<"dead", float, 4>;
  (void)tn::exp(unused);
  return tn::relu(x + tn::weight<"w", float, 4>);
};
static_assert(shrunk<dead, x4, y4>::nodes == 4);
static_assert([] {
  const tn::table t = tn::plans::prepare(tn::graph<dead, x4, y4>::view());
  return t.inputs.size() == 2 && t.weights.size() == 1 &&
         t.view().name_of(t.nodes[t.weights[0]]) == tn::name("w") &&
         t.view().name_of(t.nodes[t.inputs[1]]) == tn::name("y");
}());

// fma forms across nodes.
constexpr auto scaled = [](auto x, auto y) { return x * y + x; };
static_assert(uses_of<scaled, x4, y4>(sop::fma) == 1 && uses_of<scaled, x4, y4>(sop::mul) == 0);
constexpr auto negated = [](auto x, auto y) { return x - x * y; };
static_assert(uses_of<negated, x4, y4>(sop::fma) == 1 && uses_of<negated, x4, y4>(sop::neg) == 1);

// A square that is used again: every operand is counted once, however often it is read.
constexpr auto square_plus = [](auto x) {
  auto c = tn::matmul(x, x);
  return c * c + c;
};
static_assert([] {
  const tn::table t =
      tn::plans::prepare(tn::graph<square_plus, tn::input<"x", float, 4, 4>>::view());
  return t.nodes.size() == 3 && t.nodes[2].operands == 1 && t.nodes[2].in[0] == 1;
}());
constexpr auto read_twice = [](auto x) {
  auto e = tn::exp(x);
  auto z = tn::map([](auto a, auto b, auto c) { return a * b + c; })(tn::tanh(e), e, e);
  return tn::outputs(z, tn::matmul(e, e));
};
static_assert(shrunk<read_twice, tn::input<"x", float, 4, 4>>::maps == 2,
              "the matmul still reads e");

/// Every operand of a prepared table stands in front of its user, and every argument is an operand.
void check_sound(const tn::table& t) {
  for (int i = 0; i < t.nodes.size(); ++i) {
    const tn::node& n = t.nodes[i];
    for (int k = 0; k < n.operands; ++k) CHECK((n.in[k] >= 0 && n.in[k] < i));
    if (n.kind != family::map) continue;
    const tn::program_view p = t.view().program_of(n);
    CHECK(p.size > 0);
    for (int k = 0; k < p.size; ++k) {
      CHECK(p.code[k].dst() < tn::max_registers);
      if (p.code[k].op() == sop::arg) CHECK(p.code[k].a() < n.operands);
    }
  }
  for (const int o : t.outputs) CHECK(o >= 0);
}

}  // namespace

TEST_CASE("a merged program has at most eight operands") {
  for (const int terms : {7, 8, 9, 17}) {
    builder b;
    auto sum = b.input("x0", floats(4));
    for (int i = 1; i < terms; ++i)
      sum = b.add<tn::add_t>({}, {sum, b.input(tn::name("x") + i, floats(4))});
    const auto net = b.finish({sum});
    REQUIRE(net.ok());
    const tn::table t = tn::plans::prepare(net->view());
    check_sound(t);
    CHECK(count(t.view(), family::map) == (terms - 1 + 6) / 7);
    for (const tn::node& n : t.nodes) CHECK(n.operands <= tn::max_operands);
  }
}

TEST_CASE("a merged program has at most 240 instructions and 32 registers") {
  builder b;
  auto x = b.input("x", floats(4));
  for (int i = 0; i < 600; ++i)
    x = b.add<tn::maps::with_number<tn::add_t, false>>({static_cast<float>(i)}, {x});
  const auto net = b.finish({x});
  REQUIRE(net.ok());
  const tn::table t = tn::plans::prepare(net->view());
  check_sound(t);
  CHECK(count(t.view(), family::map) > 1);
  CHECK(count(t.view(), family::map) < 10);
  for (const tn::range& r : t.programs) CHECK(r.size <= tn::max_program);

  builder wide;  // all of x, exp(x), exp(exp(x)), ... are needed at the end
  auto y = wide.input("x", floats(4));
  tn::builder::value power[40];
  for (int i = 0; i < 40; ++i) power[i] = y = wide.add<tn::exp_t>({}, {y});
  for (int i = 38; i >= 0; --i) y = wide.add<tn::div_t>({}, {y, power[i]});
  const auto made = wide.finish({y});
  REQUIRE(made.ok());
  check_sound(tn::plans::prepare(made->view()));
}

TEST_CASE("fma is not formed where it would need more than 32 registers") {
  builder b;
  const auto x = b.input("x", floats(4));
  const auto y = b.map<1>(
      [](auto v) {  // 20 products are alive at once; their factors would be 40
        tn::scalar product[20], s = v;
        for (int i = 0; i < 20; ++i) {
          const tn::scalar a = exp(s), c = tanh(a);
          product[i] = a * c;
          s = a / c;
        }
        for (int i = 19; i >= 0; --i) s = product[i] + s;
        return s;
      },
      {x});
  const auto net = b.finish({y});
  REQUIRE(net.ok());
  const tn::table t = tn::plans::prepare(net->view());
  check_sound(t);
  int products = 0, fused = 0;
  for (const tn::instruction& i : t.code) {
    products += i.op() == sop::mul;
    fused += i.op() == sop::fma;
  }
  CHECK(products == 20);
  CHECK(fused == 0);
}

TEST_CASE("preparing a table gives the same table every time") {
  const tn::table once = tn::plans::prepare(lenet_graph::view());
  check_sound(once);
  CHECK(count(once.view(), family::map) == 5);
  const tn::table again = tn::plans::prepare(lenet_graph::view());
  CHECK(std::string(difference(once.view(), again.view())) == "");
}
