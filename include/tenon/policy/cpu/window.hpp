// Pooling on the CPU: columns of the window first, whole rows at a time, then across.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/rows.hpp>

namespace tenon::simd {

/// One output row: the axis below height. `inner` neighbouring channels (nhwc) share a position.
struct window_plan {
  windowing w{};
  int root = -1, out_root = -1;
  i64 offset = 0, out_offset = 0;
  i64 images = 1, channels = 1;  ///< outer positions; image_step and channel_step lead to them
  i64 image_step = 0, channel_step = 0;
  i64 out_height = 1, out_width = 1, inner = 1;
  void (*whole)(const window_plan&, const float* data, float* out, i64 begin,
                i64 end) noexcept = nullptr;  ///< for windows that see whole small planes
  void (*rows)(const window_plan&, const float* image, i64 y, i64 end, float* column,
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
/// out[i] = the taps x[i * Step + k * dilation], from left to right. Reads up to two registers
/// behind the last tap.
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

/// What changes nothing, in front of any other element.
constexpr float harmless(combine how) {
  const float most = std::numeric_limits<float>::infinity();
  return how == combine::sum ? -0.0f : how == combine::max ? -most : how == combine::min ? most : 1;
}
/// True if `halve_rows` knows these windows: every window sees an element, and an average has the
/// same number of them in all.
inline bool halves(const window_plan& p) noexcept {
  const sweep& h = p.w.swept[1];
  const i64 last = 2 * (p.out_width - 1) - h.begin;
  const bool inside = h.begin == 0 && last + h.taps <= h.extent;
  return masks_loads && p.inner == 1 && h.stride == 2 && h.dilation == 1 &&
         (h.taps == 2 || h.taps == 3) && h.begin < h.taps && last < h.extent &&
         (inside || !p.w.average);
}

/// The input rows of an output row that are in bounds, from the top one's address on.
struct rows_seen {
  const float* top;
  i64 count;
  rows_seen(const sweep& v, const float* image, i64 y) noexcept {
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
/// Which lanes are among the first `n`.
[[gnu::always_inline]] inline mask first_lanes(i64 n) noexcept {
  alignas(64) static constexpr float all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return real::load_aligned(all) < real(static_cast<float>(n));
}
/// Windows of 2 or 3 taps with stride 2: a register of outputs at a time, nothing in memory between
/// the columns and what runs across them. The register behind those of an output is the next one's
/// first.
template <combine How, int Taps, class Rows>
[[gnu::always_inline]] inline void halve_row(const sweep& h, const float* x, i64 row_step,
                                             Rows rows, i64 n, float divisor, float* out) noexcept {
  const real none(harmless(How));
  const i64 extent = h.extent, begin = h.begin;
  const auto columns = [&](i64 at, const auto& load_one) {
    real e = load_one(x + at);
    for (i64 k = 1; k < rows; ++k) e = combined<How>(e, load_one(x + k * row_step + at));
    return e;
  };
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
    const float* next = x + (rows + 2) * row_step + 2 * i;  // what the row after the next sees
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
/// Rows [y, end) of a plane. As many rows as columns are a constant.
template <combine How, int Taps> void halve_rows(const window_plan& p, const float* image, i64 y,
                                                 i64 end, float*, float* out) noexcept {
  const sweep v = p.w.swept[0], h = p.w.swept[1];
  const i64 step = v.dilation * v.step, n = p.out_width;
  const bool average = p.w.average;
  for (; y < end; ++y, out += n) {
    const rows_seen rows(v, image, y);
    const float divisor = average ? static_cast<float>(rows.count * Taps) : 1.0f;
    if (rows.count == Taps)
      halve_row<How, Taps>(h, rows.top, step, std::integral_constant<i64, Taps>{}, n, divisor, out);
    else if (rows.count > 0)
      halve_row<How, Taps>(h, rows.top, step, rows.count, n, divisor, out);
    else
      std::memset(out, 0, static_cast<std::size_t>(n) * sizeof(float));
  }
}
/// Rows [y, end) of a plane.
template <combine How> void window_rows(const window_plan& p, const float* image, i64 y, i64 end,
                                        float* column, float* out) noexcept {
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  for (; y < end; ++y, out += p.out_width * p.inner) {
    const rows_seen rows(v, image, y);
    if (rows.count == 0) {
      for (i64 i = 0; i < p.out_width * p.inner; ++i) out[i] = 0;
    } else {
      combine_rows<How>(rows.top, v.dilation * v.step, rows.count, h.extent * p.inner, column);
      combine_across<How>(h, column, p.inner, p.out_width, rows.count, p.w.average, out);
    }
  }
}

/// One output for each of the planes [begin, end): their columns, then those of a register's width
/// of planes at once.
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
/// True for one window that is all of a plane whose lines fit into a register.
inline bool sees_planes(const window_plan& p) noexcept {
  const auto all = [](const sweep& s) {
    return s.begin == 0 && s.dilation == 1 && s.taps == s.extent;
  };
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  return masks_loads && p.inner == 1 && p.out_height == 1 && p.out_width == 1 && all(v) && all(h) &&
         h.taps <= width;
}
template <combine How> void choose_window(window_plan& p) noexcept {
  p.rows = &window_rows<How>;
  if (halves(p)) p.rows = p.w.swept[1].taps == 2 ? &halve_rows<How, 2> : &halve_rows<How, 3>;
  if (sees_planes(p)) p.whole = &whole_planes<How>;
}

inline void run_window(const window_plan& p, const frame& f) noexcept {
  const i64 row = p.out_width * p.inner;
  f.threads(p.images * p.channels * p.out_height, 1 + 8192 / (row * p.w.swept[0].taps),
            [&](i64 begin, i64 end, int thread) {
              const float* data = reinterpret_cast<const float*>(f.base[p.root]) + p.offset;
              float* results = reinterpret_cast<float*>(f.base[p.out_root]) + p.out_offset;
              if (p.whole != nullptr) return p.whole(p, data, results, begin, end);
              auto* column = reinterpret_cast<float*>(f.thread_memory + thread * f.thread_bytes);
              for (i64 u = begin, next; u < end; u = next) {
                const i64 plane = u / p.out_height, y = u - plane * p.out_height,
                          c = plane % p.channels, n = plane / p.channels;
                next = (plane + 1) * p.out_height < end ? (plane + 1) * p.out_height : end;
                const float* image = data + n * p.image_step + c * p.channel_step;
                p.rows(p, image, y, y + next - u, column, results + u * row);
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
  const plans::location& v = p.locations[n.in[0]];
  const shape& s = n.out.shape;
  auto* w = new (b.bound) window_plan{};
  w->w = p.table.windowing_of(n);
  const bool nchw = w->w.swept[1].out_axis == 3;
  w->root = v.root;
  w->out_root = p.locations[id].root;
  w->out_offset = p.locations[id].offset;
  w->offset = v.offset;
  w->images = s[0];
  w->image_step = v.step[0];
  w->channels = nchw ? s[1] : 1;
  w->channel_step = nchw ? v.step[1] : 0;
  w->inner = nchw ? 1 : s[3];
  w->out_height = s[w->w.swept[0].out_axis];
  w->out_width = s[w->w.swept[1].out_axis];
  switch (w->w.how) {
    case combine::sum: choose_window<combine::sum>(*w); break;
    case combine::max: choose_window<combine::max>(*w); break;
    case combine::min: choose_window<combine::min>(*w); break;
    default: choose_window<combine::product>(*w); break;
  }
  return w;
}

}  // namespace tenon::simd
