// Iteration spaces of kernels, and how operands lie in them: plain values.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/table.hpp>
#include <tenon/policy/vulkan/spirv/target.hpp>

namespace tenon::spirv {

/// Axes of an iteration space: those of a contraction are most.
inline constexpr int max_axes = contraction::max_axes;

/// How a value is read or written at the positions of an iteration space, in elements.
struct access {
  int port = -1;
  type element = type::float32;
  i64 offset = 0;
  i64 step[max_axes]{};
};
struct space {
  int dims = 0;
  i64 extent[max_axes]{};
  constexpr i64 count() const {
    i64 n = 1;
    for (int i = 0; i < dims; ++i) n *= extent[i];
    return n;
  }
};
constexpr space space_of(const shape& s) {
  space r;
  for (; r.dims < s.rank; ++r.dims) r.extent[r.dims] = s[r.dims];
  return r;
}
/// Drops axes of extent 1 and merges neighbours in [first, end) along which all accesses move
/// evenly; returns how many axes are left of these. What stands behind `end` stays behind them.
constexpr int merge(space& s, int first, int end, list<access*> accesses) {
  int dims = first;
  const auto copy = [&](int from, int to) {
    s.extent[to] = s.extent[from];
    for (access* v : accesses) v->step[to] = v->step[from];
  };
  for (int i = first; i < end; ++i) {
    if (s.extent[i] == 1) continue;
    bool even = dims > first;
    for (const access* v : accesses) even = even && v->step[dims - 1] == v->step[i] * s.extent[i];
    const i64 extent = s.extent[i] * (even ? s.extent[dims - 1] : 1);
    dims += !even;
    copy(i, dims - 1);
    s.extent[dims - 1] = extent;
  }
  for (int i = end; i < s.dims; ++i) copy(i, dims + i - end);
  s.dims -= end - dims;
  return dims - first;
}

constexpr kind kind_of(type t, bool has_float16) {
  switch (size_bytes(t)) {
    case 8: return kind::int64;
    case 2: return has_float16 ? kind::float16 : kind::int16;
    case 1: return kind::int8;
    default: return t == type::float32 ? kind::float32 : kind::int32;
  }
}
constexpr type in_memory(type t) { return is_four_bit(t) ? type::uint8 : t; }
/// A division rounded up.
constexpr i64 blocks_of(i64 n, i64 block) { return (n + block - 1) / block; }

/// How far apart the four elements lie that an invocation of a GPU takes: a workgroup of `each`.
constexpr i64 four_apart(const target& t) { return t.cpu_driver ? 1 : 64; }
/// True if invocations should take four elements along a space's last axis: on a GPU where there is
/// enough to do, so that more loads are under way.
constexpr bool in_fours(const target& t, const space& s) {
  const i64 last = s.dims > 0 ? s.extent[s.dims - 1] : 1;
  return t.cpu_driver ? last >= 4 : last >= 4 * four_apart(t) && s.count() >= i64{1} << 18;
}

}  // namespace tenon::spirv
