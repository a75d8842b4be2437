// Poolings that need no row of column results: windows of stride 2, and windows as large as planes.
//
// `halve_row` computes a register of outputs from the registers of columns below it, for windows of
// 2 or 3 columns with stride 2, as most networks have them; nothing goes through memory in between.
// `whole_planes` is a pooling of small planes to one output each: planes side by side in registers.
//
// Both want masked loads (AVX-512), for the edge and for the last register of a row. The order of
// combinations is that of window_rows.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/tile.hpp>
#include <tenon/policy/cpu/window_rows.hpp>
#include <limits>

namespace tenon::simd {

/// The neutral element of the combination, exact for signed zeros.
constexpr float harmless(combine how) {
  const float infinity = std::numeric_limits<float>::infinity();
  return how == combine::sum   ? -0.0f
         : how == combine::max ? -infinity
         : how == combine::min ? infinity
                               : 1;
}
/// True if `halve_rows` can run these windows: channels first, 2 or 3 columns, stride 2; every
/// window sees an element of the image; and an average counts the same number of columns in all of
/// them.
constexpr bool halves(const window_plan& p) noexcept {
  const sweep& h = p.w.swept[1];
  const i64 last = 2 * (p.out_width - 1) - h.begin;
  const bool inside = h.begin == 0 && last + h.taps <= h.extent;
  return masks_loads && p.inner == 1 && h.stride == 2 && h.dilation == 1 &&
         (h.taps == 2 || h.taps == 3) && h.begin < h.taps && last < h.extent &&
         (inside || !p.w.average);
}

/// Which lanes are among the first `n`.
[[gnu::always_inline]] inline mask first_lanes(i64 n) noexcept {
  alignas(64) static constexpr float all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return real::load_aligned(all) < real(static_cast<float>(n));
}
/// A row of windows of 2 or 3 columns with stride 2, a register of outputs at a time. A register
/// of outputs needs two registers of column results and, for 3 taps, the first lane of a third. The
/// third is kept: it is the first one of the next outputs. `Rows` is a number or a constant.
template <combine How, int Taps, class Rows>
[[gnu::always_inline]] inline void halve_row(const sweep& h, const float* x, i64 row_step,
                                             Rows rows, i64 n, float divisor, float* out) noexcept {
  const real none(harmless(How));
  const i64 extent = h.extent, begin = h.begin;
  // Columns [at, at + width): all rows combined from top to bottom.
  const auto columns = [&](i64 at, const auto& load_one) {
    real e = load_one(x + at);
    for (i64 k = 1; k < rows; ++k) e = combined<How>(e, load_one(x + k * row_step + at));
    return e;
  };
  // `columns` counted from the image's first column; beyond the last one the result is `none`.
  const auto behind_begin = [&](i64 at) {
    const i64 left = extent - at, lanes = left > 0 ? left : 0;
    if (left >= width) return columns(at, [](const float* p) { return load(p); });
    const real e = columns(at, [&](const float* p) { return load_part(p, lanes); });
    return xsimd::select(first_lanes(lanes), e, none);
  };
  const between front(-begin, extent);
  real first = begin == 0 ? behind_begin(0)
                          : columns(-begin, [&](const float* p) { return front.load_at(p, none); });
  for (i64 i = 0; i < n; i += width) {
    const float* next = x + (rows + 2) * row_step + 2 * i;  // for the output row after next
    for (i64 line = 0; line < 2 * width && extent > 2 * width; line += 16) {
      __builtin_prefetch(next + line);
      __builtin_prefetch(next + row_step + line);
    }
    const real second = behind_begin(2 * i + width - begin);
    const real third = i + width <= n ? behind_begin(2 * i + 2 * width - begin) : second;
    const real even = shuffled(first, second, evens_of{});
    real y = combined<How>(even, shuffled(first, second, odds_of{}));
    if constexpr (Taps == 3) y = combined<How>(y, shuffled(even, third, next_of{}));
    if (divisor != 1) y = y / real(divisor);
    if (i + width <= n)
      store(y, out + i);
    else
      store_part(y, out + i, n - i);
    first = third;
  }
}
/// Output rows [y, end) of a plane. Rows that see as many input rows as they have taps across,
/// which are nearly all, have that number as a constant.
template <combine How, int Taps> void halve_rows(const window_plan& p, const float* image, i64 y,
                                                 i64 end, float*, float* out) noexcept {
  const sweep v = p.w.swept[0], h = p.w.swept[1];
  const i64 step = v.dilation * v.step, n = p.out_width;
  const bool average = p.w.average;
  for (; y < end; ++y, out += n) {
    const rows_inside rows(v, image, y);
    const float divisor = average ? static_cast<float>(rows.count * Taps) : 1.0f;
    if (rows.count == Taps)
      halve_row<How, Taps>(h, rows.top, step, std::integral_constant<i64, Taps>{}, n, divisor, out);
    else if (rows.count > 0)
      halve_row<How, Taps>(h, rows.top, step, rows.count, n, divisor, out);
    else
      std::memset(out, 0, static_cast<std::size_t>(n) * sizeof(float));
  }
}
/// One output for each of the planes [begin, end), a register's width of planes at a time: each
/// plane's column results are one register; the square of them is transposed, and then planes stand
/// side by side, and columns are combined from left to right. A last square may lack planes.
template <combine How> void whole_planes(const window_plan& p, const float* data, float* out,
                                         i64 begin, i64 end) noexcept {
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  const real count(static_cast<float>(v.taps * h.taps));
  float columns[width * width] = {}, turned[width * width];
  for (i64 u = begin; u < end; u += width) {
    const i64 n = end - u < width ? end - u : i64{width};
    for (i64 i = 0; i < n; ++i) {
      const float* x =
          data + (u + i) / p.channels * p.image_step + (u + i) % p.channels * p.channel_step;
      for (i64 k = 0; k < v.taps; ++k) __builtin_prefetch(x + 4 * p.channel_step + k * v.step);
      real e = load_part(x, h.taps);
      for (i64 k = 1; k < v.taps; ++k) e = combined<How>(e, load_part(x + k * v.step, h.taps));
      store(e, columns + i * width);
    }
    transpose(columns, width, width, width, turned, width);
    real y = load(turned);
    for (i64 c = 1; c < h.taps; ++c) y = combined<How>(y, load(turned + c * width));
    if (p.w.average) y = y / count;
    if (n == width)
      store(y, out + u);
    else
      store_part(y, out + u, n);
  }
}
/// True for one window that is all of a plane whose rows fit into a register.
constexpr bool sees_planes(const window_plan& p) noexcept {
  const auto covers = [](const sweep& s) {
    return s.begin == 0 && s.dilation == 1 && s.taps == s.extent;
  };
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  return masks_loads && p.inner == 1 && p.out_height == 1 && p.out_width == 1 && covers(v) &&
         covers(h) && h.taps <= width;
}

}  // namespace tenon::simd
