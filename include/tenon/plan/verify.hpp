// The verifier: every invariant that execution relies on, checked from the finished plan alone.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/homes.hpp>
#include <tenon/plan/layout.hpp>

namespace tenon::plans {

/// The invariants of a plan.
enum class defect : std::uint8_t {
  none,
  order,       ///< a node stands before one of its operands, or a group before one it needs
  membership,  ///< a node is in no group, in two, or in a group of another policy
  hidden,      ///< a value that lives inside a group is read outside of it
  holder,      ///< a value's holder holds nothing
  outside,     ///< a value reaches beyond its buffer, or a buffer beyond the arena
  alignment,   ///< an arena offset is not aligned
  overlap,     ///< two buffers share bytes while both are live
  output,      ///< an output is written by nothing, or twice
  home,        ///< a buffer lies where a policy that uses it cannot reach it
  scan,        ///< a scan's body is not in one piece, or what comes out of it is no result of it
};

/// Where a plan is wrong; `at` is a node or a group.
struct finding {
  defect what = defect::none;
  int at = -1;
  constexpr bool ok() const { return what == defect::none; }
};

/// First and last element that a value touches.
constexpr bool within(const location& v, const shape& s, i64 elements) {
  i64 low = v.offset, high = v.offset;
  for (int i = 0; i < s.rank; ++i) {
    const i64 reach = (s[i] - 1) * v.step[i];
    (reach < 0 ? low : high) += reach;
  }
  return low >= 0 && high < elements;
}

/// The group after which every value is complete: its own, for views and joins that of the last
/// operand, for what comes out of a scan the last one of its body.
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

constexpr finding verify_groups(const plan_view& p) {
  const sequence<int> ready = completions(p);
  sequence<int> seen(p.table.nodes.size);
  for (int g = 0; g < p.groups.size; ++g)
    for (const int i : p.members_of(p.groups[g])) {
      ++seen[i];
      if (p.group_of[i] != g || p.table.nodes[i].policy != p.groups[g].policy)
        return {defect::membership, i};
    }
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    if (seen[i] != (p.group_of[i] >= 0 ? 1 : 0)) return {defect::membership, i};
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

/// The groups of a body stand side by side; only what comes out of it shows what a step computes,
/// each value once, and has its place among the moving addresses.
constexpr finding verify_scans(const plan_view& p) {
  const table_view& t = p.table;
  if (t.scans.size == 0) return {};
  sequence<bool> closed(t.scans[t.scans.size - 1].loop + 1), out(t.nodes.size);
  for (int g = 0; g < p.groups.size; ++g) {
    const int own = p.loop_of(g);
    for (const int i : p.members_of(p.groups[g]))
      if (t.nodes[i].loop != own || t.nodes[i].kind == family::scan) return {defect::scan, i};
    if (own >= 0 && closed[own]) return {defect::scan, p.groups[g].anchor};
    if (own >= 0 && (g + 1 == p.groups.size || p.loop_of(g + 1) != own)) closed[own] = true;
  }
  for (const scanning& s : t.scans) {
    const node& n = t.nodes[s.node];
    if (n.loop != (s.enters() ? s.loop : -1) || s.steps < 1) return {defect::scan, s.node};
    if (s.enters()) continue;
    const int made = n.in[0], state = n.operands == 2 ? n.in[1] : -1;
    const node* carried = state < 0 ? nullptr : &t.nodes[state];
    if (carried != nullptr &&
        (carried->loop != s.loop || carried->kind != family::scan || out[state]))
      return {defect::scan, s.node};
    const bool moves =
        p.buffers[made].in == buffer::storage::step && p.locations[made].holder == made;
    if (out[made] || !moves || t.nodes[made].loop != s.loop || p.group_of[made] < 0)
      return {defect::scan, s.node};
    out[made] = true;
    if (n.operands == 2) out[n.in[1]] = true;
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

constexpr finding verify_values(const plan_view& p) {
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const location& v = p.locations.data[i];
    if (!v.materialised) continue;
    if (v.holder < 0 || p.buffers[v.holder].in == buffer::storage::none) return {defect::holder, i};
    const tensor& t = p.table.nodes.data[i].out;
    const type stored = p.stored_type(i);
    const i64 bytes = p.buffers[v.holder].bytes;
    if (!within(v, t.shape, is_four_bit(stored) ? 2 * bytes : bytes / size_bytes(stored)))
      return {defect::outside, i};
  }
  return {};
}

/// Every group reaches the buffers that it reads and writes: they lie in its policy's memory, or in
/// the host's, which it shares, or of which it has a copy that is renewed.
constexpr finding verify_homes(const plan_view& p) {
  finding bad;
  each_use(p, [&](int holder, int policy, int first, int last, bool writes) {
    const buffer& b = p.buffers[holder];
    if (b.in == buffer::storage::weight) return;
    const int home = policy < 0 ? -1 : home_of(p.policies, policy);
    bool reached =
        b.home < 0 ? home < 0 || p.policies[home].memory == sharing::importable : b.home == home;
    for (const mirror& m : p.mirrors)
      reached =
          reached ||
          (m.holder == holder && m.policy == home && m.bytes == b.bytes && m.first <= first &&
           m.last >= last &&
           (writes ? m.copied_after >= last
                   : m.copied_after >= 0 || (m.copied_before >= 0 && m.copied_before <= first)));
    if (!reached) bad = {defect::home, holder};
  });
  return bad;
}

/// A run of bytes in the arena of a policy (-1: the host's), from group `first` to `last`; `at` is
/// the node that it is known by.
struct held {
  int home = -1;
  i64 offset = 0, bytes = 0;
  int first = 0, last = 0, at = -1;
};
/// Everything that has an offset: buffers, copies of buffers, scratch memories.
constexpr sequence<held> held_by(const plan_view& p) {
  sequence<held> all;
  for (int i = 0; i < p.buffers.size; ++i)
    if (const buffer& b = p.buffers.data[i]; b.in == buffer::storage::arena)
      all.push({b.home, b.offset, b.bytes, b.first, b.last, i});
  for (const mirror& m : p.mirrors)
    all.push({m.policy, m.offset, m.bytes, m.first, m.last, m.holder});
  for (int g = 0; g < p.groups.size; ++g)
    if (const i64 bytes = p.needs[g].scratch; bytes > 0)
      all.push({home_of(p.policies, p.groups[g].policy), p.scratch_offset[g], bytes, g, g,
                p.groups[g].anchor});
  return all;
}

/// All offsets are aligned and inside their arena.
constexpr finding verify_offsets(const plan_view& p, const sequence<held>& all) {
  for (const held& h : all) {
    if (h.offset % arena_align != 0) return {defect::alignment, h.at};
    if (h.home >= p.policies.size) return {defect::outside, h.at};
    const i64 room = h.home < 0 ? p.shared_bytes : p.device_bytes[h.home];
    if (h.offset < 0 || h.offset + h.bytes > room) return {defect::outside, h.at};
  }
  return {};
}

/// No two share bytes at any step: what begins at a step is held against what is live then.
constexpr finding verify_overlaps(const plan_view& p, const sequence<held>& all) {
  const int steps = p.groups.size + 1;
  const held* h = all.data();
  const auto apart = [](const held& a, const held& b) {
    return a.home != b.home || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
  };
  sequence<int> next(all.size(), -1), head(steps, -1);  // what begins at each step
  for (int i = all.size() - 1; i >= 0; --i) {
    if (h[i].first < 0 || h[i].first >= steps) return {defect::overlap, h[i].at};
    next[i] = head[h[i].first];
    head[h[i].first] = i;
  }
  sequence<int> alive;
  for (int step = 0; step < steps; ++step) {
    int kept = 0;
    for (const int i : alive)
      if (h[i].last >= step) alive[kept++] = i;
    alive.resize(kept);
    for (int i = head[step]; i >= 0; i = next[i]) {
      for (const int j : alive)
        if (!apart(h[i], h[j])) return {defect::overlap, h[i].at};
      alive.push(i);
    }
  }
  return {};
}

/// What is computed side by side in one buffer does not overlap, but for the parts of a join with
/// the join itself, which copies the others to them.
constexpr finding verify_joins(const plan_view& p) {
  const auto part_of = [&](int part, int join) {
    while (part >= 0 && part != join) part = p.locations.data[part].inside;
    return part == join;
  };
  sequence<int> joined;
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const location& v = p.locations.data[i];
    const bool leaves = p.table.nodes[i].kind == family::scan && p.table.nodes[i].loop < 0;
    if ((p.group_of.data[i] < 0 && !leaves) || v.holder == i || !v.materialised) continue;
    const i64 end = v.offset + p.table.nodes[i].out.shape.count();
    for (const int j : joined) {
      const location& w = p.locations.data[j];
      const i64 other_end = w.offset + p.table.nodes[j].out.shape.count();
      if (w.holder == v.holder && v.offset < other_end && w.offset < end && !part_of(j, i))
        return {defect::overlap, i};
    }
    joined.push(i);
  }
  return {};
}

/// A buffer lives while anything writes or reads it.
constexpr finding verify_lives(const plan_view& p) {
  const auto dead = [&](int holder, int g) {
    const buffer& b = p.buffers.data[holder];
    return b.in == buffer::storage::arena && (g < b.first || g > b.last);
  };
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes.data[i];
    const int g = p.group_of.data[i];
    if (g < 0) continue;
    if (p.locations.data[i].materialised && dead(p.locations.data[i].holder, g))
      return {defect::overlap, i};
    for (int k = 0; k < n.operands; ++k)
      if (dead(p.locations.data[n.in[k]].holder, g)) return {defect::overlap, i};
  }
  const sequence<body_groups> bodies = bodies_of(p.table, p.group_of);
  const auto dies = [&](int holder, const body_groups& own) {
    return dead(holder, own.first) || dead(holder, own.last);
  };
  for (const scanning& s : p.table.scans)
    if (dies(s.enters() ? s.node : p.locations[s.node].holder, bodies[s.loop]))
      return {defect::overlap, s.node};
  for (int i = 0; bodies.size() > 0 && i < p.table.nodes.size; ++i)
    for (int k = 0, own = p.table.nodes[i].loop; own >= 0 && k < p.table.nodes[i].operands; ++k) {
      const int holder = p.locations[p.table.nodes[i].in[k]].holder;
      if (p.table.nodes[holder].loop != own && dies(holder, bodies[own]))
        return {defect::overlap, i};
    }
  for (const output_copy& c : p.copies_out)
    if (dead(p.locations[c.node].holder, p.groups.size)) return {defect::overlap, c.node};
  return {};
}

constexpr finding verify_memory(const plan_view& p) {
  if (const finding f = verify_values(p); !f.ok()) return f;
  if (const finding f = verify_homes(p); !f.ok()) return f;
  const sequence<held> all = held_by(p);
  if (const finding f = verify_offsets(p, all); !f.ok()) return f;
  if (const finding f = verify_overlaps(p, all); !f.ok()) return f;
  if (const finding f = verify_joins(p); !f.ok()) return f;
  return verify_lives(p);
}

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

/// Checks a plan. A plan of ours that fails is a bug of the passes.
constexpr finding verify(const plan_view& p) {
  if (const finding f = verify_groups(p); !f.ok()) return f;
  if (const finding f = verify_scans(p); !f.ok()) return f;
  if (const finding f = verify_memory(p); !f.ok()) return f;
  return verify_outputs(p);
}

}  // namespace tenon::plans
