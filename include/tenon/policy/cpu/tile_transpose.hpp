// Transposes squares of `width` x `width` floats in registers, and matrices square by square.
//
// Used where a tile's vectors run along filters but the output's lines run along pixels ("turned"
// contractions), and by windows whose columns are neighbours. A square takes width * log2(width)
// two-source shuffles and no memory in between. Only shuffles with constant lanes are used, through
// the compilers' vector builtins, so one text serves SSE, AVX, AVX-512 and Neon.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/simd.hpp>
#include <utility>

namespace tenon::simd {

/// A register as the compilers' own vector type, which their shuffle builtins want.
using lanes_of_register [[gnu::vector_size(width * 4), gnu::may_alias]] = float;

/// Two registers from two: lane i of the new `x` is lane `First::of(i)` of both (those of `y` count
/// from `width` on), lane i of the new `y` is lane `Second::of(i)`.
template <class First, class Second, int... I>
[[gnu::always_inline]] inline void shuffle_pair(lanes_of_register& x, lanes_of_register& y, First,
                                                Second, std::integer_sequence<int, I...>) noexcept {
  const lanes_of_register a = x, b = y;
  x = __builtin_shufflevector(a, b, First::of(I)...);
  y = __builtin_shufflevector(a, b, Second::of(I)...);
}
/// Interleaves stretches of `Stretch` elements from the lower (or upper) half of every `Lane`
/// elements: with Lane 4 and Stretch 1 these are unpcklps and unpckhps, with Stretch 2 movlhps and
/// movhlps.
template <int Lane, int Stretch, bool Upper> struct interleaved {
  static constexpr int of(int i) {
    const int in_lane = i % Lane, pair = in_lane / (2 * Stretch);
    return i - in_lane + pair * Stretch + in_lane % Stretch + (Upper ? Lane / 2 : 0) +
           (in_lane / Stretch % 2) * width;
  }
};
template <int Lane, int Stretch>
[[gnu::always_inline]] inline void interleave(lanes_of_register& x, lanes_of_register& y) noexcept {
  shuffle_pair(x, y, interleaved<Lane, Stretch, false>{}, interleaved<Lane, Stretch, true>{},
               std::make_integer_sequence<int, width>{});
}
/// The even (or odd) quarters of 4 elements of both registers: a vshuff32x4.
template <bool Odd> struct every_other_quarter {
  static constexpr int of(int i) {
    const int quarter = i / 4;
    return (quarter % 2 * 2 + Odd) * 4 + i % 4 + quarter / 2 * width;
  }
};
/// Transposes a square: x[i][j] becomes x[j][i]. First the 4 x 4 squares within lanes of four
/// elements, where shuffles take one cycle, then the lanes themselves.
[[gnu::always_inline]] inline void turn(lanes_of_register* x) noexcept {
#pragma GCC unroll 4
  for (int i = 0; i < width; i += 4) {
    interleave<4, 1>(x[i], x[i + 1]);
    interleave<4, 1>(x[i + 2], x[i + 3]);
    interleave<4, 2>(x[i], x[i + 2]);
    interleave<4, 2>(x[i + 1], x[i + 3]);
    const lanes_of_register second = x[i + 1];  // pairs leave columns in the order 0 2 1 3
    x[i + 1] = x[i + 2];
    x[i + 2] = second;
  }
  constexpr auto all = std::make_integer_sequence<int, width>{};
  if constexpr (width == 8) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) interleave<8, 4>(x[j], x[4 + j]);
  }
  if constexpr (width == 16) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      interleave<16, 8>(x[j], x[4 + j]);
      interleave<16, 8>(x[8 + j], x[12 + j]);
      shuffle_pair(x[j], x[8 + j], every_other_quarter<false>{}, every_other_quarter<true>{}, all);
      shuffle_pair(x[4 + j], x[12 + j], every_other_quarter<false>{}, every_other_quarter<true>{},
                   all);
      const lanes_of_register second = x[4 + j];
      x[4 + j] = x[8 + j];
      x[8 + j] = second;
    }
  }
}
/// Calls `store_row(c, column c)` for each column of the square whose rows begin `row` elements
/// apart.
template <class Store>
[[gnu::always_inline]] inline void transpose_square(const float* from, i64 row,
                                                    const Store& store_row) noexcept {
  lanes_of_register x[width];
#pragma GCC unroll 16
  for (int i = 0; i < width; ++i) __builtin_memcpy(&x[i], from + i * row, sizeof x[i]);
  turn(x);
#pragma GCC unroll 16
  for (int i = 0; i < width; ++i) store_row(i, x[i]);
}
/// to[c][r] = change(from[r][c], c, r, n) for `rows` x `columns` elements; `change` gets a register
/// of `n` rows that follow one another, from row r on. Reads whole squares: `from` must be readable
/// up to the next multiple of `width` in both directions. Writes nothing outside.
template <class Change> inline void transpose(const float* from, i64 from_row, i64 rows,
                                              i64 columns, float* to, i64 to_row,
                                              const Change& change) noexcept {
  for (i64 c = 0; c < columns; c += width)
    for (i64 at = 0; at < rows; at += width) {
      // The last square is shifted up to end with the last row; it writes some rows twice.
      const i64 r = at + width <= rows || rows < width ? at : rows - width;
      const i64 n = columns - c < width ? columns - c : i64{width};
      float* square = to + c * to_row + r;
      const float* corner = from + r * from_row + c;
      if (n == width && rows >= width)
        transpose_square(corner, from_row, [&](int i, const lanes_of_register& x) {
          real whole;
          __builtin_memcpy(&whole, &x, sizeof x);
          store(change(whole, c + i, r, i64{width}), square + i * to_row);
        });
      else
        transpose_square(corner, from_row, [&](int i, const lanes_of_register& x) {
          if (i >= n) return;
          real part;
          __builtin_memcpy(&part, &x, sizeof x);
          const i64 present = rows < width ? rows : i64{width};
          store_part(change(part, c + i, r, present), square + i * to_row, present);
        });
    }
}
inline void transpose(const float* from, i64 from_row, i64 rows, i64 columns, float* to,
                      i64 to_row) noexcept {
  transpose(from, from_row, rows, columns, to, to_row, [](real x, i64, i64, i64) { return x; });
}

}  // namespace tenon::simd
