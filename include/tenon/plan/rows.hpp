// Rows: the last axes of an iteration space, over which a row group reduces.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/table.hpp>

namespace tenon::plans {

/// The most stages, members, of a row group.
inline constexpr int max_stages = 12;

/// Number of trailing axes that a reduction covers, if it covers just trailing axes; else 0.
constexpr int trailing_axes(const reduction& r, int rank) {
  int k = 0;
  while (k < rank && r.reduces(rank - 1 - k)) ++k;
  return k > 0 && r.axes == ((1u << k) - 1) << (rank - k) ? k : 0;
}

/// One value per row of `space`: its shape with extents of 1 in place of the last `columns` axes.
constexpr bool is_row_scalar(const shape& s, const shape& space, int columns) {
  if (columns == 0 || s.rank != space.rank) return false;
  for (int i = 0; i < s.rank; ++i)
    if (s[i] != (i < s.rank - columns ? space[i] : 1)) return false;
  return true;
}

/// True when a broadcast operand moves evenly along the last `columns` axes (one stride or none),
/// so that they collapse into one row.
constexpr bool rows_collapse(const shape& operand, const shape& space, int columns) {
  const strides step = broadcast(operand, space);
  i64 expected = -1;
  for (int i = space.rank - 1; i >= space.rank - columns; --i) {
    if (space[i] == 1) continue;
    if (expected >= 0 && step[i] != expected) return false;
    expected = step[i] * space[i];
  }
  return true;
}

}  // namespace tenon::plans
