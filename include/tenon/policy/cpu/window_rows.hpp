// Rows of a pooling: columns of the window first, a whole row at a time, then across.
//
// An output row combines the input rows that its windows see, from top to bottom: one pass over
// contiguous memory, which leaves a row of column results as wide as the image. Then every output
// combines its taps in that row from left to right. For windows of k x k taps these are 2k
// combinations an output instead of k * k, and it is the order that defines the result, on
// `reference` too.
//
// With channels first an output in the inside takes its taps by loads of every `stride`-th element;
// windows that touch the edge go tap by tap. With channels last a tap is a row of channels.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/node.hpp>
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/reduce_tree.hpp>
#include <cstring>

namespace tenon::simd {

/// A bound pooling. Channels first: `images * channels` planes, `inner` is 1. Channels last:
/// `images` planes, and `inner` neighbouring channels share a position.
struct window_plan {
  windowing w{};
  int holder = -1, out_holder = -1;
  i64 offset = 0, out_offset = 0;
  i64 images = 1, channels = 1;
  i64 image_step = 0, channel_step = 0;  ///< elements from an input plane to the next
  i64 out_height = 1, out_width = 1, inner = 1;
  void (*whole)(const window_plan&, const float* data, float* out, i64 begin,
                i64 end) noexcept = nullptr;  ///< for windows that see whole small planes
  void (*rows)(const window_plan&, const float* image, i64 y, i64 end, float* column,
               float* out) noexcept = nullptr;
};

/// y[i] = combination of `rows` rows at column i, from top to bottom. A register of columns at a
/// time goes through all rows; the last one loads and stores a part.
template <combine How>
inline void combine_rows(const float* x, i64 row_step, i64 rows, i64 n, float* y) noexcept {
  i64 i = 0;
  for (; i + width <= n; i += width) {
    real e = load(x + i);
    for (i64 k = 1; k < rows; ++k) e = combined<How>(e, load(x + k * row_step + i));
    store(e, y + i);
  }
  if (i == n) return;
  real e = load_part(x + i, n - i);
  for (i64 k = 1; k < rows; ++k) e = combined<How>(e, load_part(x + k * row_step + i, n - i));
  store_part(e, y + i, n - i);
}
/// y = combination of y and x, for `n` neighbouring elements.
template <combine How> inline void combine_into(float* y, const float* x, i64 n) noexcept {
  i64 i = 0;
  for (; i + width <= n; i += width) store(combined<How>(load(y + i), load(x + i)), y + i);
  if (i < n)
    store_part(combined<How>(load_part(y + i, n - i), load_part(x + i, n - i)), y + i, n - i);
}

/// One step for a single element: what the registers' `combined` does, NaN included.
template <combine How> [[gnu::always_inline]] inline float combined(float a, float b) noexcept {
  if constexpr (How == combine::sum)
    return a + b;
  else if constexpr (How == combine::max)
    return b > a || b != b ? b : a;
  else if constexpr (How == combine::min)
    return b < a || b != b ? b : a;
  else
    return a * b;  // no sum follows that it could be contracted with
}
/// The even elements of the two registers at `x`.
template <int... I>
[[gnu::always_inline]] inline real evens(const float* x,
                                         std::integer_sequence<int, I...>) noexcept {
  lanes_of_register a, b;
  __builtin_memcpy(&a, x, sizeof a);
  __builtin_memcpy(&b, x + width, sizeof b);
  const lanes_of_register e = __builtin_shufflevector(a, b, (2 * I)...);
  real r;
  __builtin_memcpy(&r, &e, sizeof r);
  return r;
}
/// A register of the elements at x, x + Step, x + 2 * Step and so on.
template <int Step> [[gnu::always_inline]] inline real load_every(const float* x) noexcept {
  if constexpr (Step == 1)
    return load(x);
  else
    return evens(x, std::make_integer_sequence<int, width>{});
}
/// out[i] = combination of the taps x[i * Step + k * dilation], from left to right. Reads up to two
/// registers behind the last tap: `measure_window` reserves them behind the row.
template <combine How, int Step>
inline void combine_taps(const float* x, i64 taps, i64 dilation, i64 n, float* out) noexcept {
  for (i64 i = 0; i < n; i += width) {
    real e = load_every<Step>(x + i * Step);
    for (i64 k = 1; k < taps; ++k)
      e = combined<How>(e, load_every<Step>(x + i * Step + k * dilation));
    if (i + width <= n)
      store(e, out + i);
    else
      store_part(e, out + i, n - i);
  }
}

/// Outputs [first, last), whose taps are all inside of the image; one channel.
template <combine How> inline void across_inside(const sweep& h, const float* column, i64 first,
                                                 i64 last, float* out) noexcept {
  const float* x = column + first * h.stride - h.begin;
  const i64 n = last - first;
  if (h.stride == 1) return combine_taps<How, 1>(x, h.taps, h.dilation, n, out + first);
  if (h.stride == 2) return combine_taps<How, 2>(x, h.taps, h.dilation, n, out + first);
  for (i64 i = 0; i < n; ++i) {
    float e = x[i * h.stride];
    for (i64 k = 1; k < h.taps; ++k) e = combined<How>(e, x[i * h.stride + k * h.dilation]);
    out[first + i] = e;
  }
}
/// Output x of `inner` channels at the edge: taps in the padding are left out. Returns how many
/// taps were inside; if none was, the output is 0.
template <combine How>
inline i64 across_edge(const sweep& h, const float* column, i64 inner, i64 x, float* y) noexcept {
  i64 columns = 0;
  for (i64 k = 0; k < h.taps; ++k) {
    const i64 at = x * h.stride - h.begin + k * h.dilation;
    if (at < 0 || at >= h.extent) continue;
    if (columns++ == 0)
      std::memcpy(y, column + at * inner, static_cast<std::size_t>(inner) * sizeof(float));
    else
      combine_into<How>(y, column + at * inner, inner);
  }
  for (i64 c = 0; columns == 0 && c < inner; ++c) y[c] = 0;
  return columns;
}
/// Across the row of column results. Outputs [first, last) have all taps inside; those in front of
/// them and behind them see the edge. With several channels all outputs go tap by tap. An average
/// divides by the number of elements that are inside.
template <combine How> inline void combine_across(const sweep& h, const float* column, i64 inner,
                                                  i64 out_width, i64 rows, bool average,
                                                  float* out) noexcept {
  const i64 reach = (h.taps - 1) * h.dilation;
  i64 first = (h.begin + h.stride - 1) / h.stride,
      last = h.extent - reach + h.begin > 0 ? (h.extent - 1 - reach + h.begin) / h.stride + 1 : 0;
  if (inner != 1 || first > out_width) first = out_width;
  if (last > out_width) last = out_width;
  if (last < first) last = first;
  const auto divide = [&](i64 x, i64 n, i64 columns) {
    if (!average || rows * columns == 0) return;
    const float count = static_cast<float>(rows * columns);
    for (i64 c = 0; c < n; ++c) out[x + c] /= count;
  };
  for (i64 x = 0; x < first; ++x)
    divide(x * inner, inner, across_edge<How>(h, column, inner, x, out + x * inner));
  if (last > first) {
    across_inside<How>(h, column, first, last, out);
    divide(first, last - first, h.taps);
  }
  for (i64 x = last; x < out_width; ++x)
    divide(x * inner, inner, across_edge<How>(h, column, inner, x, out + x * inner));
}

/// The input rows inside of the image that an output row sees.
struct rows_inside {
  const float* top;  ///< the first of them
  i64 count;
  rows_inside(const sweep& v, const float* image, i64 y) noexcept {
    i64 first = 0, last = v.taps;
    const i64 y0 = y * v.stride - v.begin;
    if (y0 < 0 || y0 + (last - 1) * v.dilation >= v.extent) {
      while (first < last && y0 + first * v.dilation < 0) ++first;
      while (last > first && y0 + (last - 1) * v.dilation >= v.extent) --last;
    }
    top = image + (y0 + first * v.dilation) * v.step;
    count = last - first;
  }
};
/// Output rows [y, end) of a plane; `column` is the thread's room for column results.
template <combine How> void window_rows(const window_plan& p, const float* image, i64 y, i64 end,
                                        float* column, float* out) noexcept {
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  for (; y < end; ++y, out += p.out_width * p.inner) {
    const rows_inside rows(v, image, y);
    if (rows.count == 0) {
      for (i64 i = 0; i < p.out_width * p.inner; ++i) out[i] = 0;
    } else {
      combine_rows<How>(rows.top, v.dilation * v.step, rows.count, h.extent * p.inner, column);
      combine_across<How>(h, column, p.inner, p.out_width, rows.count, p.w.average, out);
    }
  }
}

}  // namespace tenon::simd
