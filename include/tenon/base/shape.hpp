// Shapes and tensor descriptions: plain values, usable as template arguments.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/type.hpp>

namespace tenon {

/// Largest rank of a tensor.
inline constexpr int max_rank = 8;

/// Extents of a tensor, outermost first. Rank 0 is a scalar with one element.
struct shape {
  int rank = 0;
  i64 extent[max_rank]{};

  constexpr i64 operator[](int axis) const { return extent[axis]; }
  constexpr bool operator==(const shape&) const = default;

  /// Number of elements.
  constexpr i64 count() const {
    i64 n = 1;
    for (int i = 0; i < rank; ++i) n *= extent[i];
    return n;
  }
};

/// The shape with these extents: `extents(1, 3, 64, 64)`.
template <class... I> constexpr shape extents(I... extent) {
  static_assert(sizeof...(I) <= max_rank, "extents: a tensor has at most 8 axes");
  return shape{static_cast<int>(sizeof...(I)), {static_cast<i64>(extent)...}};
}

/// An extent that is known at the call only: `input<"x", float, upto<512>, 64>` has 1 to 512 rows.
/// Plans are made for the limit; a call brings the actual extent.
struct limit {
  i64 extent = 1;
};
template <i64 N> inline constexpr limit upto{N};

/// Strides in elements of a dense row-major tensor of shape `s`.
struct strides {
  i64 step[max_rank]{};
  constexpr i64 operator[](int axis) const { return step[axis]; }
  constexpr bool operator==(const strides&) const = default;
};

constexpr strides dense(const shape& s) {
  strides r{};
  i64 step = 1;
  for (int i = s.rank - 1; i >= 0; --i) {
    r.step[i] = step;
    step *= s.extent[i];
  }
  return r;
}

/// Strides with which a dense tensor of shape `from` is read at the positions of `to` (numpy's
/// broadcasting: right-aligned, an extent of 1 repeats).
constexpr strides broadcast(const shape& from, const shape& to) {
  strides source = dense(from), r{};
  for (int i = 1; i <= from.rank; ++i)
    r.step[to.rank - i] = from.extent[from.rank - i] == 1 ? 0 : source.step[from.rank - i];
  return r;
}

/// What flows along an edge of a graph: an element type and a shape.
struct tensor {
  tenon::type type = tenon::type::float32;
  tenon::shape shape{};
  constexpr bool operator==(const tensor&) const = default;
  constexpr i64 bytes() const { return bytes_of(type, shape.count()); }
};

}  // namespace tenon
