// The tile of integer contractions: sums of 32 bits in registers, as many as tile.hpp has.
//
// With `ByRows` filters fill the vectors and each row is a pixel; else pixels fill the vectors and
// each row is a filter. Either way the weights, which are signed here, are the second operand of
// `dot`. Sums begin with the share of the image's zero point (`first`), so that they need no
// correction.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/dot_instruction.hpp>
#include <tenon/policy/cpu/tile_operands.hpp>

#if defined(__GNUC__) && !defined(__clang__)  // see simd.hpp
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace tenon::simd {

/// What a tile reads and writes.
struct dot_tile {
  const dot_word* at = nullptr;  ///< offset of each term in the image
  i64 terms = 0;
  i64 panel = 0;                      ///< words of a panel of filters, by rows
  const dot_word* filters = nullptr;  ///< pixels: a tile's filters of each term together
  const dot_word* lanes = nullptr;    ///< pixels: the image; by rows: panels of filters
  const dot_word* row[tile_rows]{};   ///< by rows: the address of each row's pixel
  const dot_word* first = nullptr;    ///< where the sums of each filter begin
  const float* scale = nullptr;       ///< of each filter
  float* out = nullptr;
  i64 out_row = 0;
};
/// Sums all terms of a tile, then stores the sums as float32, times the scales of their filters.
/// The sums are exact integers; the conversion is exact as well, because dot_exact.hpp admits only
/// contractions whose sums a float32 can hold.
template <bool ByRows, int Rows, int Vectors>
[[gnu::noinline]] void multiply(const dot_tile& t) noexcept {
  integer sum[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v)
      sum[r][v] = ByRows ? load_words(t.first + v * width) : integer(t.first[r]);
  const dot_word *filters = t.filters, *lanes = t.lanes, *at = t.at;
  const dot_word* row[Rows];
  for (int r = 0; r < Rows; ++r) row[r] = t.row[r];
  const i64 panel = ByRows ? t.panel : i64{width};
  for (i64 k = 0; k < t.terms; ++k) {
    const i64 offset = at[k];
    const dot_word* term = ByRows ? lanes + k * width : lanes + offset;
    forget(term);  // one address for all registers, see tile_operands.hpp
    integer x[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) x[v] = load_words(term + v * panel);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const integer y(ByRows ? row[r][offset] : filters[k * tile_rows + r]);
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v)
        sum[r][v] = ByRows ? dot(sum[r][v], y, x[v]) : dot(sum[r][v], x[v], y);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v)
      store(converted(sum[r][v]) * (ByRows ? load(t.scale + v * width) : real(t.scale[r])),
            t.out + r * t.out_row + v * width);
}
/// Runs the smallest tile with at least `rows` rows, of 1, 4 and 8; surplus rows are computed and
/// dropped, so their addresses must be readable.
template <bool ByRows, int Vectors> inline void multiply(const dot_tile& t, i64 rows) noexcept {
  if (rows == 1) return multiply<ByRows, 1, Vectors>(t);
  if (rows <= tile_rows / 2) return multiply<ByRows, tile_rows / 2, Vectors>(t);
  multiply<ByRows, tile_rows, Vectors>(t);
}
template <bool ByRows> inline void multiply(const dot_tile& t, i64 rows, i64 vectors) noexcept {
  if (vectors == 1) return multiply<ByRows, 1>(t, rows);
  if (vectors == 2) return multiply<ByRows, 2>(t, rows);
  multiply<ByRows, 3>(t, rows);
}

}  // namespace tenon::simd

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
