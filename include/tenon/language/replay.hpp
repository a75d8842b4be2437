// Graphs with limits get their extents in a call. Then a table's operators are recorded again, with
// these extents.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/map.hpp>

namespace tenon {

namespace replaying {

/// Empties the table of `r`, except for names and programs, which do not depend on extents. So a
/// call after the first one need not write them again.
constexpr void start_again(recorder& r, table_view from) {
  table& t = r.out;
  t.nodes.clear();
  each_detail_pool([](auto& pool) { pool.clear(); }, t);
  t.regions.clear();
  if (t.names.empty() && t.names.grows())  // for messages only; lent memory has no room for them
    for (const name& x : from.names) t.names.push(x);
  if (t.programs.size() == from.programs.size) return;
  // Either this is the first call, or the one before left a program that `same_nodes` refused.
  t.code.clear();
  t.programs.clear();
  t.code.reserve(from.code.size + 8 * max_program);  // room for programs that will be refused
  t.programs.reserve(from.programs.size + 8);
  for (const instruction& x : from.code) t.code.push(x);
  for (const range& x : from.programs) t.programs.push(x);
}
/// Copies a node and its detail; names and programs have the same numbers in both tables.
constexpr void copy_node(table& to, table_view from, node n) {
  detail_pool(
      n.kind, [&](auto& pool, const auto& rows) { n.detail = pool.push(rows[n.detail]); }, to,
      from);
  to.nodes.push(n);
}
/// Records an element-wise node again. Only its shape can differ: its operands broadcast anew.
constexpr error map_again(recorder& r, node n) {
  tensor in[max_operands]{};
  for (int k = 0; k < n.operands; ++k) in[k] = r.at(n.in[k]);
  const result<shape> s = maps::broadcast_shapes(n.op, {in, n.operands});
  if (s.ok()) n.out.shape = *s;
  if (s.ok()) r.out.nodes.push(n);
  return s.error();
}

/// True if the nodes from `first` on, which were just recorded, have the same families and the same
/// programs as in `from`. They can differ: an operator may take a number of a program from an
/// extent, as attention does, or record other nodes for other extents.
constexpr bool same_nodes(const recorder& r, table_view from, int first, int size) {
  if (r.out.nodes.size() != first + size || r.out.programs.size() != from.programs.size)
    return false;
  for (int i = first; i < first + size; ++i) {
    const node &repeated = r.out.nodes[i], &original = from.nodes[i];
    if (repeated.kind != original.kind ||
        (repeated.kind == family::map && repeated.detail != original.detail))
      return false;
  }
  return true;
}
/// No result may be larger than for the limits, since memory is reserved for those. It can happen:
/// a smaller filter gives a larger image, and fewer coordinates gather larger slices.
/// Error: capacity.
constexpr error check_limits(const recorder& r, table_view from) {
  for (int i = 0; i < from.nodes.size; ++i) {
    const shape &needed = r.out.nodes[i].out.shape, &limits = from.nodes[i].out.shape;
    bool within = needed.rank == limits.rank;
    for (int a = 0; within && a < needed.rank; ++a) within = needed[a] <= limits[a];
    if (!within) return {code::capacity, from.nodes[i].op, "extents", limits, needed};
  }
  return {};
}
/// A state keeps its extents whatever those of the inputs are, so its next value must have them.
/// Error: extent.
constexpr error check_states(const recorder& r, table_view from) {
  for (int s = 0; s < from.states; ++s) {
    const shape &state = r.at(from.inputs[from.call_inputs() + s]).shape,
                &next = r.at(from.outputs[from.call_outputs() + s]).shape;
    if (!(state == next)) return {code::extent, "next", "value", state, next};
  }
  return {};
}

/// The sizes of memory in which `replay` can record a table again. One row more than the table has
/// is enough to notice that an operator records too much.
constexpr table_sizes room_to_replay(table_sizes s) {
  ++s.nodes, ++s.programs, ++s.regions;
  each_detail_pool([](int& size) { ++size; }, s);
  s.names = s.inputs = s.weights = s.outputs = s.limits = s.recipes = s.used = 0;
  return s;
}

}  // namespace replaying

/// Records `from` again into `r`, with these shapes of its inputs. The nodes keep their numbers;
/// only extents, strides and what follows from them change.
/// Error: what the operators refuse for these extents; extent, when a state's next value has
/// another shape than the state; capacity, when an operator records other nodes than for the
/// limits, or a larger result.
/// Cost: allocates only in the first call with an `r`, and never in lent memory.
constexpr error replay(table_view from, const shape* inputs, recorder& r) {
  replaying::start_again(r, from);
  int next = 0;
  for (int i = 0; i < from.nodes.size; ++i) {
    const node& n = from.nodes[i];
    if (next == from.recipes.size || from.recipes[next].first != i) {
      replaying::copy_node(r.out, from, n);
      for (int k = 0; n.kind == family::input && k < from.inputs.size; ++k)
        if (from.inputs[k] == i) r.out.nodes[i].out.shape = inputs[k];
      continue;
    }
    const recipe& c = from.recipes[next++];
    const list<int> operands{from.used.data + c.operands.begin, c.operands.size};
    const error e = c.again != nullptr ? c.again(r, c, operands) : replaying::map_again(r, n);
    if (!e.ok()) return e;
    i += c.size - 1;
    if (!replaying::same_nodes(r, from, c.first, c.size))
      return {code::capacity, n.op, "extents", "the same nodes for all extents", "others"};
  }
  const error e = replaying::check_limits(r, from);
  return e.ok() ? replaying::check_states(r, from) : e;
}

}  // namespace tenon
