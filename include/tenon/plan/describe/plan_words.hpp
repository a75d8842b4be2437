// The words for a plan's nodes: their names, shapes and places in memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/replay.hpp>
#include <tenon/plan/describe/formula.hpp>
#include <tenon/plan/describe/makers.hpp>
#include <tenon/plan/layout.hpp>
#include <algorithm>

namespace tenon::notation {

/// The axes of every node (bit i: axis i) that have a limit instead of an extent: those that become
/// shorter when the graph's inputs do. Found by trying: the graph is replayed with inputs that are
/// one element shorter along every axis that may vary.
inline std::vector<std::uint32_t> limited_axes(const plan_view& p) {
  const table_view t = p.table;
  std::vector<std::uint32_t> axes(static_cast<std::size_t>(t.nodes.size));
  if (!p.has_limits() || p.source.nodes.size == 0) return axes;
  std::vector<shape> inputs;
  for (const int i : t.inputs) inputs.push_back(t.nodes[i].out.shape);
  for (const varying& v : t.limits) {
    axes[static_cast<std::size_t>(t.inputs[v.input])] = v.axes;
    shape& s = inputs[static_cast<std::size_t>(v.input)];
    for (int i = 0; i < s.rank; ++i)
      if ((v.axes >> i & 1u) != 0 && s[i] > 1) --s.extent[i];
  }
  recorder again;
  if (const error e = replay(p.source, inputs.data(), again); !e.ok()) return axes;
  for (int i = 0; i < t.nodes.size; ++i) {
    const shape &largest = t.nodes[i].out.shape,
                &smaller = again.out.nodes[t.nodes[i].origin].out.shape;
    for (int k = 0; k < largest.rank; ++k)
      if (smaller[k] != largest[k]) axes[static_cast<std::size_t>(i)] |= 1u << k;
  }
  return axes;
}

/// Names what stands in one plan. The parts of a description derive from it.
struct plan_words {
  const plan_view& p;
  std::vector<std::uint32_t> limited = limited_axes(p);  ///< by node

  const node& at(int id) const { return p.table.nodes[id]; }
  std::string group_name(int id) const { return joined("group ", p.group_of[id]); }
  std::string policy_of(int g) const { return p.policies[p.groups[g].policy].name; }
  /// An input's or weight's own name, with its number where programs have to use that; else `%3`.
  std::string value_name(int id) const {
    const std::string label = symbol(p.table, id);
    if (!is_leaf(at(id).kind) || label[0] != '%') return label;
    return label + " " + printable(p.table.name_of(at(id)).c_str());
  }
  /// `%5 relu`.
  std::string node_name(int id) const {
    return is_leaf(at(id).kind) ? value_name(id)
                                : symbol(p.table, id) + " " + operator_name(p.table, id);
  }
  /// `[1, <= 128, 64]`, where the second axis has a limit.
  std::string extents_of(int id) const {
    const shape& s = at(id).out.shape;
    const std::uint32_t axes = limited[static_cast<std::size_t>(id)];
    std::string text = "[";
    for (int i = 0; i < s.rank; ++i)
      text += joined(i > 0 ? ", " : "", (axes >> i & 1u) != 0 ? "<= " : "", s[i]);
    return text + "]";
  }
  /// `extents_of`, with the type in front where that is not float32: `int32 [2, 3]`.
  std::string shaped(int id) const {
    const type is = at(id).out.type;
    return is == type::float32 ? extents_of(id) : joined(name_of(is), " ", extents_of(id));
  }
  /// The number of a state; below 0: it is none.
  int state_of_input(int index) const { return index - p.table.call_inputs(); }
  int state_of_output(int index) const { return index - p.table.call_outputs(); }
  std::string state_name(int state) const {
    return value_name(p.table.inputs[p.table.call_inputs() + state]);
  }
  /// Where a value's bytes are: `arena 64 .. 128`, `input 0`, `weight, from byte 64`, `output 0`.
  /// Of a strided view the whole buffer.
  std::string whereabouts(int id) const {
    const plans::location& where = p.locations[id];
    if (!where.materialised) return "inside the group";
    const plans::buffer& holder = p.buffers[where.holder];
    const tensor& shown = at(id).out;
    const bool contiguous = plans::is_contiguous(where, shown.shape);
    const i64 first = contiguous ? where.offset * size_bytes(shown.type) : 0;
    const i64 bytes = contiguous ? shown.bytes() : holder.bytes;
    const std::string part = first > 0 ? ", from byte " + digits(first) : "";
    switch (holder.in) {
      case plans::buffer::storage::input:
        return (state_of_input(holder.index) < 0 ? joined("input ", holder.index)
                                                 : joined("state ", state_of_input(holder.index))) +
               part;
      case plans::buffer::storage::weight: return "weight" + part;
      case plans::buffer::storage::output:
        return (state_of_output(holder.index) < 0
                    ? joined("output ", holder.index)
                    : joined("next state ", state_of_output(holder.index))) +
               part;
      case plans::buffer::storage::arena:
        return (holder.home < 0 ? "arena " : joined(p.policies[holder.home].name, " ")) +
               digits(holder.offset + first) + " .. " + digits(holder.offset + first + bytes);
      case plans::buffer::storage::step: return "moves with the steps";
      case plans::buffer::storage::none: break;
    }
    return "nowhere";
  }
  /// What a view is made of: `reshape of conv.bias`, `concat of %3 and %5`.
  std::string origin(int id) const {
    if (!is_view(p, id)) return value_name(id);
    const node& n = at(id);
    std::string text = n.kind == family::map ? "cast of " : operator_name(p.table, id) + " of ";
    for (int k = 0; k < n.operands; ++k) {
      text += k == 0 ? "" : k + 1 < n.operands ? ", " : " and ";
      text += n.operands == 1 ? origin(n.in[k]) : value_name(n.in[k]);
    }
    return text;
  }
  /// What a scan's border shows: `this step of %3`, `a state, at first %5`, `all steps of %9`.
  std::string border_of(int id) const {
    const std::string from = value_name(at(id).in[0]);
    switch (p.table.scanning_of(at(id)).is) {
      case scanning::part::slice: return "this step of " + from;
      case scanning::part::state: return "a state, at first " + from;
      case scanning::part::all: return "all steps of " + from;
      case scanning::part::last: return "the last step of " + from;
    }
    return "";
  }
  /// `group 1`, `groups 0, 2`: those that compute a value.
  std::string groups_behind(int id) const {
    std::vector<int> groups;
    const auto add = [&](int maker) { groups.push_back(p.group_of[maker]); };
    each_maker(p, id, add);
    for (int k = 0; k < at(id).operands; ++k)
      if (joined_in_place(p, id, k)) each_maker(p, at(id).in[k], add);
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    std::string text = groups.size() == 1 ? "group" : "groups";
    for (std::size_t k = 0; k < groups.size(); ++k) text += joined(k > 0 ? ", " : " ", groups[k]);
    return text;
  }
};

}  // namespace tenon::notation
