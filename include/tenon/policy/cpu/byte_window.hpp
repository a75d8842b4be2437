// Maximum and minimum over windows of elements of one byte (max pooling of int8 and uint8).
//
// For pooling in which every window has an element of the image (`is_byte_window`); the rest goes
// to reduce_integers.hpp. A register holds four times as many bytes as floats. The loops are plain
// enough for compilers to vectorize: they run along the channels where these are the last axis
// (`byte_channels`), else along the columns (`byte_columns`). Threads share rows of the result.
// Taps in the edge take no part in the extreme.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/policy/policy.hpp>
#include <algorithm>
#include <cstring>

namespace tenon::simd {

/// A bound pooling of bytes. `extent` are the extents of the result. Along the axes over which the
/// window slides the image is read by `swept` (lines, then columns), along the others with `step`.
struct byte_window {
  bool largest = true, is_signed = false, channels_last = false;
  int holder = -1, out_holder = -1, rank = 0;
  i64 offset = 0, out_offset = 0, rows = 0;
  i64 extent[max_rank]{}, step[max_rank]{};
  sweep swept[2]{};
};

/// The number of the image's columns that are combined at a time, in a line on the stack.
inline constexpr int byte_line = 1024;

/// The operation and its loops. The edge is filled with `neutral`, which changes no extreme.
template <class T, bool Largest> struct byte_extreme {
  static constexpr T neutral =
      Largest ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  static T of(T a, T b) noexcept { return Largest ? std::max(a, b) : std::min(a, b); }
  static void take(T* to, const T* from, i64 n) noexcept {
    for (i64 i = 0; i < n; ++i) to[i] = of(to[i], from[i]);
  }
  /// A constant `Stride` lets the compiler use shuffles; 0: any, given by `stride`.
  template <int Stride> static void take_strided(T* to, const T* from, i64 n, i64 stride) noexcept {
    const i64 by = Stride > 0 ? Stride : stride;
    for (i64 i = 0; i < n; ++i) to[i] = of(to[i], from[i * by]);
  }
};

/// The taps [first, last) of a window that lie inside the image.
struct tap_range {
  i64 first = 0, last = 0, at = 0;  ///< `at`: where the first tap would be
  tap_range(const sweep& s, i64 position) noexcept : at(position * s.stride - s.begin) {
    first = at < 0 ? (s.dilation - 1 - at) / s.dilation : 0;
    const i64 inside = s.extent > at ? (s.extent - 1 - at) / s.dilation + 1 : 0;
    last = inside < s.taps ? inside : s.taps;
  }
};

/// A row of channels: combines the window's pixels one after the other. The first pixel is copied,
/// so that the result need not be filled before.
template <class E, class T>
void byte_channels(const byte_window& w, const T* x, T* y, const i64* position, i64 n) noexcept {
  const tap_range v(w.swept[0], position[w.swept[0].out_axis]),
      h(w.swept[1], position[w.swept[1].out_axis]);
  bool first = true;
  for (i64 r = v.first; r < v.last; ++r)
    for (i64 c = h.first; c < h.last; ++c) {
      const T* from = x + (v.at + r * w.swept[0].dilation) * w.swept[0].step +
                      (h.at + c * w.swept[1].dilation) * w.swept[1].step;
      if (first)
        std::memcpy(y, from, static_cast<std::size_t>(n));
      else
        E::take(y, from, n);
      first = false;
    }
}
/// A row of columns: first the extreme of each column over the window's lines, then the extremes of
/// windows along that line. So an element is read once for each line of a window, not for each tap.
template <class E, class T>
void byte_columns(const byte_window& w, const T* x, T* y, const i64* position, i64 n) noexcept {
  const sweep& h = w.swept[1];
  const tap_range v(w.swept[0], position[w.swept[0].out_axis]);
  const i64 reach = (h.taps - 1) * h.dilation,
            outputs = (byte_line - reach - 1) / h.stride + 1;  // that one line gives
  T line[byte_line];
  for (i64 begin = 0; begin < n; begin += outputs) {
    const i64 count = n - begin < outputs ? n - begin : outputs;
    const i64 left = begin * h.stride - h.begin, whole = (count - 1) * h.stride + reach + 1;
    const i64 from = left < 0 ? -left : 0,
              to = left + whole > h.extent ? h.extent - left : whole;  // of the line: inside
    std::fill(line, line + from, E::neutral);
    if (to < whole) std::fill(line + to, line + whole, E::neutral);
    for (i64 r = v.first; r < v.last; ++r) {
      const T* row = x + (v.at + r * w.swept[0].dilation) * w.swept[0].step + left + from;
      if (r == v.first)
        std::memcpy(line + from, row, static_cast<std::size_t>(to - from));
      else
        E::take(line + from, row, to - from);
    }
    T* out = y + begin;
    std::fill(out, out + count, E::neutral);
    for (i64 tap = 0; tap < h.taps; ++tap) {
      const T* first = line + tap * h.dilation;
      if (h.stride == 1)
        E::template take_strided<1>(out, first, count, 1);
      else if (h.stride == 2)
        E::template take_strided<2>(out, first, count, 2);
      else
        E::template take_strided<0>(out, first, count, h.stride);
    }
  }
}
/// Rows [begin, end) of the result; their positions are counted through with the last axis
/// innermost.
template <class E, class T>
void byte_rows(const byte_window& w, const frame& f, i64 begin, i64 end) noexcept {
  const i64 n = w.extent[w.rank - 1];
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, offset = w.offset, position[max_rank]{};
    for (int d = w.rank - 2; d >= 0; --d) {
      position[d] = rest % w.extent[d];
      rest /= w.extent[d];
      offset += position[d] * w.step[d];
    }
    const T* x = f.at<const T>(w.holder, offset);
    T* y = f.at<T>(w.out_holder, w.out_offset) + row * n;
    (w.channels_last ? byte_channels<E, T> : byte_columns<E, T>)(w, x, y, position, n);
  }
}
inline void run_byte_window(const byte_window& w, const frame& f) noexcept {
  const i64 row = w.extent[w.rank - 1] * (w.swept[0].taps + w.swept[1].taps);
  f.threads(w.rows, 1 + 65536 / row, [&](i64 begin, i64 end, int) {
    using s = std::int8_t;
    using u = std::uint8_t;
    if (w.is_signed)
      (w.largest ? byte_rows<byte_extreme<s, true>, s>
                 : byte_rows<byte_extreme<s, false>, s>)(w, f, begin, end);
    else
      (w.largest ? byte_rows<byte_extreme<u, true>, u>
                 : byte_rows<byte_extreme<u, false>, u>)(w, f, begin, end);
  });
}

/// True if this kernel can run a windowing: a maximum or minimum of bytes that are contiguous along
/// the last axis, with an element of the image in every window; and if windows slide along the last
/// axis, one of them must fit into a line on the stack.
constexpr bool is_byte_window(const windowing& m, const tensor& x, const plans::location& from,
                              const shape& out) noexcept {
  const int last = x.shape.rank - 1;
  if (size_bytes(x.type) != 1 || (m.how != combine::max && m.how != combine::min)) return false;
  if (x.shape[last] > 1 && from.step[last] != 1) return false;
  for (const sweep& s : m.swept)
    if (!always_inside(s, out[s.out_axis])) return false;
  const sweep& h = m.swept[1];
  if (m.swept[0].out_axis == last) return false;
  return h.out_axis != last || (h.taps - 1) * h.dilation + h.stride < byte_line;
}
/// Binds it. `from` is the location of the image, `to` that of the result.
inline byte_window bind_byte_window(const windowing& m, const tensor& x,
                                    const plans::location& from, const plans::location& to,
                                    const shape& out) noexcept {
  byte_window w;
  w.largest = m.how == combine::max;
  w.is_signed = is_signed(x.type);
  w.channels_last = m.swept[1].out_axis != out.rank - 1;
  w.holder = from.holder;
  w.offset = from.offset;
  w.out_holder = to.holder;
  w.out_offset = to.offset;
  w.rank = out.rank;
  w.rows = out.count() / out[out.rank - 1];
  for (int i = 0; i < out.rank; ++i) {
    w.extent[i] = out[i];
    w.step[i] = i == m.swept[0].out_axis || i == m.swept[1].out_axis ? 0 : from.step[i];
  }
  for (int s = 0; s < 2; ++s) {
    w.swept[s] = m.swept[s];
    w.swept[s].step = from.step[m.swept[s].out_axis];
  }
  return w;
}

}  // namespace tenon::simd
