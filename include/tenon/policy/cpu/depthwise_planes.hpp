// Depthwise convolutions with channels first: plane by plane, in strips of rows.
//
// A piece of a thread is some strips, numbered through all planes; strips of one plane are
// neighbours, so that the input rows that two of them share are likely still in the cache. Each is
// either read directly (depthwise_direct.hpp) or copied first (depthwise_strip.hpp). An epilogue of
// a bias and limits is computed in the tile's registers; any other one runs as a program over the
// strip's sums, which wait in the thread's memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_work.hpp>
#include <tenon/policy/cpu/depthwise_direct.hpp>

namespace tenon::simd {

/// Where a strip begins in all operands, in elements.
struct strip_offsets {
  i64 in = 0, filter = 0, out = 0;
  i64 epilogue[max_operands];

  /// The strip of output plane `plane` whose first row is `first`. `in` is the input plane's first
  /// element, because the input rows depend on the edge.
  strip_offsets(const depthwise_plan& p, i64 plane, i64 first) noexcept
      : in(p.in.offset), filter(p.filters.offset), out(first * p.line.out) {
    const i64 at[] = {plane / p.filter.extent / p.channel.extent,
                      plane / p.filter.extent % p.channel.extent, plane % p.filter.extent};
    const output_axis* axes[] = {&p.image, &p.channel, &p.filter};
    for (int k = 0; k < p.epilogue.operands; ++k)
      epilogue[k] = p.epilogue.offset[k] + first * p.line.epilogue[k];
    for (int i = 0; i < 3; ++i) {
      in += at[i] * axes[i]->rows;
      filter += at[i] * axes[i]->lanes;
      out += at[i] * axes[i]->out;
      for (int k = 0; k < p.epilogue.operands; ++k) epilogue[k] += at[i] * axes[i]->epilogue[k];
    }
  }
};
/// The taps of a plane one after another: in place, or gathered into `room`.
inline const float* taps_of_plane(const depthwise_plan& p, const float* weights,
                                  float* room) noexcept {
  if (!p.filters_packed) return weights;
  for (i64 t = 0; t < p.taps(); ++t)
    room[t] = weights[t / p.across.taps * p.down.tap_step + t % p.across.taps * p.across.tap_step];
  return room;
}
/// Runs the epilogue's program over a strip's sums: at once where the output and all operands go on
/// evenly from a line to the next, else line by line.
inline void run_strip_epilogue(const depthwise_work& w, const frame& f, i64* offset,
                               const float* sums, float* to, i64 rows) noexcept {
  const depthwise_plan& p = w.plan;
  const i64 columns = p.column.extent;
  const memory_epilogue epilogue{p.epilogue, w.epilogue, f};
  for (i64 r = 0; r < (p.at_once ? 1 : rows); ++r) {
    epilogue.run(offset, p.column.epilogue, sums + r * columns, to + r * p.line.out,
                 p.at_once ? rows * columns : columns);
    for (int k = 0; k < p.epilogue.operands; ++k) offset[k] += p.line.epilogue[k];
  }
}
/// One strip of one output plane.
inline void run_strip(const depthwise_work& w, const frame& f, i64 plane, i64 first,
                      float* memory) noexcept {
  const depthwise_plan& p = w.plan;
  strip_offsets at(p, plane, first);
  const i64 left = p.line.extent - first, rows = left < p.strip ? left : p.strip;
  const float* image = f.at<const float>(p.in.holder, at.in);
  const float* weights =
      taps_of_plane(p, f.at<const float>(p.filters.holder, at.filter), memory + p.table);
  float* out = f.at<float>(p.out.holder, p.out.offset) + at.out;
  const fused_epilogue& e = w.fused;
  // Without a bias -0 is added, which changes nothing, not even the sign of a zero.
  const float bias = e.used && e.bias >= 0
                         ? *memory_epilogue{p.epilogue, w.epilogue, f}.operand(at.epilogue, e.bias)
                         : -0.0f;
  const bool in_tiles = w.epilogue.run == nullptr || e.used;
  if (p.direct && in_tiles)
    return sum_directly(p,
                        {image, 0, nullptr, weights, 9, out - first * p.line.out, p.line.out, 0,
                         bias, e.low, e.high},
                        first, rows);
  float* copied = memory;
  copy_strip(p, image, first, rows, copied);
  float* sums = in_tiles ? out : memory + p.copied;
  sum_strip(p,
            {copied, p.down.stride * p.pitch(), w.taps, weights, p.taps(), sums,
             in_tiles ? p.line.out : p.column.extent, 0, bias, e.low, e.high},
            rows);
  if (!in_tiles) run_strip_epilogue(w, f, at.epilogue, sums, out, rows);
}
inline void run_planes(const depthwise_work& w, const frame& f) noexcept {
  const depthwise_plan& p = w.plan;
  const i64 strips = (p.line.extent + p.strip - 1) / p.strip,
            planes = p.image.extent * p.channel.extent * p.filter.extent;
  // A piece has at least 65,536 multiplications, so that starting a thread pays.
  f.threads(planes * strips, 1 + 65536 / (p.strip * p.column.extent * p.taps()),
            [&](i64 begin, i64 end, int thread) {
              auto* memory = f.thread_scratch<float>(thread);
              for (i64 u = begin; u < end; ++u)
                run_strip(w, f, u / strips, u % strips * p.strip, memory);
            });
}

/// Offsets of the taps in a copied strip: down by rows, across by phase and position in it.
inline void write_strip_taps(const depthwise_plan& p, std::int32_t* tap) noexcept {
  for (i64 i = 0; i < p.taps(); ++i) {
    const i64 down = i / p.across.taps * p.down.dilation,
              across = i % p.across.taps * p.across.dilation;
    tap[i] = static_cast<std::int32_t>(down * p.pitch() + across % p.across.stride * p.phase +
                                       across / p.across.stride);
  }
}

}  // namespace tenon::simd
