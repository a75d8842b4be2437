// Storage: in what memory every value lies (the caller's, a weight, an output, the arena) and
// between which groups it lives.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/basic_plan.hpp>
#include <tenon/plan/layout.hpp>

namespace tenon::plans {

/// The storage of what a scan moves. A value that a step reads or writes at a moving address has no
/// offset: `run_groups` sets its address. A state whose last value alone is a result has a second
/// buffer in the arena: the steps alternate between the two, so that none overwrites the state that
/// it reads.
template <class Table> constexpr void assign_steps(basic_plan<Table>& p, table_view t) {
  constexpr auto moves = buffer::storage::step;
  for (const scanning& s : t.scans) {
    const node& n = t.nodes[s.node];
    const int moved = s.enters() ? s.node : n.in[0];
    p.buffers[moved] = {moves, -1, 0, t.nodes[moved].out.bytes(), 0, 0};
  }
  const sequence<body_groups> bodies = bodies_of(t, {p.grouped.of.data(), p.grouped.of.size()});
  for (const scanning& s : t.scans) {
    const node& n = t.nodes[s.node];
    if (s.is != scanning::part::last || n.operands < 2 || s.steps == 1) continue;
    const body_groups& body = bodies[s.loop];
    p.buffers[n.in[1]] = {buffer::storage::arena,       -1,         0,
                          t.nodes[n.in[1]].out.bytes(), body.first, body.last};
  }
}
/// Widens lifetimes to whole bodies. Groups are numbered once, but a body's groups run again in
/// every step: what the body reads from outside, and what comes out of it, lives from its first
/// group to its last one.
template <class Table> constexpr void outlive_bodies(basic_plan<Table>& p, table_view t) {
  const list<int> group_of{p.grouped.of.data(), p.grouped.of.size()};
  const sequence<body_groups> bodies = bodies_of(t, group_of);
  const auto keep = [&](int id, const body_groups& body) {
    const int holder = p.locations[id].holder;
    if (t.nodes[holder].loop >= 0) return;  // it begins anew in every step, or moves
    buffer& b = p.buffers[holder];
    if (body.first < b.first) b.first = body.first;
    if (body.last > b.last) b.last = body.last;
  };
  for (int i = 0; bodies.size() > 0 && i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    const bool leaves = n.kind == family::scan && n.loop < 0;
    if (leaves) keep(i, bodies[t.scanning_of(n).loop]);
    for (int k = 0; n.loop >= 0 && k < n.operands; ++k) keep(n.in[k], bodies[n.loop]);
  }
}

/// Decides what holds every value's elements, and how long. Reads the groups and the locations.
///
/// Inputs and weights hold themselves. An output is written in place if its holder is no input,
/// weight or other output and has just its elements, densely; else it is copied at the end. All
/// other holders that are materialised get arena memory, whose offset `assign_offsets` chooses.
/// Afterwards: every output is written by one buffer or one copy; an arena buffer lives from the
/// first group that writes it to the last one that touches it.
template <class Table> constexpr void assign_storage(basic_plan<Table>& p) {
  const table_view t = p.table.view();
  p.buffers.resize(t.nodes.size);
  for (int i = 0; i < t.inputs.size; ++i)
    p.buffers[t.inputs[i]] = {buffer::storage::input, i, 0, t.nodes[t.inputs[i]].out.bytes(), 0, 0};
  for (int i = 0; i < t.weights.size; ++i)
    p.buffers[t.weights[i]] = {buffer::storage::weight,           i, 0,
                               t.nodes[t.weights[i]].out.bytes(), 0, 0};
  for (int o = 0; o < t.outputs.size; ++o) {
    const location& v = p.locations[t.outputs[o]];
    buffer& b = p.buffers[v.holder];
    const bool whole = t.nodes[v.holder].out.bytes() == t.nodes[t.outputs[o]].out.bytes();
    if (b.in == buffer::storage::none && whole && is_dense(v, t.nodes[t.outputs[o]].out.shape))
      b = {buffer::storage::output, o, 0, t.nodes[v.holder].out.bytes(), 0, 0};
    else
      p.copies_out.push({t.outputs[o], o});
  }
  assign_steps(p, t);
  constexpr int nobody = std::numeric_limits<int>::max();
  for (int i = 0; i < t.nodes.size; ++i) {
    buffer& b = p.buffers[i];
    if (p.locations[i].holder != i || !p.locations[i].materialised || b.in != buffer::storage::none)
      continue;
    b = {buffer::storage::arena, -1, 0, t.nodes[i].out.bytes(), nobody, -1};
  }
  // A buffer lives from the first group that writes into it to the last one that touches it.
  for (int i = 0; i < t.nodes.size; ++i) {
    const int g = p.grouped.of[i];
    if (g < 0) continue;
    buffer& written = p.buffers[p.locations[i].holder];
    if (p.locations[i].materialised && g < written.first) written.first = g;
    if (p.locations[i].materialised && g > written.last) written.last = g;
    for (int k = 0; k < t.nodes[i].operands; ++k) {
      buffer& read = p.buffers[p.locations[t.nodes[i].in[k]].holder];
      if (g > read.last) read.last = g;
    }
  }
  outlive_bodies(p, t);
  for (const output_copy& c : p.copies_out)
    p.buffers[p.locations[c.node].holder].last = p.grouped.groups.size();
}

}  // namespace tenon::plans
