// Who computes what a node shows: behind views, behind joins whose operands are computed in place,
// and behind the border of a scan.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>

namespace tenon {

/// True for a move or a cast that no group runs: its elements are read where they are, or were
/// computed where it wants them.
constexpr bool is_view(const plan_view& p, int id) {
  const family kind = p.table.nodes[id].kind;
  return (kind == family::move || kind == family::map) && p.group_of[id] < 0;
}

/// Calls `visit(maker)` for every node that computes elements of node `id`: itself, unless it is a
/// view or the border of a scan; leaves too. Each comes once: what a join in place holds stands in
/// no other one.
template <class Visit> constexpr void each_maker(const plan_view& p, int id, const Visit& visit) {
  const node& n = p.table.nodes[id];
  if (n.kind == family::scan) return each_maker(p, n.in[0], visit);
  if (!is_view(p, id)) return visit(id);
  for (int k = 0; k < n.operands; ++k) each_maker(p, n.in[k], visit);
}

/// True if operand `k` of node `id`, a join, is computed where the join has it: nothing is copied.
constexpr bool joined_in_place(const plan_view& p, int id, int k) {
  const node& n = p.table.nodes[id];
  for (int before = 0; before < k; ++before)
    if (n.in[before] == n.in[k]) return false;
  return p.locations[n.in[k]].inside == id;
}

}  // namespace tenon
