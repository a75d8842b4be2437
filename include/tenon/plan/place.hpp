// Placement: which policy runs each node.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/decision.hpp>

namespace tenon::plans {

/// The pass. Gives every operator node its policy: its tag, else policy 0; what that policy cannot
/// run goes to the next one that can. Nothing else of the table changes. Afterwards every operator
/// has a policy that supports it; scans have that of their operand.
/// Error: policy (no such policy), unsupported (none runs the node).
constexpr error place(table& t, list<policy_facts> policies) {
  const table_view view = t.view();
  for (node& n : t.nodes) {
    if (is_leaf(n.kind)) continue;
    int policy = n.policy < 0 ? 0 : n.policy;
    if (policy >= policies.size) return {code::policy, n.op, "on", policies.size, policy};
    if (n.kind == family::scan) {  // it is where its operand is: `run_groups` moves its address
      const node& from = t.nodes[n.in[0]];
      n.policy = is_leaf(from.kind) ? static_cast<std::int8_t>(policy) : from.policy;
      continue;
    }
    if (n.whole >= 0) {  // `prepare` asked
      n.policy = static_cast<std::int8_t>(policy);
      continue;
    }
    while (policy < policies.size && !policies[policy].supports(view, n)) ++policy;
    if (policy == policies.size)
      return {code::unsupported, n.op, "policy", name_of(n.kind), policies[0].name};
    n.policy = static_cast<std::int8_t>(policy);
  }
  return {};
}

}  // namespace tenon::plans
