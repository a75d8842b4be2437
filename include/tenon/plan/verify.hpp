// The verifier: every invariant that execution relies on, checked from the finished plan alone.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/verify_memory.hpp>

namespace tenon::plans {

/// By node: the group after which its value is complete. It is the node's own group; for aliases
/// and joins the last group of an operand; for results of a scan the last group of its body.
constexpr sequence<int> completions(const plan_view& p) {
  sequence<int> ready(p.table.nodes.size, -1);
  const sequence<body_groups> bodies = bodies_of(p.table, p.group_of);
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    ready[i] = p.group_of[i];
    const bool shows =
        n.kind == family::move || n.kind == family::scan || (n.kind == family::map && ready[i] < 0);
    for (int k = 0; shows && k < n.operands && n.in[k] < i; ++k)
      if (ready[n.in[k]] > ready[i]) ready[i] = ready[n.in[k]];
    if (n.kind == family::scan && !p.table.scanning_of(n).enters())
      ready[i] = bodies[p.table.scanning_of(n).loop].last;
  }
  return ready;
}

/// Every operator stands in one group, that of its policy, or is an alias that no group runs. Nodes
/// and groups come after what they read, and what is read outside of its group is in memory.
constexpr finding verify_groups(const plan_view& p) {
  const sequence<int> ready = completions(p);
  sequence<int> memberships(p.table.nodes.size);
  for (int g = 0; g < p.groups.size; ++g)
    for (const int i : p.members_of(p.groups[g])) {
      ++memberships[i];
      if (p.group_of[i] != g || p.table.nodes[i].policy != p.groups[g].policy)
        return {defect::membership, i};
    }
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    if (memberships[i] != (p.group_of[i] >= 0 ? 1 : 0)) return {defect::membership, i};
    if (p.group_of[i] < 0 && !is_leaf(n.kind) && n.kind != family::move && n.kind != family::scan &&
        !(widens_halves(p.table, n) && p.locations[i].holder == p.locations[n.in[0]].holder))
      return {defect::membership, i};
    for (int k = 0; k < n.operands; ++k) {
      const int from = p.locations[n.in[k]].holder;
      if (n.in[k] >= i) return {defect::order, i};
      if (p.group_of[i] < 0 || from < 0) continue;
      if (ready[n.in[k]] > p.group_of[i]) return {defect::order, i};
      if (ready[n.in[k]] != p.group_of[i] && !p.locations[from].materialised)
        return {defect::hidden, from};
    }
  }
  return {};
}

/// The groups of each body stand side by side, and hold nothing else: `run_groups` repeats them
/// as one piece.
constexpr finding verify_bodies(const plan_view& p) {
  const table_view& t = p.table;
  sequence<bool> closed(t.scans[t.scans.size - 1].loop + 1);
  for (int g = 0; g < p.groups.size; ++g) {
    const int loop = p.loop_of(g);
    for (const int i : p.members_of(p.groups[g]))
      if (t.nodes[i].loop != loop || t.nodes[i].kind == family::scan) return {defect::scan, i};
    if (loop >= 0 && closed[loop]) return {defect::scan, p.groups[g].anchor};
    if (loop >= 0 && (g + 1 == p.groups.size || p.loop_of(g + 1) != loop)) closed[loop] = true;
  }
  return {};
}

/// Checks a node that leads out of scan `s`. It must show the result of a group in the body, whose
/// address moves with the steps, and no other node may show it; with a second operand, that must be
/// a state of the scan. `out` notes which results and states were shown so far.
constexpr finding verify_exit(const plan_view& p, const scanning& s, sequence<bool>& out) {
  const table_view& t = p.table;
  const node& n = t.nodes[s.node];
  const int result = n.in[0], state = n.operands == 2 ? n.in[1] : -1;
  const node* carried = state < 0 ? nullptr : &t.nodes[state];
  if (carried != nullptr &&
      (carried->loop != s.loop || carried->kind != family::scan || out[state]))
    return {defect::scan, s.node};
  const bool moves =
      p.buffers[result].in == buffer::storage::step && p.locations[result].holder == result;
  if (out[result] || !moves || t.nodes[result].loop != s.loop || p.group_of[result] < 0)
    return {defect::scan, s.node};
  out[result] = true;
  if (state >= 0) out[state] = true;
  return {};
}

/// Scans: their bodies are in one piece; nodes that lead in stand in the body and those that lead
/// out behind it; every state gets a next value; and nodes outside read values of the body
/// only through nodes that lead out.
constexpr finding verify_scans(const plan_view& p) {
  const table_view& t = p.table;
  if (t.scans.size == 0) return {};
  if (const finding f = verify_bodies(p); !f.ok()) return f;
  sequence<bool> out(t.nodes.size);
  for (const scanning& s : t.scans) {
    if (t.nodes[s.node].loop != (s.enters() ? s.loop : -1) || s.steps < 1)
      return {defect::scan, s.node};
    if (s.enters()) continue;
    if (const finding f = verify_exit(p, s, out); !f.ok()) return f;
  }
  for (const scanning& s : t.scans)
    if (s.is == scanning::part::state && !out[s.node]) return {defect::scan, s.node};
  for (int i = 0; i < t.nodes.size; ++i)
    for (int k = 0; k < t.nodes[i].operands; ++k) {
      const int loop = t.nodes[t.nodes[i].in[k]].loop;
      const bool leaves = t.nodes[i].kind == family::scan && t.scanning_of(t.nodes[i]).loop == loop;
      if (loop >= 0 && t.nodes[i].loop != loop && !leaves) return {defect::scan, i};
    }
  return {};
}

/// Every output is written, by one buffer or by one copy.
constexpr finding verify_outputs(const plan_view& p) {
  sequence<int> writers(p.table.outputs.size);
  const auto written = [&](int o) { return o >= 0 && o < writers.size() && ++writers[o] > 0; };
  for (const buffer& b : p.buffers)
    if (b.in == buffer::storage::output && !written(b.index)) return {defect::output, b.index};
  for (const output_copy& c : p.copies_out)
    if (!written(c.output)) return {defect::output, c.output};
  for (int o = 0; o < writers.size(); ++o)
    if (writers[o] != 1) return {defect::output, o};
  return {};
}

/// Checks a plan from the passes' results alone; it shares no code with them. A plan of ours that
/// fails is a bug of the passes.
constexpr finding verify(const plan_view& p) {
  if (const finding f = verify_groups(p); !f.ok()) return f;
  if (const finding f = verify_scans(p); !f.ok()) return f;
  if (const finding f = verify_memory(p); !f.ok()) return f;
  return verify_outputs(p);
}

}  // namespace tenon::plans
