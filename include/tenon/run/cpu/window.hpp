// Pooling on the CPU: columns of the window first, whole rows at a time, then across.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/line.hpp>
#include <tenon/run/cpu/rows.hpp>

namespace tenon::simd {

/// Where the registers under `width` windows with stride 2 leave an image's lines, at either side.
struct halving {
  static constexpr int most = 4;
  between part[most][3]{};
  halving() = default;
  halving(const sweep& h, i64 n) noexcept {
    int k = 0;
    for (i64 i = 0; i < n; i += width)
      if (!inside(h, i) && k < most) {
        for (int v = 0; v < 3; ++v) part[k][v] = between(2 * i - h.begin + v * width, h.extent);
        ++k;
      }
  }
  static bool inside(const sweep& h, i64 i) noexcept {
    const i64 at = 2 * i - h.begin;
    return at >= 0 && at + h.taps * width <= h.extent;
  }
};
/// One output row: the axis below height. `inner` neighbouring channels (nhwc) share a position.
struct window_plan {
  windowing w{};
  int root = -1, out_root = -1;
  i64 offset = 0, out_offset = 0;
  i64 images = 1, channels = 1;  ///< outer positions; image_step and channel_step lead to them
  i64 image_step = 0, channel_step = 0;
  i64 out_height = 1, out_width = 1, inner = 1;
  bool halves = false;  ///< `halve_row` runs, with these sides
  halving sides{};
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

/// What changes nothing, in front of any other element.
constexpr float harmless(combine how) {
  const float most = std::numeric_limits<float>::infinity();
  return how == combine::sum ? -0.0f : how == combine::max ? -most : how == combine::min ? most : 1;
}
/// Windows of 2 or 3 taps with stride 2: a register of outputs at a time, nothing in memory between the
/// columns and what runs across them.
template <combine How, int Taps> inline void halve_row(const sweep& h, const halving& sides,
                                                       const float* x, i64 row_step, i64 rows,
                                                       i64 n, float divisor, float* out) noexcept {
  const real none(harmless(How));
  const between(*side)[3] = sides.part;
  for (i64 i = 0; i < n; i += width) {
    const float* from = x + 2 * i - h.begin;
    real e[Taps];
    for (i64 k = 0; k < 2 && h.extent > 4 * width; ++k)  // what the row after the next sees
      for (i64 line = 0; line < 2 * width; line += 16)
        __builtin_prefetch(from + (rows + 2 + k) * row_step + line);
    const auto columns = [&](auto count, const auto& load_one) {
      constexpr int registers = decltype(count)::value;
#pragma GCC unroll 3
      for (int v = 0; v < registers; ++v) e[v] = load_one(from + v * width, v);
      for (i64 k = 1; k < rows; ++k)
#pragma GCC unroll 3
        for (int v = 0; v < registers; ++v)
          e[v] = combined<How>(e[v], load_one(from + k * row_step + v * width, v));
    };
    using all = std::integral_constant<int, Taps>;
    if (halving::inside(h, i)) {
      columns(all{}, [](const float* p, int) { return load(p); });
    } else {
      const between* own = *side++;
      const auto load_part = [&](const float* p, int v) { return own[v].load_at(p, none); };
      e[Taps - 1] = none;  // nobody sees the third register if the last output is none of its
      if (i + width > n)
        columns(std::integral_constant<int, 2>{}, load_part);
      else
        columns(all{}, load_part);
    }
    const real even = shuffled(e[0], e[1], evens_of{});
    real y = combined<How>(even, shuffled(e[0], e[1], odds_of{}));
    if constexpr (Taps == 3) y = combined<How>(y, shuffled(even, e[Taps - 1], next_of{}));
    if (divisor != 1) y = y / real(divisor);
    if (i + width <= n)
      store(y, out + i);
    else
      store_part(y, out + i, n - i);
  }
}
/// True if `halve_row` knows these windows: every window sees an element, and an average has the same
/// number of them in all.
inline bool halves(const window_plan& p) noexcept {
  const sweep& h = p.w.swept[1];
  const i64 last = 2 * (p.out_width - 1) - h.begin;
  const bool inside = h.begin == 0 && last + h.taps <= h.extent;
  return masks_loads && p.inner == 1 && h.stride == 2 && h.dilation == 1 &&
         (h.taps == 2 || h.taps == 3) && h.begin < h.taps && last < h.extent &&
         (inside || !p.w.average);
}

/// Rows [y, end) of a plane.
template <combine How> void window_rows(const window_plan& p, const float* image, i64 y, i64 end,
                                        float* column, float* out) noexcept {
  const sweep &v = p.w.swept[0], &h = p.w.swept[1];
  for (; y < end; ++y, out += p.out_width * p.inner) {
    i64 first = 0, last = v.taps;  // in-bounds taps
    const i64 y0 = y * v.stride - v.begin;
    while (first < last && y0 + first * v.dilation < 0) ++first;
    while (last > first && y0 + (last - 1) * v.dilation >= v.extent) --last;
    const float* top = image + (y0 + first * v.dilation) * v.step;
    if (first == last) {
      for (i64 i = 0; i < p.out_width * p.inner; ++i) out[i] = 0;
    } else if (p.halves) {
      const float divisor = p.w.average ? static_cast<float>((last - first) * h.taps) : 1.0f;
      const auto run = h.taps == 2 ? &halve_row<How, 2> : &halve_row<How, 3>;
      run(h, p.sides, top, v.dilation * v.step, last - first, p.out_width, divisor, out);
    } else {
      combine_rows<How>(top, v.dilation * v.step, last - first, h.extent * p.inner, column);
      combine_across<How>(h, column, p.inner, p.out_width, last - first, p.w.average, out);
    }
  }
}

/// One output for each of the planes [begin, end): their columns, then those of a register's width of
/// planes at once.
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
  p.halves = halves(p);
  if (p.halves) p.sides = halving(p.w.swept[1], p.out_width);
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
    case combine::sum: choose_window<combine::sum>(*w); break;
    case combine::max: choose_window<combine::max>(*w); break;
    case combine::min: choose_window<combine::min>(*w); break;
    default: choose_window<combine::product>(*w); break;
  }
  return w;
}

}  // namespace tenon::simd
