// Groups while they grow: which group a node joins, and why it may.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/prepare.hpp>
#include <tenon/plan/rows.hpp>
#include <tenon/plan/users.hpp>

namespace tenon::plans {

/// Groups while they grow: `size` of each counts its members, which are the chain `anchor`,
/// `next[anchor]`, and so on, up to -1.
struct grown_groups {
  table_view table;
  int count = 0;
  const group* groups = nullptr;
  const int *of = nullptr, *next = nullptr;  ///< by node: its group, the group's next member
};

/// Grows groups node by node, in the order of the table; see `fuse`. A node joins the group of one
/// of its operands, the last operand first, or starts a group.
///
/// Invariant: groups are convex, and the graph of groups has no cycle. A node may join a group only
/// if none of its other operands depends on that group (`entangled`).
class fuser {
 public:
  constexpr fuser(table_view t, list<policy_facts> policies)
      : t_(t),
        policies_(policies),
        users_(t),
        uses_(count_uses(t)),
        groups_memory_(t.nodes.size),
        of_memory_(t.nodes.size, -1),
        next_memory_(t.nodes.size, -1),
        tail_(t.nodes.size, -1),
        newest_memory_(t.nodes.size, -1),
        reached_(t.nodes.size),
        epoch_memory_(t.nodes.size) {
    for (const node& n : t.nodes) offered_ = offered_ || offers_integers(n);
    int epoch = 0, loop = -1;
    for (int i = 0; t.scans.size > 0 && i < t.nodes.size; ++i) {
      if (!is_leaf(nodes_[i].kind) && nodes_[i].loop != loop) {
        ++epoch;
        loop = nodes_[i].loop;
      }
      epoch_[i] = epoch;
    }
  }

  /// Puts operator node `id` into a group. All operators before it must have been added.
  constexpr void add(int id) {
    const node& n = nodes_[id];
    if (n.whole >= 0) return add_whole(id);
    const bool may_join = policies_[n.policy].fuses && !stands_in(id);
    const bool folds = n.kind == family::reduce && !gives_position(t_.reduction_of(n).how);
    const bool by_rows = n.kind == family::map || folds;
    if (may_join && n.kind == family::map && join_contract(id)) return;
    if (may_join && by_rows && join_rows(id)) return;
    const int columns =
        folds ? trailing_axes(t_.reduction_of(n), nodes_[n.in[0]].out.shape.rank) : 0;
    group& g = start(id, columns > 0 && may_join ? family::map : n.kind);
    if (n.kind != family::reduce) return;
    g.space = nodes_[n.in[0]].out.shape;
    g.columns = columns;
  }
  /// The groups so far, each with its members as a chain; see `order_groups`.
  constexpr grown_groups grown() const {
    return {t_, count_, groups_memory_.data(), of_memory_.data(), next_memory_.data()};
  }

  // The conditions that `add(id)` checks. Public for plan/describe/reason.hpp.
  /// True for a node that dequantizes only for contractions that were offered its integers. It is a
  /// group of its own, so that binding can leave it out.
  constexpr bool stands_in(int id) const {
    if (!offered_) return false;
    for (const int u : users_.of(id)) {
      const node& n = nodes_[u];
      if (!offers_integers(n) || n.in[2] == id) return false;
    }
    for (const int o : t_.outputs)
      if (o == id) return false;
    return nodes_[id].kind == family::map && users_.of(id).size > 0;
  }
  /// True if epilogues of the policy of node `n` read and make elements of a type.
  constexpr bool in_epilogues(const node& n, type t) const {
    return t == type::float32 || (t == type::float16 && policies_[n.policy].takes_halves);
  }
  constexpr int group_of(int id) const { return of_memory_[id]; }
  constexpr const group& group_at(int g) const { return groups_memory_[g]; }
  constexpr int uses_of(int id) const { return uses_[id]; }
  constexpr bool takes_row(int id, int g) const { return fits_rows(nodes_[id], groups_[g]); }
  constexpr bool makes_cycle(int id, int g) { return entangled(id, g); }
  /// True if group `g` with node `id` could need more buffers than its policy has for a group.
  /// Members that others may read later count.
  constexpr bool crowded(int id, int g) {
    const int limit = policies_[groups_[g].policy].most_buffers;
    if (limit == 0) return false;
    open_.clear();
    for (int i = groups_[g].anchor; i >= 0; i = next_[i]) count_buffers(i, id, g);
    count_buffers(id, id, g);
    return open_.size() > limit;
  }
  /// Whether a scan's body begins or ends between a node and a group: then they never run together.
  constexpr bool same_epoch(int id, int g) const {
    return epoch_[id] == epoch_[groups_memory_[g].anchor];
  }

 private:
  table_view t_;
  list<policy_facts> policies_;
  users users_;
  sequence<int> uses_;
  sequence<group> groups_memory_;          ///< `size` counts members while growing
  sequence<int> of_memory_, next_memory_;  ///< by node: its group, the group's next member
  sequence<int> tail_;                     ///< by group: its last member
  /// By group: the highest number of a node in it or in any group that it depends on.
  sequence<int> newest_memory_;
  sequence<int> reached_;  ///< by group: the last search that reached it
  /// By node: how often a scan's body began or ended before it. Groups of one epoch stay together.
  sequence<int> epoch_memory_;
  sequence<int> open_;
  int search_ = 0;
  int count_ = 0;
  bool offered_ = false;  ///< integers, to any contraction

  // Raw: an access through a sequence is a call, which is what constant expressions pay for.
  const node* nodes_ = t_.nodes.data;
  group* groups_ = groups_memory_.data();
  int *of_ = of_memory_.data(), *next_ = next_memory_.data(), *newest_ = newest_memory_.data(),
      *epoch_ = epoch_memory_.data();

  /// The nodes of a region that a policy owns form a group; the last one is its result.
  constexpr void add_whole(int id) {
    int g = -1;
    for (int i = id - 1; i >= 0 && g < 0; --i)
      if (nodes_[i].whole == nodes_[id].whole) g = of_[i];
    if (g < 0) {
      start(id, family::compose);
    } else {
      join(id, g);
      groups_[g].space = nodes_[id].out.shape;
    }
  }
  constexpr group& start(int id, family kind) {
    group& g = groups_[count_];
    g.kind = kind;
    g.policy = nodes_[id].policy;
    g.size = 1;
    g.anchor = id;
    g.space = nodes_[id].out.shape;
    tail_[count_] = id;
    newest_[count_] = id;
    of_[id] = count_++;
    return g;
  }
  constexpr void join(int id, int g) {
    of_[id] = g;
    int& tail = tail_[g];
    next_[tail] = id;
    tail = id;
    ++groups_[g].size;
    renew(id, g);
  }
  /// All groups that depend on `g` depend on node `id` now. Only users before `id` have a group so
  /// far, because nodes are added in the order of the table.
  constexpr void renew(int id, int g) {
    newest_[g] = id;
    open_.clear();
    open_.push(g);
    while (!open_.empty()) {
      const int from = open_.back();
      open_.pop();
      for (int i = groups_[from].anchor; i >= 0; i = next_[i])
        for (const int u : users_.of(i)) {
          if (u >= id) break;
          if (of_[u] < 0 || newest_[of_[u]] == id) continue;
          newest_[of_[u]] = id;
          open_.push(of_[u]);
        }
    }
  }
  /// Adds to `open_` what member `i` of group `g` reads from outside, and itself if more than the
  /// group and node `id` read it.
  constexpr void count_buffers(int i, int id, int g) {
    const node& n = nodes_[i];
    for (int k = 0; k < n.operands; ++k) {
      bool counted = of_[n.in[k]] == g;
      for (const int b : open_) counted = counted || b == n.in[k];
      if (!counted) open_.push(n.in[k]);
    }
    int inside = 0;
    for (const int u : users_.of(i)) inside += u == id || of_[u] == g;
    if (uses_[i] > inside) open_.push(i);
  }
  /// True if an operand of `id` outside of group `g` depends on `g`: joining would make a cycle.
  /// Groups run as a whole, so a group depends on all that its members depend on.
  constexpr bool entangled(int id, int g) {
    ++search_;
    open_.clear();
    if (visit(id, g, g)) return true;
    while (!open_.empty()) {
      const int from = open_.back();
      open_.pop();
      for (int i = groups_[from].anchor; i >= 0; i = next_[i])
        if (visit(i, from, g)) return true;
    }
    return false;
  }
  /// Looks at what member `i` of group `from` reads; true if that is group `g`. A group is
  /// skipped if it and all that it depends on are older than the first node of `g`.
  constexpr bool visit(int i, int from, int g) {
    const int first = groups_[g].anchor;
    int* reached = reached_.data();
    const node& n = nodes_[i];
    for (int k = 0; k < n.operands; ++k) {
      const int before = of_[n.in[k]];
      if (before < 0 || before == from) continue;
      if (before == g) return true;
      if (reached[before] == search_ || newest_[before] < first) continue;
      reached[before] = search_;
      open_.push(before);
    }
    return false;
  }
  /// True if a map's program reads operand `k`: a user's lambda may leave one out.
  constexpr bool reads(const node& n, int k) const {
    const program_view p = t_.program_of(n);
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].op() == sop::arg && p.code[i].a() == k) return true;
    return false;
  }
  /// A map joins the contraction that it follows as an epilogue: it must be the only reader, have
  /// the same shape, and the contraction no epilogue yet.
  constexpr bool join_contract(int id) {
    const node& n = nodes_[id];
    for (int k = 0; k < n.operands; ++k)
      if (const type t = nodes_[n.in[k]].out.type; t != type::float32 && !in_epilogues(n, t))
        return false;
    for (int k = n.operands - 1; k >= 0; --k) {
      const int c = n.in[k];
      const bool fits = nodes_[c].kind == family::contract && uses_[c] == 1 && reads(n, k) &&
                        nodes_[c].out.shape == n.out.shape && in_epilogues(n, n.out.type) &&
                        groups_[of_[c]].size == 1 && groups_[of_[c]].kind == family::contract &&
                        groups_[of_[c]].policy == n.policy && same_epoch(id, of_[c]);
      if (!fits || crowded(id, of_[c]) || entangled(id, of_[c])) continue;
      join(id, of_[c]);
      return true;
    }
    return false;
  }
  /// A map or a reduction joins a row group that makes one of its operands. The first reduction
  /// that joins decides what the group's rows are.
  constexpr bool join_rows(int id) {
    const node& n = nodes_[id];
    for (int k = n.operands - 1; k >= 0; --k) {
      const int from = n.in[k], g = of_[from];
      if (g < 0 || groups_[g].kind != family::map || groups_[g].policy != n.policy) continue;
      if (groups_[g].size >= max_stages || !same_epoch(id, g) || !fits_rows(n, groups_[g]) ||
          crowded(id, g) || entangled(id, g))
        continue;
      if (n.kind == family::reduce)
        groups_[g].columns = trailing_axes(t_.reduction_of(n), groups_[g].space.rank);
      join(id, g);
      return true;
    }
    return false;
  }
  /// True if row group `g` can compute node `n` row by row: a reduction over the group's rows, or a
  /// map of whole rows or of one value per row, whose operands move evenly along a row.
  constexpr bool fits_rows(const node& n, const group& g) const {
    if (n.kind == family::reduce) {
      const reduction& r = t_.reduction_of(n);
      const int columns = trailing_axes(r, g.space.rank);
      if (!(nodes_[n.in[0]].out.shape == g.space) || columns == 0) return false;
      if (g.columns != 0) return g.columns == columns;
      return members_collapse(g, columns);
    }
    const bool full = n.out.shape == g.space,
               scalar_row = is_row_scalar(n.out.shape, g.space, g.columns);
    if (!full && !scalar_row) return false;
    for (int k = 0; k < n.operands; ++k) {
      const int from = n.in[k];
      const shape& s = nodes_[from].out.shape;
      const bool inside = of_[from] >= 0 && &groups_[of_[from]] == &g;
      if (inside && !(s == n.out.shape) && !(full && is_row_scalar(s, g.space, g.columns)))
        return false;
      if (!inside && full && g.columns != 0 && !rows_collapse(s, g.space, g.columns)) return false;
    }
    return true;
  }
  /// True if the operands of all members would move evenly along rows of `columns` axes.
  constexpr bool members_collapse(const group& g, int columns) const {
    for (int i = g.anchor; i >= 0; i = next_[i])
      for (int k = 0; k < nodes_[i].operands; ++k)
        if (!rows_collapse(nodes_[nodes_[i].in[k]].out.shape, g.space, columns)) return false;
    return true;
  }
};

}  // namespace tenon::plans
