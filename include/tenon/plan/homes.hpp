// Homes: in whose memory every buffer lies, what is copied between memories, and what crosses
// between policies.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>

namespace tenon::plans {

/// Which policy runs the steps of each scan, by the scan's number: that of all groups of its body;
/// -1 if several do, so that every step goes from one to another.
constexpr sequence<int> policies_of_bodies(const plan_view& p) {
  const table_view& t = p.table;
  sequence<int> policies(t.scans.size > 0 ? t.scans[t.scans.size - 1].loop + 1 : 0, -2);
  for (int g = 0; policies.size() > 0 && g < p.groups.size; ++g) {
    const int loop = p.loop_of(g);
    if (loop < 0) continue;
    if (policies[loop] == -2) policies[loop] = p.groups[g].policy;
    if (policies[loop] != p.groups[g].policy) policies[loop] = -1;
  }
  return policies;
}

/// Calls `use(holder, policy, first, last, writes)` for each buffer that a group reads or writes,
/// and for each buffer from which the steps of a scan read or into which they write (`policy` is -1
/// there if several run its body). The use lasts from group `first` to group `last`, usually one
/// and the same. In a body that one policy runs, a use lasts for the whole body, and values that
/// move with the steps are left out. In a body that several policies run, they are reported too.
template <class Use> constexpr void each_use(const plan_view& p, const Use& use) {
  const sequence<int> bodies = policies_of_bodies(p);
  const sequence<body_groups> groups_of = bodies_of(p.table, p.group_of);
  const node* nodes = p.table.nodes.data;
  const auto apply = [&](int id, int g, bool writes) {
    const int holder = p.locations[id].holder, loop = p.loop_of(g);
    if (p.buffers[holder].in == buffer::storage::none) return;
    const bool whole = loop >= 0 && bodies[loop] >= 0;
    if (whole && p.buffers[holder].in == buffer::storage::step) return;
    use(holder, p.groups[g].policy, whole ? groups_of[loop].first : g,
        whole ? groups_of[loop].last : g, writes);
  };
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const int g = p.group_of[i];
    if (g < 0) continue;
    if (p.locations[i].materialised) apply(i, g, true);
    for (int k = 0; k < nodes[i].operands; ++k)
      if (p.group_of[nodes[i].in[k]] != g) apply(nodes[i].in[k], g, false);
  }
  for (const scanning& s : p.table.scans) {
    const body_groups& body = groups_of[s.loop];
    const int through = p.locations[s.enters() ? nodes[s.node].in[0] : s.node].holder;
    use(through, bodies[s.loop], body.first, body.last, !s.enters());
  }
}

/// The homes of the arena's buffers: the memory of the one policy that touches them, where that has
/// its own, else the host's. A buffer that two policies touch, or that is copied into an output,
/// stays in the host's memory.
template <class Plan> constexpr void choose_homes(Plan& p, const plan_view& so_far) {
  constexpr int untouched = -2;
  sequence<int> home(so_far.table.nodes.size, untouched);
  each_use(so_far, [&](int holder, int policy, int, int, bool) {
    const int user = policy < 0 ? -1 : home_of(so_far.policies, policy);
    home[holder] = home[holder] == untouched || home[holder] == user ? user : -1;
  });
  for (const output_copy& c : p.copies_out) home[p.locations[c.node].holder] = -1;
  for (int i = 0; i < home.size(); ++i)
    if (p.buffers[i].in == buffer::storage::arena && home[i] >= 0) p.buffers[i].home = home[i];
}

/// The copies of host buffers in memories that cannot share them: one for each buffer and policy,
/// live from its first use to its last. It is filled before the first read, unless the policy
/// itself wrote it; and copied back after the last write. Uploads of weights are no mirrors.
template <class Plan> constexpr void choose_mirrors(Plan& p, const plan_view& so_far) {
  const list<policy_facts> facts = so_far.policies;
  sequence<int> mirror_of(so_far.table.nodes.size * facts.size, -1);
  each_use(so_far, [&](int holder, int policy, int first, int last, bool writes) {
    const buffer& b = p.buffers[holder];
    if (policy < 0 || facts[policy].memory != sharing::separate || b.home == policy ||
        b.in == buffer::storage::weight)
      return;
    int& position = mirror_of[holder * facts.size + policy];
    if (position < 0) position = p.mirrors.push({holder, policy, 0, b.bytes, first, last, -1, -1});
    mirror& m = p.mirrors[position];
    if (first < m.first) m.first = first;
    if (last > m.last) m.last = last;
    if (writes && last > m.copied_after) m.copied_after = last;
    if (!writes && (m.copied_before < 0 || first < m.copied_before)) m.copied_before = first;
  });
  for (mirror& m : p.mirrors)
    if (m.copied_after >= 0)
      m.copied_before = -1;  // the policy wrote it itself, so there is nothing to fetch
}

/// Calls `upload(node, policy, bytes)` for every weight that a policy reads in a memory of its own,
/// once for each policy.
template <class Upload> constexpr void each_upload(const plan_view& p, const Upload& upload) {
  sequence<std::uint32_t> uploaded_to(p.table.nodes.size);  // by weight: a bit for each policy
  each_use(p, [&](int holder, int policy, int, int, bool) {
    const bool separate = policy >= 0 && home_of(p.policies, policy) >= 0;
    if (!separate || p.buffers[holder].in != buffer::storage::weight ||
        (uploaded_to[holder] >> policy & 1u) != 0)
      return;
    uploaded_to[holder] |= 1u << policy;
    upload(holder, policy, p.buffers[holder].bytes);
  });
}

/// Counts what crosses between policies: each buffer once for each policy that it goes to. A value
/// comes from the policy that computes it, an input from the caller. Copies count in every step of
/// a body that several policies share.
constexpr traffic count_traffic(const plan_view& p) {
  const table_view& t = p.table;
  const list<policy_facts> facts = p.policies;
  const int caller = facts[0].memory == sharing::same ? 0 : -1;
  traffic moved;
  sequence<std::uint32_t> passed_to(t.nodes.size);  // by buffer: the policies that it went to
  const auto is_new = [&](int holder, int to) {
    const std::uint32_t bit = 1u << (to + 1);
    const bool first = (passed_to[holder] & bit) == 0;
    passed_to[holder] |= bit;
    return first;
  };
  const auto maker = [&](int holder) {
    return t.nodes[holder].kind == family::input ? caller : t.nodes[holder].policy;
  };
  for (int i = 0; i < t.nodes.size; ++i)
    for (int k = 0; p.group_of[i] >= 0 && k < t.nodes[i].operands; ++k) {
      const int holder = p.locations[t.nodes[i].in[k]].holder, to = t.nodes[i].policy;
      if (t.nodes[holder].kind != family::weight && maker(holder) != to && is_new(holder, to))
        ++moved.crossings;
    }
  each_upload(p, [&](int, int, i64 bytes) { moved.upload_bytes += bytes; });
  for (const int o : t.outputs) {
    const int holder = p.locations[o].holder;
    if (!is_leaf(t.nodes[holder].kind) && maker(holder) != caller && is_new(holder, caller))
      ++moved.crossings;
  }
  const sequence<int> bodies = policies_of_bodies(p);
  const auto copy = [&](const mirror& m, int group) {
    if (group < 0) return;
    const int loop = p.loop_of(group);
    const i64 times = loop >= 0 && bodies[loop] < 0 ? p.steps_of(group) : 1;
    moved.copies += static_cast<int>(times);
    moved.bytes_moved += times * m.bytes;
  };
  for (const mirror& m : p.mirrors) {
    copy(m, m.copied_before);
    copy(m, m.copied_after);
  }
  return moved;
}

/// The pass. Reads buffers and groups; decides in whose memory every buffer lies, which ones a
/// policy has a copy of and when that is renewed, and counts what moves. Afterwards a group reads
/// and writes memory that its policy reaches, and nothing else.
template <class Plan> constexpr void assign_homes(Plan& p) {
  bool apart = p.policies.size() > 1;
  for (const policy_facts& f : p.policies) apart = apart || f.memory != sharing::same;
  if (!apart) return;  // one policy in the host's memory
  choose_homes(p, p.view());
  choose_mirrors(p, p.view());
  p.moved = count_traffic(p.view());
}

}  // namespace tenon::plans
