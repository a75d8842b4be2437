// Depthwise convolutions on the CPU: every output plane sees one input plane.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract.hpp>
#include <tenon/policy/cpu/pixels.hpp>

namespace tenon::simd {

/// A depthwise convolution. Channels first: planes, in strips of rows through a padded copy that is
/// split by stride phase. Channels last: pixels, from lists of the taps' addresses.
struct depthwise_plan {
  bool planes = true;
  output_axis image{}, channel{}, filter{}, line{}, column{};  ///< q: input, p: filter weights
  i64 height = 1, width = 1, row_step = 0, column_step = 0;    ///< of the input
  i64 top = 0, left = 0, stride_y = 1, stride_x = 1, dilation_y = 1, dilation_x = 1;
  i64 taps_y = 1, taps_x = 1, tap_y = 0, tap_x = 0;  ///< numbers of taps, and their strides
  int root = -1, filter_root = -1, out_root = -1;
  i64 out_offset = 0;  ///< elements
  i64 offset = 0, filter_offset = 0;
  // Strips, in elements of the thread's memory.
  i64 strip = 1, phase = 0;  ///< output rows of a strip, elements of a phase of a copied row
  i64 copied = 0, summed = 0, table = 0;
  bool filters_packed = false, at_binding = false;  ///< [tap][channel], or the taps of a plane
  bool at_once = false;                             ///< the epilogue runs over whole strips
  bool direct = false;  ///< planes: tiles may read the image itself, through masks
  epilogue_plan after{};
  footprint need{};

  constexpr i64 taps() const { return taps_y * taps_x; }
  constexpr i64 pitch() const { return stride_x * phase; }
};
struct depthwise_work {
  depthwise_plan plan{};
  function epilogue{};
  closing after{};  ///< the same, where tiles can do it
  const std::byte* packed = nullptr;
  const std::int32_t* taps = nullptr;  ///< offsets in a strip
  i64 scratch_offset = 0;
};

// ---- from the plan
// ---------------------------------------------------------------------------------

/// Rows of a tile of a strip.
inline constexpr i64 strip_rows = 4;
/// Rows of a tile that reads the image itself: a divisor of the usual heights. With 9 weights and 3
/// inputs they leave room in 32 registers.
inline constexpr i64 direct_rows = 7;
/// Outputs of a strip, about: its sums and its copied input stay in the first level of the cache.
inline constexpr i64 strip_outputs = 3072;

/// True for groups of one channel each (a few filters each, where channels come first).
constexpr bool is_depthwise(const plan_view& p, int g) {
  const contracts_cpu::reading r = contracts_cpu::read_group(p, g);
  const contraction& c = r.c;
  if (c.sweeps != 2 || c.axes != 8) return false;
  const i64 channels = c.axis[1].extent, filters = c.axis[2].extent, inner = c.axis[5].extent;
  if (channels < 2 || inner != 1) return false;
  return r.through(0, c.swept[1].step) == 1 ? filters <= 4
                                            : filters == 1 && r.through(0, c.axis[1].a) == 1;
}
constexpr depthwise_plan plan_depthwise(const plan_view& p, int g) {
  const contracts_cpu::reading r = contracts_cpu::read_group(p, g);
  const contraction& c = r.c;
  const sweep &v = c.swept[0], &h = c.swept[1];
  depthwise_plan t;
  t.image = r.axis(0, false);
  t.channel = r.axis(1, false);
  t.filter = r.axis(2, false);
  t.line = r.axis(3, false);
  t.column = r.axis(4, false);
  t.height = v.extent;
  t.width = h.extent;
  t.row_step = r.through(0, v.step);
  t.column_step = r.through(0, h.step);
  t.planes = t.column_step == 1;
  t.top = v.begin;
  t.left = h.begin;
  t.stride_y = v.stride;
  t.stride_x = h.stride;
  t.dilation_y = v.dilation;
  t.dilation_x = h.dilation;
  t.taps_y = v.taps;
  t.taps_x = h.taps;
  t.tap_y = r.b(6);
  t.tap_x = r.b(7);
  const plans::location &image = p.locations[r.n.in[0]], &filter = p.locations[r.n.in[1]];
  t.root = image.root;
  t.offset = image.offset;
  t.filter_root = filter.root;
  t.filter_offset = filter.offset;
  const plans::location& result = p.locations[r.map >= 0 ? r.map : p.groups[g].anchor];
  t.out_root = result.root;
  t.out_offset = result.offset;
  t.after = r.epilogue(p.groups[g].anchor);
  const i64 bound = static_cast<i64>(sizeof(depthwise_work));
  if (!t.planes) {
    t.at_binding = p.table.nodes[t.filter_root].kind == family::weight;
    t.filters_packed = t.channel.p != 1 || t.tap_y != t.taps_x * t.tap_x;
    t.table = aligned(t.channel.extent * 4) / 4;
    const i64 packed = t.filters_packed ? aligned(t.taps() * t.channel.extent * 4) : 0;
    t.need = {t.at_binding ? packed : 0, t.at_binding ? 0 : packed,
              aligned(t.table * 4 + t.taps() * 8), bound};
    return t;
  }
  t.at_once = r.continues(t.line, t.column);
  constexpr i64 unit = strip_rows * direct_rows;
  t.strip = (strip_outputs / t.column.extent + unit) / unit * unit;
  t.direct = masks_loads && t.taps_y == 3 && t.taps_x == 3 && t.dilation_y == 1 &&
             t.dilation_x == 1 && t.stride_y == t.stride_x && t.stride_x <= 2 &&
             t.line.extent >= direct_rows;
  if (t.strip > t.line.extent) t.strip = t.line.extent;
  const i64 span = (t.column.extent - 1) * t.stride_x + (t.taps_x - 1) * t.dilation_x + 1,
            rows = (t.strip - 1) * t.stride_y + (t.taps_y - 1) * t.dilation_y + 1;
  t.phase = registers_of((span + t.stride_x - 1) / t.stride_x) * width;
  t.copied = aligned((rows * t.pitch() + 2 * width) * 4) / 4;  // tiles read behind the last row
  t.summed = aligned(t.strip * t.column.extent * 4) / 4;
  t.table = t.copied + t.summed;
  t.filters_packed = t.tap_x != 1 || t.tap_y != t.taps_x;
  t.need = {0, 0, aligned((t.table + t.taps()) * 4), aligned(bound) + aligned(t.taps() * 4)};
  return t;
}
/// Copies `n` rows, padded on both sides and phase by phase. Every element of the copy is written.
inline void copy_rows(const depthwise_plan& p, const float* rows, i64 n, float* to) noexcept {
  const i64 pitch = p.pitch(), step = p.row_step, phase = p.phase;
  for (i64 x = 0; x < phase && p.stride_x == 1; x += width) {
    const between own(x - p.left, p.width);
    for (i64 y = 0; y < n; ++y) store(own.load_from(rows + y * step), to + y * pitch + x);
  }
  for (i64 x = 0; x < phase && p.stride_x == 2; x += width) {
    const between low(2 * x - p.left, p.width), high(2 * x - p.left + width, p.width);
    for (i64 y = 0; y < n; ++y) {
      float* even = to + y * pitch + x;
      const real a = low.load_from(rows + y * step), b = high.load_from(rows + y * step);
      store(shuffled(a, b, evens_of{}), even);
      store(shuffled(a, b, odds_of{}), even + phase);
    }
  }
  for (i64 y = 0; y < n && p.stride_x > 2; ++y)
    for (i64 s = 0; s < p.stride_x; ++s)
      for (i64 x = 0; x < phase; ++x) {
        const i64 at = x * p.stride_x + s - p.left;
        to[y * pitch + s * phase + x] = at >= 0 && at < p.width ? rows[y * step + at] : 0.0f;
      }
}
/// The input rows that output rows [first, first + rows) see.
inline void copy_strip(const depthwise_plan& p, const float* plane, i64 first, i64 rows,
                       float* to) noexcept {
  const i64 begin = first * p.stride_y - p.top,
            n = (rows - 1) * p.stride_y + (p.taps_y - 1) * p.dilation_y + 1, end = begin + n;
  i64 low = begin > 0 ? begin : 0, high = end < p.height ? end : p.height;  // rows of the image
  if (low > high) low = high = begin > 0 ? end : begin;
  const auto clear = [&](i64 from, i64 past) {
    std::memset(to + (from - begin) * p.pitch(), 0,
                static_cast<std::size_t>((past - from) * p.pitch()) * sizeof(float));
  };
  if (low > begin) clear(begin, low);
  copy_rows(p, plane + low * p.row_step, high - low, to + (low - begin) * p.pitch());
  // What the next strip reads, of this plane or the next.
  const auto* next = reinterpret_cast<const std::byte*>(plane + high * p.row_step);
  for (i64 i = 0, bytes = (high - low) * p.row_step * 4; i < bytes; i += 64)
    __builtin_prefetch(next + i);
  if (end > high) clear(high, end);
}

/// Where tiles of a strip read and write.
struct strip_place {
  const float* in;
  i64 in_row;  ///< from an output row to the next
  const std::int32_t* tap;
  const float* weights;
  i64 taps;
  float* out;
  i64 out_row, columns;   ///< columns: outputs that a row has left
  float bias, low, high;  ///< what follows the sums
};
[[gnu::always_inline]] inline real closed(const strip_place& s, real sum) noexcept {
  return bounded(sum + real(s.bias), real(s.low), real(s.high));
}
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void store_strip(const strip_place& s,
                                               const real (&acc)[Rows][Vectors]) noexcept {
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      float* to = s.out + r * s.out_row + v * width;
      const real y = closed(s, acc[r][v]);
      if (s.columns >= Vectors * width)
        store(y, to);
      else if (s.columns > v * width)
        store_part(y, to, s.columns - v * width < width ? s.columns - v * width : i64{width});
    }
}
/// Any taps, in order.
template <int Rows, int Vectors> [[gnu::noinline]] void strip_tile(const strip_place& s) noexcept {
  real acc[Rows][Vectors];
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
  for (i64 t = 0; t < s.taps; ++t) {
    const float* in = s.in + s.tap[t];
    const real weight(s.weights[t]);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v)
        acc[r][v] = fma(load(in + r * s.in_row + v * width), weight, acc[r][v]);
  }
  store_strip(s, acc);
}
/// 3 x 3 taps without dilation: an input row is loaded once for all output rows that see it. From
/// top to bottom, so that every output takes its terms in order.
template <int Rows, int Vectors, int Stride>
[[gnu::noinline]] void strip_tile_3x3(const strip_place& s) noexcept {
  real acc[Rows][Vectors], weight[9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) weight[t] = real(s.weights[t]);
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) acc[r][v] = real(0.0f);
  const i64 row = s.in_row / Stride;
#pragma GCC unroll 9
  for (int y = 0; y < (Rows - 1) * Stride + 3; ++y)
#pragma GCC unroll 3
    for (int x = 0; x < 3; ++x)
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) {
        const real in = load(s.in + y * row + s.tap[x] + v * width);
#pragma GCC unroll 4
        for (int r = 0; r < Rows; ++r) {
          const int tap = y - r * Stride;
          if (tap >= 0 && tap < 3) acc[r][v] = fma(in, weight[tap * 3 + x], acc[r][v]);
        }
      }
  store_strip(s, acc);
}
using strip_type = void (*)(const strip_place&) noexcept;
inline strip_type find_strip_tile(const depthwise_plan& p, i64 rows, i64 columns) noexcept {
  const bool wide = columns > width, nine = p.taps_y == 3 && p.taps_x == 3 && p.dilation_y == 1;
  if (rows < strip_rows) return wide ? &strip_tile<1, 2> : &strip_tile<1, 1>;
  if (nine && p.stride_y == 1) return wide ? &strip_tile_3x3<4, 2, 1> : &strip_tile_3x3<4, 1, 1>;
  if (nine && p.stride_y == 2) return wide ? &strip_tile_3x3<4, 2, 2> : &strip_tile_3x3<4, 1, 2>;
  return wide ? &strip_tile<4, 2> : &strip_tile<4, 1>;
}
/// All outputs of a strip. What does not fill a last tile is computed by one that moves back.
inline void sum_strip(const depthwise_plan& p, strip_place s, i64 rows) noexcept {
  const i64 columns = p.column.extent, many = rows < strip_rows ? 1 : strip_rows,
            wide = columns > width ? 2 * width : width;
  const strip_type tile = find_strip_tile(p, rows, columns);
  const float* in = s.in;
  float* out = s.out;
  for (i64 r = 0; r < rows; r += many) {
    const i64 y = r + many <= rows ? r : rows - many;
    for (i64 c = 0; c < columns; c += wide) {
      const i64 x = c + wide <= columns ? c : columns > wide ? columns - wide : 0;
      s.in = in + y * s.in_row + x;
      s.out = out + y * s.out_row + x;
      s.columns = columns - x;
      tile(s);
    }
  }
}

/// What 3 taps of neighbouring outputs see of an input row: for stride 2, the even elements, the
/// odd ones, and the even ones from the second on.
template <int Stride> struct taps_of_row {
  between first, second, third;
  taps_of_row(i64 at, i64 n) noexcept
      : first(at, n),
        second(at + (Stride == 1 ? 1 : width), n),
        third(at + (Stride == 1 ? 2 : 2 * width), n) {}
  /// From the address of the first element.
  [[gnu::always_inline]] void read(const float* p, real* in) const noexcept {
    in[0] = first.load_at(p);
    in[1] = second.load_at(p + (Stride == 1 ? 1 : width));
    in[2] = third.load_at(p + (Stride == 1 ? 2 : 2 * width));
    if constexpr (Stride == 2) {
      const real low = in[0], high = in[1];
      in[0] = shuffled(low, high, evens_of{});
      in[1] = shuffled(low, high, odds_of{});
      in[2] = shuffled(in[0], in[2], next_of{});
    }
  }
};
/// What rows in the padding are read from.
alignas(64) inline constexpr float padding[4 * width] = {};

/// 3 x 3 taps of a register's width of columns from `x` on, for output rows [first, first + rows),
/// from the image itself. Rows that lie in the padding are zeros: they are multiplied just as well.
/// A last tile of rows moves back.
template <int Rows, int Stride>
[[gnu::noinline]] void direct_columns(const depthwise_plan& p, const strip_place& s, i64 first,
                                      i64 rows, i64 x) noexcept {
  real weight[9];
#pragma GCC unroll 9
  for (int t = 0; t < 9; ++t) weight[t] = real(s.weights[t]);
  const taps_of_row<Stride> taps(x * Stride - p.left, p.width);
  const i64 height = p.height, step = p.row_step, last = p.line.extent - Rows, out_row = s.out_row,
            columns = s.columns;
  for (i64 done = 0; done < rows; done += Rows) {
    const i64 y = first + done < last ? first + done : last;
    real acc[Rows];
#pragma GCC unroll 7
    for (int r = 0; r < Rows; ++r) acc[r] = real(0.0f);
    const i64 row = y * Stride - p.top;
    const float* at = s.in + row * step + taps.first.at;
#pragma GCC unroll 15
    for (int i = 0; i < (Rows - 1) * Stride + 3; ++i, at += step) {
      real in[3];
      const bool inside = static_cast<std::uint64_t>(row + i) < static_cast<std::uint64_t>(height);
      taps.read(inside ? at : padding, in);
#pragma GCC unroll 7
      for (int r = 0; r < Rows; ++r) {
        const int tap = i - r * Stride;
        if (tap < 0 || tap > 2) continue;
        acc[r] = fma(in[0], weight[tap * 3], acc[r]);
        acc[r] = fma(in[1], weight[tap * 3 + 1], acc[r]);
        acc[r] = fma(in[2], weight[tap * 3 + 2], acc[r]);
      }
    }
    float* out = s.out + y * out_row + x;
#pragma GCC unroll 7
    for (int r = 0; r < Rows; ++r) acc[r] = closed(s, acc[r]);
    if (columns >= width) {
#pragma GCC unroll 7
      for (int r = 0; r < Rows; ++r) store(acc[r], out + r * out_row);
    } else {
#pragma GCC unroll 7
      for (int r = 0; r < Rows; ++r) store_part(acc[r], out + r * out_row, columns);
    }
  }
}
/// Output rows [first, first + rows) of a plane from the image itself. Last tiles move back.
inline void sum_directly(const depthwise_plan& p, strip_place s, i64 first, i64 rows) noexcept {
  const i64 columns = p.column.extent;
  for (i64 c = 0; c < columns; c += width) {
    const i64 x = c + width <= columns ? c : columns > width ? columns - width : 0;
    s.columns = columns - x;
    (p.stride_x == 1 ? direct_columns<direct_rows, 1> : direct_columns<direct_rows, 2>)(p, s, first,
                                                                                        rows, x);
  }
}

/// One strip of one output plane.
inline void run_strip(const depthwise_work& w, const frame& f, i64 plane, i64 first,
                      float* memory) noexcept {
  const depthwise_plan& p = w.plan;
  const i64 at[] = {plane / p.filter.extent / p.channel.extent,
                    plane / p.filter.extent % p.channel.extent, plane % p.filter.extent};
  const output_axis* axes[] = {&p.image, &p.channel, &p.filter};
  i64 in = p.offset, filter = p.filter_offset, out = first * p.line.out, offset[max_operands];
  for (int k = 0; k < p.after.operands; ++k)
    offset[k] = p.after.offset[k] + first * p.line.epilogue[k];
  for (int i = 0; i < 3; ++i) {
    in += at[i] * axes[i]->q;
    filter += at[i] * axes[i]->p;
    out += at[i] * axes[i]->out;
    for (int k = 0; k < p.after.operands; ++k) offset[k] += at[i] * axes[i]->epilogue[k];
  }
  const i64 left = p.line.extent - first, rows = left < p.strip ? left : p.strip,
            columns = p.column.extent;
  float* copied = memory;
  const float* weights = reinterpret_cast<const float*>(f.base[p.filter_root]) + filter;
  if (p.filters_packed) {
    float* gathered = memory + p.table;
    for (i64 t = 0; t < p.taps(); ++t)
      gathered[t] = weights[t / p.taps_x * p.tap_y + t % p.taps_x * p.tap_x];
    weights = gathered;
  }
  const float* image = reinterpret_cast<const float*>(f.base[p.root]) + in;
  float* to = reinterpret_cast<float*>(f.base[p.out_root]) + p.out_offset + out;
  const closing& e = w.after;
  const float bias = e.used && e.bias >= 0 ? *operand_at(p.after, f, offset, e.bias) : -0.0f;
  const bool plain = w.epilogue.run == nullptr || e.used;  // else this changes nothing
  if (p.direct && plain)
    return sum_directly(p,
                        {image, 0, nullptr, weights, 9, to - first * p.line.out, p.line.out, 0,
                         bias, e.low, e.high},
                        first, rows);
  copy_strip(p, image, first, rows, copied);
  float* sums = plain ? to : memory + p.copied;
  sum_strip(p,
            {copied, p.stride_y * p.pitch(), w.taps, weights, p.taps(), sums,
             plain ? p.line.out : columns, 0, bias, e.low, e.high},
            rows);
  const auto step = [&](int k) { return p.column.epilogue[k]; };
  for (i64 r = 0; r < (plain ? 0 : p.at_once ? 1 : rows); ++r) {
    finish(p.after, w.epilogue, f, offset, step, sums + r * columns, to + r * p.line.out,
           p.at_once ? rows * columns : columns);
    for (int k = 0; k < p.after.operands; ++k) offset[k] += p.line.epilogue[k];
  }
}
inline void run_planes(const depthwise_work& w, const frame& f) noexcept {
  const depthwise_plan& p = w.plan;
  const i64 strips = (p.line.extent + p.strip - 1) / p.strip,
            planes = p.image.extent * p.channel.extent * p.filter.extent;
  f.threads(planes * strips, 1 + 65536 / (p.strip * p.column.extent * p.taps()),
            [&](i64 begin, i64 end, int thread) {
              auto* memory = reinterpret_cast<float*>(f.thread_memory + thread * f.thread_bytes);
              for (i64 u = begin; u < end; ++u)
                run_strip(w, f, u / strips, u % strips * p.strip, memory);
            });
}

/// Neighbouring channels of one pixel: `tap` lists the addresses of their inputs.
template <int Vectors>
[[gnu::noinline]] void channel_tile(const float* const* tap, i64 taps, i64 at, const float* weights,
                                    i64 weights_row, float* out, i64 n) noexcept {
  real acc[Vectors];
#pragma GCC unroll 4
  for (int v = 0; v < Vectors; ++v) acc[v] = real(0.0f);
  if (Vectors > 1 || n == width) {
    for (i64 t = 0; t < taps; ++t)
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v)
        acc[v] = fma(load(tap[t] + at + v * width),
                     load(weights + t * weights_row + at + v * width), acc[v]);
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(acc[v], out + at + v * width);
  } else {
    for (i64 t = 0; t < taps; ++t)
      acc[0] = fma(load_part(tap[t] + at, n), load_part(weights + t * weights_row + at, n), acc[0]);
    store_part(acc[0], out + at, n);
  }
}
/// All channels of one output pixel, and their epilogue.
inline void run_pixel(const depthwise_work& w, const frame& f, const float* const* tap, i64 image,
                      i64 y, i64 x, const float* weights, i64 weights_row) noexcept {
  const depthwise_plan& p = w.plan;
  const i64 n = p.channel.extent;
  float* out = reinterpret_cast<float*>(f.base[p.out_root]) + p.out_offset + image * p.image.out +
               y * p.line.out + x * p.column.out;
  i64 c = 0;
  for (; c + 4 * width <= n; c += 4 * width)
    channel_tile<4>(tap, p.taps(), c, weights, weights_row, out, 4 * width);
  for (; c < n; c += width)
    channel_tile<1>(tap, p.taps(), c, weights, weights_row, out,
                    n - c < width ? n - c : i64{width});
  if (w.epilogue.run == nullptr) return;
  i64 offset[max_operands];
  for (int k = 0; k < p.after.operands; ++k)
    offset[k] = p.after.offset[k] + image * p.image.epilogue[k] + y * p.line.epilogue[k] +
                x * p.column.epilogue[k];
  finish(
      p.after, w.epilogue, f, offset, [&](int k) { return p.channel.epilogue[k]; }, out, out, n);
}
/// [tap][channel] of filters that lie otherwise.
inline void pack_filters(const depthwise_plan& p, const float* from, float* to) noexcept {
  for (i64 y = 0; y < p.taps_y; ++y)
    for (i64 x = 0; x < p.taps_x; ++x, to += p.channel.extent)
      gather(from + y * p.tap_y + x * p.tap_x, p.channel.p, to, p.channel.extent);
}
/// The addresses of a pixel's inputs, tap by tap; in the padding, zeros.
inline void list_taps(const depthwise_plan& p, const frame& f, i64 image, i64 y, i64 x,
                      const float* zeros, const float** tap) noexcept {
  const float* from = reinterpret_cast<const float*>(f.base[p.root]) + p.offset + image * p.image.q;
  for (i64 i = 0; i < p.taps_y; ++i)
    for (i64 j = 0; j < p.taps_x; ++j) {
      const i64 row = y * p.stride_y + i * p.dilation_y - p.top,
                column = x * p.stride_x + j * p.dilation_x - p.left;
      const bool inside = row >= 0 && row < p.height && column >= 0 && column < p.width;
      *tap++ = inside ? from + row * p.row_step + column * p.column_step : zeros;
    }
}
inline void run_channels(const depthwise_work& w, const frame& f) noexcept {
  const depthwise_plan& p = w.plan;
  const float* filters = reinterpret_cast<const float*>(f.base[p.filter_root]) + p.filter_offset;
  std::byte* scratch = f.arena + w.scratch_offset;
  const float* packed = filters;
  i64 packed_row = p.channel.extent;
  if (p.filters_packed && p.at_binding) {
    packed = reinterpret_cast<const float*>(w.packed);
  } else if (p.filters_packed) {
    pack_filters(p, filters, reinterpret_cast<float*>(scratch));
    packed = reinterpret_cast<const float*>(scratch);
  } else {
    packed_row = p.tap_x;
  }
  f.threads(p.image.extent * p.line.extent,
            1 + 65536 / (p.column.extent * p.taps() * p.channel.extent),
            [&](i64 begin, i64 end, int thread) {
              auto* zeros = reinterpret_cast<float*>(f.thread_memory + thread * f.thread_bytes);
              std::memset(zeros, 0, static_cast<std::size_t>(p.channel.extent) * sizeof(float));
              auto* tap = reinterpret_cast<const float**>(zeros + p.table);
              for (i64 u = begin; u < end; ++u)
                for (i64 x = 0; x < p.column.extent; ++x) {
                  const i64 image = u / p.line.extent, y = u % p.line.extent;
                  list_taps(p, f, image, y, x, zeros, tap);
                  run_pixel(w, f, tap, image, y, x, packed, packed_row);
                }
            });
}

inline void run_depthwise(const depthwise_work& w, const frame& f) noexcept {
  (w.plan.planes ? run_planes : run_channels)(w, f);
}
/// The epilogue as something that tiles of planes do: a bias and bounds.
inline closing closing_of(const depthwise_plan& t, const table_view& table) noexcept {
  epilogue_role roles[max_operands];
  for (int k = 0; k < t.after.operands; ++k)
    roles[k] = t.after.root[k] < 0 ? epilogue_role::sums
               : t.planes && t.line.epilogue[k] == 0 && t.column.epilogue[k] == 0
                   ? epilogue_role::constant
                   : epilogue_role::other;
  const range program = table.programs[t.after.program];
  return read_closing({table.code.data + program.begin, program.size}, roles);
}
inline const depthwise_work* bind_depthwise(const binding<function>& b) noexcept {
  auto* w = new (b.bound) depthwise_work{};
  w->plan = plan_depthwise(*b.plan, b.group);
  const depthwise_plan& t = w->plan;
  w->packed = b.packed;
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (t.after.program >= 0) {
    w->epilogue = b.functions[t.after.program];
    w->after = closing_of(t, b.plan->table);
  }
  auto* tap = reinterpret_cast<std::int32_t*>(b.bound + aligned(static_cast<i64>(sizeof(*w))));
  for (i64 i = 0; i < t.taps() && t.planes; ++i) {
    const i64 down = i / t.taps_x * t.dilation_y, along = i % t.taps_x * t.dilation_x;
    tap[i] = static_cast<std::int32_t>(down * t.pitch() + along % t.stride_x * t.phase +
                                       along / t.stride_x);
  }
  w->taps = tap;
  if (b.packs && t.filters_packed && t.at_binding)
    pack_filters(t, reinterpret_cast<const float*>(b.weights[t.filter_root]) + t.filter_offset,
                 reinterpret_cast<float*>(b.packed));
  return w;
}

}  // namespace tenon::simd
