// The verifier: every invariant that execution relies on, checked from the finished plan alone.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/group.hpp>

namespace tenon {

/// The invariants of a plan.
enum class defect : std::uint8_t {
  none,
  order,       ///< a node stands before one of its operands, or a group before one it needs
  membership,  ///< a node is in no group, in two, or in a group of another policy
  hidden,      ///< a value that lives inside a group is read outside of it
  root,        ///< a value's root holds nothing
  bounds,      ///< a value reaches beyond its buffer, or a buffer beyond the arena
  alignment,   ///< an arena offset is not aligned
  overlap,     ///< two buffers share bytes while both are live
  output,      ///< an output is written by nothing, or twice
};

/// Where a plan is wrong; `at` is a node or a group.
struct finding {
  defect what = defect::none;
  int at = -1;
  constexpr bool ok() const { return what == defect::none; }
};

namespace passes {

/// First and last element that a value touches.
constexpr bool within(const value& v, const shape& s, i64 elements) {
  i64 low = v.offset, high = v.offset;
  for (int i = 0; i < s.rank; ++i) {
    const i64 reach = (s[i] - 1) * v.step[i];
    (reach < 0 ? low : high) += reach;
  }
  return low >= 0 && high < elements;
}

/// The group after which every value is complete: its own, for views and joins that of the last
/// operand.
constexpr sequence<int> completions(const plan_view& p) {
  sequence<int> ready(p.table.nodes.size, -1);
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    ready[i] = p.group_of[i];
    for (int k = 0; n.kind == family::move && k < n.operands && n.in[k] < i; ++k)
      if (ready[n.in[k]] > ready[i]) ready[i] = ready[n.in[k]];
  }
  return ready;
}

constexpr finding verify_groups(const plan_view& p) {
  const sequence<int> ready = completions(p);
  sequence<int> seen(p.table.nodes.size);
  for (int g = 0; g < p.groups.size; ++g)
    for (const int i : p.members_of(p.groups[g])) {
      ++seen[i];
      if (p.group_of[i] != g || p.table.nodes[i].place != p.groups[g].place)
        return {defect::membership, i};
    }
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    if (seen[i] != (p.group_of[i] >= 0 ? 1 : 0)) return {defect::membership, i};
    if (p.group_of[i] < 0 && !is_leaf(n.kind) && n.kind != family::move)
      return {defect::membership, i};
    for (int k = 0; k < n.operands; ++k) {
      const int from = p.values[n.in[k]].root;
      if (n.in[k] >= i) return {defect::order, i};
      if (p.group_of[i] < 0 || from < 0) continue;
      if (ready[n.in[k]] > p.group_of[i]) return {defect::order, i};
      if (ready[n.in[k]] != p.group_of[i] && !p.values[from].materialised)
        return {defect::hidden, from};
    }
  }
  return {};
}

constexpr finding verify_memory(const plan_view& p) {
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const value& v = p.values[i];
    if (!v.materialised) continue;
    if (v.root < 0 || p.buffers[v.root].in == buffer::storage::none) return {defect::root, i};
    const buffer& b = p.buffers[v.root];
    if (!within(v, p.table.nodes[i].out.shape, b.bytes / size_bytes(p.table.nodes[i].out.type)))
      return {defect::bounds, i};
  }
  const auto inside = [&](i64 offset, i64 bytes) {
    return offset >= 0 && offset + bytes <= p.shared_bytes;
  };
  const auto apart = [](i64 a, i64 n, i64 b, i64 m) { return a + n <= b || b + m <= a; };
  for (int i = 0; i < p.buffers.size; ++i) {
    const buffer& a = p.buffers[i];
    if (a.in != buffer::storage::arena) continue;
    if (a.offset % arena_align != 0) return {defect::alignment, i};
    if (!inside(a.offset, a.bytes)) return {defect::bounds, i};
    for (int j = i + 1; j < p.buffers.size; ++j) {
      const buffer& b = p.buffers[j];
      if (b.in != buffer::storage::arena || b.last < a.first || a.last < b.first) continue;
      if (!apart(a.offset, a.bytes, b.offset, b.bytes)) return {defect::overlap, j};
    }
    for (int g = a.first; g <= a.last && g < p.groups.size; ++g)
      if (p.needs[g].scratch > 0 &&
          !apart(a.offset, a.bytes, p.scratch_offset[g], p.needs[g].scratch))
        return {defect::overlap, i};
  }
  for (int g = 0; g < p.groups.size; ++g) {
    if (p.needs[g].scratch <= 0) continue;
    if (p.scratch_offset[g] % arena_align != 0) return {defect::alignment, p.groups[g].anchor};
    if (!inside(p.scratch_offset[g], p.needs[g].scratch))
      return {defect::bounds, p.groups[g].anchor};
  }
  for (int i = 0; i < p.table.nodes.size; ++i) {  // computed side by side in one buffer
    const value& v = p.values[i];
    if (p.group_of[i] < 0 || v.root == i || !v.materialised) continue;
    for (int j = 0; j < i; ++j) {
      const value& w = p.values[j];
      if (p.group_of[j] >= 0 && w.root == v.root && w.materialised &&
          !apart(v.offset, p.table.nodes[i].out.shape.count(), w.offset,
                 p.table.nodes[j].out.shape.count()))
        return {defect::overlap, i};
    }
  }
  const auto dead = [&](int root, int g) {
    const buffer& b = p.buffers[root];
    return b.in == buffer::storage::arena && (g < b.first || g > b.last);
  };
  for (int i = 0; i < p.table.nodes.size;
       ++i) {  // a buffer lives while anything writes or reads it
    const node& n = p.table.nodes[i];
    if (p.group_of[i] < 0) continue;
    if (p.values[i].materialised && dead(p.values[i].root, p.group_of[i]))
      return {defect::overlap, i};
    for (int k = 0; k < n.operands; ++k)
      if (dead(p.values[n.in[k]].root, p.group_of[i])) return {defect::overlap, i};
  }
  for (const output_copy& c : p.copies_out)
    if (dead(p.values[c.node].root, p.groups.size)) return {defect::overlap, c.node};
  return {};
}

constexpr finding verify_outputs(const plan_view& p) {
  for (int o = 0; o < p.table.outputs.size; ++o) {
    int writers = 0;
    for (int i = 0; i < p.buffers.size; ++i)
      writers += p.buffers[i].in == buffer::storage::output && p.buffers[i].index == o;
    for (const output_copy& c : p.copies_out) writers += c.output == o;
    if (writers != 1) return {defect::output, o};
  }
  return {};
}

}  // namespace passes

/// Checks a plan. A plan of ours that fails is a bug of the passes.
constexpr finding verify(const plan_view& p) {
  if (const finding f = passes::verify_groups(p); !f.ok()) return f;
  if (const finding f = passes::verify_memory(p); !f.ok()) return f;
  return passes::verify_outputs(p);
}

}  // namespace tenon
