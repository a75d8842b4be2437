// The order of execution: runs of groups of one policy, and the steps of scans, each of which runs the
// same groups of its body at other addresses.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/backend.hpp>

namespace tenon::scans {

/// Where a node's elements begin.
inline std::byte* address_of(const plan_view& p, int id, const frame& f) noexcept {
  const value& v = p.values[id];
  return f.base[v.root] + v.offset * size_bytes(p.table.nodes[id].out.type);
}

/// Sets the addresses that one node of the border moves in a step. A sequence is read and written in
/// place, position by position. The state behind a sequence is its position of the step before; one of
/// which only the last value comes out alternates between that value's memory and its own, so that the
/// last step writes where it is wanted. Nothing is copied.
inline void move(const plan_view& p, const scanning& s, i64 step, const frame& f) noexcept {
  const node& n = p.table.nodes[s.node];
  if (s.is == scanning::part::slice) {
    f.base[s.node] = address_of(p, n.in[0], f) + s.position(step) * n.out.bytes();
    return;
  }
  if (s.is == scanning::part::state) return;  // moves with its next value
  const int made = n.in[0], state = n.operands == 2 ? n.in[1] : -1;
  std::byte* const out = address_of(p, s.node, f);
  std::byte* before = out;
  if (s.is == scanning::part::all) {
    const i64 bytes = p.table.nodes[made].out.bytes();
    f.base[made] = out + s.position(step) * bytes;
    before = out + (step > 0 ? s.position(step - 1) * bytes : 0);
  } else {
    const bool odd = state >= 0 && (s.steps - 1 - step) % 2 != 0;
    std::byte* const own = odd || state < 0 ? out : f.address_of(p.buffers[state]);
    f.base[made] = odd ? f.address_of(p.buffers[state]) : out;
    before = own;
  }
  if (state < 0) return;
  f.base[state] = step > 0 ? before : address_of(p, p.table.nodes[state].in[0], f);
}

/// Runs the groups of a run in their order, those of a scan's body once for each of its steps:
/// `each(group, first, last)`, with whether it is the first and the last time in the run.
template <class Each>
void run_groups(const plan_view& p, const group_run& r, const frame& f, const Each& each) noexcept {
  for (int g = r.begin; g < r.end;) {
    const int loop = r.inside ? -1 : p.loop_of(g);
    if (loop < 0) {
      each(g++, true, true);
      continue;
    }
    const list<scanning> border = p.table.border_of(loop);
    int end = g;
    while (end < r.end && p.loop_of(end) == loop) ++end;
    for (i64 step = 0; step < border[0].steps; ++step) {
      for (const scanning& s : border) move(p, s, step, f);
      for (int i = g; i < end; ++i) each(i, step == 0, step + 1 == border[0].steps);
    }
    g = end;
  }
}

/// The end of the body that begins at group `g`, and of the groups of one policy from `g` on.
constexpr int end_of_body(const plan_view& p, int g) {
  int end = g;
  while (end < p.groups.size && p.loop_of(end) == p.loop_of(g)) ++end;
  return end;
}
constexpr int end_of_place(const plan_view& p, int g, int most) {
  int end = g;
  while (end < most && p.groups[end].place == p.groups[g].place) ++end;
  return end;
}
/// The end of the run that begins at group `g`; `g` itself where several policies run the body that
/// begins there.
constexpr int end_of_run(const plan_view& p, int g) {
  int end = g;
  while (end < p.groups.size && p.groups[end].place == p.groups[g].place) {
    const int body = p.loop_of(end) < 0 ? end + 1 : end_of_body(p, end);
    if (end_of_place(p, end, body) < body) break;
    end = body;
  }
  return end;
}
/// The runs of a plan, each once: `each(run)`.
template <class Each> void each_run(const plan_view& p, const Each& each) {
  for (int g = 0; g < p.groups.size;) {
    const int end = end_of_run(p, g);
    if (end > g) each(group_run{g, end, false});
    const int body = end > g ? end : end_of_body(p, g);
    for (int from = end; from < body;) {
      const int to = end_of_place(p, from, body);
      each(group_run{from, to, true});
      from = to;
    }
    g = body;
  }
}
/// Runs a plan run by run, a body that several policies run step by step: `each(run)` returns a
/// status. Stops at the first error.
template <class Each>
status cut_into_runs(const plan_view& p, const frame& f, const Each& each) noexcept {
  for (int g = 0; g < p.groups.size;) {
    const int end = end_of_run(p, g);
    if (end > g) {
      if (const status s = each(group_run{g, end, false}); !s.ok()) return s;
      g = end;
      continue;
    }
    const int body = end_of_body(p, g);
    const list<scanning> border = p.table.border_of(p.loop_of(g));
    for (i64 step = 0; step < border[0].steps; ++step) {
      for (const scanning& s : border) move(p, s, step, f);
      for (int from = g; from < body;) {
        const int to = end_of_place(p, from, body);
        if (const status s = each(group_run{from, to, true}); !s.ok()) return s;
        from = to;
      }
    }
    g = body;
  }
  return {};
}

}  // namespace tenon::scans
