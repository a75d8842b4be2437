// What a policy declares, as data: passes know no policy types.
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

/// Memory that a group needs beside its operands: `packed` bytes in the model (weights in the
/// policy's own layout), `scratch` bytes in the arena while it runs, `per_thread` for each thread,
/// and `bound` bytes for what binding decides from the extents (strides, tables, tiles).
struct footprint {
  i64 packed = 0, scratch = 0, per_thread = 0, bound = 0;
};

struct plan_view;

/// The declaration of one policy; see `facts_of`.
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
  /// Whether its contractions read float16 operands, and its epilogues write float16 results. Casts
  /// of operands are aliases then, and casts of results are part of the contraction's group.
  bool takes_halves = false;
  /// The most buffers that a group may read and write; 0: any number. At least those of one node.
  int most_buffers = 0;
};

/// The declaration of a policy as data. What a policy does not declare keeps its default.
template <class Policy> constexpr policy_facts facts_of() {
  policy_facts f{Policy::name, Policy::memory, Policy::fuses, &Policy::supports, &Policy::measure};
  if constexpr (requires(const table_view& t, const region& r) { Policy::owns(t, r); })
    f.owns = &Policy::owns;
  if constexpr (requires { Policy::multiplies_integers; })
    f.multiplies_integers = Policy::multiplies_integers;
  if constexpr (requires { Policy::takes_halves; }) f.takes_halves = Policy::takes_halves;
  if constexpr (requires { Policy::most_buffers; }) f.most_buffers = Policy::most_buffers;
  return f;
}

/// Bytes to which buffers in arenas are aligned: a cache line, and the widest SIMD register.
inline constexpr i64 arena_align = 64;
constexpr i64 aligned(i64 bytes) { return (bytes + arena_align - 1) / arena_align * arena_align; }

}  // namespace tenon
