// Why a move copies its operand, where it could have been a view of it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/makers.hpp>
#include <tenon/plan/layout.hpp>

namespace tenon {

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
/// A move that copies: why, and the reader or operand that forces the copy; -1: the move itself.
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
                                   "puts zeros in the place of elements",
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

/// The view that affine move `id` would be if nobody refused it.
constexpr plans::location as_view(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const plans::location& from = p.locations[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  plans::location v{from.holder, from.offset + restride(m.offset, s, from), {}, true};
  for (int k = 0; k < n.out.shape.rank; ++k) v.step.step[k] = restride(m.step[k], s, from);
  return v;
}
/// Why operand `k` of a reader is not the view `v` of shape `s`; see `plans::users_take_view`,
/// whose conditions these are.
constexpr copied refused_by(const plan_view& p, int reader, int k, const shape& s,
                            const plans::location& v) {
  const node& n = p.table.nodes[reader];
  if (!p.policies[n.policy].fuses) return copied::no_strides;
  if (n.kind == family::contract)
    return p.table.contraction_of(n).sweeps == 0 || k > 0 ? copied::none : copied::sweep;
  const plans::group* g = p.group_of[reader] >= 0 ? &p.groups[p.group_of[reader]] : nullptr;
  const bool stages = n.kind == family::map || n.kind == family::reduce;
  if (stages && g != nullptr && g->columns > 0) return copied::row_group;
  if (n.kind != family::map || g == nullptr || g->kind != family::map) return copied::reader;
  const bool contiguous = s.rank == 0 || s[s.rank - 1] == 1 || v.step[s.rank - 1] == 1;
  return contiguous ? copied::none : copied::last_axis;
}

/// Why operand `k` of join `id` is copied; see `plans::join_in_place`, whose conditions these are.
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
/// The first operand of join `id` that is copied, and why.
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

}  // namespace tenon
