// The verifier's checks of memory: values lie inside their buffers and buffers inside their arenas,
// what lives at one time shares no byte, and every policy reaches what it uses.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/finding.hpp>
#include <tenon/plan/homes.hpp>
#include <tenon/plan/layout.hpp>

namespace tenon::plans {

/// True if the first and the last element that a value touches lie in a buffer of `elements`.
/// Strides may be negative: each axis moves one of the two ends only.
constexpr bool within(const location& v, const shape& s, i64 elements) {
  i64 low = v.offset, high = v.offset;
  for (int i = 0; i < s.rank; ++i) {
    const i64 reach = (s[i] - 1) * v.step[i];
    (reach < 0 ? low : high) += reach;
  }
  return low >= 0 && high < elements;
}

/// Every value that leaves its group has a buffer, and none of its elements lies outside of it.
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

/// Every group reaches the buffers that it reads and writes: they lie in its policy's memory; or in
/// the host's, and the policy works there or imports it; or there is a mirror of the same bytes
/// that lives long enough, and is copied back after the last write or filled before the first
/// read.
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

/// A stretch of the arena of policy `home` (-1: the host's), from group `first` to `last`;
/// `at` is the node that a finding names.
struct held {
  int home = -1;
  i64 offset = 0, bytes = 0;
  int first = 0, last = 0, at = -1;
};
/// Everything that has an offset: buffers, copies of buffers, scratch memories.
constexpr sequence<held> held_by(const plan_view& p) {
  sequence<held> ranges;
  for (int i = 0; i < p.buffers.size; ++i)
    if (const buffer& b = p.buffers.data[i]; b.in == buffer::storage::arena)
      ranges.push({b.home, b.offset, b.bytes, b.first, b.last, i});
  for (const mirror& m : p.mirrors)
    ranges.push({m.policy, m.offset, m.bytes, m.first, m.last, m.holder});
  for (int g = 0; g < p.groups.size; ++g)
    if (const i64 bytes = p.needs[g].scratch; bytes > 0)
      ranges.push({home_of(p.policies, p.groups[g].policy), p.scratch_offset[g], bytes, g, g,
                   p.groups[g].anchor});
  return ranges;
}

/// All offsets are aligned and inside their arena.
constexpr finding verify_offsets(const plan_view& p, const sequence<held>& ranges) {
  for (const held& h : ranges) {
    if (h.offset % arena_align != 0) return {defect::alignment, h.at};
    if (h.home >= p.policies.size) return {defect::outside, h.at};
    const i64 room = h.home < 0 ? p.shared_bytes : p.device_bytes[h.home];
    if (h.offset < 0 || h.offset + h.bytes > room) return {defect::outside, h.at};
  }
  return {};
}

/// No two of them that live at one step share bytes. Goes through the steps in order and compares
/// what begins at each with what is alive then, not all pairs: constant expressions end early.
constexpr finding verify_overlaps(const plan_view& p, const sequence<held>& ranges) {
  const int steps = p.groups.size + 1;
  const held* range = ranges.data();
  const auto apart = [](const held& a, const held& b) {
    return a.home != b.home || a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
  };
  sequence<int> next(ranges.size(), -1), head(steps, -1);  // what begins at each step
  for (int i = ranges.size() - 1; i >= 0; --i) {
    if (range[i].first < 0 || range[i].first >= steps) return {defect::overlap, range[i].at};
    next[i] = head[range[i].first];
    head[range[i].first] = i;
  }
  sequence<int> alive;
  for (int step = 0; step < steps; ++step) {
    int kept = 0;
    for (const int i : alive)
      if (range[i].last >= step) alive[kept++] = i;
    alive.resize(kept);
    for (int i = head[step]; i >= 0; i = next[i]) {
      for (const int j : alive)
        if (!apart(range[i], range[j])) return {defect::overlap, range[i].at};
      alive.push(i);
    }
  }
  return {};
}

/// Nodes that are computed into one holder write different elements. The exception is a join: its
/// elements include those of the operands that are computed inside it, and it copies the others
/// into the gaps. All of them are contiguous, so comparing intervals is enough.
constexpr finding verify_joins(const plan_view& p) {
  const auto part_of = [&](int part, int join) {
    while (part >= 0 && part != join) part = p.locations.data[part].inside;
    return part == join;
  };
  sequence<int> joined;
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const location& part = p.locations.data[i];
    const bool leaves = p.table.nodes[i].kind == family::scan && p.table.nodes[i].loop < 0;
    if ((p.group_of.data[i] < 0 && !leaves) || part.holder == i || !part.materialised) continue;
    const i64 end = part.offset + p.table.nodes[i].out.shape.count();
    for (const int j : joined) {
      const location& other = p.locations.data[j];
      const i64 other_end = other.offset + p.table.nodes[j].out.shape.count();
      if (other.holder == part.holder && part.offset < other_end && other.offset < end &&
          !part_of(j, i))
        return {defect::overlap, i};
    }
    joined.push(i);
  }
  return {};
}

/// A buffer lives while anything writes or reads it: at each group that does, through the whole of
/// a body whose steps do, and up to the end if it is copied into an output.
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
  const auto dies = [&](int holder, const body_groups& body) {
    return dead(holder, body.first) || dead(holder, body.last);
  };
  for (const scanning& s : p.table.scans)
    if (dies(s.enters() ? s.node : p.locations[s.node].holder, bodies[s.loop]))
      return {defect::overlap, s.node};
  for (int i = 0; bodies.size() > 0 && i < p.table.nodes.size; ++i)
    for (int k = 0, loop = p.table.nodes[i].loop; loop >= 0 && k < p.table.nodes[i].operands; ++k) {
      const int holder = p.locations[p.table.nodes[i].in[k]].holder;
      if (p.table.nodes[holder].loop != loop && dies(holder, bodies[loop]))
        return {defect::overlap, i};
    }
  for (const output_copy& c : p.copies_out)
    if (dead(p.locations[c.node].holder, p.groups.size)) return {defect::overlap, c.node};
  return {};
}

/// All checks of memory; the first that fails counts.
constexpr finding verify_memory(const plan_view& p) {
  if (const finding f = verify_values(p); !f.ok()) return f;
  if (const finding f = verify_homes(p); !f.ok()) return f;
  const sequence<held> ranges = held_by(p);
  if (const finding f = verify_offsets(p, ranges); !f.ok()) return f;
  if (const finding f = verify_overlaps(p, ranges); !f.ok()) return f;
  if (const finding f = verify_joins(p); !f.ok()) return f;
  return verify_lives(p);
}

}  // namespace tenon::plans
