// The micro-kernel of contractions: a tile of accumulators in registers.
//
// A tile is `Rows` x `Vectors` registers of sums, at most tile_rows x tile_vectors. Each term loads
// `Vectors` registers of columns, then for each row broadcasts one float and does `Vectors` fma; no
// sum touches memory before the last term. All sums take their terms in the same order, one fma
// each, whatever the tile's size and place, so the bits do not depend on how work is cut.
//   tile          rows x packed panels: matrix products, and convolutions over filters
//   pixel_tiles   filters x pixels of an image: several tiles along the pixels in one call
// Both are compiled for every size (24 with AVX-512) and found by `tile_of`, `pixel_tiles_of`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/tile_epilogue.hpp>
#include <tenon/policy/cpu/tile_operands.hpp>
#include <utility>

namespace tenon::simd {

/// Applies a fused epilogue to a tile's accumulators. The rows are filters or the columns are: that
/// decides whether a bias is broadcast or loaded. The residual begins at element `along`.
template <bool RowsAreFilters, int Rows, int Vectors>
[[gnu::always_inline]] inline void apply_epilogue(const tile_epilogue& e,
                                                  real (&acc)[Rows][Vectors],
                                                  i64 along = 0) noexcept {
  const real low(e.low), high(e.high);
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) {
      acc[r][v] = acc[r][v] + (RowsAreFilters ? real(e.bias[r]) : load(e.bias + v * width));
      if (RowsAreFilters && e.residual != nullptr)
        acc[r][v] = acc[r][v] +
                    (load(e.residual + along + r * e.residual_row + v * width) + real(e.shift[r]));
      acc[r][v] = max_with_number(acc[r][v], low);
    }
  if (e.high == std::numeric_limits<float>::infinity()) return;  // relu, not clamp: the usual case
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) acc[r][v] = min_with_number(acc[r][v], high);
}
/// Stores the lanes of a tile that belong to the output.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void store_lines(const real (&acc)[Rows][Vectors],
                                               const line_stores& stores, float* out,
                                               i64 out_row) noexcept {
#pragma GCC unroll 3
  for (int v = 0; v < Vectors; ++v)
    for (int i = 0; i < stores.count[v]; ++i) {
      float* to = out + stores.to[v][i];
      const lanes_mask lanes = stores.lanes[v][i];
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r, to += out_row) store_lanes(acc[r][v], to, lanes);
    }
}
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void store_rows(const real (&acc)[Rows][Vectors], float* out,
                                              i64 out_row) noexcept {
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r, out += out_row)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) store(acc[r][v], out + v * width);
}
/// acc[r][c] += rows(r, k) * columns(k, c) for every k in order, one fma per term. Small tiles do
/// not fetch: their loop is too short for more loads.
template <int Rows, int Vectors, class RowSide, class ColumnSide>
[[gnu::always_inline]] inline void add_terms(const RowSide& rows, const ColumnSide& columns,
                                             i64 terms, real (&acc)[Rows][Vectors]) noexcept {
  for (i64 k = 0; k < terms; ++k) {
    const float* column = columns.term(k);
    real x[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) x[v] = load(columns.at(column, v));
    if constexpr (Rows >= tile_rows / 2 && Vectors == tile_vectors) columns.fetch(k);
    if constexpr (Rows >= tile_rows / 2 && Vectors > 1) rows.fetch(k);
    const auto term = rows.term(k);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const real a(*rows.at(term, r));
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) acc[r][v] = fma(a, x[v], acc[r][v]);
    }
  }
}

/// Where a tile leaves its sums. With `adds` they continue those that stand there: the terms come
/// in blocks, so that a block's panels stay in the cache.
struct tile_target {
  float* at;
  i64 row;  ///< elements from a row of sums to the next
  bool adds = false;
};
/// target[r][c] = sum over k of rows(r, k) * columns(k, c). Not inlined: one copy of each size
/// serves all callers. The operands are copied to locals, so that the compiler keeps their members
/// in registers across stores to memory that could alias them.
template <int Rows, int Vectors, class RowSide>
[[gnu::noinline]] void tile(const RowSide& row_side, const panel_columns& column_side, i64 terms,
                            const tile_epilogue& epilogue, tile_target target) noexcept {
  const RowSide rows = row_side;
  const panel_columns columns = column_side;
  real acc[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v)
      acc[r][v] = target.adds ? load(target.at + r * target.row + v * width) : real(0.0f);
  add_terms(rows, columns, terms, acc);
  if (epilogue.used) apply_epilogue<false>(epilogue, acc);
  store_rows(acc, target.at, target.row);
}

/// Where tiles of pixels leave their sums, and how many tiles there are.
struct pixel_target {
  float* at;
  i64 row;    ///< elements from a filter's sums to the next filter's
  i64 count;  ///< tiles
};
/// Tiles of pixels one behind the other: target[r][c] = sum over k of filters(r, k) * pixels(k, c).
/// They share a call because few terms are the rule here, and what a call does around them is a
/// tenth of a tile of 27 terms.
template <int Rows, int Vectors>
[[gnu::noinline]] void pixel_tiles(const panel_rows& filters, const indexed_columns& pixels,
                                   i64 terms, const tile_epilogue& all_epilogue,
                                   pixel_target target) noexcept {
  const panel_rows rows = filters;
  indexed_columns columns = pixels;
  float* out = target.at;
  for (i64 i = 0; i < target.count; ++i, columns.data += Vectors * width) {
    if constexpr (Vectors == tile_vectors) {
      // Large outputs come from far away: ask for these lines while the sums are made.
      const float* to = out + (columns.stores != nullptr ? columns.stores->to[0][0] : 0);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r, to += target.row)
#pragma GCC unroll 3
        for (int v = 0; v < Vectors; ++v) __builtin_prefetch(to + v * width, 1);
    }
    real acc[Rows][Vectors];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
    add_terms(rows, columns, terms, acc);
    const tile_epilogue* epilogue = &all_epilogue;
    forget(epilogue);  // else its numbers are loaded once and occupy registers in all tiles
    if (epilogue->used) apply_epilogue<true>(*epilogue, acc, i * Vectors * width);
    if (columns.stores != nullptr) {
      store_lines(acc, *columns.stores++, out, target.row);
    } else {
      store_rows(acc, out, target.row);
      out += Vectors * width;
    }
  }
}

/// `Of::at<rows, vectors>`, from a table of all sizes.
template <class Of, int... I>
inline auto find_tile(int rows, int vectors, std::integer_sequence<int, I...>) noexcept {
  static constexpr decltype(Of::template at<1, 1>) all[] = {
      Of::template at<I / tile_vectors + 1, I % tile_vectors + 1>...};
  return all[(rows - 1) * tile_vectors + vectors - 1];
}
inline constexpr auto tile_sizes = std::make_integer_sequence<int, tile_rows * tile_vectors>{};
template <class RowSide> struct tile_table {
  using call = void (*)(const RowSide&, const panel_columns&, i64 terms, const tile_epilogue&,
                        tile_target) noexcept;
  template <int Rows, int Vectors> static constexpr call at = &tile<Rows, Vectors, RowSide>;
};
struct pixel_tile_table {
  using call = void (*)(const panel_rows&, const indexed_columns&, i64 terms, const tile_epilogue&,
                        pixel_target) noexcept;
  template <int Rows, int Vectors> static constexpr call at = &pixel_tiles<Rows, Vectors>;
};
template <class RowSide> inline auto tile_of(int rows, int vectors) noexcept {
  return find_tile<tile_table<RowSide>>(rows, vectors, tile_sizes);
}
inline auto pixel_tiles_of(int rows, int vectors) noexcept {
  return find_tile<pixel_tile_table>(rows, vectors, tile_sizes);
}

}  // namespace tenon::simd
