// How a tile reads its two operands, term by term.
//
// A tile sums products over terms k. One side is broadcast: a single float for each row of the tile
// (`strided_rows`, `indexed_rows`, `panel_rows`). The other fills vectors: a register of
// neighbouring columns for each of the tile's registers (`panel_columns`, `indexed_columns`). Both
// kinds have the same three members, which the tile's loop calls once per term:
//   term(k)       an address or offset of term k, formed once for all rows or registers
//   at(term, i)   the address of row i, or of register i, of that term
//   fetch(k)      asks for memory that a later tile reads
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/simd.hpp>

namespace tenon::simd {

/// Rows and registers of a tile: 24 accumulators with 32 registers (AVX-512), 12 with 16. With the
/// columns' registers and one broadcast value that is 28 of 32, and 16 of 16.
inline constexpr int tile_rows = width >= 16 ? 8 : 4;
inline constexpr int tile_vectors = 3;
inline constexpr int tile_columns = tile_vectors * width;

/// Hides the value of `x` from the compiler, which must then compute anew what depends on it.
/// Without it, compilers see that the addresses of a tile's rows are loop invariants, keep one for
/// each row, run out of registers, and spill them in front of the loop and back behind it.
template <class T> [[gnu::always_inline]] inline void forget(T& x) noexcept { asm("" : "+r"(x)); }

/// Rows of a matrix (or pixels of an image) that one stride leads through; so do the terms.
struct strided_rows {
  const float* data;
  i64 row, k;  ///< elements from a row to the next, from a term to the next
  i64 ahead;   ///< elements from row 0 to what is worth fetching while this tile runs
  [[gnu::always_inline]] const float* term(i64 i) const noexcept { return data + i * k; }
  [[gnu::always_inline]] const float* at(const float* term, int r) const noexcept {
    return term + r * row;
  }
  [[gnu::always_inline]] void fetch(i64 i) const noexcept { __builtin_prefetch(term(i) + ahead); }
  /// These rows from row `r` and term `i` on.
  strided_rows from(int r, i64 i) const noexcept { return {at(term(i), r), row, k, ahead}; }
};
/// Rows by a list of addresses, terms by a list of offsets: convolutions whose vectors are filled
/// with filters, and products whose rows are several axes.
struct indexed_rows {
  const float* const* row;  ///< each row of the tile
  const std::int32_t* k;    ///< offset of each term, in elements
  [[gnu::always_inline]] i64 term(i64 i) const noexcept { return k[i]; }
  [[gnu::always_inline]] const float* at(i64 term, int r) const noexcept { return row[r] + term; }
  [[gnu::always_inline]] void fetch(i64) const noexcept {}
  indexed_rows from(int r, i64 i) const noexcept { return {row + r, k + i}; }
};
/// Neighbouring columns of one packed panel, each one broadcast: the filters where vectors are
/// filled with pixels.
struct panel_rows {
  const float* data;
  [[gnu::always_inline]] const float* term(i64 i) const noexcept { return data + i * width; }
  [[gnu::always_inline]] const float* at(const float* term, int r) const noexcept {
    return term + r;
  }
  [[gnu::always_inline]] void fetch(i64) const noexcept {}
};

/// Packed panels (pack.hpp), one register wide: register v of term k lies in panel v.
struct panel_columns {
  const float* data;
  i64 panel;           ///< elements of a panel
  const float* ahead;  ///< a panel that is worth fetching while this tile runs
  /// Hidden from the compiler, so that one address and multiples of the panel's size, which x86
  /// adds for free, do for all registers.
  [[gnu::always_inline]] const float* term(i64 i) const noexcept {
    const float* address = data + i * width;
    forget(address);
    return address;
  }
  [[gnu::always_inline]] const float* at(const float* term, int v) const noexcept {
    return term + v * panel;
  }
  [[gnu::always_inline]] void fetch(i64 i) const noexcept {
    __builtin_prefetch(ahead + i * width, 0, 2);  // into the second level
  }
};
/// Where a tile of pixels stores its sums if lines of the image are longer than those of the
/// output. A register may span the end of a line, the gap behind it and the next line's beginning:
/// each stretch of outputs in it is one masked store.
struct line_stores {
  static constexpr int max_stretches = 4;  ///< stretches in one register; longer lines give fewer
  lanes_mask lanes[tile_vectors][max_stretches];  ///< which lanes a store writes
  std::int32_t to[tile_vectors][max_stretches];  ///< elements from the tile's address to its lane 0
  int count[tile_vectors];                       ///< stores of each register
};
/// Neighbouring pixels of an image, from an offset for each term (a channel's tap).
struct indexed_columns {
  const float* data;
  const std::int32_t* k;
  const line_stores* stores;  ///< one for each tile; null: registers are stored whole
  bool fetches;               ///< asks for what the tile behind this one reads
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

}  // namespace tenon::simd
