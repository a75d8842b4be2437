// The micro-kernel of contractions: a tile of accumulators in registers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/tile_epilogue.hpp>

namespace tenon::simd {

/// Rows and registers of a tile: 24 accumulators with 32 registers (AVX-512), 12 with 16.
inline constexpr int tile_rows = width >= 16 ? 8 : 4;
inline constexpr int tile_vectors = 3;
inline constexpr int tile_columns = tile_vectors * width;

/// Makes the compiler compute anew what depends on `x`. Addresses of a tile's rows that live
/// through its loop would be moved out of the way in front of it and back behind it.
template <class T> [[gnu::always_inline]] inline void forget(T& x) noexcept { asm("" : "+r"(x)); }

/// The broadcast side: element (row, k) of a tile, from the address or offset of its term.
struct strided_rows {
  const float* data;
  i64 row, k;
  i64 ahead;  ///< elements from row 0 to what is worth fetching while this tile runs
  [[gnu::always_inline]] const float* term(i64 i) const noexcept { return data + i * k; }
  [[gnu::always_inline]] const float* at(const float* term, int r) const noexcept {
    return term + r * row;
  }
  [[gnu::always_inline]] void fetch(i64 i) const noexcept { __builtin_prefetch(term(i) + ahead); }
  strided_rows from(int r, i64 i) const noexcept { return {at(term(i), r), row, k, ahead}; }
};
struct indexed_rows {
  const float* const* row;  ///< each row of the tile
  const std::int32_t* k;    ///< offset of each term
  [[gnu::always_inline]] i64 term(i64 i) const noexcept { return k[i]; }
  [[gnu::always_inline]] const float* at(i64 term, int r) const noexcept { return row[r] + term; }
  [[gnu::always_inline]] void fetch(i64) const noexcept {}
  indexed_rows from(int r, i64 i) const noexcept { return {row + r, k + i}; }
};
/// Neighbouring columns of one packed panel.
struct panel_rows {
  const float* data;
  [[gnu::always_inline]] const float* term(i64 i) const noexcept { return data + i * width; }
  [[gnu::always_inline]] const float* at(const float* term, int r) const noexcept {
    return term + r;
  }
  [[gnu::always_inline]] void fetch(i64) const noexcept {}
};
/// The vector side: register v of term k. Packed panels are one register wide.
struct panel_columns {
  const float* data;
  i64 panel;           ///< elements of a panel
  const float* ahead;  ///< a panel that is worth fetching while this tile runs
  /// Hidden, so that one address and the panel's size do for all registers.
  [[gnu::always_inline]] const float* term(i64 i) const noexcept {
    const float* own = data + i * width;
    forget(own);
    return own;
  }
  [[gnu::always_inline]] const float* at(const float* term, int v) const noexcept {
    return term + v * panel;
  }
  [[gnu::always_inline]] void fetch(i64 i) const noexcept {
    __builtin_prefetch(ahead + i * width, 0, 2);  // into the second level
  }
};
/// Where a tile's pixels go if the output has no room for what lies between the lines: of each
/// register those of one line, and how far behind the tile's address their register would begin.
struct line_cuts {
  static constexpr int most = 4;
  lanes_mask lanes[tile_vectors][most];
  std::int32_t to[tile_vectors][most];
  int count[tile_vectors];
};
struct indexed_columns {
  const float* data;
  const std::int32_t* k;
  const line_cuts* cuts;  ///< of each tile; null: whole registers
  bool fetches;           ///< what the tile behind this one reads is asked for, too
  [[gnu::always_inline]] const float* term(i64 i) const noexcept { return data + k[i]; }
  [[gnu::always_inline]] const float* at(const float* term, int v) const noexcept {
    return term + v * width;
  }
  [[gnu::always_inline]] void fetch(i64 i) const noexcept {
    if (!fetches) return;
#pragma GCC unroll 3
    for (int v = 1; v <= tile_vectors; ++v)
      __builtin_prefetch(term(i) + tile_columns - 1 + v * width);
  }
};

/// What follows the sums of a tile, while they are in registers. Its residual begins at element
/// `along`.
template <bool RowsAreFilters, int Rows, int Vectors>
[[gnu::always_inline]] inline void close(real (&acc)[Rows][Vectors], const tile_closing& e,
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
  if (e.high == std::numeric_limits<float>::infinity()) return;
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) acc[r][v] = min_with_number(acc[r][v], high);
}
/// Stores what of a tile belongs to the output.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void store_lines(const real (&acc)[Rows][Vectors], const line_cuts& c,
                                               float* out, i64 out_row) noexcept {
#pragma GCC unroll 3
  for (int v = 0; v < Vectors; ++v)
    for (int i = 0; i < c.count[v]; ++i) {
      float* to = out + c.to[v][i];
      const lanes_mask lanes = c.lanes[v][i];
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
/// acc[r][c] += q(r, k) * p(k, c) for every k in order, one fma per term.
template <int Rows, int Vectors, class Q, class P>
[[gnu::always_inline]] inline void add_terms(const Q& q, const P& p, i64 terms,
                                             real (&acc)[Rows][Vectors]) noexcept {
  for (i64 k = 0; k < terms; ++k) {
    const float* column = p.term(k);
    real x[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) x[v] = load(p.at(column, v));
    if constexpr (Rows >= tile_rows / 2 && Vectors == tile_vectors) p.fetch(k);
    if constexpr (Rows >= tile_rows / 2 && Vectors > 1) q.fetch(k);
    const auto term = q.term(k);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const real a(*q.at(term, r));
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) acc[r][v] = fma(a, x[v], acc[r][v]);
    }
  }
}
/// out[r][c] = sum over k of q(r, k) * p(k, c). The sum starts at zero, or with `more` at what
/// stands in `out`: terms may come in portions.
template <int Rows, int Vectors, class Q>
[[gnu::noinline]] void tile(const Q& rows, const panel_columns& columns, i64 terms, bool more,
                            const tile_closing& after, float* out, i64 out_row) noexcept {
  const Q q = rows;
  const panel_columns p = columns;
  real acc[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v)
      acc[r][v] = more ? load(out + r * out_row + v * width) : real(0.0f);
  add_terms(q, p, terms, acc);
  if (after.used) close<false>(acc, after);
  store_rows(acc, out, out_row);
}
/// `count` tiles of pixels one behind the other: out[r][c] = sum over k of panel(r, k) * image(k,
/// c). Few terms are the rule here, and what a call does around them is a tenth of a tile of 27.
template <int Rows, int Vectors>
[[gnu::noinline]] void strip(const panel_rows& filters, const indexed_columns& pixels, i64 terms,
                             const tile_closing& closing, float* out, i64 out_row,
                             i64 count) noexcept {
  const panel_rows q = filters;
  indexed_columns p = pixels;
  for (i64 i = 0; i < count; ++i, p.data += Vectors * width) {
    if constexpr (Vectors == tile_vectors) {
      // Large outputs come from far away: ask for these lines while the sums are made.
      const float* to = out + (p.cuts != nullptr ? p.cuts->to[0][0] : 0);
#pragma GCC unroll 8
      for (int r = 0; r < Rows; ++r, to += out_row)
#pragma GCC unroll 3
        for (int v = 0; v < Vectors; ++v) __builtin_prefetch(to + v * width, 1);
    }
    real acc[Rows][Vectors];
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
    add_terms(q, p, terms, acc);
    const tile_closing* after = &closing;
    forget(after);  // its numbers would take registers through all tiles
    if (after->used) close<true>(acc, *after, i * Vectors * width);
    if (p.cuts != nullptr) {
      store_lines(acc, *p.cuts++, out, out_row);
    } else {
      store_rows(acc, out, out_row);
      out += Vectors * width;
    }
  }
}

/// `Of::at<rows, vectors>` for as many rows (at most tile_rows) and registers as a piece has.
template <class Of, int... I>
inline auto find_tile(int rows, int vectors, std::integer_sequence<int, I...>) noexcept {
  static constexpr decltype(Of::template at<1, 1>) all[] = {
      Of::template at<I / tile_vectors + 1, I % tile_vectors + 1>...};
  return all[(rows - 1) * tile_vectors + vectors - 1];
}
inline constexpr auto tile_sizes = std::make_integer_sequence<int, tile_rows * tile_vectors>{};
template <class Q> struct tiles {
  using call = void (*)(const Q&, const panel_columns&, i64 terms, bool more,
                        const tile_closing& after, float* out, i64 out_row) noexcept;
  template <int Rows, int Vectors> static constexpr call at = &tile<Rows, Vectors, Q>;
};
struct strips {
  using call = void (*)(const panel_rows&, const indexed_columns&, i64 terms,
                        const tile_closing& after, float* out, i64 out_row, i64 count) noexcept;
  template <int Rows, int Vectors> static constexpr call at = &strip<Rows, Vectors>;
};
template <class Q> inline auto tile_of(int rows, int vectors) noexcept {
  return find_tile<tiles<Q>>(rows, vectors, tile_sizes);
}
inline auto strip_of(int rows, int vectors) noexcept {
  return find_tile<strips>(rows, vectors, tile_sizes);
}

using lanes_of_register [[gnu::vector_size(width * 4), gnu::may_alias]] = float;

/// Two registers from two: lane i of the result is lane `first(i)` or `second(i)` of both, one
/// behind the other.
template <class First, class Second, int... I>
[[gnu::always_inline]] inline void shuffle_pair(lanes_of_register& x, lanes_of_register& y, First,
                                                Second, std::integer_sequence<int, I...>) noexcept {
  const lanes_of_register a = x, b = y;
  x = __builtin_shufflevector(a, b, First::of(I)...);
  y = __builtin_shufflevector(a, b, Second::of(I)...);
}
/// Interleaves runs of `Run` elements of the lower (upper) half of every `Lane` elements.
template <int Lane, int Run, bool Upper> struct interleaved {
  static constexpr int of(int i) {
    const int in_lane = i % Lane, pair = in_lane / (2 * Run);
    return i - in_lane + pair * Run + in_lane % Run + (Upper ? Lane / 2 : 0) +
           (in_lane / Run % 2) * width;
  }
};
template <int Lane, int Run>
[[gnu::always_inline]] inline void interleave(lanes_of_register& x, lanes_of_register& y) noexcept {
  shuffle_pair(x, y, interleaved<Lane, Run, false>{}, interleaved<Lane, Run, true>{},
               std::make_integer_sequence<int, width>{});
}
/// Even and odd quarters (of 4 elements) of both registers.
template <bool Odd> struct every_other_quarter {
  static constexpr int of(int i) {
    const int quarter = i / 4;
    return (quarter % 2 * 2 + Odd) * 4 + i % 4 + quarter / 2 * width;
  }
};
/// Turns a square: first within lanes of four elements, then the lanes.
[[gnu::always_inline]] inline void turn(lanes_of_register* x) noexcept {
#pragma GCC unroll 4
  for (int i = 0; i < width; i += 4) {
    interleave<4, 1>(x[i], x[i + 1]);
    interleave<4, 1>(x[i + 2], x[i + 3]);
    interleave<4, 2>(x[i], x[i + 2]);
    interleave<4, 2>(x[i + 1], x[i + 3]);
    const lanes_of_register second = x[i + 1];
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
/// to[c][r] = from[r][c] for a square of `width` rows.
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
/// to[c][r] = change(from[r][c], c, r) for `rows` x `columns` elements; reads whole registers of
/// whole squares. `change` gets registers of up to `n` rows that follow one another.
template <class Change> inline void transpose(const float* from, i64 from_row, i64 rows,
                                              i64 columns, float* to, i64 to_row,
                                              const Change& change) noexcept {
  for (i64 c = 0; c < columns; c += width)
    for (i64 at = 0; at < rows; at += width) {
      const i64 r = at + width <= rows || rows < width ? at : rows - width;  // the last moves back
      const i64 n = columns - c < width ? columns - c : i64{width};
      float* square = to + c * to_row + r;
      const float* own = from + r * from_row + c;
      if (n == width && rows >= width)
        transpose_square(own, from_row, [&](int i, const lanes_of_register& x) {
          real whole;
          __builtin_memcpy(&whole, &x, sizeof x);
          store(change(whole, c + i, r, i64{width}), square + i * to_row);
        });
      else
        transpose_square(own, from_row, [&](int i, const lanes_of_register& x) {
          if (i >= n) return;
          real part;
          __builtin_memcpy(&part, &x, sizeof x);
          const i64 own_rows = rows < width ? rows : i64{width};
          store_part(change(part, c + i, r, own_rows), square + i * to_row, own_rows);
        });
    }
}
inline void transpose(const float* from, i64 from_row, i64 rows, i64 columns, float* to,
                      i64 to_row) noexcept {
  transpose(from, from_row, rows, columns, to, to_row, [](real x, i64, i64, i64) { return x; });
}

}  // namespace tenon::simd
