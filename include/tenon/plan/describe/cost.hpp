// Cost: how many operations a group computes and how many bytes it must touch, from the finished
// plan alone. Plain numbers, usable in a static_assert.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/makers.hpp>

namespace tenon {

/// Work and traffic of a group, or of a whole plan (then the sums over its groups).
///
/// `flops` counts arithmetic as the table defines it, not as a policy carries it out:
/// - one for each arithmetic, comparing, selecting, converting or bitwise instruction of a scalar
///   program, two for an fma, none for literals; an elementary function counts as the program that
///   defines it (`flops_of`);
/// - contract: two for each term of each sum, products with padding included;
/// - reduce and window: one for each element that is combined; an average one more per result;
/// - move and gather: none.
///
/// `read`, `weights` and `written` are bytes outside of the group, each buffer once, as if caches
/// had no limits: the least that must move. What lives inside a group counts nowhere, nor does what
/// a join finds in its place. A gather reads no more elements than it writes.
struct cost {
  i64 flops = 0;
  i64 read = 0;     ///< of inputs and of other groups' values
  i64 weights = 0;  ///< of weights, in the caller's layout
  i64 written = 0;  ///< of values that others read, and of outputs
  i64 scratch = 0;  ///< arena bytes that the policy asked for; in a sum the largest of one group

  constexpr i64 bytes() const { return read + weights + written; }
  /// Arithmetic intensity: flops for each byte that moves; 0 where nothing moves.
  constexpr double intensity() const {
    return bytes() > 0 ? static_cast<double>(flops) / static_cast<double>(bytes()) : 0.0;
  }
  constexpr bool operator==(const cost&) const = default;
  constexpr cost& operator+=(const cost& o) {
    flops += o.flops;
    read += o.read;
    weights += o.weights;
    written += o.written;
    if (o.scratch > scratch) scratch = o.scratch;
    return *this;
  }
};

/// The operations of one instruction; of an elementary function those of its program.
constexpr int flops_of(sop o) { return facts_of(o).flops; }
/// The operations of a program for one element.
constexpr int flops_of(program_view p) {
  int n = 0;
  for (int i = 0; i < p.size; ++i) n += flops_of(p.code[i].op());
  return n;
}

namespace costs {

/// How many pairs of an output position and a tap lie inside of the input along one axis.
constexpr i64 inside(const sweep& s, i64 positions) {
  i64 pairs = 0;
  for (i64 o = 0; o < positions; ++o) {
    const i64 first = o * s.stride - s.begin;  // where the first tap reads
    const i64 room = s.extent - 1 - first;
    const i64 low = first < 0 ? (-first + s.dilation - 1) / s.dilation : 0;
    const i64 high = room < 0 ? -1 : room / s.dilation;
    const i64 last = high < s.taps - 1 ? high : s.taps - 1;
    if (last >= low) pairs += last - low + 1;
  }
  return pairs;
}
/// A multiplication and an addition for each term; the axes are those of results and of terms.
constexpr i64 contract_flops(const contraction& c) {
  i64 terms = 1;
  for (int i = 0; i < c.axes; ++i) terms *= c.axis[i].extent;
  return 2 * terms;
}
/// One for each element that lies inside of the input; an average divides each result.
constexpr i64 window_flops(const windowing& w, const shape& out) {
  i64 combined = 1, other = 1;
  for (const sweep& s : w.swept) combined *= inside(s, out[s.out_axis]);
  for (int i = 0; i < out.rank; ++i)
    if (i != w.swept[0].out_axis && i != w.swept[1].out_axis) other *= out[i];
  return combined * other + (w.average ? out.count() : 0);
}

/// Bytes of memory that a value shows: what repeats counts once.
constexpr i64 bytes_behind(const plan_view& p, int id) {
  const shape& s = p.table.nodes[id].out.shape;
  i64 elements = 1;
  for (int i = 0; i < s.rank; ++i)
    if (p.locations[id].step[i] != 0) elements *= s[i];
  return bytes_of(p.stored_type(id), elements);
}
/// The least that node `n` reads of its operand `k`.
constexpr i64 bytes_read(const plan_view& p, const node& n, int k) {
  if (n.kind == family::move && p.table.movement_of(n).how == sampling::fraction) return 0;
  if (offers_integers(n) && k == 2) return 0;  // read in place of the others
  const i64 whole = bytes_behind(p, n.in[k]), chosen = n.out.bytes();
  const bool data = n.kind == family::gather && k == 0 && n.in[0] != n.in[1];
  return data && chosen < whole ? chosen : whole;
}
/// Bytes that node `id` writes into memory.
constexpr i64 bytes_written(const plan_view& p, int id) {
  const node& n = p.table.nodes[id];
  i64 bytes = p.locations[id].materialised ? n.out.bytes() : 0;
  if (n.kind != family::move || p.table.movement_of(n).is != movement::form::join) return bytes;
  for (int k = 0; k < n.operands; ++k)
    if (joined_in_place(p, id, k)) bytes -= p.table.nodes[n.in[k]].out.bytes();
  return bytes;
}
/// True if operand `k` of node `id` comes from outside of group `g`.
constexpr bool comes_from_outside(const plan_view& p, int g, int id, int k) {
  bool outside = false;
  each_maker(p, p.table.nodes[id].in[k], [&](int maker) { outside |= p.group_of[maker] != g; });
  return outside && !joined_in_place(p, id, k);
}

/// Bytes of group `g`'s distinct operands outside of it in one kind of memory. Two views of one
/// buffer count its bytes once.
struct reading {
  i64 values = 0, weights = 0;
};
constexpr reading read_by(const plan_view& p, int g) {
  reading r;
  sequence<int> holders, operands;
  sequence<i64> bytes;
  for (const int i : p.members_of(p.groups[g])) {
    const node& n = p.table.nodes[i];
    for (int k = 0; k < n.operands; ++k) {
      const int from = n.in[k], holder = p.locations[from].holder;
      bool again = !comes_from_outside(p, g, i, k);
      for (const int id : operands) again |= id == from;
      if (again) continue;
      operands.push(from);
      int at = 0;
      while (at < holders.size() && holders[at] != holder) ++at;
      if (at == holders.size()) {
        holders.push(holder);
        bytes.push(0);
      }
      const i64 size = p.buffers[holder].bytes;
      bytes[at] += bytes_read(p, n, k);
      if (bytes[at] > size) bytes[at] = size;
    }
  }
  for (int at = 0; at < holders.size(); ++at)
    (p.table.nodes[holders[at]].kind == family::weight ? r.weights : r.values) += bytes[at];
  return r;
}

}  // namespace costs

/// The operations of one node. A family that only moves elements counts none.
constexpr i64 flops_of(table_view t, const node& n) {
  switch (n.kind) {
    case family::map: return flops_of(t.program_of(n)) * n.out.shape.count();
    case family::reduce:
      return t.nodes[n.in[0]].out.shape.count() +
             (t.reduction_of(n).average ? n.out.shape.count() : 0);
    case family::contract: return costs::contract_flops(t.contraction_of(n));
    case family::window: return costs::window_flops(t.windowing_of(n), n.out.shape);
    default: return 0;
  }
}

/// What group `g` of a plan computes and touches, in all steps of a scan.
constexpr cost cost_of(const plan_view& p, int g) {
  cost c;
  for (const int i : p.members_of(p.groups[g])) {
    c.flops += flops_of(p.table, p.table.nodes[i]);
    c.written += costs::bytes_written(p, i);
  }
  const costs::reading r = costs::read_by(p, g);
  c.read = r.values;
  c.weights = r.weights;
  const i64 steps = p.steps_of(g);
  c.flops *= steps;
  c.written *= steps;
  c.read *= steps;
  c.weights *= steps;
  c.scratch = p.needs[g].scratch;
  return c;
}

/// The sums over all groups, and the copies into outputs that no group could write in place.
constexpr cost cost_of(const plan_view& p) {
  cost sum;
  for (int g = 0; g < p.groups.size; ++g) sum += cost_of(p, g);
  for (const plans::output_copy& c : p.copies_out) {
    sum.read += costs::bytes_behind(p, c.node);
    sum.written += p.table.nodes[c.node].out.bytes();
  }
  return sum;
}

}  // namespace tenon
