// Layout: where every value's elements are found. Reshapes, transposes, slices and their like cost
// nothing where their users can read the operand's own memory; the operands of a join are computed
// inside of its result where possible; everything else is dense row-major.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/decision.hpp>
#include <tenon/plan/users.hpp>

namespace tenon::plans {

/// Rewrites a loop stride over a dense tensor of shape `s` as one over the memory that `v`
/// describes. The stride is taken apart into steps along each axis, by division, the outermost axis
/// first; the same steps are then taken with the strides of `v`.
constexpr i64 restride(i64 stride, const shape& s, const location& v) {
  const strides contiguous = dense(s);
  i64 r = 0;
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] == 1) continue;
    r += stride / contiguous[i] * v.step[i];
    stride %= contiguous[i];
  }
  return r;
}

/// Strides with which the value of shape `s` is read at the positions of `space` (broadcasting).
constexpr strides broadcast(const location& v, const shape& s, const shape& space) {
  strides r{};
  for (int i = 1; i <= s.rank; ++i)
    r.step[space.rank - i] = s[s.rank - i] == 1 ? 0 : v.step[s.rank - i];
  return r;
}

/// The elements stand in row-major order without gaps, from some offset on.
constexpr bool is_contiguous(const location& v, const shape& s) {
  const strides contiguous = dense(s);
  for (int i = 0; i < s.rank; ++i)
    if (s[i] > 1 && v.step[i] != contiguous[i]) return false;
  return true;
}
constexpr bool is_dense(const location& v, const shape& s) {
  return v.offset == 0 && is_contiguous(v, s);
}

/// True for a cast of float16 to float32, element by element.
constexpr bool widens_halves(table_view t, const node& n) {
  if (n.kind != family::map || n.operands != 1 || n.out.type != type::float32) return false;
  const program_view p = t.program_of(n);
  const bool plain = p.size == 1 || (p.size == 2 && is_typed(p.code[1].op()));
  return plain && p.code[0].op() == sop::arg && p.code[0].type() == type::float16 &&
         t.nodes[n.in[0]].out.shape == n.out.shape;
}
/// True if nothing but contractions and their epilogues on the same policy reads a value, reshaped
/// or not. An output is read by the caller. `contiguous`: its elements are, so a reshape of it is a
/// view.
constexpr bool read_by_contractions(table_view t, const users& read_by, const grouping& g, int id,
                                    bool contiguous) {
  for (const int o : t.outputs)
    if (o == id) return false;
  for (const int i : read_by.of(id)) {
    const node& user = t.nodes[i];
    const bool reshaped =
        user.kind == family::move && user.whole < 0 && contiguous && t.movement_of(user).reshapes();
    if (user.policy != t.nodes[id].policy || user.loop != t.nodes[id].loop) return false;
    if (reshaped ? !read_by_contractions(t, read_by, g, i, contiguous)
                 : g.of[i] < 0 || g.groups[g.of[i]].kind != family::contract)
      return false;
  }
  return true;
}
/// True if the readers of a cast from float16 read its operand instead and widen that themselves.
/// `contiguous`: the cast's elements are.
constexpr bool users_widen(table_view t, const users& read_by, const grouping& g, int id,
                           bool contiguous) {
  return g.groups[g.of[id]].size == 1 && read_by_contractions(t, read_by, g, id, contiguous);
}

/// True if all users of a view read it in place at no cost. Contiguous elements suit every reader.
/// Any strides suit matrix products, and the filters and integers of convolutions. Views with a
/// contiguous last axis also suit maps that are alone in their group.
constexpr bool users_take_view(table_view t, const users& read_by, const grouping& g,
                               list<policy_facts> policies, int id, const location& v) {
  const shape& s = t.nodes[id].out.shape;
  for (const int o : t.outputs)
    if (o == id) return false;
  if (is_contiguous(v, s)) return true;
  for (const int i : read_by.of(id)) {
    const node& n = t.nodes[i];
    if (policies[n.policy].takes_halves && widens_halves(t, n) &&
        users_widen(t, read_by, g, i, false)) {
      if (!users_take_view(t, read_by, g, policies, i, v)) return false;
      continue;
    }
    for (int k = 0; k < n.operands; ++k) {
      if (n.in[k] != id) continue;
      if (!policies[n.policy].fuses) return false;
      if (n.kind == family::contract && (t.contraction_of(n).sweeps == 0 || k > 0)) continue;
      const group* reader = g.of[i] >= 0 ? &g.groups[g.of[i]] : nullptr;
      const bool plain_map =
          n.kind == family::map && reader && reader->kind == family::map && reader->columns == 0;
      if (!plain_map || (s.rank > 0 && s[s.rank - 1] > 1 && v.step[s.rank - 1] != 1)) return false;
    }
  }
  return true;
}

/// Where an operand of a join begins in the result, in elements.
constexpr i64 join_offset(table_view t, const node& n, int operand) {
  const int axis = t.movement_of(n).axis;
  i64 positions = 0;
  for (int k = 0; k < operand; ++k) positions += t.nodes[n.in[k]].out.shape[axis];
  return positions * dense(n.out.shape)[axis];
}
/// A move as an alias of its operand: no elements are copied.
constexpr location view_of_operand(table_view t, const sequence<location>& locations,
                                   const node& n) {
  const movement& m = t.movement_of(n);
  const location& from = locations[n.in[0]];
  const shape& s = t.nodes[n.in[0]].out.shape;
  location v{from.holder, from.offset, dense(n.out.shape), true};
  if (m.is != movement::form::affine) return v;
  for (int k = 0; k < n.out.shape.rank; ++k) v.step.step[k] = restride(m.step[k], s, from);
  v.offset += restride(m.offset, s, from);
  return v;
}
/// Sets holder and offset of the operands that are computed inside of a join. Then every location
/// whose holder lies in another buffer is rewritten, until its holder owns its buffer.
constexpr void settle_joins(table_view t, sequence<location>& locations) {
  for (int i = 0; i < t.nodes.size; ++i) {
    if (locations[i].inside < 0) continue;
    const node& join = t.nodes[locations[i].inside];
    int k = 0;
    while (join.in[k] != i) ++k;
    locations[i].holder = locations[i].inside;
    locations[i].offset = join_offset(t, join, k);
  }
  for (int i = 0; i < t.nodes.size; ++i)
    while (locations[locations[i].holder].holder != locations[i].holder) {
      const location& holder = locations[locations[i].holder];
      locations[i].offset += holder.offset;
      locations[i].holder = holder.holder;
    }
}

/// Computes operands of a join directly inside its result, if they fill one contiguous part of it.
/// Other readers of such an operand read it there. Excluded: leaves, aliases, outputs, operands of
/// another join, values that a scan moves, nodes of another policy. A join with no other operands
/// has no kernel.
constexpr void join_in_place(table_view t, grouping& g, sequence<location>& locations) {
  sequence<bool> elsewhere(t.nodes.size);  // by node: it cannot be moved into a join
  for (const int o : t.outputs) elsewhere[o] = true;
  for (const scanning& s : t.scans) elsewhere[s.enters() ? s.node : t.nodes[s.node].in[0]] = true;
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    if (n.kind != family::move || t.movement_of(n).is != movement::form::join || n.whole >= 0)
      continue;
    bool all_fit = true;
    for (int k = 0; k < n.operands; ++k) {
      const int a = n.in[k];
      const bool computed = locations[a].holder == a && !is_leaf(t.nodes[a].kind) &&
                            !elsewhere[a] && t.nodes[a].loop == n.loop &&
                            t.nodes[a].policy == n.policy;
      const bool fits =
          computed && is_contiguous({i, 0, dense(n.out.shape), true}, t.nodes[a].out.shape);
      if (fits) {
        elsewhere[a] = true;
        locations[a].inside = i;
      }
      all_fit = all_fit && fits;
    }
    if (all_fit) g.of[i] = -1;
  }
  settle_joins(t, locations);
}

/// The locations of the same graph with smaller extents than those that `locations` were decided
/// for: the same nodes are aliases of the same holders; offsets and strides are those of the
/// extents.
constexpr void follow_extents(table_view t, list<int> group_of, sequence<location>& locations) {
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    location v{i, 0, dense(n.out.shape), true};
    if (n.kind == family::map && group_of[i] < 0) v = locations[n.in[0]];
    if (n.kind == family::move && group_of[i] < 0 && t.movement_of(n).is != movement::form::join)
      v = view_of_operand(t, locations, n);
    v.materialised = locations[i].materialised;
    v.inside = locations[i].inside;
    locations[i] = v;
  }
  settle_joins(t, locations);
}

/// Removes the groups of moves that became aliases.
constexpr void drop_aliases(grouping& g) {
  sequence<group> kept;
  sequence<int> to;
  for (int i = 0; i < g.groups.size(); ++i) {
    const bool runs = g.of[g.groups[i].anchor] == i;
    to.push(runs ? kept.size() : -1);
    if (runs) kept.push(g.groups[i]);
  }
  g.groups = static_cast<sequence<group>&&>(kept);
  for (int& of : g.of)
    if (of >= 0) of = to[of];
}
/// The pass. Reads the table and the groups; decides for every node where its elements are found.
/// Nodes that need no kernel leave their groups (`of` becomes -1): moves that are aliases, casts
/// that their readers do, and scans. Groups that are empty then are dropped and the others
/// renumbered.
///
/// Afterwards every node that is no alias is dense and row-major, or a contiguous part of a join;
/// and a node that only members of its own group read is not materialised.
constexpr sequence<location> lay_out(table_view t, grouping& g, list<policy_facts> policies) {
  sequence<location> locations(t.nodes.size);
  const users read_by(t);
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    location v{i, 0, dense(n.out.shape), true};
    if (n.kind == family::move && n.whole < 0) {
      const movement& m = t.movement_of(n);
      const location moved = view_of_operand(t, locations, n);
      const bool reshaped =
          m.reshapes() && is_contiguous(locations[n.in[0]], t.nodes[n.in[0]].out.shape);
      const bool affine = m.is == movement::form::affine;
      if (reshaped || (affine && users_take_view(t, read_by, g, policies, i, moved))) {
        v = moved;
        g.of[i] = -1;
      }
    }
    if (n.kind == family::map && policies[n.policy].takes_halves && widens_halves(t, n) &&
        users_widen(t, read_by, g, i, is_contiguous(locations[n.in[0]], n.out.shape))) {
      v = locations[n.in[0]];
      g.of[i] = -1;
    }
    if (n.kind == family::scan) g.of[i] = -1;  // `run_groups` moves its address
    locations[i] = v;
  }
  join_in_place(t, g, locations);
  drop_aliases(g);
  // A node that only members of its own group read needs no memory.
  sequence<bool> inside(t.nodes.size), outside(t.nodes.size);
  const int* of = g.of.data();
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes.data[i];
    for (int k = 0; k < n.operands; ++k) (of[n.in[k]] == of[i] ? inside : outside)[n.in[k]] = true;
  }
  for (const int o : t.outputs) outside[o] = true;
  for (int i = 0; i < t.nodes.size; ++i)
    if (of[i] >= 0)
      locations[i].materialised = outside[i] || !inside[i] || locations[i].inside >= 0;
  return locations;
}

}  // namespace tenon::plans
