// Pooling on the CPU: columns of the window first, whole rows at a time, then across.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/rows.hpp>
#include <tenon/run/cpu/tile.hpp>

namespace tenon::simd {

/// One output row: the axis below height. `inner` neighbouring channels (nhwc) share a position.
struct window_plan {
  windowing w{};
  int root = -1, out_root = -1;
  i64 offset = 0, out_offset = 0;
  i64 images = 1, channels = 1;  ///< outer positions; image_step and channel_step lead to them
  i64 image_step = 0, channel_step = 0;
  i64 out_height = 1, out_width = 1, inner = 1;
  void (*row)(const window_plan&, const float* image, i64 y, float* column,
              float* out) noexcept = nullptr;
};

/// y[i] = combine of the in-bounds rows at column i, from top to bottom.
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
/// y += x or y = max(y, x) for `n` neighbouring elements.
template <combine How> inline void combine_into(float* y, const float* x, i64 n) noexcept {
  i64 i = 0;
  for (; i + width <= n; i += width) store(combined<How>(load(y + i), load(x + i)), y + i);
  if (i < n)
    store_part(combined<How>(load_part(y + i, n - i), load_part(x + i, n - i)), y + i, n - i);
}

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
/// Every other element of two registers.
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
template <int Step> [[gnu::always_inline]] inline real load_every(const float* x) noexcept {
  if constexpr (Step == 1)
    return load(x);
  else
    return evens(x, std::make_integer_sequence<int, width>{});
}
/// out[i] = the taps x[i * Step + k * dilation], from left to right. Reads up to two registers behind
/// the last tap.
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

/// Outputs [first, last) whose taps are all in bounds, one channel: taps from left to right.
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
/// Output x of `inner` channels, with padding. Returns the number of taps in bounds.
template <combine How>
inline i64 across_border(const sweep& h, const float* column, i64 inner, i64 x, float* y) noexcept {
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
/// Across the columns that `combine_rows` left.
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
    divide(x * inner, inner, across_border<How>(h, column, inner, x, out + x * inner));
  if (last > first) {
    across_inside<How>(h, column, first, last, out);
    divide(first, last - first, h.taps);
  }
  for (i64 x = last; x < out_width; ++x)
    divide(x * inner, inner, across_border<How>(h, column, inner, x, out + x * inner));
}

template <combine How> void window_row(const window_plan& p, const float* image, i64 y,
                                       float* column, float* out) noexcept {
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  i64 first = 0, last = v.taps;  // in-bounds taps
  const i64 y0 = y * v.stride - v.begin;
  while (first < last && y0 + first * v.dilation < 0) ++first;
  while (last > first && y0 + (last - 1) * v.dilation >= v.extent) --last;
  if (first == last) {
    for (i64 i = 0; i < p.out_width * p.inner; ++i) out[i] = 0;
    return;
  }
  combine_rows<How>(image + (y0 + first * v.dilation) * v.step, v.dilation * v.step, last - first,
                    h.extent * p.inner, column);
  combine_across<How>(h, column, p.inner, p.out_width, last - first, p.w.average, out);
}

inline void run_window(const window_plan& p, const frame& f) noexcept {
  const i64 row = p.out_width * p.inner;
  f.threads(p.images * p.channels * p.out_height, 1 + 8192 / (row * p.w.swept[0].taps),
            [&](i64 begin, i64 end, int thread) {
              auto* column = reinterpret_cast<float*>(f.thread_memory + thread * f.thread_bytes);
              for (i64 u = begin; u < end; ++u) {
                const i64 y = u % p.out_height, c = u / p.out_height % p.channels,
                          n = u / p.out_height / p.channels;
                const float* image = reinterpret_cast<const float*>(f.base[p.root]) + p.offset +
                                     n * p.image_step + c * p.channel_step;
                float* out = reinterpret_cast<float*>(f.base[p.out_root]) + p.out_offset + u * row;
                p.row(p, image, y, column, out);
              }
            });
}

/// Images of four axes with height and width side by side, as WebNN's layouts have them.
constexpr bool takes_window(const windowing& w, const shape& s) {
  const int height = w.swept[0].out_axis, across = w.swept[1].out_axis;
  return s.rank == 4 && across == height + 1 && (height == 1 || height == 2);
}
/// A row of column results for each thread, and what tiles read behind it.
constexpr footprint measure_window(const plan_view& p, int g) {
  const node& n = p.table.nodes[p.groups[g].anchor];
  const sweep& h = p.table.windowing_of(n).swept[1];
  const i64 inner = h.out_axis == 3 ? 1 : n.out.shape[3];
  return {0, 0, (h.extent * inner + 2 * width) * 4, static_cast<i64>(sizeof(window_plan))};
}
inline const window_plan* bind_window(const binding<function>& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const value& v = p.values[n.in[0]];
  const shape& s = n.out.shape;
  auto* w = new (b.bound) window_plan{};
  w->w = p.table.windowing_of(n);
  const bool nchw = w->w.swept[1].out_axis == 3;
  w->root = v.root;
  w->out_root = p.values[id].root;
  w->out_offset = p.values[id].offset;
  w->offset = v.offset;
  w->images = s[0];
  w->image_step = v.step[0];
  w->channels = nchw ? s[1] : 1;
  w->channel_step = nchw ? v.step[1] : 0;
  w->inner = nchw ? 1 : s[3];
  w->out_height = s[w->w.swept[0].out_axis];
  w->out_width = s[w->w.swept[1].out_axis];
  switch (w->w.how) {
    case combine::sum: w->row = &window_row<combine::sum>; break;
    case combine::max: w->row = &window_row<combine::max>; break;
    case combine::min: w->row = &window_row<combine::min>; break;
    default: w->row = &window_row<combine::product>; break;
  }
  return w;
}

}  // namespace tenon::simd
