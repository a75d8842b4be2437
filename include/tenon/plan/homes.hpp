// Homes: in whose memory every buffer lies, what is copied between memories, and what crosses
// between policies.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>

namespace tenon::plans {

/// Where the steps of each scan run, by the scan's number: the place that all groups of its body
/// have, or -1.
constexpr sequence<int> places_of_bodies(const plan_view& p) {
  const table_view& t = p.table;
  sequence<int> all(t.scans.size > 0 ? t.scans[t.scans.size - 1].loop + 1 : 0, -2);
  for (int g = 0; all.size() > 0 && g < p.groups.size; ++g) {
    const int loop = p.loop_of(g);
    if (loop < 0) continue;
    if (all[loop] == -2) all[loop] = p.groups[g].place;
    if (all[loop] != p.groups[g].place) all[loop] = -1;
  }
  return all;
}

/// Calls `use(root, place, first, last, writes)` for each buffer that a group reads or writes and
/// each that the steps of a scan move through, on policy `place`, from group `first` to group
/// `last`: one group, or a body that runs on one policy, as a whole. A buffer that moves with the
/// steps of such a body stands for the one that it moves through; where several policies run a
/// body, it is a buffer of its own.
template <class Use> constexpr void each_use(const plan_view& p, const Use& use) {
  const sequence<int> bodies = places_of_bodies(p);
  const sequence<body_groups> range = bodies_of(p.table, p.group_of);
  const node* nodes = p.table.nodes.data;
  const auto apply = [&](int id, int g, bool writes) {
    const int root = p.locations[id].root, loop = p.loop_of(g);
    if (p.buffers[root].in == buffer::storage::none) return;
    const bool whole = loop >= 0 && bodies[loop] >= 0;
    if (whole && p.buffers[root].in == buffer::storage::step) return;
    use(root, p.groups[g].place, whole ? range[loop].first : g, whole ? range[loop].last : g,
        writes);
  };
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const int g = p.group_of[i];
    if (g < 0) continue;
    if (p.locations[i].materialised) apply(i, g, true);
    for (int k = 0; k < nodes[i].operands; ++k)
      if (p.group_of[nodes[i].in[k]] != g) apply(nodes[i].in[k], g, false);
  }
  for (const scanning& s : p.table.scans) {
    const body_groups& own = range[s.loop];
    const int through = p.locations[s.enters() ? nodes[s.node].in[0] : s.node].root;
    use(through, bodies[s.loop], own.first, own.last, !s.enters());
  }
}

/// The homes of the arena's buffers: the memory of the one policy that touches them, where that has
/// its own, else the host's.
template <class Plan> constexpr void choose_homes(Plan& p, const plan_view& seen) {
  constexpr int untouched = -2;
  sequence<int> home(seen.table.nodes.size, untouched);
  each_use(seen, [&](int root, int place, int, int, bool) {
    const int own = place < 0 ? -1 : home_of(seen.policies, place);
    home[root] = home[root] == untouched || home[root] == own ? own : -1;
  });
  for (const output_copy& c : p.copies_out) home[p.locations[c.node].root] = -1;
  for (int i = 0; i < home.size(); ++i)
    if (p.buffers[i].in == buffer::storage::arena && home[i] >= 0) p.buffers[i].place = home[i];
}

/// The copies of buffers of the host in memories that cannot share it.
template <class Plan> constexpr void choose_mirrors(Plan& p, const plan_view& seen) {
  const list<policy_facts> facts = seen.policies;
  sequence<int> of(seen.table.nodes.size * facts.size, -1);
  each_use(seen, [&](int root, int place, int first, int last, bool writes) {
    const buffer& b = p.buffers[root];
    if (place < 0 || facts[place].memory != sharing::separate || b.place == place ||
        b.in == buffer::storage::weight)
      return;
    int& known = of[root * facts.size + place];
    if (known < 0) known = p.mirrors.push({root, place, 0, b.bytes, first, last, -1, -1});
    mirror& m = p.mirrors[known];
    if (first < m.first) m.first = first;
    if (last > m.last) m.last = last;
    if (writes && last > m.out) m.out = last;
    if (!writes && (m.in < 0 || first < m.in)) m.in = first;
  });
  for (mirror& m : p.mirrors)
    if (m.out >= 0) m.in = -1;  // what a policy reads of its own results is there
}

/// Calls `upload(node, place, bytes)` for every weight that a policy reads in a memory of its own,
/// once for each policy.
template <class Upload> constexpr void each_upload(const plan_view& p, const Upload& upload) {
  sequence<std::uint32_t> seen(p.table.nodes.size);
  each_use(p, [&](int root, int place, int, int, bool) {
    const bool own = place >= 0 && home_of(p.policies, place) >= 0;
    if (!own || p.buffers[root].in != buffer::storage::weight || (seen[root] >> place & 1u) != 0)
      return;
    seen[root] |= 1u << place;
    upload(root, place, p.buffers[root].bytes);
  });
}

/// Counts what crosses. A value comes from the policy that computes it, an input from the caller.
constexpr traffic count_traffic(const plan_view& p) {
  const table_view& t = p.table;
  const list<policy_facts> facts = p.policies;
  const int caller = facts[0].memory == sharing::same ? 0 : -1;
  traffic r;
  sequence<std::uint32_t> seen(t.nodes.size);  // by buffer: the policies that it went to
  const auto is_new = [&](int root, int to) {
    const std::uint32_t bit = 1u << (to + 1);
    const bool first = (seen[root] & bit) == 0;
    seen[root] |= bit;
    return first;
  };
  const auto maker = [&](int root) {
    return t.nodes[root].kind == family::input ? caller : t.nodes[root].place;
  };
  for (int i = 0; i < t.nodes.size; ++i)
    for (int k = 0; p.group_of[i] >= 0 && k < t.nodes[i].operands; ++k) {
      const int root = p.locations[t.nodes[i].in[k]].root, to = t.nodes[i].place;
      if (t.nodes[root].kind != family::weight && maker(root) != to && is_new(root, to))
        ++r.crossings;
    }
  each_upload(p, [&](int, int, i64 bytes) { r.upload_bytes += bytes; });
  for (const int o : t.outputs) {
    const int root = p.locations[o].root;
    if (!is_leaf(t.nodes[root].kind) && maker(root) != caller && is_new(root, caller))
      ++r.crossings;
  }
  const sequence<int> bodies = places_of_bodies(p);
  const auto copy = [&](const mirror& m, int group) {
    if (group < 0) return;
    const int loop = p.loop_of(group);
    const i64 times = loop >= 0 && bodies[loop] < 0 ? p.steps_of(group) : 1;
    r.copies += static_cast<int>(times);
    r.bytes_moved += times * m.bytes;
  };
  for (const mirror& m : p.mirrors) {
    copy(m, m.in);
    copy(m, m.out);
  }
  return r;
}

/// Decides in whose memory every buffer lies, and counts what moves.
template <class Plan> constexpr void assign_homes(Plan& p) {
  bool apart = p.policies.size() > 1;
  for (const policy_facts& f : p.policies) apart = apart || f.memory != sharing::same;
  if (!apart) return;  // one policy in the host's memory
  choose_homes(p, p.view());
  choose_mirrors(p, p.view());
  p.moved = count_traffic(p.view());
}

}  // namespace tenon::plans
