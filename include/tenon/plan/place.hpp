// Placement: which policy runs each node, and what crosses between policies.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/group.hpp>

namespace tenon {

/// Gives every operator node its policy: its tag, else policy 0; what that policy cannot run goes to
/// the next one that can. Error: place (no such policy), unsupported (none runs the node).
constexpr error place(table& t, list<policy_facts> policies) {
  const table_view seen = t.view();
  for (node& n : t.nodes) {
    if (is_leaf(n.kind)) continue;
    int p = n.place < 0 ? 0 : n.place;
    if (p >= policies.size) return {code::place, n.op, "on", policies.size, p};
    if (n.kind == family::scan) {  // the executor's affair: it is where its operand is
      const node& from = t.nodes[n.in[0]];
      n.place = is_leaf(from.kind) ? static_cast<std::int8_t>(p) : from.place;
      continue;
    }
    if (n.whole >= 0) {  // `prepare` asked
      n.place = static_cast<std::int8_t>(p);
      continue;
    }
    while (p < policies.size && !policies[p].supports(seen, n)) ++p;
    if (p == policies.size)
      return {code::unsupported, n.op, "policy", name_of(n.kind), policies[0].name};
    n.place = static_cast<std::int8_t>(p);
  }
  return {};
}

/// Edges between policies: distinct (tensor, target) pairs. The caller's side counts as policy 0
/// where that policy works in the caller's memory. Weights do not count: they move once, at binding.
struct traffic {
  int crossings = 0, copies = 0;
  i64 bytes_moved = 0;
};
constexpr traffic count_traffic(table_view t, list<policy_facts> policies) {
  const int caller = policies[0].memory == sharing::same ? 0 : -1;
  traffic r;
  sequence<std::uint32_t> seen(t.nodes.size);
  const auto memory = [&](int p) { return p < 0 ? sharing::same : policies[p].memory; };
  const auto cross = [&](int id, int from, int to) {
    const std::uint32_t bit = 1u << (to + 1);
    if (from == to || (seen[id] & bit) != 0) return;
    seen[id] |= bit;
    ++r.crossings;
    if (memory(from) != sharing::separate && memory(to) != sharing::separate) return;
    ++r.copies;
    r.bytes_moved += t.nodes[id].out.bytes();
  };
  for (const node& n : t.nodes)
    for (int k = 0; k < n.operands; ++k) {
      const node& from = t.nodes[n.in[k]];
      if (from.kind != family::weight)
        cross(n.in[k], from.kind == family::input ? caller : from.place, n.place);
    }
  for (const int o : t.outputs)
    if (!is_leaf(t.nodes[o].kind)) cross(o, t.nodes[o].place, caller);
  return r;
}

}  // namespace tenon
