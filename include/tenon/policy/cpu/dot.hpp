// Contractions of integers on the CPU: an instruction multiplies four terms of 8 bits and adds them
// to a sum of 32. The sums become float32 when they are complete; until then nothing is rounded.
//
// Taken where both operands of a contraction dequantize 8 bits, the second one a weight whose
// numbers allow it (dot_exact.hpp). A call first writes the image in words (dot_words.hpp), then
// computes pieces: positions x filters, in tiles (dot_tile.hpp). As in contract.hpp, vectors are
// filled with pixels or with filters (`by_rows`), pieces are cut for threads so that their words
// stay in the first level of the cache, and tiles for registers. A tile's sums, scaled to float32,
// go through the thread's memory, where the epilogue runs.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract.hpp>
#include <tenon/policy/cpu/dot_exact.hpp>
#include <tenon/policy/cpu/dot_planner.hpp>
#include <tenon/policy/cpu/dot_tile.hpp>
#include <tenon/policy/cpu/dot_words.hpp>
#include <tenon/policy/policy.hpp>

namespace tenon::simd {

/// One item: its image, its matrix of weights, its offsets in the output and in the epilogue's
/// operands.
struct dot_item {
  i64 image = 0, matrix = 0, out = 0;
  i64 epilogue[max_operands]{};
  dot_item(const dot_plan& plan, i64 item) noexcept : out(plan.out_offset) {
    for (int k = 0; k < plan.epilogue.operands; ++k) epilogue[k] = plan.epilogue.offset[k];
    i64 images = 1, matrices = 1;
    for (int i = plan.item_axes - 1; i >= 0; --i) {
      const output_axis& x = plan.item[i];
      const i64 at = item % x.extent;
      item /= x.extent;
      if (x.rows != 0) image += at * images, images *= x.extent;
      if (x.lanes != 0) matrix += at * matrices, matrices *= x.extent;
      out += at * x.out;
      for (int k = 0; k < plan.epilogue.operands; ++k) epilogue[k] += at * x.epilogue[k];
    }
  }
  /// The bytes of an image by its number.
  static i64 offset_of_image(const dot_plan& plan, i64 image) noexcept {
    i64 offset = plan.offset;
    for (int i = plan.item_axes - 1; i >= 0; --i) {
      if (plan.item[i].rows == 0) continue;
      offset += image % plan.item[i].extent * plan.item[i].rows;
      image /= plan.item[i].extent;
    }
    return offset;
  }
};
/// Positions or filters [begin, end).
struct dot_range {
  i64 begin, end;
  i64 size() const noexcept { return end - begin; }
};

/// What one thread computes at a time: positions and filters of one item. The weights of a tile are
/// read once per piece in either way; the image's words are what stays in the first level.
struct dot_piece {
  const dot_work& work;
  const frame& f;
  const dot_word* images;  ///< all of them, in words
  float* sums;             ///< the thread's memory
  dot_item item;
  dot_range positions, filters;

  void run() const noexcept {
    if (work.plan.by_rows)
      run_rows();
    else
      run_pixels();
  }

 private:
  const dot_word* image() const noexcept { return images + item.image * work.plan.image_words(); }
  /// A tile without its rows: filters from number `filter` on.
  dot_tile tile_of_filters(i64 filter) const noexcept {
    const i64 number = item.matrix * work.plan.filters() + filter;
    dot_tile tile;
    tile.at = work.at;
    tile.terms = work.plan.terms();
    tile.filters = tile.lanes = work.weights + number * work.plan.terms();
    tile.first = work.first + number;
    tile.scale = work.scale + number;
    return tile;
  }
  /// Filters over neighbouring pixels. The pixels' words, of all terms, stay in the first level of
  /// the cache while one tile of filters after the other passes over them.
  void run_pixels() const noexcept {
    const even_split tiles(registers_of(positions.size()), tile_vectors);
    for (i64 filter = filters.begin; filter < filters.end; filter += tile_rows) {
      const i64 left = filters.end - filter, rows = left < tile_rows ? left : i64{tile_rows};
      dot_tile tile = tile_of_filters(filter);
      tile.out_row = dot_pixels;
      for (i64 j = 0; j < tiles.count; ++j) {
        tile.lanes = image() + positions.begin + tiles.begin(j) * width;
        tile.out = sums + tiles.begin(j) * width;
        multiply<false>(tile, rows, tiles.size(j));
      }
      for (i64 r = 0; r < rows; ++r) write_lines(filter + r, sums + r * dot_pixels);
    }
  }
  /// Sums of one filter, line by line: positions between the lines are no outputs.
  void write_lines(i64 filter, const float* from) const noexcept {
    const dot_plan& plan = work.plan;
    const i64 pitch = plan.x.plane;
    for (i64 at = positions.begin; at < positions.end;) {
      const i64 y = at / pitch, x = at % pitch,
                stop = (y + 1) * pitch < positions.end ? (y + 1) * pitch : positions.end,
                n = plan.column.extent - x < stop - at ? plan.column.extent - x : stop - at;
      if (n > 0) write(y, x, filter, {from + at - positions.begin, n});
      at = stop;
    }
  }
  /// Neighbouring filters over a few pixels, each with an address of its own. A tile's filters stay
  /// in the cache while all pixels pass.
  void run_rows() const noexcept {
    const dot_plan& plan = work.plan;
    const i64 across = plan.column.extent;
    const even_split tiles(registers_of(filters.size()), tile_vectors);
    for (i64 j = 0; j < tiles.count; ++j) {
      const i64 filter = filters.begin + tiles.begin(j) * width, left = filters.end - filter,
                room = tiles.size(j) * width;
      dot_tile tile = tile_of_filters(filter);
      tile.panel = plan.terms() * width;
      tile.out_row = tile_columns;
      for (i64 at = positions.begin; at < positions.end; at += tile_rows) {
        const i64 rows = positions.end - at < tile_rows ? positions.end - at : i64{tile_rows};
        list_pixels(at, rows, tile.row);
        tile.out = sums + (at - positions.begin) * tile_columns;
        multiply<true>(tile, rows, tiles.size(j));
      }
      for (i64 at = positions.begin; at < positions.end; ++at)
        write(at / across, at % across, filter,
              {sums + (at - positions.begin) * tile_columns, left < room ? left : room});
    }
  }
  /// Addresses of `rows` pixels from position `at` on; surplus rows of a tile read the first one.
  void list_pixels(i64 at, i64 rows, const dot_word** list) const noexcept {
    const dot_plan& plan = work.plan;
    const i64 across = plan.column.extent;
    for (i64 r = 0; r < tile_rows; ++r) {
      const i64 pixel = at + (r < rows ? r : 0);
      list[r] = image() +
                (pixel / across * plan.y.stride * plan.x.plane + pixel % across * plan.x.stride) *
                    plan.words;
    }
  }
  struct finished_sums {
    const float* at;
    i64 n;
  };
  /// Writes finished sums to the output, through the epilogue. By rows these are filters from
  /// `filter` on at one position, else neighbouring positions of one filter.
  void write(i64 y, i64 x, i64 filter, const finished_sums& from) const noexcept {
    const dot_plan& plan = work.plan;
    float* out = f.at<float>(plan.out_holder, item.out) + y * plan.line.out + x * plan.column.out +
                 filter * plan.filter.out;
    if (work.epilogue.run == nullptr) {
      std::memcpy(out, from.at, static_cast<std::size_t>(from.n) * sizeof(float));
      return;
    }
    i64 offset[max_operands];
    for (int k = 0; k < plan.epilogue.operands; ++k)
      offset[k] = item.epilogue[k] + y * plan.line.epilogue[k] + x * plan.column.epilogue[k] +
                  filter * plan.filter.epilogue[k];
    const output_axis& along = plan.by_rows ? plan.filter : plan.column;
    memory_epilogue{plan.epilogue, work.epilogue, f}.run(offset, along.epilogue, from.at, out,
                                                         from.n);
  }
};

/// The first step of a call: all images in words, into scratch.
inline void write_images(const dot_work& w, const frame& f, dot_word* images) noexcept {
  const dot_plan& plan = w.plan;
  const image_writer writer(plan, w.zero);
  const i64 pieces = image_pieces(plan);
  // A piece has 4,096 words at least.
  f.threads(plan.images * pieces, 1 + 4096 * pieces / plan.image_words(),
            [&](i64 begin, i64 end, int) {
              for (i64 i = begin; i < end; ++i)
                write_piece(
                    writer,
                    f.at<const std::byte>(plan.holder, dot_item::offset_of_image(plan, i / pieces)),
                    i % pieces, images + i / pieces * plan.image_words());
            });
}
inline void run_dot(const dot_work& w, const frame& f) noexcept {
  const dot_plan& plan = w.plan;
  auto* images = f.scratch<dot_word>(w.scratch_offset);
  write_images(w, f, images);
  const i64 unit = plan.by_rows ? width : tile_rows;  // filters that stay together
  const even_split positions(plan.positions(), plan.by_rows ? dot_rows : dot_pixels),
      filters(plan.filters() / unit, plan.by_rows ? dot_columns / width : dot_filters / tile_rows);
  const i64 words = plan.terms() * positions.size(0) * filters.size(0) * unit;
  f.threads(plan.items * positions.count * filters.count, 1 + 1000000 / words,
            [&](i64 begin, i64 end, int thread) {
              auto* sums = f.thread_scratch<float>(thread);
              for (i64 i = begin; i < end; ++i) {
                const i64 column = i % filters.count, row = i / filters.count % positions.count;
                const i64 first = filters.begin(column) * unit,
                          last = first + filters.size(column) * unit;
                dot_piece{w,
                          f,
                          images,
                          sums,
                          dot_item(plan, i / filters.count / positions.count),
                          {positions.begin(row), positions.begin(row) + positions.size(row)},
                          {first, last < plan.filter.extent ? last : plan.filter.extent}}
                    .run();
              }
            });
}

/// Offsets of the image's words of one sum, from an output's first. By rows a pixel's words are
/// neighbours; else each word has planes of its own, one for each stride phase, and a tap lies in
/// the plane of its phase.
inline void write_terms(const dot_plan& plan, dot_word* to) noexcept {
  const i64 plane = plan.y.plane * plan.x.plane;
  for (i64 c = 0; c < plan.words; ++c)
    for (i64 y = 0; y < plan.y.taps; ++y)
      for (i64 x = 0; x < plan.x.taps; ++x) {
        const i64 v = y * plan.y.dilation, h = x * plan.x.dilation, tap = y * plan.x.taps + x;
        if (plan.by_rows)
          to[tap * plan.words + c] = static_cast<dot_word>((v * plan.x.plane + h) * plan.words + c);
        else
          to[c * plan.y.taps * plan.x.taps + tap] = static_cast<dot_word>(
              ((c * plan.y.phases + v % plan.y.phases) * plan.x.phases + h % plan.x.phases) *
                  plane +
              v / plan.y.phases * plan.x.plane + h / plan.x.phases);
      }
}
/// Writes the weights in words, with zeros for missing filters and channels (not if `packed` is
/// null: they are written already), and each filter's scale and initial sum. Sums begin with
/// -zero * (sum of the weights), which cancels the image's zero point in all products.
inline void pack_filters(const dot_plan& plan, const dot_source& s, dot_word zero,
                         const dot_memory& memory, std::byte* packed) noexcept {
  const i64 unit = plan.by_rows ? width : tile_rows, bytes = plan.filters() * plan.terms() * 4;
  const float scale = s.real(plan.image_scale, plan.image_scale_at);
  if (packed != nullptr) std::memset(packed, 0, static_cast<std::size_t>(plan.matrices * bytes));
  dot_word* first = memory.first;
  float* scales = memory.scale;
  for (i64 m = 0; m < plan.matrices; ++m)
    for (i64 i = 0; i < plan.filters(); ++i, ++first, ++scales) {
      *first = 0;
      *scales = 0;
      if (i >= plan.filter.extent) continue;
      const dot_filter f(plan, m, i);
      const i64 at = m * bytes + (i / unit * plan.terms() * unit + i % unit) * 4;
      i64 sum = 0;
      f.each(plan, s, [&](i64 term, i64 byte, i64 x) {
        sum += x;
        if (packed != nullptr) packed[at + term * unit * 4 + byte] = static_cast<std::byte>(x);
      });
      *first = static_cast<dot_word>(-sum * zero);
      *scales = scale * s.real(plan.scale.holder, f.scale);
    }
}
/// Called while planning, when the weights are known: see dot_exact.hpp.
inline multiplied judge_dot(const plan_view& p, int g, const std::byte* const* weights) noexcept {
  return judge(plan_dot(p, g), {weights});
}
/// Writes plan and tables into the bound memory, packed weights into the packed memory.
inline const dot_work* bind_dot(const binding<function>& b) noexcept {
  const dot_plan plan = plan_dot(*b.plan, b.group);
  const dot_memory memory = lay_out(plan, b.bound);
  auto* w = new (memory.work) dot_work{};
  w->plan = plan;
  const dot_source source{b.weights};
  w->zero = static_cast<dot_word>(source.zero_of_image(plan) + (plan.is_signed ? 128 : 0));
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (plan.epilogue.program >= 0) w->epilogue = b.functions[plan.epilogue.program];
  write_terms(plan, memory.at);
  pack_filters(plan, source, w->zero, memory, b.packs ? b.packed : nullptr);
  w->at = memory.at;
  w->first = memory.first;
  w->scale = memory.scale;
  w->weights = reinterpret_cast<const dot_word*>(b.packed);
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
