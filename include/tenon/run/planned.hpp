// Planning at run time for a list of policies.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan.hpp>
#include <tenon/policy/policy.hpp>

namespace tenon {

// Not inline: see tenon/compiled.hpp.
/// `make_plan` at run time.
template <class = void>
result<owned_plan> planned(const table_view& graph, list<policy_facts> policies) {
  return make_plan(graph, policies);
}
/// `make_plan` with what is known of the policies.
template <class... Policies> result<owned_plan> plan_for(const table_view& graph) {
  const policy_facts facts[] = {facts_of<Policies>()...};
  return planned(graph, {facts, sizeof...(Policies)});
}

}  // namespace tenon
