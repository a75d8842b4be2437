// Planning at run time for a list of policies.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan.hpp>
#include <tenon/policy/policy.hpp>

namespace tenon {

/// `make_plan` with what is known of the policies. Not inline: see tenon/compiled.hpp.
template <class... Policies> result<owned_plan> plan_for(const table_view& graph) {
  const policy_facts facts[] = {facts_of<Policies>()...};
  return make_plan(graph, {facts, sizeof...(Policies)});
}

}  // namespace tenon
