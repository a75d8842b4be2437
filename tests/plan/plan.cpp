// The whole pipeline: static and run-time plans are the same, and what a plan publishes.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "toy.hpp"
#include <string>

namespace tn = tenon;
using namespace tenon_test;
using tn::plans::buffer;

namespace {

constexpr bool equal(const tn::plan_view& a, const tn::plan_view& b) {
  bool r = same(a.table, b.table) && a.groups.size == b.groups.size &&
           a.members.size == b.members.size && a.copies_out.size == b.copies_out.size &&
           a.shared_bytes == b.shared_bytes && a.live_bytes == b.live_bytes &&
           a.per_thread_bytes == b.per_thread_bytes && a.packed_bytes == b.packed_bytes &&
           a.moved.crossings == b.moved.crossings;
  for (int i = 0; r && i < a.groups.size; ++i) {
    const tn::plans::group &x = a.groups[i], &y = b.groups[i];
    r = x.kind == y.kind && x.policy == y.policy && x.begin == y.begin && x.size == y.size &&
        x.anchor == y.anchor && x.space == y.space && x.columns == y.columns &&
        a.scratch_offset[i] == b.scratch_offset[i] && a.packed_offset[i] == b.packed_offset[i] &&
        a.needs[i].packed == b.needs[i].packed;
  }
  for (int i = 0; r && i < a.members.size; ++i) r = a.members[i] == b.members[i];
  for (int i = 0; r && i < a.table.nodes.size; ++i) {
    const tn::plans::location &v = a.locations[i], &w = b.locations[i];
    const buffer &p = a.buffers[i], &q = b.buffers[i];
    r = a.group_of[i] == b.group_of[i] && v.holder == w.holder && v.offset == w.offset &&
        v.step == w.step && v.materialised == w.materialised && p.in == q.in &&
        p.index == q.index && p.offset == q.offset && p.bytes == q.bytes && p.first == q.first &&
        p.last == q.last;
  }
  return r;
}

constexpr tn::footprint hungry(const tn::plan_view& p, int g) {
  return p.groups[g].kind == tn::family::contract ? tn::footprint{100, 60, 1000}
                                                  : tn::footprint{0, 0, 10};
}
constexpr tn::policy_facts packing{"packing", tn::sharing::same, true, &anything, &hungry};

using static_plan = tn::plan<lenet_graph, toy<packing>>;
static_assert(static_plan::packed_bytes == 3 * 128, "aligned packed weights of three contractions");
static_assert(static_plan::view().per_thread_bytes == 1024, "the most that a group needs");
static_assert(static_plan::arena_bytes == static_plan::view().shared_bytes + 1024);
static_assert(static_plan::view().arena_bytes(3) == static_plan::view().shared_bytes + 3 * 1024);
static_assert(static_plan::live_bytes <= static_plan::arena_bytes && static_plan::live_bytes > 0);
static_assert(static_plan::groups == 6 && static_plan::crossings == 0 && static_plan::copies == 0);

// Outputs are produced in place; a second claim on the same memory is a copy.
constexpr auto claims = [](auto x) {
  auto y = tn::exp(x);
  return tn::outputs(y, tn::reshape<8>(y), x, tn::weight<"w", float, 3>, y, tn::transpose<>(x));
};
constexpr tn::plan_view c =
    tn::plan<tn::graph<claims, tn::input<"x", float, 2, 4>>, toy<fusing>>::view();
static_assert(c.copies_out.size == 4);
static_assert(c.copies_out[0].output == 1 && c.copies_out[1].output == 2 &&
              c.copies_out[2].output == 3 && c.copies_out[3].output == 4);
constexpr int outputs_in_place = [] {
  int n = 0;
  for (int i = 0; i < c.table.nodes.size; ++i) n += c.buffers[i].in == buffer::storage::output;
  return n;
}();
static_assert(outputs_in_place == 2);

// Several outputs keep their order after dead nodes are gone.
static_assert(c.table.outputs.size == 6 &&
              c.table.nodes[c.table.outputs[3]].kind == tn::family::weight);

}  // namespace

TEST_CASE("a plan made at run time equals the static one") {
  CHECK(equal(static_plan::view(), planned<lenet_graph>(packing)->view()));
  const auto run_time = planned<lenet_graph>(packing);
  CHECK(equal(static_plan::view(), run_time->view()));
  CHECK_FALSE(equal(static_plan::view(), planned<lenet_graph>(fusing)->view()));
  CHECK_FALSE(equal(static_plan::view(), planned<lenet_graph>(plain)->view()));
}

// 200 layers with names of their own: every pass stays below the limits that compilers have by
// default.
template <tn::tensor T> struct named_weight {
  using is_tenon_leaf = void;
  static constexpr tn::tensor type = T;
  tn::name label;
  constexpr int bind(tn::recorder& r) const { return r.weight(label, T); }
};
constexpr auto deep = [](auto x) {
  for (int i = 0; i < 200; ++i) {
    auto y = tn::matmul(x, named_weight<floats(16, 16)>{tn::name("layer.") + i + ".weight"});
    x = tn::softmax<1>(tn::relu(y + named_weight<floats(16)>{tn::name("layer.") + i + ".bias"}) +
                       x);
  }
  return x;
};
using deep_graph = tn::graph<deep, tn::input<"x", float, 16, 16>>;
using deep_plan = tn::plan<deep_graph, toy<packing>>;
static_assert(deep_graph::view().weights.size == 400 && deep_plan::groups == 400);

TEST_CASE("a deep static graph is planned as at run time") {
  CHECK(equal(deep_plan::view(), planned<deep_graph>(packing)->view()));
}

TEST_CASE("a table that no policy runs gives the operator's name") {
  tn::builder b;
  const auto x = b.input("x", floats(4));
  const auto net = b.finish({b.add<tn::reshape_t>({.newShape = {2, 2}}, {x})});
  REQUIRE(net.ok());
  constexpr tn::policy_facts unmoved{
      "unmoved", tn::sharing::same, true,
      [](const tn::table_view&, const tn::node& n) { return n.kind != tn::family::move; },
      &tenon_test::nothing};
  const auto made = planned(net, unmoved);
  CHECK(made.error() == tn::error{tn::code::unsupported, "reshape", "policy", "move", "unmoved"});
}

TEST_CASE("a large graph is planned in linear memory") {
  tn::builder b;
  auto x = b.input("x", floats(16, 16));
  const auto w = b.weight("w", floats(16, 16));
  for (int i = 0; i < 300; ++i) x = b.add<tn::relu_t>({}, {b.add<tn::matmul_t>({}, {x, w})});
  const auto made = planned(b.finish({x}), fusing);
  REQUIRE(made.error().what == tn::code::ok);
  CHECK(made->shared_bytes == 2 * 1024);
  CHECK(made->grouped.groups.size() == 300);
}
