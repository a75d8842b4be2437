// What the passes decide, as plain values: groups of nodes that run together, where every value
// lives, and what the policies declare about themselves.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/table.hpp>

namespace tenon {

/// How a policy's memory relates to the caller's.
enum class sharing : std::uint8_t {
  same,        ///< it is the caller's memory
  importable,  ///< the caller's memory can be used after an import, without a copy
  separate,    ///< data must be copied
};

/// Nodes that run as one step. `anchor` is the node that gives the group its kind; the iteration
/// space of a row group is `space`, of which the last `columns` axes form a row.
struct group {
  family kind = family::map;  ///< map (row groups, with reductions over whole rows), reduce (one
                              ///< reduction over other axes), contract, window, move, gather,
                              ///< compose (a region; its last member is its result)
  std::int8_t place = 0;
  int begin = 0, size = 0;  ///< members, in `grouping::members`
  int anchor = -1;
  shape space{};
  int columns = 0;  ///< trailing axes that form a row; 0: not decided by a reduction
};

/// The groups in the order of their execution, and each node's group (-1: leaves and aliases).
struct grouping {
  sequence<group> groups;
  sequence<int> members;
  sequence<int> of;
};

/// How a node's elements are found: in the buffer of node `root`, at `offset` + index * `step`.
struct value {
  int root = -1;
  i64 offset = 0;
  strides step{};
  bool materialised = false;  ///< false: lives only inside its group (in registers or a row buffer)
  int inside = -1;            ///< the join in whose result it is computed
};

/// What holds a root's bytes.
struct buffer {
  enum class storage : std::uint8_t {
    none,
    input,
    weight,
    output,
    arena,
    step
  };  ///< see `scanning`
  storage in = storage::none;
  int index = -1;  ///< position among inputs, weights or outputs
  i64 offset = 0;  ///< bytes, in the arena
  i64 bytes = 0;
  int first = 0, last = 0;  ///< groups between which an arena buffer is live
  int place = -1;  ///< of the arena: the policy in whose own memory it lies; -1: the host's memory
};

/// The copy of a buffer in the memory of a policy that cannot share the host's.
struct mirror {
  int root = -1;   ///< the node whose buffer it copies
  int place = 0;   ///< the policy
  i64 offset = 0;  ///< bytes, in the policy's own arena
  i64 bytes = 0;
  int first = 0, last = 0;  ///< groups between which it is live
  int in = -1;              ///< the group before which the bytes are copied here; -1: none
  int out = -1;             ///< the group after which they are copied back; -1: none
};

/// An output that is not produced in place: node -> output.
struct output_copy {
  int node = -1;
  int output = -1;
};

/// Memory that a group needs beside its operands: `packed` bytes in the model (weights in the
/// policy's own layout), `scratch` bytes in the arena while it runs, `per_thread` for each thread,
/// and `bound` bytes for what binding decides from the extents (strides, tables, tiles).
struct footprint {
  i64 packed = 0, scratch = 0, per_thread = 0, bound = 0;
};

/// Edges between policies: distinct (buffer, target) pairs. The caller's side counts as policy 0
/// where that policy works in the caller's memory. Weights do not count: they are uploaded once, at
/// binding.
struct traffic {
  int crossings = 0;
  int copies = 0;        ///< in every call
  i64 bytes_moved = 0;   ///< by them
  i64 upload_bytes = 0;  ///< weights of policies that have a memory of their own
};

struct plan_view;

/// What a policy declares, as data: passes know no policy types.
struct policy_facts {
  const char* name = "";
  sharing memory = sharing::same;
  bool fuses = false;  ///< false: every node is a group of its own
  bool (*supports)(const table_view&, const node&) = nullptr;
  footprint (*measure)(const plan_view&, int group) = nullptr;
  /// Whether the policy runs the whole of a region (a composite operator) as one step; null: none.
  bool (*owns)(const table_view&, const region&) = nullptr;
  /// Whether it wants the integers of what contractions multiply: see `offers_integers`.
  bool multiplies_integers = false;
  /// Whether its contractions read float16 where it lies, and epilogues make it: casts in front of
  /// them are views then, and those behind them join them.
  bool takes_halves = false;
  /// The most buffers that a group may read and write; 0: any number. At least those of one node.
  int most_buffers = 0;
};

/// Bytes to which buffers in arenas are aligned: a cache line, and the widest SIMD register.
inline constexpr i64 arena_align = 64;
constexpr i64 aligned(i64 bytes) { return (bytes + arena_align - 1) / arena_align * arena_align; }

/// The policy in whose own memory a group of policy `place` works; -1: in the host's.
constexpr int home_of(list<policy_facts> policies, int place) {
  return policies[place].memory == sharing::same ? -1 : place;
}

/// A finished plan to read: the prepared table and everything decided about it.
struct plan_view {
  table_view table;
  table_view source;         ///< of graphs with bounds: the table before it was prepared
  list<contraction> bounds;  ///< of plans for actual extents: the contractions with the bounds
  list<policy_facts> policies;
  list<group> groups;
  list<int> members;
  list<int> group_of;
  list<value> values;
  list<buffer> buffers;  ///< by node
  list<output_copy> copies_out;
  list<mirror> mirrors;
  list<i64> device_bytes;    ///< by policy: its arena in memory of its own
  list<footprint> needs;     ///< by group
  list<i64> scratch_offset;  ///< by group, in the arena
  list<i64> packed_offset;   ///< by group, in the model's packed memory
  list<i64> bound_offset;    ///< by group, in the memory of bound forms
  i64 shared_bytes = 0;      ///< arena without per-thread memory
  i64 per_thread_bytes = 0;
  i64 packed_bytes = 0, bound_bytes = 0;
  i64 live_bytes = 0;  ///< the lower bound: most bytes live at once
  traffic moved;

  constexpr i64 arena_bytes(int threads = 1) const {
    return shared_bytes + threads * per_thread_bytes;
  }
  /// The type of node `id`'s elements in memory: of a view that of what it shows.
  constexpr type stored_type(int id) const { return table.nodes[values[id].root].out.type; }
  /// Two copies of every state, one to read and one to write.
  constexpr i64 state_bytes() const {
    i64 bytes = 0;
    for (int i = table.call_inputs(); i < table.inputs.size; ++i)
      bytes += 2 * aligned(table.nodes[table.inputs[i]].out.bytes());
    return bytes;
  }
  constexpr bool has_bounds() const { return table.bounds.size > 0; }
  /// The contraction by which a policy chooses what must be the same for all extents up to a bound.
  constexpr const contraction& widest(const node& n) const {
    return bounds.size > 0 ? bounds[n.detail] : table.contraction_of(n);
  }
  /// The scan in whose body a group runs; -1: none.
  constexpr int loop_of(int g) const { return table.nodes.data[groups.data[g].anchor].loop; }
  /// How often a group runs in a call.
  constexpr i64 steps_of(int g) const {
    const int loop = loop_of(g);
    return loop < 0 ? 1 : table.border_of(loop)[0].steps;
  }
  constexpr list<int> members_of(const group& g) const { return {members.data + g.begin, g.size}; }
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

/// True if group `g` does nothing but dequantize what contractions multiply as integers.
/// `how(group)` is what binding made of the integers that they are offered.
template <class How> constexpr bool is_left_out(const plan_view& p, int g, const How& how) {
  const group& own = p.groups[g];
  if (own.size != 1 || own.kind != family::map) return false;
  for (const int o : p.table.outputs)
    if (o == own.anchor) return false;
  bool read = false;
  for (int i = own.anchor + 1; i < p.table.nodes.size; ++i) {
    const node& n = p.table.nodes[i];
    for (int k = 0; k < n.operands; ++k) {
      if (n.in[k] != own.anchor) continue;
      if (k == 2 || !offers_integers(n) || n.place != own.place) return false;
      if (how(p.group_of[i]) != multiplied::integers) return false;
      read = true;
    }
  }
  return read;
}

namespace passes {

/// The groups of each scan's body, by the scan's number; a `first` of -1: there is none.
struct body_groups {
  int first = -1, last = -1;
};
constexpr sequence<body_groups> bodies_of(table_view t, list<int> group_of) {
  sequence<body_groups> all(t.scans.size > 0 ? t.scans[t.scans.size - 1].loop + 1 : 0);
  for (int i = 0; all.size() > 0 && i < t.nodes.size; ++i) {
    const int g = group_of[i];
    if (g < 0 || t.nodes[i].loop < 0) continue;
    body_groups& own = all[t.nodes[i].loop];
    if (own.first < 0 || g < own.first) own.first = g;
    if (g > own.last) own.last = g;
  }
  return all;
}

}  // namespace passes

}  // namespace tenon
