// Lines of pixels inside a flattened image: which of its positions are outputs, and where they go.
//
// Where vectors are filled with pixels, tiles run over the image as one long line: an output's
// position is line * pitch + column, `pitch` elements from a line to the next. If lines of the
// image are longer than those of the output, some positions are gaps: they are summed like all
// others and left out when they are stored.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_work.hpp>
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/tile_operands.hpp>

namespace tenon::simd {

/// True if all positions of an image in place are outputs, in the same order.
inline bool is_dense(const contract_plan& plan) noexcept {
  return plan.form == vector_form::image && plan.pitch == plan.column.extent &&
         plan.line.out == plan.column.extent;
}
/// True if tiles can leave out the gaps when they store: with masks, and lines that are not so
/// short that a register has more of them than `line_stores` holds.
inline bool skips_gaps(const contract_plan& plan) noexcept {
  return masks_loads && !is_dense(plan) && plan.pitch * (line_stores::max_stretches - 2) >= width;
}
/// True if tiles of pixels write to the output themselves.
inline bool stores_pixels(const contract_work& work) noexcept {
  return (is_dense(work.plan) || skips_gaps(work.plan)) && work.is_fused();
}
/// Walks over the lines of a flattened image.
struct line_walk {
  const contract_plan& plan;
  i64 line, begin;  ///< the line, and the position of its first pixel
  line_walk(const contract_plan& of, i64 first) noexcept
      : plan(of), line(first / of.pitch), begin(line * of.pitch) {}
  /// The stores of a tile that begins at position `tile`, for its outputs in [first, last).
  line_stores stores(i64 tile, i64 first, i64 last) noexcept {
    line_stores s{};
    for (int v = 0; v < tile_vectors; ++v, tile += width) {
      const i64 end = tile + width < last ? tile + width : last;
      int n = 0;
      for (i64 at = tile < first ? first : tile; at < end;) {
        for (; begin + plan.pitch <= at; begin += plan.pitch) ++line;
        const i64 pixels = begin + plan.column.extent, stop = pixels < end ? pixels : end;
        if (at < stop) {
          s.lanes[v][n] = ((1u << (stop - at)) - 1) << (at - tile);
          s.to[v][n++] = static_cast<std::int32_t>(line * plan.line.out + tile - begin);
        }
        at = begin + plan.pitch;
      }
      s.count[v] = n;
    }
    return s;
  }
};

/// Sums of one filter in memory, for positions [first, last) of the flattened image, on their way
/// to the output: gaps are dropped, and an epilogue that tiles cannot compute runs here.
class line_output {
 public:
  line_output(const placed_piece& of, i64 first, i64 last) noexcept
      : p_(of), plan_(of.plan), first_(first), last_(last) {}

  /// `offset`: the epilogue's operands at the filter's first output, `out`.
  void write(const i64* offset, float* sums, float* out) const noexcept {
    const bool plain = p_.call.work.is_fused(), dense = plan_.pitch == plan_.column.extent;
    // Operands that are one number for the whole filter do not care about gaps: one call.
    if (!plain && plan_.pixelwise_constant)
      p_.epilogue.run(offset, plan_.column.epilogue, sums, sums, last_ - first_);
    const bool done = plain || plan_.pixelwise_constant,
               at_once = !done && plan_.stretch > plan_.column.extent;  // lines are one stretch
    if (dense && at_once)
      return run_epilogue({offset, first_, 0}, sums, out + first_, last_ - first_);
    // Line by line. If the epilogue can run at once, gaps are closed first: it then runs in place,
    // over the output.
    i64 begin = -1, end = -1;
    for (i64 at = first_; at < last_;) {
      const i64 y = at / plan_.pitch, x = at - y * plan_.pitch, next = (y + 1) * plan_.pitch,
                stop = next < last_ ? next : last_;
      const i64 n = plan_.column.extent - x < stop - at ? plan_.column.extent - x : stop - at;
      if (n > 0) {
        float* to = out + y * plan_.line.out + x;
        if (done || at_once)
          std::memcpy(to, sums + (at - first_), static_cast<std::size_t>(n) * sizeof(float));
        else
          run_epilogue({offset, x, y}, sums + (at - first_), to, n);
        if (begin < 0) begin = y * plan_.column.extent + x;
        end = y * plan_.column.extent + x + n;
      }
      at = stop;
    }
    if (at_once && begin >= 0)
      run_epilogue({offset, begin, 0}, out + begin, out + begin, end - begin);
  }

 private:
  struct pixel {
    const i64* offset;
    i64 x, y;
  };
  /// Runs the epilogue over `n` outputs from a pixel on.
  void run_epilogue(const pixel& from, const float* sums, float* to, i64 n) const noexcept {
    i64 offset[max_operands];
    for (int k = 0; k < plan_.epilogue.operands; ++k)
      offset[k] =
          from.offset[k] + from.x * plan_.column.epilogue[k] + from.y * plan_.line.epilogue[k];
    p_.epilogue.run(offset, plan_.column.epilogue, sums, to, n);
  }

  const placed_piece& p_;
  const contract_plan& plan_;
  i64 first_, last_;
};

}  // namespace tenon::simd
