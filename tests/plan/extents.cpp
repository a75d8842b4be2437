// The plan for actual extents: decisions of the limits, numbers of the call.
// SPDX-License-Identifier: MIT
#include <tenon/plan/plan.hpp>
#include <tenon/policy/reference/policy.hpp>
#include "../catch.hpp"
#include "../support/same.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::code;

namespace {

constexpr auto model = [](auto x, auto y) {
  const auto all = tn::concat<0>(tn::exp(x), tn::concat<0>(tn::tanh(y), tn::sin(x)));
  auto [left, right] = tn::split<0, 2, 4>(tn::transpose<1, 0>(all));
  return tn::outputs(tn::matmul(left, tn::transpose<1, 0>(right)),
                     tn::reduceSum<tn::reduce_options{.axes = {0}}>(all),
                     tn::softmax<1>(all * 2.0f));
};
template <auto N, auto M> using net =
    tn::graph<model, tn::input<"x", float, N, 6>, tn::input<"y", float, M, 6>>;
using limited = net<tn::upto<7>, tn::upto<5>>;
using plan = tn::plan<limited, tn::reference>;
static_assert(plan::view().has_limits() &&
              plan::view().source.nodes.size == limited::view().nodes.size);
static_assert(!tn::plan<net<7, 5>, tn::reference>::view().has_limits());
// The plan for the limits is that of a graph with these extents.
static_assert(plan::arena_bytes == tn::plan<net<7, 5>, tn::reference>::arena_bytes &&
              plan::groups == tn::plan<net<7, 5>, tn::reference>::groups);

/// The first thing in which two plans for the same extents differ; offsets in the arena are the
/// limits'.
std::string difference_of(const tn::plan_view& a, const tn::plan_view& b) {
  if (a.table.nodes.size != b.table.nodes.size || a.groups.size != b.groups.size) return "sizes";
  for (int i = 0; i < a.table.nodes.size; ++i) {
    const std::string at = " of node " + std::to_string(i);
    if (!(a.table.nodes[i].out == b.table.nodes[i].out)) return "tensor" + at;
    if (a.group_of[i] != b.group_of[i]) return "group" + at;
    const tn::plans::location &v = a.locations[i], &w = b.locations[i];
    if (v.holder != w.holder || v.offset != w.offset || v.materialised != w.materialised ||
        v.inside != w.inside)
      return "value" + at;
    for (int k = 0; k < a.table.nodes[i].out.shape.rank; ++k)
      if (a.table.nodes[i].out.shape[k] > 1 && v.step[k] != w.step[k]) return "strides" + at;
  }
  for (int g = 0; g < a.groups.size; ++g)
    if (!(a.groups[g].space == b.groups[g].space)) return "space of group " + std::to_string(g);
  if (!equal(a.table.contractions, b.table.contractions)) return "contractions";
  if (!equal(a.table.reductions, b.table.reductions)) return "reductions";
  if (!equal(a.table.movements, b.table.movements)) return "movements";
  return "";
}
template <class Exact> void check_extents(tn::plans::actual_extents& actual, tn::i64 n, tn::i64 m) {
  const tn::shape s[] = {tn::extents(n, 6), tn::extents(m, 6)};
  REQUIRE(actual.set(s).ok());
  INFO(n << " and " << m);
  CHECK(difference_of(actual.view(), tn::plan<Exact, tn::reference>::view()) == "");
  CHECK(tn::plans::verify(actual.view()).ok());
  CHECK(actual.view().shared_bytes == plan::view().shared_bytes);
  CHECK(actual.view().limits.data == plan::view().table.contractions.data);
}

}  // namespace

TEST_CASE("extents, strides, views and joins are those of an exact plan") {
  tn::plans::actual_extents actual;
  actual.start(plan::view());
  for (int round = 0; round < 2; ++round) {
    check_extents<net<7, 5>>(actual, 7, 5);
    check_extents<net<2, 3>>(actual, 2, 3);
    check_extents<net<6, 2>>(actual, 6, 2);
    check_extents<net<4, 5>>(actual, 4, 5);
  }
}

TEST_CASE("an extent of 1 does not start to repeat, whichever operand it is") {
  constexpr auto sums = [](auto x, auto y) { return (x + y) * tn::exp(x); };
  using both =
      tn::graph<sums, tn::input<"x", float, tn::upto<4>, 3>, tn::input<"y", float, tn::upto<4>, 3>>;
  tn::plans::actual_extents actual;
  actual.start(tn::plan<both, tn::reference>::view());
  const auto fault = [&](tn::i64 n, tn::i64 m) {
    const tn::shape s[] = {tn::extents(n, 3), tn::extents(m, 3)};
    return actual.set(s).what;
  };
  CHECK(fault(4, 4) == code::ok);
  CHECK(fault(3, 1) == code::broadcast);
  CHECK(fault(1, 3) == code::broadcast);
  CHECK(fault(3, 2) == code::broadcast);
  CHECK(fault(1, 1) == code::ok);
  // What repeats for the limits repeats for all extents.
  using rows = tn::graph<sums, tn::input<"x", float, tn::upto<4>, 3>, tn::input<"y", float, 1, 3>>;
  tn::plans::actual_extents other;
  other.start(tn::plan<rows, tn::reference>::view());
  for (const tn::i64 n : {1, 4, 2}) {
    const tn::shape s[] = {tn::extents(n, 3), tn::extents(1, 3)};
    CHECK(other.set(s).ok());
  }
}
