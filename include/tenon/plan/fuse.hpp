// Fusion: which nodes run as one step. Element-wise chains are one node already (`prepare`); here
// maps join the contraction they follow, reductions and maps over the same rows form row groups.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/decision.hpp>
#include <tenon/plan/prepare.hpp>
#include <tenon/plan/users.hpp>

namespace tenon::plans {

/// Longest row group.
inline constexpr int max_stages = 12;

/// Number of trailing axes that a reduction covers, if it covers just trailing axes; else 0.
constexpr int trailing_axes(const reduction& r, int rank) {
  int k = 0;
  while (k < rank && r.reduces(rank - 1 - k)) ++k;
  return k > 0 && r.axes == ((1u << k) - 1) << (rank - k) ? k : 0;
}

/// One value per row of `space`: its shape with extents of 1 in place of the last `columns` axes.
constexpr bool is_row_scalar(const shape& s, const shape& space, int columns) {
  if (columns == 0 || s.rank != space.rank) return false;
  for (int i = 0; i < s.rank; ++i)
    if (s[i] != (i < s.rank - columns ? space[i] : 1)) return false;
  return true;
}

/// True when a broadcast operand moves evenly along the last `columns` axes (one stride or none),
/// so that they collapse into one row.
constexpr bool rows_collapse(const shape& operand, const shape& space, int columns) {
  const strides step = broadcast(operand, space);
  i64 expected = -1;
  for (int i = space.rank - 1; i >= space.rank - columns; --i) {
    if (space[i] == 1) continue;
    if (expected >= 0 && step[i] != expected) return false;
    expected = step[i] * space[i];
  }
  return true;
}

/// Grows groups node by node; see `fuse`.
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
        seen_(t.nodes.size),
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
  constexpr grouping ordered() const;

  // What the next `add(id)` goes by, for plan/describe/reason.hpp.
  /// True if a node is read by nothing but contractions that are offered integers in its place:
  /// then it is a group of its own, which binding can leave out.
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
    const int most = policies_[groups_[g].policy].most_buffers;
    if (most == 0) return false;
    open_.clear();
    for (int i = groups_[g].anchor; i >= 0; i = next_[i]) count_buffers(i, id, g);
    count_buffers(id, id, g);
    return open_.size() > most;
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
  /// By group: the last node that joined it or a group that it depends on.
  sequence<int> newest_memory_;
  sequence<int> seen_;  ///< by group: the last search that reached it
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
  /// All groups that depend on `g` depend on node `id` now.
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
      bool known = of_[n.in[k]] == g;
      for (const int b : open_) known = known || b == n.in[k];
      if (!known) open_.push(n.in[k]);
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
      const int own = open_.back();
      open_.pop();
      for (int i = groups_[own].anchor; i >= 0; i = next_[i])
        if (visit(i, own, g)) return true;
    }
    return false;
  }
  /// Looks at what member `i` of group `own` reads; true if that is group `g`.
  constexpr bool visit(int i, int own, int g) {
    const int first = groups_[g].anchor;
    int* seen = seen_.data();
    const node& n = nodes_[i];
    for (int k = 0; k < n.operands; ++k) {
      const int from = of_[n.in[k]];
      if (from < 0 || from == own) continue;
      if (from == g) return true;
      if (seen[from] == search_ || newest_[from] < first) continue;
      seen[from] = search_;
      open_.push(from);
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
  /// A map joins the contraction that it follows as an epilogue.
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
  /// A map or a reduction joins a row group that makes one of its operands.
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
  constexpr bool members_collapse(const group& g, int columns) const {
    for (int i = g.anchor; i >= 0; i = next_[i])
      for (int k = 0; k < nodes_[i].operands; ++k)
        if (!rows_collapse(nodes_[nodes_[i].in[k]].out.shape, g.space, columns)) return false;
    return true;
  }
};

/// Numbers the groups so that each stands behind those whose values it reads.
constexpr grouping fuser::ordered() const {
  grouping r;
  r.of.resize(t_.nodes.size, -1);
  sequence<int> path;
  sequence<int> at(
      groups_memory_.size());  // by group: the next member to look at, -1 when it is done
  for (int g = 0; g < count_; ++g) at[g] = groups_[g].anchor;
  const auto missing = [&](int g) {
    for (int& i = at[g]; i >= 0; i = next_[i])
      for (int k = 0; k < nodes_[i].operands; ++k)
        if (const int before = of_[nodes_[i].in[k]]; before >= 0 && before != g && at[before] >= 0)
          return before;
    return -1;
  };
  for (int g = 0; g < count_; ++g) {
    if (at[g] < 0) continue;
    path.push(g);
    while (!path.empty()) {
      const int own = path.back(), before = missing(own);
      if (before >= 0) {
        path.push(before);
        continue;
      }
      path.pop();
      group done = groups_[own];
      done.begin = r.members.size();
      for (int i = done.anchor; i >= 0; i = next_[i]) {
        r.members.push(i);
        r.of[i] = r.groups.size();
      }
      r.groups.push(done);
    }
  }
  return r;
}

/// Forms the groups. A group is convex: nothing outside lies on a path between two of its members.
/// Groups come out in the order of execution: that of their first members, except that a group that
/// grew later than one that it feeds comes first.
constexpr grouping fuse(table_view t, list<policy_facts> policies) {
  fuser f(t, policies);
  for (int i = 0; i < t.nodes.size; ++i)
    if (!is_leaf(t.nodes.data[i].kind)) f.add(i);
  return f.ordered();
}

}  // namespace tenon::plans
