// Contractions of integers on the CPU: an instruction multiplies four terms of 8 bits and adds them
// to a sum of 32. The sums become float32 when they are complete, and nothing has been rounded
// then.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract.hpp>
#include <tenon/policy/cpu/dot_exact.hpp>
#include <tenon/policy/cpu/dot_words.hpp>

#if defined(__GNUC__) && !defined(__clang__)  // see simd.hpp
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace tenon::simd {

[[gnu::always_inline]] inline integer load_words(const word* p) noexcept {
  return integer::load_unaligned(p);
}
/// sum + the products of four bytes each of `a`, without a sign, and `b`, with one. Sums wrap
/// around; no product is limited on its way.
[[gnu::always_inline]] inline integer dot(integer sum, integer a, integer b) noexcept {
#if defined(__AVX512VNNI__) && defined(__GNUC__) && !defined(__clang__)
  // g++ 12 copies every sum in front of its own form of the instruction, and half of them to
  // memory.
  asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.data) : "v"(a.data), "v"(b.data));
  return sum;
#elif defined(__AVX512VNNI__)
  return _mm512_dpbusd_epi32(sum, a, b);
#elif defined(__AVXVNNI__) && !defined(__AVX512F__)
  return _mm256_dpbusd_avx_epi32(sum, a, b);
#elif defined(__AVX512BW__)
  const __m512i low = _mm512_set1_epi16(255);
  const __m512i even = _mm512_madd_epi16(_mm512_and_si512(a, low),
                                         _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8)),
                odd = _mm512_madd_epi16(_mm512_srli_epi16(a, 8), _mm512_srai_epi16(b, 8));
  return sum + integer(even) + integer(odd);
#elif defined(__AVX2__)
  const __m256i low = _mm256_set1_epi16(255);
  const __m256i even = _mm256_madd_epi16(_mm256_and_si256(a, low),
                                         _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8)),
                odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
  return sum + integer(even) + integer(odd);
#elif defined(__SSE2__) && !defined(__AVX512F__)
  const __m128i low = _mm_set1_epi16(255);
  const __m128i even =
                    _mm_madd_epi16(_mm_and_si128(a, low), _mm_srai_epi16(_mm_slli_epi16(b, 8), 8)),
                odd = _mm_madd_epi16(_mm_srli_epi16(a, 8), _mm_srai_epi16(b, 8));
  return sum + integer(even) + integer(odd);
#else
  alignas(64) word x[width], y[width], z[width];
  a.store_aligned(x);
  b.store_aligned(y);
  sum.store_aligned(z);
  for (int i = 0; i < width; ++i)
    for (int k = 0; k < 32; k += 8)
      z[i] += (x[i] >> k & 255) * static_cast<std::int8_t>(y[i] >> k & 255);
  return integer::load_aligned(z);
#endif
}

// ---- the tile
// --------------------------------------------------------------------------------------

/// What a tile reads and writes. Pixels: `p` is the image, at `at[k]` for term k; `q` the filters,
/// a tile's rows of each term together. Rows: `row` are addresses of pixels, `p` panels of filters.
struct dot_tile {
  const word* at = nullptr;
  i64 terms = 0, panel = 0;
  const word *q = nullptr, *p = nullptr;
  const word* row[tile_rows]{};
  const word* first = nullptr;   ///< where the sums of each filter begin
  const float* scale = nullptr;  ///< of each filter
  float* out = nullptr;
  i64 out_row = 0;
};
template <bool ByRows, int Rows, int Vectors>
[[gnu::noinline]] void multiply(const dot_tile& t) noexcept {
  integer sum[Rows][Vectors];
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v)
      sum[r][v] = ByRows ? load_words(t.first + v * width) : integer(t.first[r]);
  const word *q = t.q, *p = t.p, *at = t.at;
  const word* row[Rows];
  for (int r = 0; r < Rows; ++r) row[r] = t.row[r];
  const i64 panel = ByRows ? t.panel : i64{width};
  for (i64 k = 0; k < t.terms; ++k) {
    const i64 offset = at[k];
    const word* own = ByRows ? p + k * width : p + offset;
    forget(own);
    integer x[Vectors];
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v) x[v] = load_words(own + v * panel);
#pragma GCC unroll 8
    for (int r = 0; r < Rows; ++r) {
      const integer y(ByRows ? row[r][offset] : q[k * tile_rows + r]);
#pragma GCC unroll 3
      for (int v = 0; v < Vectors; ++v)
        sum[r][v] = ByRows ? dot(sum[r][v], y, x[v]) : dot(sum[r][v], x[v], y);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 3
    for (int v = 0; v < Vectors; ++v)
      store(converted(sum[r][v]) * (ByRows ? load(t.scale + v * width) : real(t.scale[r])),
            t.out + r * t.out_row + v * width);
}
/// Runs the smallest tile with at least `rows` rows; what is too much is computed for nobody.
template <bool ByRows, int Vectors> inline void multiply(const dot_tile& t, i64 rows) noexcept {
  if (rows == 1) return multiply<ByRows, 1, Vectors>(t);
  if (rows <= tile_rows / 2) return multiply<ByRows, tile_rows / 2, Vectors>(t);
  multiply<ByRows, tile_rows, Vectors>(t);
}
template <bool ByRows> inline void multiply(const dot_tile& t, i64 rows, i64 vectors) noexcept {
  if (vectors == 1) return multiply<ByRows, 1>(t, rows);
  if (vectors == 2) return multiply<ByRows, 2>(t, rows);
  multiply<ByRows, 3>(t, rows);
}

// ---- a piece of work
// -------------------------------------------------------------------------------

struct dot_work {
  dot_plan plan{};
  function epilogue{};
  const word *at = nullptr, *first = nullptr, *weights = nullptr;
  const float* scale = nullptr;
  word zero = 0;
  i64 scratch_offset = 0;
};
static_assert(sizeof(dot_work) <= dot_bytes);

/// An item: which image, which matrix of weights, and offsets into the rest.
struct dot_item {
  i64 image = 0, matrix = 0, from = 0, out = 0;
  i64 epilogue[max_operands]{};
  dot_item(const dot_plan& t, i64 item) noexcept : out(t.out_offset) {
    for (int k = 0; k < t.after.operands; ++k) epilogue[k] = t.after.offset[k];
    i64 images = 1, matrices = 1;
    for (int i = t.items_axes - 1; i >= 0; --i) {
      const output_axis& x = t.item[i];
      const i64 at = item % x.extent;
      item /= x.extent;
      if (x.q != 0) image += at * images, images *= x.extent;
      if (x.p != 0) matrix += at * matrices, matrices *= x.extent;
      out += at * x.out;
      for (int k = 0; k < t.after.operands; ++k) epilogue[k] += at * x.epilogue[k];
    }
  }
  /// The bytes of an image by its number.
  static i64 offset_of_image(const dot_plan& t, i64 image) noexcept {
    i64 offset = t.offset;
    for (int i = t.items_axes - 1; i >= 0; --i) {
      if (t.item[i].q == 0) continue;
      offset += image % t.item[i].extent * t.item[i].q;
      image /= t.item[i].extent;
    }
    return offset;
  }
};
/// Writes `n` neighbouring outputs of filter `filter` and on, at a position; or of neighbouring
/// positions of it.
inline void finish_dots(const dot_work& w, const frame& f, const dot_item& item, i64 y, i64 x,
                        i64 filter, const float* sums, i64 n) noexcept {
  const dot_plan& t = w.plan;
  float* out =
      f.at<float>(t.out_root, item.out) + y * t.line.out + x * t.column.out + filter * t.filter.out;
  if (w.epilogue.run == nullptr) {
    std::memcpy(out, sums, static_cast<std::size_t>(n) * sizeof(float));
    return;
  }
  i64 offset[max_operands];
  for (int k = 0; k < t.after.operands; ++k)
    offset[k] = item.epilogue[k] + y * t.line.epilogue[k] + x * t.column.epilogue[k] +
                filter * t.filter.epilogue[k];
  const output_axis& along = t.by_rows ? t.filter : t.column;
  finish(
      t.after, w.epilogue, f, offset, [&](int k) { return along.epilogue[k]; }, sums, out, n);
}
struct dot_range {
  i64 begin, end;
  i64 size() const noexcept { return end - begin; }
};
/// Filters over neighbouring pixels.
inline void run_dot_pixels(const dot_work& w, const frame& f, const dot_item& item,
                           const word* image, dot_range positions, dot_range filters,
                           float* sums) noexcept {
  const dot_plan& t = w.plan;
  const i64 pitch = t.x.plane;
  const parts pieces(registers_of(positions.size()), tile_vectors);
  dot_tile tile;
  tile.at = w.at;
  tile.terms = t.terms();
  tile.out_row = dot_pixels;
  for (i64 i = filters.begin; i < filters.end; i += tile_rows) {
    const i64 own = item.matrix * t.filters() + i,
              rows = filters.end - i < tile_rows ? filters.end - i : i64{tile_rows};
    tile.q = w.weights + own * t.terms();
    tile.first = w.first + own;
    tile.scale = w.scale + own;
    for (i64 j = 0; j < pieces.count; ++j) {
      tile.p = image + positions.begin + pieces.begin(j) * width;
      tile.out = sums + pieces.begin(j) * width;
      multiply<false>(tile, rows, pieces.size(j));
    }
    for (i64 r = 0; r < rows; ++r)
      for (i64 at = positions.begin; at < positions.end;) {
        const i64 y = at / pitch, x = at % pitch,
                  stop = (y + 1) * pitch < positions.end ? (y + 1) * pitch : positions.end,
                  n = t.column.extent - x < stop - at ? t.column.extent - x : stop - at;
        if (n > 0)
          finish_dots(w, f, item, y, x, i + r, sums + r * dot_pixels + at - positions.begin, n);
        at = stop;
      }
  }
}
/// Neighbouring filters over a few pixels, each with an address of its own.
inline void run_dot_rows(const dot_work& w, const frame& f, const dot_item& item, const word* image,
                         dot_range positions, dot_range filters, float* sums) noexcept {
  const dot_plan& t = w.plan;
  const i64 across = t.column.extent, panel = t.terms() * width;
  const parts pieces(registers_of(filters.size()), tile_vectors);
  dot_tile tile;
  tile.at = w.at;
  tile.terms = t.terms();
  tile.panel = panel;
  tile.out_row = tile_columns;
  for (i64 j = 0; j < pieces.count; ++j) {
    const i64 filter = filters.begin + pieces.begin(j) * width,
              own = item.matrix * t.filters() + filter, left = filters.end - filter,
              room = pieces.size(j) * width;
    tile.p = w.weights + own * t.terms();
    tile.first = w.first + own;
    tile.scale = w.scale + own;
    for (i64 at = positions.begin; at < positions.end; at += tile_rows) {
      const i64 rows = positions.end - at < tile_rows ? positions.end - at : i64{tile_rows};
      for (i64 r = 0; r < tile_rows; ++r) {
        const i64 pixel = at + (r < rows ? r : 0);
        tile.row[r] =
            image +
            (pixel / across * t.y.stride * t.x.plane + pixel % across * t.x.stride) * t.words;
      }
      tile.out = sums + (at - positions.begin) * tile_columns;
      multiply<true>(tile, rows, pieces.size(j));
    }
    for (i64 at = positions.begin; at < positions.end; ++at)
      finish_dots(w, f, item, at / across, at % across, filter,
                  sums + (at - positions.begin) * tile_columns, left < room ? left : room);
  }
}

inline void run_dot(const dot_work& w, const frame& f) noexcept {
  const dot_plan& t = w.plan;
  auto* images = f.scratch<word>(w.scratch_offset);
  const image_writer writer(t, w.zero);
  const i64 lines = image_units(t);
  f.threads(t.images * lines, 1 + 4096 * lines / t.image_words(), [&](i64 begin, i64 end, int) {
    for (i64 u = begin; u < end; ++u)
      write_unit(writer, f.at<const std::byte>(t.root, dot_item::offset_of_image(t, u / lines)),
                 u % lines, images + u / lines * t.image_words());
  });
  const parts blocks(t.positions(), t.by_rows ? dot_rows : dot_pixels),
      chunks(t.filters() / (t.by_rows ? width : tile_rows),
             t.by_rows ? dot_columns / width : dot_filters / tile_rows);
  const i64 unit = t.by_rows ? width : tile_rows;
  const i64 work = t.terms() * blocks.size(0) * chunks.size(0) * unit;
  f.threads(t.items * blocks.count * chunks.count, 1 + 1000000 / work,
            [&](i64 begin, i64 end, int thread) {
              auto* sums = f.thread_scratch<float>(thread);
              for (i64 u = begin; u < end; ++u) {
                const i64 chunk = u % chunks.count, place = u / chunks.count % blocks.count;
                const dot_item item(t, u / chunks.count / blocks.count);
                const i64 first = chunks.begin(chunk) * unit,
                          last = first + chunks.size(chunk) * unit;
                (t.by_rows ? run_dot_rows : run_dot_pixels)(
                    w, f, item, images + item.image * t.image_words(),
                    {blocks.begin(place), blocks.begin(place) + blocks.size(place)},
                    {first, last < t.filter.extent ? last : t.filter.extent}, sums);
              }
            });
}

// ---- binding
// ---------------------------------------------------------------------------------------

/// Where each term of a sum is, from an output's first.
inline void write_terms(const dot_plan& t, word* to) noexcept {
  const i64 plane = t.y.plane * t.x.plane;
  for (i64 c = 0; c < t.words; ++c)
    for (i64 y = 0; y < t.y.taps; ++y)
      for (i64 x = 0; x < t.x.taps; ++x) {
        const i64 v = y * t.y.dilation, h = x * t.x.dilation, tap = y * t.x.taps + x;
        if (t.by_rows)
          to[tap * t.words + c] = static_cast<word>((v * t.x.plane + h) * t.words + c);
        else
          to[c * t.y.taps * t.x.taps + tap] = static_cast<word>(
              ((c * t.y.phases + v % t.y.phases) * t.x.phases + h % t.x.phases) * plane +
              v / t.y.phases * t.x.plane + h / t.x.phases);
      }
}
/// Writes the weights in words, where their sums begin, and their scales.
inline void pack_filters(const dot_plan& t, const dot_source& s, word zero, bool packs,
                         std::byte* packed, word* first, float* scales) noexcept {
  const i64 unit = t.by_rows ? width : tile_rows, bytes = t.filters() * t.terms() * 4;
  const float scale = s.real(t.image_scale, t.image_scale_at);
  if (packs) std::memset(packed, 0, static_cast<std::size_t>(t.matrices * bytes));
  for (i64 m = 0; m < t.matrices; ++m)
    for (i64 i = 0; i < t.filters(); ++i, ++first, ++scales) {
      *first = 0;
      *scales = 0;
      if (i >= t.filter.extent) continue;
      const dot_filter f(t, m, i);
      std::byte* own = packed + m * bytes + (i / unit * t.terms() * unit + i % unit) * 4;
      i64 sum = 0;
      f.each(t, s, [&](i64 term, i64 byte, i64 x) {
        sum += x;
        if (packs) own[term * unit * 4 + byte] = static_cast<std::byte>(x);
      });
      *first = static_cast<word>(-sum * zero);
      *scales = scale * s.real(t.scale.root, f.scale);
    }
}
inline multiplied judge_dot(const plan_view& p, int g, const std::byte* const* weights) noexcept {
  return judge(plan_dot(p, g), {weights});
}
/// Writes plan and tables into the bound memory, packed weights into the packed memory.
inline const dot_work* bind_dot(const binding<function>& b) noexcept {
  auto* w = new (b.bound) dot_work{};
  w->plan = plan_dot(*b.plan, b.group);
  const dot_plan& t = w->plan;
  const dot_source source{b.weights};
  w->zero = static_cast<word>(source.zero_of_image(t) + (t.is_signed ? 128 : 0));
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (t.after.program >= 0) w->epilogue = b.functions[t.after.program];
  const i64 all = aligned(t.matrices * t.filters() * 4);
  auto* at = reinterpret_cast<word*>(b.bound + dot_bytes);
  auto* first = reinterpret_cast<word*>(b.bound + dot_bytes + aligned(t.terms() * 4));
  auto* scales = reinterpret_cast<float*>(reinterpret_cast<std::byte*>(first) + all);
  write_terms(t, at);
  pack_filters(t, source, w->zero, b.packs, b.packed, first, scales);
  w->at = at;
  w->first = first;
  w->scale = scales;
  w->weights = reinterpret_cast<const word*>(b.packed);
  return w;
}

/// What a policy needs of this file, by address: only graphs that dequantize compile it.
struct dot_kernels {
  multiplied (*judge)(const plan_view&, int group, const std::byte* const* weights) noexcept;
  const void* (*bind)(const binding<function>&) noexcept;
  void (*run)(const void*, const frame&) noexcept;
};
template <int One = 1> inline constexpr dot_kernels dots{
    &judge_dot, [](const binding<function>& b) noexcept -> const void* { return bind_dot(b); },
    [](const void* w, const frame& f) noexcept { run_dot(*static_cast<const dot_work*>(w), f); }};

}  // namespace tenon::simd

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
