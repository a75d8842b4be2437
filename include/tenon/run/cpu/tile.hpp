// The micro-kernel of contractions: a tile of accumulators in registers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/simd.hpp>

namespace tenon::simd {

/// Rows and registers of a tile: 24 accumulators with 32 registers (AVX-512), 12 with 16.
inline constexpr int tile_rows = width >= 16 ? 8 : 4;
inline constexpr int tile_vectors = 3;
inline constexpr int tile_columns = tile_vectors * width;

/// The broadcast side: element (row, k) of a tile.
struct strided_rows {
  const float* data;
  i64 row, k;
  [[gnu::always_inline]] const float* at(int r, i64 i) const noexcept {
    return data + r * row + i * k;
  }
};
struct indexed_rows {
  const float* data;
  const i64* row;         ///< offset of each row of the tile
  const std::int32_t* k;  ///< offset of each term
  [[gnu::always_inline]] const float* at(int r, i64 i) const noexcept {
    return data + row[r] + k[i];
  }
};
/// The vector side: the columns of term k.
struct packed_columns {
  const float* data;
  i64 k;
  [[gnu::always_inline]] const float* at(i64 i) const noexcept { return data + i * k; }
};
struct indexed_columns {
  const float* data;
  const std::int32_t* k;
  [[gnu::always_inline]] const float* at(i64 i) const noexcept { return data + k[i]; }
};

/// out[r][c] = sum over k of q(r, k) * p(k, c), one fma per term in the order of k, from zero.
template <int Rows, int Vectors, class Q, class P>
[[gnu::noinline]] void tile(Q q, P p, i64 terms, float* out, i64 out_row) noexcept {
  real acc[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
  for (i64 k = 0; k < terms; ++k) {
    const float* columns = p.at(k);
    real x[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) x[v] = load(columns + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const real a(*q.at(r, k));
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v) acc[r][v] = fma(a, x[v], acc[r][v]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) store(acc[r][v], out + r * out_row + v * width);
}

/// `rows` rows (at most tile_rows) of `vectors` registers, from tiles of 8, 4, 2 and 1 rows.
template <int Vectors, class Q, class P>
inline void tile_of(int rows, Q q, P p, i64 terms, float* out, i64 out_row) noexcept {
  const auto skip = [&](int n) {
    if constexpr (std::is_same_v<Q, strided_rows>)
      q.data += n * q.row;
    else
      q.row += n;
    out += n * out_row;
    rows -= n;
  };
  if constexpr (tile_rows == 8)
    if (rows >= 8) {
      tile<8, Vectors>(q, p, terms, out, out_row);
      skip(8);
    }
  if (rows >= 4) {
    tile<4, Vectors>(q, p, terms, out, out_row);
    skip(4);
  }
  if (rows >= 2) {
    tile<2, Vectors>(q, p, terms, out, out_row);
    skip(2);
  }
  if (rows == 1) tile<1, Vectors>(q, p, terms, out, out_row);
}
template <class Q, class P>
inline void tile_of(int rows, int vectors, Q q, P p, i64 terms, float* out, i64 out_row) noexcept {
  if (vectors == 3)
    tile_of<3>(rows, q, p, terms, out, out_row);
  else if (vectors == 2)
    tile_of<2>(rows, q, p, terms, out, out_row);
  else
    tile_of<1>(rows, q, p, terms, out, out_row);
}

}  // namespace tenon::simd
