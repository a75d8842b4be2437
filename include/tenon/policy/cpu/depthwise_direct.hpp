// Depthwise convolutions of 3 x 3 taps that read the image itself: no copy, the edge by masks.
//
// Chosen (`depthwise_plan::direct`) where masked loads cost nothing, that is with AVX-512, for
// strides of 1 or 2 and planes of at least `direct_rows` rows, if the epilogue is one that a tile
// can compute. A tile is 7 rows by one register of columns. It goes down the plane with the 9
// weights and the masks of its columns in registers; columns are therefore the outer loop.
//
// The last tile of rows is shifted up and the last one of columns shifted left to stay inside; they
// compute some outputs a second time, to the same bits. A row in the edge is read from `edge_row`
// and multiplied like any other, as the zeros in the copy of depthwise_strip.hpp are.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/depthwise_strip.hpp>

namespace tenon::simd {

/// What 3 taps of neighbouring outputs see of an input row: for stride 1, three loads that overlap;
/// for stride 2, the even elements, the odd ones, and the even ones from the second on.
template <int Stride> struct taps_of_row {
  between first, second, third;
  taps_of_row(i64 at, i64 n) noexcept
      : first(at, n),
        second(at + (Stride == 1 ? 1 : width), n),
        third(at + (Stride == 1 ? 2 : 2 * width), n) {}
  /// From the address of the first element.
  [[gnu::always_inline]] void read(const float* p, real* in) const noexcept {
    in[0] = first.load_at(p);
    in[1] = second.load_at(p + (Stride == 1 ? 1 : width));
    in[2] = third.load_at(p + (Stride == 1 ? 2 : 2 * width));
    if constexpr (Stride == 2) {
      const real low = in[0], high = in[1];
      in[0] = shuffled(low, high, evens_of{});
      in[1] = shuffled(low, high, odds_of{});
      in[2] = shuffled(in[0], in[2], next_of{});
    }
  }
};
/// What rows in the edge are read from.
alignas(64) inline constexpr float edge_row[4 * width] = {};

/// A register's width of columns from `x` on, for output rows [first, first + rows). All loops
/// over `Rows` are unrolled, so that `acc` and `weight` are registers.
template <int Rows, int Stride>
[[gnu::noinline]] void direct_columns(const depthwise_plan& p, const strip_operands& s, i64 first,
                                      i64 rows, i64 x) noexcept {
  real weight[9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) weight[t] = real(s.weights[t]);
  const taps_of_row<Stride> taps(x * Stride - p.across.begin, p.across.extent);
  const i64 height = p.down.extent, step = p.down.step, last = p.line.extent - Rows,
            out_row = s.out_row, columns = s.columns;
  for (i64 done = 0; done < rows; done += Rows) {
    const i64 y = first + done < last ? first + done : last;
    real acc[Rows];
#pragma GCC unroll 7
    for (int r = 0; r < Rows; ++r) acc[r] = real(0.0f);
    const i64 row = y * Stride - p.down.begin;
    const float* at = s.in + row * step + taps.first.at;
#pragma GCC unroll 15
    for (int i = 0; i < (Rows - 1) * Stride + 3; ++i, at += step) {
      real in[3];
      // One comparison for both ends: a negative row is a large number without a sign.
      const bool inside = static_cast<std::uint64_t>(row + i) < static_cast<std::uint64_t>(height);
      taps.read(inside ? at : edge_row, in);
#pragma GCC unroll 7
      for (int r = 0; r < Rows; ++r) {
        const int tap = i - r * Stride;
        if (tap < 0 || tap > 2) continue;
        acc[r] = fma(in[0], weight[tap * 3], acc[r]);
        acc[r] = fma(in[1], weight[tap * 3 + 1], acc[r]);
        acc[r] = fma(in[2], weight[tap * 3 + 2], acc[r]);
      }
    }
    float* out = s.out + y * out_row + x;
#pragma GCC unroll 7
    for (int r = 0; r < Rows; ++r) acc[r] = with_epilogue(s, acc[r]);
    if (columns >= width) {
#pragma GCC unroll 7
      for (int r = 0; r < Rows; ++r) store(acc[r], out + r * out_row);
    } else {
#pragma GCC unroll 7
      for (int r = 0; r < Rows; ++r) store_part(acc[r], out + r * out_row, columns);
    }
  }
}
/// Output rows [first, first + rows) of a plane. `s.in` and `s.out` are the plane's beginnings.
inline void sum_directly(const depthwise_plan& p, strip_operands s, i64 first, i64 rows) noexcept {
  const i64 columns = p.column.extent;
  const auto run =
      p.across.stride == 1 ? &direct_columns<direct_rows, 1> : &direct_columns<direct_rows, 2>;
  for (i64 c = 0; c < columns; c += width) {
    const i64 x = c + width <= columns ? c : columns > width ? columns - width : 0;
    s.columns = columns - x;
    run(p, s, first, rows, x);
  }
}

}  // namespace tenon::simd
