// A finished plan to read: what policies, models and descriptions are given.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/decision.hpp>

namespace tenon {

/// The plain numbers of a plan, whoever holds its lists.
struct plan_numbers {
  i64 shared_bytes = 0;      ///< arena without per-thread memory
  i64 per_thread_bytes = 0;  ///< more for each thread
  i64 packed_bytes = 0, bound_bytes = 0;
  i64 live_bytes = 0;  ///< the lower bound: the largest number of bytes that live at once
  plans::traffic moved;

  constexpr i64 arena_bytes(int threads = 1) const {
    return shared_bytes + threads * per_thread_bytes;
  }
};

/// A finished plan: the prepared table and everything decided about it. Policies see one while it
/// is made, too, when `measure` is asked: then it has no offsets and no bytes.
struct plan_view : plan_numbers {
  table_view table;
  table_view source;         ///< of graphs with limits: the table before it was prepared
  list<contraction> limits;  ///< of plans for actual extents: the contractions with the limits
  list<policy_facts> policies;
  list<plans::group> groups;
  list<int> members;
  list<int> group_of;
  list<plans::location> locations;
  list<plans::buffer> buffers;  ///< by node
  list<plans::output_copy> copies_out;
  list<plans::mirror> mirrors;
  list<i64> device_bytes;    ///< by policy: its arena in memory of its own
  list<footprint> needs;     ///< by group
  list<i64> scratch_offset;  ///< by group, in the arena
  list<i64> packed_offset;   ///< by group, in the model's packed memory
  list<i64> bound_offset;    ///< by group, in the memory of bound forms

  /// The type of node `id`'s elements in memory: that of its holder. An alias may have another type
  /// itself, if it is a cast that its readers compute.
  constexpr type stored_type(int id) const { return table.nodes[locations[id].holder].out.type; }
  /// Two copies of every state, one to read and one to write.
  constexpr i64 state_bytes() const {
    i64 bytes = 0;
    for (int i = table.call_inputs(); i < table.inputs.size; ++i)
      bytes += 2 * aligned(table.nodes[table.inputs[i]].out.bytes());
    return bytes;
  }
  constexpr bool has_limits() const { return table.limits.size > 0; }
  /// A contraction with the extents of the limits. By these a policy decides what must be the same
  /// for all extents, such as the layout of packed weights.
  constexpr const contraction& widest(const node& n) const {
    return limits.size > 0 ? limits[n.detail] : table.contraction_of(n);
  }
  /// The node that gives group `g` its kind.
  constexpr const node& anchor_of(int g) const { return table.nodes.data[groups.data[g].anchor]; }
  /// The scan in whose body a group runs; -1: none.
  constexpr int loop_of(int g) const { return table.nodes.data[groups.data[g].anchor].loop; }
  /// How often a group runs in a call.
  constexpr i64 steps_of(int g) const {
    const int loop = loop_of(g);
    return loop < 0 ? 1 : table.border_of(loop)[0].steps;
  }
  constexpr list<int> members_of(const plans::group& g) const {
    return {members.data + g.begin, g.size};
  }
};

/// How a policy runs a contraction of dequantized numbers, which binding decides. Integers are
/// multiplied only where no bit of the result depends on it.
enum class multiplied : std::uint8_t {
  nothing,   ///< no contraction, or none whose operands are dequantized from weights and 8 bits
  integers,  ///< in integers
  scales,    ///< in float32: with these scales float32 rounds; powers of two would do
  sums,      ///< in float32: sums may need more than 24 bits, so that float32 rounds
  weights,   ///< in float32: a weight and its zero point differ by more than 8 bits hold
};
constexpr const char* text_of(multiplied how) {
  constexpr const char* texts[] = {
      "multiplies what its operands are", "multiplies integers, which gives the same bits",
      "multiplies float32: with these scales it rounds, as it would not with powers of two",
      "multiplies float32: its sums may need more than 24 bits, so that it rounds",
      "multiplies float32: weights differ from their zero point by more than 8 bits hold"};
  return texts[static_cast<int>(how)];
}

namespace plans {

/// True if group `g` does nothing but dequantize what contractions multiply as integers.
/// `how(group)` is what binding made of the integers that they are offered.
template <class How> constexpr bool is_left_out(const plan_view& p, int g, const How& how) {
  const group& dequantizing = p.groups[g];
  if (dequantizing.size != 1 || dequantizing.kind != family::map) return false;
  for (const int o : p.table.outputs)
    if (o == dequantizing.anchor) return false;
  bool read = false;
  for (int i = dequantizing.anchor + 1; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    for (int k = 0; k < n.operands; ++k) {
      if (n.in[k] != dequantizing.anchor) continue;
      if (k == 2 || !offers_integers(n) || n.policy != dequantizing.policy) return false;
      if (how(p.group_of[i]) != multiplied::integers) return false;
      read = true;
    }
  }
  return read;
}

}  // namespace plans
}  // namespace tenon
