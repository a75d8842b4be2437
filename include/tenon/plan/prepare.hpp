// The first pass, table to table, the same for every policy: keeps quantized numbers in integers
// where it can, drops dead nodes, merges chains of element-wise nodes into one program each, forms
// fma. What it leaves defines the results.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/integer_keeper.hpp>
#include <tenon/plan/integer_offers.hpp>
#include <tenon/plan/merger.hpp>

namespace tenon::plans {

/// True for what comes out of a scan: such nodes of one scan stand side by side.
constexpr bool leaves_scan(table_view t, int id) {
  return id < t.nodes.size && t.nodes.data[id].kind == family::scan &&
         !t.scanning_of(t.nodes.data[id]).enters();
}
/// Counts a scan's states: if anything of a scan is used, it needs the next values of all of them.
/// `last` is the last node that comes out of it; whatever reads such nodes is counted already.
constexpr void keep_states(table_view t, int last, int* uses) {
  int first = last;
  bool used = false;
  for (; leaves_scan(t, first); --first) used = used || uses[first] > 0;
  for (int i = first + 1; used && i <= last; ++i) uses[i] += t.nodes.data[i].operands == 2;
}

/// How many nodes (and outputs) use each node; dead nodes have none.
constexpr sequence<int> count_uses(table_view t) {
  sequence<int> counted(t.nodes.size);
  int* uses = counted.data();
  for (const int o : t.outputs) ++uses[o];
  for (int i = t.nodes.size - 1; i >= 0; --i) {
    const node& n = t.nodes.data[i];
    if (leaves_scan(t, i) && !leaves_scan(t, i + 1)) keep_states(t, i, uses);
    if (uses[i] == 0) continue;
    for (int k = 0; k < n.operands; ++k) {
      bool again = false;
      for (int j = 0; j < k; ++j) again |= n.in[j] == n.in[k];
      if (!again) ++uses[n.in[k]];
    }
  }
  return counted;
}

/// For every node the outermost region that its policy runs as one step, or -1. Such a region has
/// all its nodes on one policy, and one of them, the last, is read from outside.
constexpr sequence<int> whole_regions(table_view t, list<policy_facts> policies) {
  sequence<int> whole(t.nodes.size, -1);
  bool any = false;
  for (const policy_facts& p : policies) any = any || p.owns != nullptr;
  if (!any) return whole;
  const auto inside = [&](int id, int region) {
    int r = t.nodes[id].region;
    while (r >= 0 && r != region) r = t.regions[r].parent;
    return r == region;
  };
  for (int r = 0; r < t.regions.size; ++r) {
    int first = -1, last = -1;
    bool one_policy = true, closed = true;
    for (int i = 0; i < t.nodes.size; ++i) {
      if (is_leaf(t.nodes[i].kind) || !inside(i, r)) continue;
      if (first < 0) first = i;
      one_policy = one_policy && t.nodes[i].policy == t.nodes[first].policy &&
                   t.nodes[i].loop == t.nodes[first].loop && t.nodes[i].kind != family::scan;
      last = i;
    }
    if (first < 0 || whole[first] >= 0 || !one_policy) continue;
    const int policy = t.nodes[first].policy < 0 ? 0 : t.nodes[first].policy;
    if (policy >= policies.size || policies[policy].owns == nullptr ||
        !policies[policy].owns(t, t.regions[r]))
      continue;
    const auto hidden = [&](int id) {
      return id != last && !is_leaf(t.nodes[id].kind) && inside(id, r);
    };
    for (int i = 0; i < t.nodes.size; ++i)
      for (int k = 0; k < t.nodes[i].operands && !inside(i, r); ++k)
        closed = closed && !hidden(t.nodes[i].in[k]);
    for (const int o : t.outputs) closed = closed && !hidden(o);
    for (int i = first; closed && i <= last; ++i)
      if (!is_leaf(t.nodes[i].kind) && inside(i, r)) whole[i] = r;
  }
  return whole;
}

/// The map nodes of a table after merging. A node that its only reader computes too is `absorbed`
/// and disappears.
struct merged_maps {
  merger programs;
  sequence<merging> maps;  ///< of the map nodes only
  sequence<int> map_at;    ///< by node: its position in `maps`, or -1
  sequence<bool> absorbed;
  constexpr explicit merged_maps(table_view t)
      : programs(t), map_at(t.nodes.size, -1), absorbed(t.nodes.size) {}
};
/// Merges every map with those of its operands that nobody else reads, of one shape and policy and
/// in one body. Keeps `uses` up to date. In the order of the table, so that whole chains end up in
/// their last node.
constexpr void merge_maps(table_view t, const sequence<int>& whole, int* uses, merged_maps& r) {
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes.data[i];
    if (n.kind != family::map || uses[i] == 0) continue;
    merging map = r.programs.distinct_operands(n);
    for (int k = 0; k < map.operands;) {
      const int from = map.in[k];
      const node& producer = t.nodes.data[from];
      const bool joins = producer.kind == family::map && uses[from] == 1 &&
                         producer.policy == n.policy && producer.loop == n.loop &&
                         producer.out.shape == n.out.shape && whole[i] < 0 && whole[from] < 0;
      const merging before = map;
      if (joins && r.programs.inline_operand(map, k, r.maps[r.map_at[from]])) {
        r.absorbed[from] = true;
        const merging& joined = r.maps[r.map_at[from]];
        for (int j = 0; j < joined.operands; ++j)  // an operand that both used has one user less
          for (int q = 0; q < before.operands; ++q)
            uses[joined.in[j]] -= before.in[q] == joined.in[j];
        k = 0;  // the operands have other positions now
      } else {
        ++k;
      }
    }
    r.map_at[i] = r.maps.push(map);
  }
}

/// Writes the nodes that are left into a new table: neither absorbed nor dead, with their details
/// and with the finished programs of the maps.
class cleaner {
 public:
  constexpr cleaner(table_view t, const merged_maps& merged)
      : t_(t), merged_(merged), to_(t.nodes.size, -1) {}
  /// Adds node `n`, the table's node `i`, after everything that it reads.
  constexpr void push(node n, int i) {
    switch (n.kind) {
      case family::input:
      case family::weight:
        if (n.kind == family::weight) out_.weights.push(out_.nodes.size());
        n.detail = out_.names.push(t_.names[n.detail]);
        break;
      case family::map: set_program(n, merged_.maps[merged_.map_at[i]]); break;
      default:
        detail_pool(
            n.kind, [&](auto& pool, const auto& rows) { n.detail = pool.push(rows[n.detail]); },
            out_, t_);
    }
    if (n.kind == family::scan) out_.scans[n.detail].node = out_.nodes.size();
    for (int k = 0; k < n.operands; ++k) n.in[k] = to_[n.in[k]];
    to_[i] = out_.nodes.push(n);
  }
  /// The new table, with regions, limits, states, and the new numbers of inputs and outputs.
  constexpr table finish() {
    for (const region& r : t_.regions) out_.regions.push(r);
    for (const int i : t_.inputs) out_.inputs.push(to_[i]);
    for (const int o : t_.outputs) out_.outputs.push(to_[o]);
    for (const varying& v : t_.limits) out_.limits.push(v);
    out_.states = t_.states;
    return static_cast<table&&>(out_);
  }

 private:
  table_view t_;
  const merged_maps& merged_;
  sequence<int> to_;           ///< by node of the old table: its number in the new one
  sequence<int> finished_at_;  ///< by the merger's number: the program in the new table
  table out_;

  constexpr void set_program(node& n, const merging& m) {
    n.operands = m.operands;
    for (int k = 0; k < m.operands; ++k) n.in[k] = m.in[k];
    if (m.program >= finished_at_.size()) finished_at_.resize(m.program + 1, -1);
    int& program = finished_at_[m.program];
    if (program < 0) program = out_.intern(finished(merged_.programs.program(m.program)).view());
    n.detail = program;
  }
};

/// Merges maps and drops what nobody needs. `renumbered`: the table was rewritten before, and its
/// nodes say themselves where they come from (`origin`).
constexpr table merge_and_clean(table_view t, list<policy_facts> policies, bool renumbered) {
  sequence<int> counted = count_uses(t);
  int* uses = counted.data();
  const sequence<int> whole = whole_regions(t, policies);
  merged_maps merged(t);
  merge_maps(t, whole, uses, merged);
  cleaner r(t, merged);
  for (int i = 0; i < t.nodes.size; ++i) {
    node n = t.nodes[i];
    if (!renumbered) n.origin = i;
    n.whole = whole[i];
    if (!merged.absorbed[i] && (uses[i] > 0 || n.kind == family::input)) r.push(n, i);
  }
  return r.finish();
}

/// The pass. Keeps integers where the table quantizes, offers contractions the integers behind
/// dequantized operands, merges chains of maps and drops dead nodes.
///
/// Afterwards inputs and weights have their order; a dead weight is gone, a dead input stays (the
/// call still passes it). Regions that one of the policies owns are as they were. `origin` of every
/// node is its number in `t`. What this leaves defines every bit of the results.
constexpr table prepare(table_view t, list<policy_facts> policies = {}) {
  if (!quantizes(t) && !dequantizes(t)) return merge_and_clean(t, policies, false);
  table rewritten = copy_of(t);
  bool renumbered = false;
  if (quantizes(t)) {
    const sequence<int> uses = count_uses(t), whole = whole_regions(t, policies);
    table kept = integer_keeper(t, uses, whole).rewrite();
    renumbered = supported(kept.view(), policies);
    if (renumbered) rewritten = static_cast<table&&>(kept);
  }
  offer_integers(rewritten, policies);
  return merge_and_clean(rewritten.view(), policies, renumbered);
}

}  // namespace tenon::plans
