// Boxes of elements that are copied between two layouts, row by row. Moves, gathers and scatters
// use them.
//
// `make_box` merges dimensions that both sides cross evenly, so that the last one, the row, is as
// long as it can be. Elements are bits: a copy knows only their size. Sizes of 4 and 1 bytes are
// constants, for which compilers make loops of their own; others are a number. A row that is
// contiguous on both sides is one memcpy.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <cstring>

namespace tenon::simd {

/// `rows` rows of `columns` elements; all strides and offsets in elements.
struct box {
  int dims = 0;  ///< over which the row index runs
  i64 extent[max_rank]{}, in[max_rank]{}, out[max_rank]{};
  i64 rows = 1, columns = 1, in_column = 0, out_column = 0;
  int holder = -1;  ///< whose buffer is read
  i64 offset = 0, out_offset = 0;
};
/// The box of all positions of `space`. Two dimensions are one if the outer one's stride is the
/// inner one's times its extent, on both sides.
constexpr box make_box(const shape& space, const strides& in, const strides& out) {
  box b;
  for (int i = 0; i < space.rank; ++i) {
    if (space[i] == 1) continue;
    const int last = b.dims - 1;
    const bool even =
        b.dims > 0 && b.in[last] == in[i] * space[i] && b.out[last] == out[i] * space[i];
    const int d = even ? last : b.dims++;
    b.extent[d] = space[i] * (even ? b.extent[d] : 1);
    b.in[d] = in[i];
    b.out[d] = out[i];
  }
  if (b.dims > 0) {
    --b.dims;
    b.columns = b.extent[b.dims];
    b.in_column = b.in[b.dims];
    b.out_column = b.out[b.dims];
  }
  for (int d = 0; d < b.dims; ++d) b.rows *= b.extent[d];
  return b;
}

/// Bytes of an element: 4 or 1 as a constant, or a number.
struct four_bytes {
  static constexpr int bytes = 4;
};
struct one_byte {
  static constexpr int bytes = 1;
};
struct any_bytes {
  int bytes = 1;
};
/// Calls `f` with the size of an element.
template <class F> inline void with_size(int bytes, F&& f) noexcept {
  if (bytes == 4) return f(four_bytes{});
  if (bytes == 1) return f(one_byte{});
  f(any_bytes{bytes});
}

/// `n` elements with strides. To contiguous memory, the usual case, in a loop of its own.
template <class Word>
inline void copy_strided(const std::byte* from, i64 in, std::byte* to, i64 out, i64 n) noexcept {
  const auto* x = reinterpret_cast<const Word*>(from);
  auto* y = reinterpret_cast<Word*>(to);
  if (out == 1)
    for (i64 i = 0; i < n; ++i) y[i] = x[i * in];
  else
    for (i64 i = 0; i < n; ++i) y[i * out] = x[i * in];
}
/// One row of a box; the elements' bits are copied.
inline void copy_row(four_bytes, const std::byte* from, i64 in, std::byte* to, i64 out,
                     i64 n) noexcept {
  if (in != 1 || out != 1) return copy_strided<std::uint32_t>(from, in, to, out, n);
  std::memcpy(to, from, static_cast<std::size_t>(n) * 4);
}
inline void copy_row(one_byte, const std::byte* from, i64 in, std::byte* to, i64 out,
                     i64 n) noexcept {
  if (in != 1 || out != 1) return copy_strided<std::uint8_t>(from, in, to, out, n);
  std::memcpy(to, from, static_cast<std::size_t>(n));
}
/// Elements of 2 or 8 bytes; not inlined, because they are rare and callers are many.
[[gnu::noinline]] inline void copy_row(any_bytes size, const std::byte* from, i64 in, std::byte* to,
                                       i64 out, i64 n) noexcept {
  if (in == 1 && out == 1)
    std::memcpy(to, from, static_cast<std::size_t>(n * size.bytes));
  else if (size.bytes == 2)
    copy_strided<std::uint16_t>(from, in, to, out, n);
  else
    copy_strided<std::uint64_t>(from, in, to, out, n);
}
/// Rows [begin, end) of a box. Offsets are counted up from row to row; only the first one is
/// divided out.
template <class Size> inline void copy_rows(Size size, const box& b, const std::byte* from,
                                            std::byte* to, i64 begin, i64 end) noexcept {
  i64 at[max_rank]{}, rest = begin, in = 0, out = 0;
  for (int d = b.dims - 1; d >= 0; --d) {
    at[d] = rest % b.extent[d];
    rest /= b.extent[d];
    in += at[d] * b.in[d];
    out += at[d] * b.out[d];
  }
  for (i64 row = begin; row < end; ++row) {
    copy_row(size, from + in * size.bytes, b.in_column, to + out * size.bytes, b.out_column,
             b.columns);
    for (int d = b.dims - 1; d >= 0; --d) {
      in += b.in[d];
      out += b.out[d];
      if (++at[d] < b.extent[d]) break;
      in -= b.in[d] * b.extent[d];
      out -= b.out[d] * b.extent[d];
      at[d] = 0;
    }
  }
}

}  // namespace tenon::simd
