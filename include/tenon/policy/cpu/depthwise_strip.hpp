// A strip of a depthwise convolution: its input, copied with its edge, and tiles over the copy.
//
// A strip is the block of this kernel: some rows of one output plane, about `strip_outputs`
// outputs. The copy holds the input rows that these see. Every row is split into its stride phases:
// with a stride of 2 all even elements stand in front of all odd ones, so that the inputs of
// neighbouring outputs are neighbours for every tap, and one offset a tap (`taps`) finds them.
//
// Tiles are up to 4 rows by 2 registers of outputs. What remains on the right or below is computed
// by a tile shifted left or up to stay inside; it computes some outputs a second time, to the same
// bits. Only planes narrower than a register store a part of one.
//
// Every output adds its taps from the top left to the bottom right with one fma each, as
// `reference` does, so that neither strips nor tiles show in the bits.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/depthwise_plan.hpp>

namespace tenon::simd {

/// Copies `n` rows with their edge, phase by phase. Every element of the copy is written,
/// so that surplus outputs are computed from defined numbers.
inline void copy_rows(const depthwise_plan& p, const float* rows, i64 n, float* to) noexcept {
  const i64 pitch = p.pitch(), step = p.down.step, phase = p.phase, stride = p.across.stride,
            begin = p.across.begin, extent = p.across.extent;
  // Columns outside, rows inside: the mask of a register of columns is made once for all rows.
  for (i64 x = 0; x < phase && stride == 1; x += width) {
    const between columns(x - begin, extent);
    for (i64 y = 0; y < n; ++y) store(columns.load_from(rows + y * step), to + y * pitch + x);
  }
  for (i64 x = 0; x < phase && stride == 2; x += width) {
    const between low(2 * x - begin, extent), high(2 * x - begin + width, extent);
    for (i64 y = 0; y < n; ++y) {
      float* even = to + y * pitch + x;
      const real a = low.load_from(rows + y * step), b = high.load_from(rows + y * step);
      store(shuffled(a, b, evens_of{}), even);
      store(shuffled(a, b, odds_of{}), even + phase);
    }
  }
  for (i64 y = 0; y < n && stride > 2; ++y)
    for (i64 s = 0; s < stride; ++s)
      for (i64 x = 0; x < phase; ++x) {
        const i64 column = x * stride + s - begin;
        to[y * pitch + s * phase + x] =
            column >= 0 && column < extent ? rows[y * step + column] : 0.0f;
      }
}
/// Copies the input rows that output rows [first, first + rows) see; rows outside of the image are
/// zeros.
inline void copy_strip(const depthwise_plan& p, const float* plane, i64 first, i64 rows,
                       float* to) noexcept {
  const i64 begin = first * p.down.stride - p.down.begin, end = begin + p.down.seen_by(rows);
  i64 low = begin > 0 ? begin : 0;  // [low, high): the rows of the image
  i64 high = end < p.down.extent ? end : p.down.extent;
  if (low > high) low = high = begin > 0 ? end : begin;  // the strip lies in the edge
  const auto clear = [&](i64 from, i64 past) {
    std::memset(to + (from - begin) * p.pitch(), 0,
                static_cast<std::size_t>((past - from) * p.pitch()) * sizeof(float));
  };
  if (low > begin) clear(begin, low);
  copy_rows(p, plane + low * p.down.step, high - low, to + (low - begin) * p.pitch());
  // Fetch what the next strip reads, of this plane or the next, while the tiles compute.
  constexpr i64 cache_line = 64;  // bytes
  const auto* next = reinterpret_cast<const std::byte*>(plane + high * p.down.step);
  for (i64 i = 0, bytes = (high - low) * p.down.step * 4; i < bytes; i += cache_line)
    __builtin_prefetch(next + i);
  if (end > high) clear(high, end);
}

/// What tiles of a strip read and write. `in` and `out` move from tile to tile.
struct strip_operands {
  const float* in;
  i64 in_row;               ///< elements of `in` from an output row to the next
  const std::int32_t* tap;  ///< offset of each tap
  const float* weights;
  i64 taps;
  float* out;
  i64 out_row, columns;   ///< columns: outputs from `out` to the end of the row
  float bias, low, high;  ///< the fused epilogue
};
[[gnu::always_inline]] inline real with_epilogue(const strip_operands& s, real sum) noexcept {
  return clamped(sum + real(s.bias), real(s.low), real(s.high));
}
/// Stores a tile. Rows that are shorter than the tile get the first `columns` outputs.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void store_strip(const strip_operands& s,
                                               const real (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      float* to = s.out + r * s.out_row + v * width;
      const real y = with_epilogue(s, acc[r][v]);
      if (s.columns >= Vectors * width)
        store(y, to);
      else if (s.columns > v * width)
        store_part(y, to, s.columns - v * width < width ? s.columns - v * width : i64{width});
    }
}
/// A tile with any taps, in order.
template <int Rows, int Vectors>
[[gnu::noinline]] void strip_tile(const strip_operands& s) noexcept {
  real acc[Rows][Vectors];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
  for (i64 t = 0; t < s.taps; ++t) {
    const float* in = s.in + s.tap[t];
    const real weight(s.weights[t]);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v)
        acc[r][v] = fma(load(in + r * s.in_row + v * width), weight, acc[r][v]);
  }
  store_strip(s, acc);
}
/// A tile with 3 x 3 taps without dilation: an input row is loaded once for all output rows that
/// see it. Input rows from top to bottom, so that every output still takes its terms in order.
template <int Rows, int Vectors, int Stride>
[[gnu::noinline]] void strip_tile_3x3(const strip_operands& s) noexcept {
  real acc[Rows][Vectors], weight[9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) weight[t] = real(s.weights[t]);
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
  const i64 row = s.in_row / Stride;  // from an input row to the next
#pragma GCC unroll 9
  for (int y = 0; y < (Rows - 1) * Stride + 3; ++y)
#pragma GCC unroll 3
    for (int x = 0; x < 3; ++x)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        const real in = load(s.in + y * row + s.tap[x] + v * width);
#pragma GCC unroll 4
        for (int r = 0; r < Rows; ++r) {
          const int tap = y - r * Stride;  // the filter's row that output row r has at y
          if (tap >= 0 && tap < 3) acc[r][v] = fma(in, weight[tap * 3 + x], acc[r][v]);
        }
      }
  store_strip(s, acc);
}

using strip_type = void (*)(const strip_operands&) noexcept;
/// The tile for a strip of `rows` by `columns`: 4 rows or 1, 2 registers or 1.
inline strip_type find_strip_tile(const depthwise_plan& p, i64 rows, i64 columns) noexcept {
  const bool wide = columns > width,
             nine = p.down.taps == 3 && p.across.taps == 3 && p.down.dilation == 1;
  if (rows < strip_rows) return wide ? &strip_tile<1, 2> : &strip_tile<1, 1>;
  if (nine && p.down.stride == 1) return wide ? &strip_tile_3x3<4, 2, 1> : &strip_tile_3x3<4, 1, 1>;
  if (nine && p.down.stride == 2) return wide ? &strip_tile_3x3<4, 2, 2> : &strip_tile_3x3<4, 1, 2>;
  return wide ? &strip_tile<4, 2> : &strip_tile<4, 1>;
}
/// All outputs of a strip, tile by tile. The last tiles are shifted left and up to stay inside.
inline void sum_strip(const depthwise_plan& p, strip_operands s, i64 rows) noexcept {
  const i64 columns = p.column.extent, tile_height = rows < strip_rows ? 1 : strip_rows,
            tile_width = columns > width ? 2 * width : width;
  const strip_type tile = find_strip_tile(p, rows, columns);
  const float* in = s.in;
  float* out = s.out;
  for (i64 r = 0; r < rows; r += tile_height) {
    const i64 y = r + tile_height <= rows ? r : rows - tile_height;
    for (i64 c = 0; c < columns; c += tile_width) {
      const i64 x = c + tile_width <= columns ? c : columns > tile_width ? columns - tile_width : 0;
      s.in = in + y * s.in_row + x;
      s.out = out + y * s.out_row + x;
      s.columns = columns - x;
      tile(s);
    }
  }
}

}  // namespace tenon::simd
