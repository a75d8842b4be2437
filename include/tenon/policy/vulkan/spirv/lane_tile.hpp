// How a contraction is divided for CPU drivers: the tile of outputs that one invocation computes,
// and which axes the invocations of a subgroup (the SIMD lanes of the CPU) run along. Plain values.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/loop_nest.hpp>

namespace tenon::spirv {

/// The tiles of a contraction. Along every axis of the output `extent` neighbours belong to one
/// invocation; the tiles of some axes go to lanes, those of the others to workgroups.
struct lane_tile {
  bool used = false;
  int row_operand = -1;  ///< the operand (0: a, 1: b) that changes along `row_axis` only, so that
                         ///< all lanes read the same elements; -1: none
  int row_axis = -1;
  i64 extent[max_axes]{};
  bool by_lane[max_axes]{};
  int unrolled = 0;  ///< the terms from this axis on are written out
  i64 unroll = 1;    ///< and so many of the axis before
};

/// Chooses tiles; the numbers were measured on lavapipe with vectors of 8.
class lane_tile_choice {
 public:
  constexpr explicit lane_tile_choice(const loop_nest& n) : n_(n) {
    for (i64& extent : t_.extent) extent = 1;
  }
  constexpr lane_tile chosen() {
    const int last = n_.out.dims - 1;
    if (last < 0 || n_.terms.dims == 0) return t_;
    t_.used = true;
    const bool along_a = moves(0, last), along_b = moves(1, last);
    if (along_a != along_b) t_.row_operand = along_a || n_.edges > 0 ? 1 : 0;
    for (int i = 0; i <= last; ++i)
      if (t_.row_operand >= 0 && moves(1 - t_.row_operand, i) && !moves(t_.row_operand, i))
        column_axis_ = i;
    for (int i = 0; i <= last; ++i)
      t_.by_lane[i] = t_.row_operand < 0 ? i == last : !moves(t_.row_operand, i);
    if (t_.row_operand < 0)
      choose_without_rows(last);
    else
      choose_with_rows(last);
    fill_lanes();
    choose_unroll();
    return t_;
  }

 private:
  /// Limits of a tile, measured. Rows and columns of a product; of a convolution rows, columns and
  /// lines of the image; columns and lines where there are no rows (depthwise).
  static constexpr i64 most_rows = 32, most_columns = 4, image_rows = 20, image_columns = 2,
                       image_lines = 4, plane_columns = 8, plane_lines = 4;
  /// Limits of what is written out: terms of whole axes, and of the axis before. 25: a window of
  /// 5 x 5.
  static constexpr i64 most_terms = 25, few_terms = 4;
  const loop_nest& n_;
  lane_tile t_{};
  int column_axis_ = -1;  ///< the last one along which just the operand of the columns moves

  constexpr bool moves(int operand, int axis) const { return spirv::moves(n_, operand, axis); }

  /// The extent up to `limit` with the lowest cost. A tile costs 1 for each of its outputs, those
  /// of an overlap counted twice, and `load` for what it loads once.
  static constexpr i64 extent_of(i64 extent, i64 limit, i64 load = 2) {
    i64 best = 1, least_cost = 0;
    for (i64 candidate = limit < extent ? limit : extent; candidate > 0; --candidate) {
      const i64 cost = blocks_of(extent, candidate) * (candidate + load);
      if (least_cost != 0 && cost >= least_cost) continue;
      least_cost = cost;
      best = candidate;
    }
    return best;
  }
  /// Both operands move along the last axis (matrix times vector, or its batch): tiles along the
  /// axes where just `a` moves, so that an element of `b` is used several times.
  constexpr void choose_without_rows(int last) {
    i64 limit = most_columns;
    for (int i = last - 1; i >= 0 && limit > 1; --i) {
      if (!moves(0, i) || moves(1, i)) continue;
      t_.extent[i] = extent_of(n_.out.extent[i], limit);
      limit /= 2;
    }
    if (n_.out.extent[last] % 2 == 0) t_.extent[last] = 2;
  }
  constexpr void choose_with_rows(int last) {
    const int other = 1 - t_.row_operand;
    for (int i = 0; i <= last; ++i)
      if (moves(t_.row_operand, i) && !moves(other, i) &&
          (t_.row_axis < 0 || n_.out.extent[i] > n_.out.extent[t_.row_axis]))
        t_.row_axis = i;
    const bool plane = t_.row_axis < 0 || n_.out.extent[t_.row_axis] == 1;
    const int column = column_axis_;
    const bool image = column > 0 && has_edge(column) && has_edge(column - 1);
    const auto choose = [&](int axis, i64 limit) {
      t_.extent[axis] = extent_of(n_.out.extent[axis], limit);
    };
    if (column >= 0) choose(column, plane ? plane_columns : image ? image_columns : most_columns);
    if (image) choose(column - 1, plane ? plane_lines : image_lines);
    if (t_.row_axis >= 0) choose(t_.row_axis, n_.edges > 0 ? image_rows : most_rows);
  }
  /// Small planes leave lanes empty: then all axes go to lanes, where there are no rows. 16: two
  /// vectors.
  constexpr void fill_lanes() {
    i64 by_lane = 1;
    for (int i = 0; i < n_.out.dims; ++i)
      if (t_.by_lane[i]) by_lane *= blocks_of(n_.out.extent[i], t_.extent[i]);
    if (t_.row_operand < 0 || t_.row_axis >= 0 || by_lane >= 16) return;
    t_.row_operand = -1;
    for (bool& lanes : t_.by_lane) lanes = true;
  }
  constexpr bool has_edge(int axis) const {
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].axis == axis) return true;
    return false;
  }
  constexpr bool is_tap(int term) const {
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].term == term) return true;
    return false;
  }
  /// Unrolls whole axes, innermost first. Axes of taps are innermost: their positions are computed
  /// once, outside of the loops that are left. More than `most_terms` taps are unrolled only to
  /// keep the loops below the iterations that a driver makes.
  constexpr void choose_unroll() {
    i64 terms = 1, iterations = n_.terms.count();
    int& first = t_.unrolled = n_.terms.dims;
    while (first > 0) {
      const i64 extent = n_.terms.extent[first - 1];
      if (terms * extent > most_terms &&
          (!is_tap(first - 1) || iterations <= writer::most_iterations))
        break;
      terms *= extent;
      iterations /= extent;
      --first;
    }
    if (first == 0 || is_tap(first - 1)) return;
    const i64 extent = n_.terms.extent[first - 1];
    t_.unroll = few_terms / terms;
    if (t_.unroll < blocks_of(iterations, writer::most_iterations))
      t_.unroll = blocks_of(iterations, writer::most_iterations);
    if (t_.unroll > extent) t_.unroll = extent;
  }
};

}  // namespace tenon::spirv
