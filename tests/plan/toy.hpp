// Toy policies and shorthands for the tests of the passes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan.hpp>
#include "../support/same.hpp"

namespace tenon_test {

constexpr bool anything(const tn::table_view&, const tn::node&) { return true; }
constexpr tn::footprint nothing(const tn::plan_view&, int) { return {}; }

inline constexpr tn::policy_facts fusing{"fusing", tn::sharing::same, true, &anything, &nothing};
inline constexpr tn::policy_facts plain{"plain", tn::sharing::same, false, &anything, &nothing};

/// The facts as a policy type, for `tn::plan`.
template <const tn::policy_facts& F> struct toy {
  static constexpr const char* name = "toy";
  static constexpr tn::sharing memory = F.memory;
  static constexpr bool fuses = F.fuses;
  static constexpr bool supports(const tn::table_view& t, const tn::node& n) {
    return F.supports(t, n);
  }
  static constexpr tn::footprint measure(const tn::plan_view& p, int g) { return F.measure(p, g); }
};

/// The plan of a static graph, made here and now.
template <class Graph, class... Facts>
constexpr tn::result<tn::owned_plan> planned(const Facts&... facts) {
  const tn::policy_facts all[] = {facts...};
  return tn::make_plan(Graph::view(), {all, sizeof...(Facts)});
}
/// The plan of a built graph.
inline tn::result<tn::owned_plan> planned(const tn::result<tn::table>& built,
                                          const tn::policy_facts& facts) {
  if (!built.ok()) return built.error();
  return tn::make_plan(built->view(), {&facts, 1});
}

constexpr int count(tn::table_view t, tn::family kind) {
  int n = 0;
  for (const tn::node& x : t.nodes) n += x.kind == kind;
  return n;
}

}  // namespace tenon_test
