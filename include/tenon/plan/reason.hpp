// Reasons: what a finished plan fused, and why it did not fuse more. Nothing is recorded while
// planning; the fusion pass is run again and asked before each of its steps, so that reasons cannot
// drift from it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/plan/layout.hpp>

namespace tenon {

/// Why a value did not stay inside the group that makes it, for one of its readers.
enum class apart : std::uint8_t {
  none,          ///< it stays inside: the reader is in its group
  output,        ///< it is an output of the graph
  policies,      ///< the reader runs on another policy
  no_fusion,     ///< the policy runs every node as a group of its own
  anchor,        ///< both are contractions, and a group has one
  reader_alone,  ///< the reader's family starts a group of its own
  moved,         ///< the reader sees it through a move, and moves join no group
  maker_alone,   ///< it comes from a family that nothing joins
  reduced,       ///< a reduction reads a contraction, which takes element-wise epilogues only
  epilogue,      ///< the contraction has its epilogue already
  several_uses,  ///< the contraction's sums have several readers
  full,          ///< the row group has as many stages as a group may have
  space,         ///< the reader has another shape than the group iterates over
  axes,          ///< the reader reduces axes that are not the last ones
  rows,          ///< the reader reduces rows of another length than the group's
  uneven,        ///< an operand that is broadcast does not move evenly along a row
  cycle,         ///< another operand of the reader depends on the group from outside
  other_group,   ///< the reader joined the group of another of its operands
};

/// The reason in words that continue "it is not fused into its reader, because ...".
constexpr const char* text_of(apart why) {
  constexpr const char* texts[] = {
      "it is fused",
      "it is an output of the graph",
      "the reader runs on another policy",
      "the policy fuses nothing",
      "the reader is a second contraction; a group has one",
      "a reader of this family starts a group of its own",
      "the reader sees it through a move; moves join no group",
      "nothing joins a group of this family",
      "a contraction takes element-wise epilogues, no reductions",
      "the contraction has its epilogue already",
      "the contraction's sums have several readers",
      "the group is full",
      "the reader has another iteration space",
      "the reader does not reduce whole rows: its axes are not the last ones",
      "the reader reduces rows of another length",
      "an operand that is broadcast does not move evenly along a row",
      "it would make a cycle: another operand of the reader depends on this group",
      "the reader joined the group of another operand"};
  return texts[static_cast<int>(why)];
}

/// A value that leaves its group, and one reader of it.
struct boundary {
  int value = -1;    ///< the node that makes it
  int through = -1;  ///< the view by which the reader sees it; -1: itself
  int reader = -1;   ///< a node; -1: the caller
  apart why = apart::none;
};

namespace reasons {

/// Why a reduction or a map does not join the row group that makes its operand.
constexpr apart outside_rows(const passes::fuser& f, const node& n, const group& g) {
  if (g.size >= passes::max_stages) return apart::full;
  if (f.fits_rows(n, g)) return apart::none;
  if (n.kind == family::map)
    return n.out.shape == g.space || passes::is_row_scalar(n.out.shape, g.space, g.columns)
               ? apart::uneven
               : apart::space;
  if (!(f.t.nodes[n.in[0]].out.shape == g.space)) return apart::space;
  const int columns = passes::trailing_axes(f.t.reduction_of(n), g.space.rank);
  if (columns == 0) return apart::axes;
  return g.columns != 0 && g.columns != columns ? apart::rows : apart::uneven;
}
/// Why a map or a reduction does not become the epilogue of contraction `from`.
constexpr apart outside_contract(const passes::fuser& f, const node& n, int from) {
  if (n.kind == family::reduce) return apart::reduced;
  if (f.t.nodes[from].kind != family::contract) return apart::epilogue;
  if (f.uses[from] > 1) return apart::several_uses;
  return f.t.nodes[from].out == n.out ? apart::none : apart::space;
}
/// What the pass says about node `id` joining the group of its operand `from`, all nodes before
/// `id` being in their groups.
constexpr apart ask(const passes::fuser& f, int id, int from) {
  const node &n = f.t.nodes[id], &maker = f.t.nodes[from];
  if (maker.place != n.place) return apart::policies;
  if (!f.policies[n.place].fuses) return apart::no_fusion;
  if (n.kind == family::contract && maker.kind == family::contract) return apart::anchor;
  if (n.kind != family::map && n.kind != family::reduce) return apart::reader_alone;
  if (maker.kind == family::move) return apart::moved;
  const group& g = f.groups[f.of[from]];
  apart why = apart::maker_alone;
  if (g.kind == family::contract) why = outside_contract(f, n, from);
  if (g.kind == family::map) why = outside_rows(f, n, g);
  if (why != apart::none) return why;
  return f.entangled(id, f.of[from]) ? apart::cycle : apart::other_group;
}

constexpr bool is_view(const plan_view& p, int id) {
  return p.table.nodes[id].kind == family::move && p.group_of[id] < 0;
}

}  // namespace reasons

/// Every value that leaves its group, once for each reader in another group and for the caller; in
/// the order of the readers. Values that other values are views of count with the views' readers.
constexpr sequence<boundary> boundaries(const plan_view& p) {
  const table_view t = p.table;
  sequence<boundary> all;
  passes::fuser f{t, p.policies, passes::count_uses(t), {}, sequence<int>(t.nodes.size, -1)};
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    if (is_leaf(n.kind)) continue;
    for (int k = 0; k < n.operands && !reasons::is_view(p, i); ++k) {
      const int from = n.in[k], root = p.values[from].root;
      bool again = is_leaf(t.nodes[root].kind) || p.group_of[root] == p.group_of[i];
      for (int j = 0; j < k; ++j) again |= n.in[j] == from;
      if (again) continue;
      all.push({root, from == root ? -1 : from, i, reasons::ask(f, i, from)});
    }
    f.add(i);
  }
  for (const int o : t.outputs)
    if (const int root = p.values[o].root; !is_leaf(t.nodes[root].kind))
      all.push({root, o == root ? -1 : o, -1, apart::output});
  return all;
}

/// Why node `reader` is not in the group of `value`, which it reads itself or through a view;
/// `none` if it is, or does not read it.
constexpr apart why_apart(const plan_view& p, int value, int reader) {
  for (const boundary& b : boundaries(p))
    if (b.value == value && b.reader == reader) return b.why;
  return apart::none;
}

/// Why a move copies.
enum class copied : std::uint8_t {
  none,        ///< it does not: it is a view
  order,       ///< a reshape of a view whose elements do not lie in order
  output,      ///< it is an output, which has to be dense
  no_strides,  ///< a reader's policy fuses nothing: it reads dense operands
  sweep,       ///< a convolution reads it, which slides over dense rows
  row_group,   ///< a reader reduces rows, or is in a group that does
  reader,      ///< a reader of this family wants dense operands
  last_axis,   ///< a map reads it, and its last axis is not contiguous
};
/// A move that copies, and the first reader that refused the view; -1: no reader did.
struct refusal {
  copied why = copied::none;
  int reader = -1;
};

/// The reason in words that continue "copied, because the reader ..."; for `order` and `output`
/// "because it ...".
constexpr const char* text_of(copied why) {
  constexpr const char* texts[] = {"is a view",
                                   "reshapes a view whose elements do not lie in order",
                                   "is an output, and outputs are dense",
                                   "runs on a policy that fuses nothing and wants dense operands",
                                   "slides over dense rows",
                                   "runs row by row and wants dense rows",
                                   "is of a family that wants dense operands",
                                   "would read along an axis that is not contiguous"};
  return texts[static_cast<int>(why)];
}

namespace reasons {

/// The view that move `id` would be.
constexpr value as_view(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const value& from = p.values[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  value v{from.root, from.offset + restride(m.offset, s, from), {}, true};
  for (int k = 0; k < n.out.shape.rank; ++k) v.step.step[k] = restride(m.step[k], s, from);
  return v;
}
/// Why one reader does not take the view `v` of shape `s`; see `passes::users_take_view`.
constexpr copied refused_by(const plan_view& p, int reader, const shape& s, const value& v) {
  const node& n = p.table.nodes[reader];
  if (!p.policies[n.place].fuses) return copied::no_strides;
  if (n.kind == family::contract)
    return p.table.contraction_of(n).sweeps == 0 ? copied::none : copied::sweep;
  const group* own = p.group_of[reader] >= 0 ? &p.groups[p.group_of[reader]] : nullptr;
  const bool stages = n.kind == family::map || n.kind == family::reduce;
  if (stages && own != nullptr && own->columns > 0) return copied::row_group;
  if (n.kind != family::map || own == nullptr || own->kind != family::map) return copied::reader;
  const bool contiguous = s.rank == 0 || s[s.rank - 1] == 1 || v.step[s.rank - 1] == 1;
  return contiguous ? copied::none : copied::last_axis;
}

}  // namespace reasons

/// Why move node `id` copies its operand; `none` if it is a view of it.
constexpr refusal why_copied(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  if (p.group_of[id] < 0) return {};
  if (p.table.movement_of(n).reshapes) return {copied::order};
  for (const int o : p.table.outputs)
    if (o == id) return {copied::output};
  const value v = reasons::as_view(p, id);
  for (int i = id + 1; i < p.table.nodes.size; ++i)
    for (int k = 0; k < p.table.nodes[i].operands; ++k) {
      if (p.table.nodes[i].in[k] != id) continue;
      if (const copied why = reasons::refused_by(p, i, n.out.shape, v); why != copied::none)
        return {why, i};
    }
  return {};
}

/// What makes the members of a group one step.
enum class form : std::uint8_t {
  alone,     ///< one node
  epilogue,  ///< an element-wise program on the sums of a contraction, before they are stored
  rows,      ///< stages that reduce rows, and maps around them, row by row
  maps,      ///< element-wise programs over one space, in one pass
};
constexpr form form_of(const group& g) {
  if (g.size == 1) return form::alone;
  if (g.kind == family::contract) return form::epilogue;
  return g.columns > 0 ? form::rows : form::maps;
}

/// What moves where a value is needed by another policy.
enum class passage : std::uint8_t {
  none,    ///< nothing: one policy, or the caller's own memory
  shared,  ///< a crossing, and both policies see the same memory
  copied,  ///< a crossing with a copy
};
/// How node `id` gets to a reader that runs on policy `to`, or (-1) to the caller. Weights pass at
/// binding and count as none.
constexpr passage passage_of(const plan_view& p, int id, int to) {
  const int caller = p.policies[0].memory == sharing::same ? 0 : -1;
  const node& n = p.table.nodes[id];
  if (n.kind == family::weight || (to < 0 && is_leaf(n.kind))) return passage::none;
  const int from = n.kind == family::input ? caller : n.place, target = to < 0 ? caller : to;
  const auto memory = [&](int place) {
    return place < 0 ? sharing::same : p.policies[place].memory;
  };
  if (from == target) return passage::none;
  return memory(from) == sharing::separate || memory(target) == sharing::separate ? passage::copied
                                                                                  : passage::shared;
}

}  // namespace tenon
