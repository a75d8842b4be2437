// Reasons: what a finished plan fused, and why it did not fuse more. Nothing is recorded while
// planning; the fusion pass is run again and asked before each of its steps, so that reasons cannot
// drift from it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/makers.hpp>
#include <tenon/plan/fuse.hpp>
#include <tenon/plan/layout.hpp>

namespace tenon {

/// Why a value did not stay inside the group that makes it, for one of its readers.
enum class apart : std::uint8_t {
  none,          ///< it stays inside: the reader is in its group
  output,        ///< it is an output of the graph
  policies,      ///< the reader runs on another policy
  whole,         ///< a policy runs the composite operator of one of them as one step
  no_fusion,     ///< the policy runs every node as a group of its own
  anchor,        ///< both are contractions, and a group has one
  reader_alone,  ///< the reader's family starts a group of its own
  moved,         ///< the reader sees it through a move, and moves join no group
  maker_alone,   ///< it comes from a family that nothing joins
  reduced,       ///< a reduction reads a contraction, which takes element-wise epilogues only
  epilogue,      ///< the contraction has its epilogue already
  several_uses,  ///< the contraction's sums have several readers
  types,         ///< an epilogue takes float32 alone, that of some policies float16 too
  positions,     ///< the reader wants positions, which row groups do not keep
  full,          ///< the row group has as many stages as a group may have
  space,         ///< the reader has another shape than the group iterates over
  axes,          ///< the reader reduces axes that are not the last ones
  rows,          ///< the reader reduces rows of another length than the group's
  uneven,        ///< an operand that is broadcast does not move evenly along a row
  cycle,         ///< another operand of the reader depends on the group from outside
  other_group,   ///< the reader joined the group of another of its operands
  scan,          ///< a scan's body begins or ends between them
  buffers,       ///< the group would need more buffers than its policy has for one
  integers,      ///< a contraction may multiply the integers instead: the reader may be left out
};

/// The reason in words that continue "it is not fused into its reader, because ...".
constexpr const char* text_of(apart why) {
  constexpr const char* texts[] = {
      "it is fused",
      "it is an output of the graph",
      "the reader runs on another policy",
      "a policy runs a composite operator as one step, which nothing joins",
      "the policy fuses nothing",
      "the reader is a second contraction; a group has one",
      "a reader of this family starts a group of its own",
      "the reader sees it through a move; moves join no group",
      "nothing joins a group of this family",
      "a contraction takes element-wise epilogues, no reductions",
      "the contraction has its epilogue already",
      "the contraction's sums have several readers",
      "an epilogue does not take its types",
      "the reader finds positions; row groups keep values",
      "the group is full",
      "the reader has another iteration space",
      "the reader does not reduce whole rows: its axes are not the last ones",
      "the reader reduces rows of another length",
      "an operand that is broadcast does not move evenly along a row",
      "it would make a cycle: another operand of the reader depends on this group",
      "the reader joined the group of another operand",
      "a scan's body, which runs step by step, begins or ends between them",
      "the group would need more buffers than its policy has for one",
      "a contraction may multiply the integers themselves, and then the reader does not run"};
  return texts[static_cast<int>(why)];
}

/// A value that leaves its group, and one reader of it.
struct boundary {
  int value = -1;    ///< the node that makes it
  int through = -1;  ///< the view by which the reader sees it; -1: itself
  int reader = -1;   ///< a node; -1: the caller
  apart why = apart::none;
  int output = -1;  ///< of the caller: which of the table's outputs
};

namespace reasons {

/// Why node `id`, a reduction or a map, does not join the row group `at`.
constexpr apart outside_rows(table_view t, const plans::fuser& f, int id, int at) {
  const node& n = t.nodes[id];
  const plans::group& g = f.group_at(at);
  if (g.size >= plans::max_stages) return apart::full;
  if (f.takes_row(id, at)) return apart::none;
  if (n.kind == family::map)
    return n.out.shape == g.space || plans::is_row_scalar(n.out.shape, g.space, g.columns)
               ? apart::uneven
               : apart::space;
  if (!(t.nodes[n.in[0]].out.shape == g.space)) return apart::space;
  const int columns = plans::trailing_axes(t.reduction_of(n), g.space.rank);
  if (columns == 0) return apart::axes;
  return g.columns != 0 && g.columns != columns ? apart::rows : apart::uneven;
}
/// Why a map or a reduction does not become the epilogue of contraction `from`.
constexpr apart outside_contract(table_view t, const plans::fuser& f, const node& n, int from) {
  if (n.kind == family::reduce) return apart::reduced;
  if (t.nodes[from].kind != family::contract) return apart::epilogue;
  bool real = f.in_epilogues(n, n.out.type);
  for (int k = 0; k < n.operands; ++k) real &= f.in_epilogues(n, t.nodes[n.in[k]].out.type);
  if (!real) return apart::types;
  if (f.uses_of(from) > 1) return apart::several_uses;
  return t.nodes[from].out.shape == n.out.shape ? apart::none : apart::space;
}
/// What the pass says about node `id` joining the group of its operand `from`, all nodes before
/// `id` being in their groups.
constexpr apart ask(const plan_view& p, plans::fuser& f, int id, int from) {
  const node &n = p.table.nodes[id], &maker = p.table.nodes[from];
  if (maker.policy != n.policy) return apart::policies;
  if (n.whole >= 0 || maker.whole >= 0) return apart::whole;
  if (!p.policies[n.policy].fuses) return apart::no_fusion;
  if (maker.kind == family::scan || maker.loop != n.loop) return apart::scan;
  if (f.stands_in(id)) return apart::integers;
  if (n.kind == family::contract && maker.kind == family::contract) return apart::anchor;
  if (n.kind != family::map && n.kind != family::reduce) return apart::reader_alone;
  if (maker.kind == family::move) return apart::moved;
  if (n.kind == family::reduce && gives_position(p.table.reduction_of(n).how))
    return apart::positions;
  const int at = f.group_of(from);
  if (!f.same_epoch(id, at)) return apart::scan;
  const family kind = f.group_at(at).kind;
  apart why = apart::maker_alone;
  if (kind == family::contract) why = outside_contract(p.table, f, n, from);
  if (kind == family::map) why = outside_rows(p.table, f, id, at);
  if (why != apart::none) return why;
  if (f.crowded(id, at)) return apart::buffers;
  return f.makes_cycle(id, at) ? apart::cycle : apart::other_group;
}

}  // namespace reasons

/// Every value that leaves its group, once for each reader in another group and for the caller; in
/// the order of the readers. Values that other values show count with those values' readers.
constexpr sequence<boundary> boundaries(const plan_view& p) {
  const table_view t = p.table;
  sequence<boundary> all;
  plans::fuser f(t, p.policies);
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    if (is_leaf(n.kind)) continue;
    const bool shows = is_view(p, i) || n.kind == family::scan;
    for (int k = 0; k < n.operands && !shows; ++k) {
      const int from = n.in[k];
      bool again = false;
      for (int j = 0; j < k; ++j) again |= n.in[j] == from;
      if (again) continue;
      each_maker(p, from, [&](int maker) {
        if (is_leaf(t.nodes[maker].kind) || p.group_of[maker] == p.group_of[i]) return;
        all.push({maker, from == maker ? -1 : from, i, reasons::ask(p, f, i, from)});
      });
    }
    f.add(i);
  }
  for (int k = 0; k < t.outputs.size; ++k) {
    const int o = t.outputs[k];
    each_maker(p, o, [&](int maker) {
      if (!is_leaf(t.nodes[maker].kind))
        all.push({maker, o == maker ? -1 : o, -1, apart::output, k});
    });
  }
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
  none,          ///< it does not: it is a view
  order,         ///< a reshape of a view whose elements do not lie in order
  padding,       ///< it has elements that its operand has not
  masked,        ///< it has zeros in the place of elements
  samples,       ///< its elements do not lie evenly in its operand
  packing,       ///< its elements have another size
  output,        ///< it is an output, which has to be dense
  no_strides,    ///< a reader's policy fuses nothing: it reads dense operands
  sweep,         ///< a convolution reads it, which slides over dense rows
  row_group,     ///< a reader reduces rows, or is in a group that does
  reader,        ///< a reader in a group of this family wants dense operands
  last_axis,     ///< a map reads it, and its last axis is not contiguous
  join_leaf,     ///< it joins the caller's memory
  join_view,     ///< it joins a view
  join_output,   ///< it joins an output
  join_across,   ///< it joins along an axis that is not the outermost one
  join_another,  ///< it joins what stands in a join already
  join_scan,     ///< it joins what a scan moves
};
/// A move that copies, and who is to blame for it; -1: nobody else.
struct refusal {
  copied why = copied::none;
  int reader = -1;   ///< the first reader that refused the view
  int operand = -1;  ///< the first operand of a join that has to be copied
};

/// The reason in words that continue "copied, because the reader ...", for joins "because the
/// operand ..."; for `order`, `padding`, `masked`, `samples` and `output` "because it ...".
constexpr const char* text_of(copied why) {
  constexpr const char* texts[] = {"is a view",
                                   "reshapes a view whose elements do not lie in order",
                                   "adds elements around those of its operand",
                                   "puts zeros in the policy of elements",
                                   "shows elements that do not lie evenly",
                                   "gives elements another size",
                                   "is an output, and outputs are dense",
                                   "runs on a policy that fuses nothing and wants dense operands",
                                   "slides over dense rows",
                                   "runs row by row and wants dense rows",
                                   "is in a group that wants dense operands",
                                   "would read along an axis that is not contiguous",
                                   "lies in the caller's memory",
                                   "is a view of other memory",
                                   "is an output, which has a memory of its own",
                                   "does not lie in one piece in the result",
                                   "stands in a join already",
                                   "is moved by a scan"};
  return texts[static_cast<int>(why)];
}

namespace reasons {

/// The view that move `id` would be.
constexpr plans::location as_view(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const plans::location& from = p.locations[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  plans::location v{from.holder, from.offset + restride(m.offset, s, from), {}, true};
  for (int k = 0; k < n.out.shape.rank; ++k) v.step.step[k] = restride(m.step[k], s, from);
  return v;
}
/// Why operand `k` of a reader is not the view `v` of shape `s`; see `plans::users_take_view`.
constexpr copied refused_by(const plan_view& p, int reader, int k, const shape& s,
                            const plans::location& v) {
  const node& n = p.table.nodes[reader];
  if (!p.policies[n.policy].fuses) return copied::no_strides;
  if (n.kind == family::contract)
    return p.table.contraction_of(n).sweeps == 0 || k > 0 ? copied::none : copied::sweep;
  const plans::group* own = p.group_of[reader] >= 0 ? &p.groups[p.group_of[reader]] : nullptr;
  const bool stages = n.kind == family::map || n.kind == family::reduce;
  if (stages && own != nullptr && own->columns > 0) return copied::row_group;
  if (n.kind != family::map || own == nullptr || own->kind != family::map) return copied::reader;
  const bool contiguous = s.rank == 0 || s[s.rank - 1] == 1 || v.step[s.rank - 1] == 1;
  return contiguous ? copied::none : copied::last_axis;
}

/// Why operand `k` of join `id` is copied; see `plans::join_in_place`.
constexpr copied refused_by_join(const plan_view& p, int id, int k) {
  const node& n = p.table.nodes[id];
  const int a = n.in[k];
  if (joined_in_place(p, id, k)) return copied::none;
  if (is_leaf(p.table.nodes[a].kind)) return copied::join_leaf;
  if (is_view(p, a) && p.table.movement_of(p.table.nodes[a]).is != movement::form::join)
    return copied::join_view;
  for (const int o : p.table.outputs)
    if (o == a) return copied::join_output;
  if (p.table.nodes[a].loop != n.loop || p.buffers[a].in == plans::buffer::storage::step)
    return copied::join_scan;
  const bool whole =
      plans::is_contiguous({id, 0, dense(n.out.shape), true}, p.table.nodes[a].out.shape);
  return whole ? copied::join_another : copied::join_across;
}
constexpr refusal why_joined(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  for (int k = 0; k < n.operands; ++k)
    if (const copied why = refused_by_join(p, id, k); why != copied::none)
      return {why, -1, n.in[k]};
  return {};
}

}  // namespace reasons

/// Why move node `id` copies its operand; `none` if it is a view of it, or part of a composite
/// operator that a policy runs as one step.
constexpr refusal why_copied(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  if (p.group_of[id] < 0 || n.whole >= 0) return {};
  switch (p.table.movement_of(n).is) {
    case movement::form::reshape: return {copied::order};
    case movement::form::pad: return {copied::padding};
    case movement::form::band: return {copied::masked};
    case movement::form::sample: return {copied::samples};
    case movement::form::unpack:
    case movement::form::pack: return {copied::packing};
    case movement::form::join: return reasons::why_joined(p, id);
    case movement::form::affine: break;
  }
  for (const int o : p.table.outputs)
    if (o == id) return {copied::output};
  const plans::location v = reasons::as_view(p, id);
  for (int i = id + 1; i < p.table.nodes.size; ++i)
    for (int k = 0; k < p.table.nodes[i].operands; ++k) {
      if (p.table.nodes[i].in[k] != id) continue;
      if (const copied why = reasons::refused_by(p, i, k, n.out.shape, v); why != copied::none)
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
  whole,     ///< a composite operator for which the policy has a step of its own
};
constexpr form form_of(const plans::group& g) {
  if (g.kind == family::compose) return form::whole;
  if (g.size == 1) return form::alone;
  if (g.kind == family::contract) return form::epilogue;
  return g.columns > 0 ? form::rows : form::maps;
}

/// What moves where a value is needed by another policy.
enum class passage : std::uint8_t {
  none,      ///< nothing: one policy, or the caller's own memory
  shared,    ///< a crossing, and both policies work in the same memory
  imported,  ///< a crossing, and a device uses the host's memory where it lies
  copied,    ///< a crossing with a copy, because a policy cannot share the host's memory
};
constexpr const char* text_of(passage how) {
  constexpr const char* texts[] = {"", "in the same memory, not copied",
                                   "used where it lies in the host's memory, not copied",
                                   "copied, because a policy cannot share the host's memory"};
  return texts[static_cast<int>(how)];
}
/// How node `id` gets to a reader that runs on policy `to`, or (-1) to the caller. Weights pass at
/// binding and count as none.
constexpr passage passage_of(const plan_view& p, int id, int to) {
  const int caller = p.policies[0].memory == sharing::same ? 0 : -1;
  const node& n = p.table.nodes[p.locations[id].holder];
  if (n.kind == family::weight || (to < 0 && is_leaf(n.kind))) return passage::none;
  const int from = n.kind == family::input ? caller : n.policy, target = to < 0 ? caller : to;
  const auto memory = [&](int policy) {
    return policy < 0 ? sharing::same : p.policies[policy].memory;
  };
  if (from == target) return passage::none;
  const auto one_is = [&](sharing s) { return memory(from) == s || memory(target) == s; };
  return one_is(sharing::separate)     ? passage::copied
         : one_is(sharing::importable) ? passage::imported
                                       : passage::shared;
}

}  // namespace tenon
