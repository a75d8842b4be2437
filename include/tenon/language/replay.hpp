// The same graph with other extents: records a table's operators again, for graphs with limits.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/map.hpp>

namespace tenon {

namespace replaying {

/// Empties the table of `r` but for what does not depend on extents: names and programs.
constexpr void start_again(recorder& r, table_view from) {
  table& t = r.out;
  t.nodes.clear();
  each_detail_pool([](auto& pool) { pool.clear(); }, t);
  t.regions.clear();
  if (t.names.empty() && t.names.grows())  // they are for people
    for (const name& x : from.names) t.names.push(x);
  if (t.programs.size() == from.programs.size) return;
  t.code.clear();  // in the first call, or a program was refused in the last one
  t.programs.clear();
  t.code.reserve(from.code.size + 8 * max_program);  // for those that are going to be refused
  t.programs.reserve(from.programs.size + 8);
  for (const instruction& x : from.code) t.code.push(x);
  for (const range& x : from.programs) t.programs.push(x);
}
/// A node as it was; names and programs stay.
constexpr void copy_node(table& to, table_view from, node n) {
  detail_pool(
      n.kind, [&](auto& pool, const auto& rows) { n.detail = pool.push(rows[n.detail]); }, to,
      from);
  to.nodes.push(n);
}
/// An element-wise node whose operands may have other extents now.
constexpr error map_again(recorder& r, node n) {
  tensor in[max_operands]{};
  for (int k = 0; k < n.operands; ++k) in[k] = r.at(n.in[k]);
  const result<shape> s = maps::broadcast_shapes(n.op, {in, n.operands});
  if (s.ok()) n.out.shape = *s;
  if (s.ok()) r.out.nodes.push(n);
  return s.error();
}

/// True if the nodes that were recorded last, from `first` on, are of the families and have the
/// programs that they had: a number in a program may follow from an extent, as in attention.
constexpr bool same_nodes(const recorder& r, table_view from, int first, int size) {
  if (r.out.nodes.size() != first + size || r.out.programs.size() != from.programs.size)
    return false;
  for (int i = first; i < first + size; ++i) {
    const node &now = r.out.nodes[i], &then = from.nodes[i];
    if (now.kind != then.kind || (now.kind == family::map && now.detail != then.detail))
      return false;
  }
  return true;
}
/// Nothing may become larger than it is for the limits, for which there is memory: a smaller filter
/// gives a larger image, fewer coordinates gather whole slices.
constexpr error check_limits(const recorder& r, table_view from) {
  for (int i = 0; i < from.nodes.size; ++i) {
    const shape &now = r.out.nodes[i].out.shape, &most = from.nodes[i].out.shape;
    bool within = now.rank == most.rank;
    for (int a = 0; within && a < now.rank; ++a) within = now[a] <= most[a];
    if (!within) return {code::capacity, from.nodes[i].op, "extents", most, now};
  }
  return {};
}
/// States keep their extents, whatever those of the inputs are.
constexpr error check_states(const recorder& r, table_view from) {
  for (int s = 0; s < from.states; ++s) {
    const shape &state = r.at(from.inputs[from.call_inputs() + s]).shape,
                &next = r.at(from.outputs[from.call_outputs() + s]).shape;
    if (!(state == next)) return {code::extent, "next", "value", state, next};
  }
  return {};
}

/// Room in which `replay` can record a table again, and see what is too much.
constexpr table_sizes room_to_replay(table_sizes s) {
  ++s.nodes, ++s.programs, ++s.regions;
  each_detail_pool([](int& size) { ++size; }, s);
  s.names = s.inputs = s.weights = s.outputs = s.limits = s.recipes = s.used = 0;
  return s;
}

}  // namespace replaying

/// Records `from` again into `r` with these shapes of its inputs. The nodes keep their numbers;
/// only extents, strides and what follows from them change. Allocates in the first call with an `r`
/// alone, and not in lent memory. Error: what the operators refuse now; extent, when a state's next
/// value has another shape than the state; capacity, when an operator records something else for
/// other extents than for the limits, or a larger result.
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
