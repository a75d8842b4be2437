// Fusion: which nodes run as one step. Element-wise chains are one node already (`prepare`); here
// maps join the contraction they follow, reductions and maps over the same rows form row groups.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/group.hpp>
#include <tenon/plan/prepare.hpp>

namespace tenon {

namespace passes {

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

/// True when a broadcast operand moves evenly along the last `columns` axes (one stride or none), so
/// that they collapse into one row.
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
struct fuser {
  table_view t;
  list<policy_facts> policies;
  sequence<int> uses;
  sequence<group> groups;  ///< `size` counts members while growing
  sequence<int> of;

  constexpr int start(int id, family kind) {
    group g;
    g.kind = kind;
    g.place = t.nodes[id].place;
    g.size = 1;
    g.anchor = id;
    g.space = t.nodes[id].out.shape;
    of[id] = groups.push(g);
    return of[id];
  }
  constexpr void join(int id, int g) {
    of[id] = g;
    ++groups[g].size;
  }
  /// True if an operand of `id` outside of group `g` depends on `g`: joining would make a cycle.
  /// Groups run as a whole, so a group is reached when one of its members is.
  constexpr bool entangled(int id, int g) const {
    int first = groups[g].anchor;
    sequence<bool> reached(groups.size());
    for (bool changed = true; changed;) {
      changed = false;
      for (int i = first; i < id; ++i) {
        if (of[i] < 0 || of[i] == g || reached[of[i]]) continue;
        for (int k = 0; k < t.nodes[i].operands; ++k) {
          const int from = of[t.nodes[i].in[k]];
          if (from < 0 || (from != g && !reached[from])) continue;
          changed = reached[of[i]] = true;
          if (groups[of[i]].anchor < first)
            first = groups[of[i]].anchor;  // its early members have users too
        }
      }
    }
    for (int k = 0; k < t.nodes[id].operands; ++k) {
      const int from = of[t.nodes[id].in[k]];
      if (from >= 0 && from != g && reached[from]) return true;
    }
    return false;
  }
  /// A map joins the contraction that it follows as an epilogue.
  constexpr bool join_contract(int id) {
    const node& n = t.nodes[id];
    for (int k = 0; k < n.operands; ++k)
      if (t.nodes[n.in[k]].out.type != type::float32) return false;
    for (int k = n.operands - 1; k >= 0; --k) {
      const int c = n.in[k];
      const bool fits = t.nodes[c].kind == family::contract && uses[c] == 1 &&
                        t.nodes[c].out == n.out && groups[of[c]].size == 1 &&
                        groups[of[c]].place == n.place;
      if (!fits || entangled(id, of[c])) continue;
      join(id, of[c]);
      return true;
    }
    return false;
  }
  /// A map or a reduction joins a row group that makes one of its operands.
  constexpr bool join_rows(int id) {
    const node& n = t.nodes[id];
    for (int k = n.operands - 1; k >= 0; --k) {
      const int from = n.in[k], g = of[from];
      if (g < 0 || groups[g].kind != family::map || groups[g].place != n.place) continue;
      if (groups[g].size >= max_stages || !fits_rows(n, groups[g]) || entangled(id, g)) continue;
      if (n.kind == family::reduce)
        groups[g].columns = trailing_axes(t.reduction_of(n), groups[g].space.rank);
      join(id, g);
      return true;
    }
    return false;
  }
  constexpr bool fits_rows(const node& n, const group& g) const {
    if (n.kind == family::reduce) {
      const reduction& r = t.reduction_of(n);
      const int columns = trailing_axes(r, g.space.rank);
      if (!(t.nodes[n.in[0]].out.shape == g.space) || columns == 0) return false;
      if (g.columns != 0) return g.columns == columns;
      return members_collapse(g, columns);
    }
    const bool full = n.out.shape == g.space,
               scalar_row = is_row_scalar(n.out.shape, g.space, g.columns);
    if (!full && !scalar_row) return false;
    for (int k = 0; k < n.operands; ++k) {
      const int from = n.in[k];
      const shape& s = t.nodes[from].out.shape;
      const bool inside = of[from] >= 0 && &groups[of[from]] == &g;
      if (inside && !(s == n.out.shape) && !(full && is_row_scalar(s, g.space, g.columns)))
        return false;
      if (!inside && full && g.columns != 0 && !rows_collapse(s, g.space, g.columns)) return false;
    }
    return true;
  }
  constexpr bool members_collapse(const group& g, int columns) const {
    for (int i = g.anchor; i < t.nodes.size; ++i) {
      if (of[i] < 0 || &groups[of[i]] != &g) continue;
      for (int k = 0; k < t.nodes[i].operands; ++k)
        if (!rows_collapse(t.nodes[t.nodes[i].in[k]].out.shape, g.space, columns)) return false;
    }
    return true;
  }
  constexpr void add(int id) {
    const node& n = t.nodes[id];
    const bool may_join = policies[n.place].fuses;
    const bool folds = n.kind == family::reduce && !gives_position(t.reduction_of(n).how);
    const bool by_rows = n.kind == family::map || folds;
    if (may_join && n.kind == family::map && join_contract(id)) return;
    if (may_join && by_rows && join_rows(id)) return;
    const int columns = folds
                            ? trailing_axes(t.reduction_of(n), t.nodes[n.in[0]].out.shape.rank)
                            : 0;
    const int g =
        start(id, columns > 0 && may_join ? family::map : n.kind);
    if (n.kind != family::reduce) return;
    groups[g].space = t.nodes[n.in[0]].out.shape;
    groups[g].columns = columns;
  }
};

/// Numbers the groups so that each stands behind those whose values it reads.
struct execution_order {
  const fuser& from;
  grouping result;
  sequence<int> to;

  constexpr void append(int g) {
    if (to[g] >= 0) return;
    sequence<int> members;
    for (int i = from.groups[g].anchor; members.size() < from.groups[g].size; ++i) {
      if (from.of[i] != g) continue;
      members.push(i);
      const node& n = from.t.nodes[i];
      for (int k = 0; k < n.operands; ++k)
        if (const int before = from.of[n.in[k]]; before >= 0 && before != g) append(before);
    }
    group done = from.groups[g];
    done.begin = result.members.size();
    for (const int i : members) result.members.push(i);
    to[g] = result.groups.push(done);
  }
};

}  // namespace passes

/// Forms the groups. A group is convex: nothing outside lies on a path between two of its members.
/// Groups come out in the order of execution: that of their first members, except that a group that
/// grew later than one that it feeds comes first.
constexpr grouping fuse(table_view t, list<policy_facts> policies) {
  passes::fuser f{t, policies, passes::count_uses(t), {}, sequence<int>(t.nodes.size, -1)};
  for (int i = 0; i < t.nodes.size; ++i)
    if (!is_leaf(t.nodes[i].kind)) f.add(i);
  passes::execution_order order{f, {}, sequence<int>(f.groups.size(), -1)};
  for (int g = 0; g < f.groups.size(); ++g) order.append(g);
  order.result.of.resize(t.nodes.size, -1);
  for (int i = 0; i < t.nodes.size; ++i)
    if (f.of[i] >= 0) order.result.of[i] = order.to[f.of[i]];
  return order.result;
}

}  // namespace tenon
