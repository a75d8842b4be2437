// Layout: where every value's elements are found. Reshapes and transposes cost nothing where their
// users can read the operand's own memory; everything else is dense row-major.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/group.hpp>
#include <tenon/plan/users.hpp>

namespace tenon {

/// Rewrites a loop stride over a dense tensor of shape `s` as one over the memory that `v` describes:
/// the stride is a combination of the dense strides, largest first.
constexpr i64 restride(i64 stride, const shape& s, const value& v) {
  const strides packed = dense(s);
  i64 r = 0;
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] == 1) continue;
    r += stride / packed[i] * v.step[i];
    stride %= packed[i];
  }
  return r;
}

/// Strides with which the value of shape `s` is read at the positions of `space` (broadcasting).
constexpr strides broadcast(const value& v, const shape& s, const shape& space) {
  strides r{};
  for (int i = 1; i <= s.rank; ++i)
    r.step[space.rank - i] = s[s.rank - i] == 1 ? 0 : v.step[s.rank - i];
  return r;
}

namespace passes {

constexpr bool is_dense(const value& v, const shape& s) {
  const strides packed = dense(s);
  for (int i = 0; i < s.rank; ++i)
    if (s[i] > 1 && v.step[i] != packed[i]) return false;
  return v.offset == 0;
}

/// True if all users of a strided view read it in place at no cost: products take any strides;
/// maps that stand alone take a view whose last axis is contiguous.
constexpr bool users_take_view(table_view t, const users& read_by, const grouping& g,
                               list<policy_facts> policies, int id, const value& v) {
  const shape& s = t.nodes[id].out.shape;
  for (const int o : t.outputs)
    if (o == id) return false;
  for (const int i : read_by.of(id)) {
    const node& n = t.nodes[i];
    for (int k = 0; k < n.operands; ++k) {
      if (n.in[k] != id) continue;
      if (!policies[n.place].fuses) return false;
      if (n.kind == family::contract && t.contraction_of(n).sweeps == 0) continue;
      const group* own = g.of[i] >= 0 ? &g.groups[g.of[i]] : nullptr;
      const bool plain_map =
          n.kind == family::map && own && own->kind == family::map && own->columns == 0;
      if (!plain_map || (s.rank > 0 && s[s.rank - 1] > 1 && v.step[s.rank - 1] != 1)) return false;
    }
  }
  return true;
}

}  // namespace passes

namespace passes {
/// Removes the groups of moves that became views.
constexpr void drop_views(grouping& g) {
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
}  // namespace passes

/// Decides every node's value. Move nodes that need no kernel leave their groups (`of` becomes -1).
constexpr sequence<value> lay_out(table_view t, grouping& g, list<policy_facts> policies) {
  sequence<value> values(t.nodes.size);
  const users read_by(t);
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    value v{i, 0, dense(n.out.shape), true};
    if (n.kind == family::move) {
      const movement& m = t.movement_of(n);
      const value& from = values[n.in[0]];
      const shape& s = t.nodes[n.in[0]].out.shape;
      value moved{from.root, from.offset, {}, true};
      const bool reshaped = m.reshapes && passes::is_dense(from, s);
      if (reshaped)
        moved.step = dense(n.out.shape);
      else if (!m.reshapes)
        for (int k = 0; k < n.out.shape.rank; ++k)
          moved.step.step[k] = restride(m.step[k], s, from);
      if (!m.reshapes) moved.offset += restride(m.offset, s, from);
      if (reshaped || (!m.reshapes && passes::users_take_view(t, read_by, g, policies, i, moved))) {
        v = moved;
        g.of[i] = -1;
      }
    }
    values[i] = v;
  }
  passes::drop_views(g);
  // What only members of its own group read lives in the group.
  sequence<bool> inside(t.nodes.size), outside(t.nodes.size);
  const int* of = g.of.data();
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes.data[i];
    for (int k = 0; k < n.operands; ++k) (of[n.in[k]] == of[i] ? inside : outside)[n.in[k]] = true;
  }
  for (const int o : t.outputs) outside[o] = true;
  for (int i = 0; i < t.nodes.size; ++i)
    if (of[i] >= 0) values[i].materialised = outside[i] || !inside[i];
  return values;
}

}  // namespace tenon
