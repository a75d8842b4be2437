// Depthwise convolutions with channels last: pixel by pixel, neighbouring channels in a register.
//
// For each output pixel the addresses of its taps are listed; a tap in the edge points to zeros
// as long as the channels. Then tiles of 4 registers of channels, and of 1 for the rest, go through
// the list: one load of inputs, one of weights ([tap][channel]) and one fma for each. The last
// register loads and stores a part. The epilogue runs over all channels of the pixel while they are
// in the first level of the cache.
//
// A piece of a thread is some rows of output pixels, of one image or several.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_work.hpp>
#include <tenon/policy/cpu/depthwise_plan.hpp>

namespace tenon::simd {

/// Channels from `at` on of one pixel; `tap` lists the addresses of their inputs. `n`: how many of
/// them, for the last register.
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
/// Filters as [tap][channel] and where a tap's row of them begins.
struct channel_filters {
  const float* weights;
  i64 row;
};
/// All channels of one output pixel, and their epilogue.
inline void run_pixel(const depthwise_work& w, const frame& f, const float* const* tap, i64 image,
                      i64 y, i64 x, channel_filters filters) noexcept {
  const depthwise_plan& p = w.plan;
  const i64 n = p.channel.extent;
  float* out = f.at<float>(p.out.holder, p.out.offset) + image * p.image.out + y * p.line.out +
               x * p.column.out;
  i64 c = 0;
  for (; c + 4 * width <= n; c += 4 * width)
    channel_tile<4>(tap, p.taps(), c, filters.weights, filters.row, out, 4 * width);
  for (; c < n; c += width)
    channel_tile<1>(tap, p.taps(), c, filters.weights, filters.row, out,
                    n - c < width ? n - c : i64{width});
  if (w.epilogue.run == nullptr) return;
  i64 offset[max_operands];
  for (int k = 0; k < p.epilogue.operands; ++k)
    offset[k] = p.epilogue.offset[k] + image * p.image.epilogue[k] + y * p.line.epilogue[k] +
                x * p.column.epilogue[k];
  memory_epilogue{p.epilogue, w.epilogue, f}.run(offset, p.channel.epilogue, out, out, n);
}
/// Writes filters that lie otherwise as [tap][channel].
inline void pack_filters(const depthwise_plan& p, const float* from, float* to) noexcept {
  for (i64 y = 0; y < p.down.taps; ++y)
    for (i64 x = 0; x < p.across.taps; ++x, to += p.channel.extent)
      gather(from + y * p.down.tap_step + x * p.across.tap_step, p.channel.lanes, to,
             p.channel.extent);
}
/// The addresses of a pixel's inputs, tap by tap; in the edge, zeros.
inline void list_taps(const depthwise_plan& p, const frame& f, i64 image, i64 y, i64 x,
                      const float* zeros, const float** tap) noexcept {
  const float* from = f.at<const float>(p.in.holder, p.in.offset) + image * p.image.rows;
  const axis_of_window &v = p.down, &h = p.across;
  for (i64 i = 0; i < v.taps; ++i)
    for (i64 j = 0; j < h.taps; ++j) {
      const i64 row = y * v.stride + i * v.dilation - v.begin,
                column = x * h.stride + j * h.dilation - h.begin;
      const bool inside = row >= 0 && row < v.extent && column >= 0 && column < h.extent;
      *tap++ = inside ? from + row * v.step + column * h.step : zeros;
    }
}
/// The filters as the tiles want them; packs those that are not weights into the arena.
inline channel_filters find_filters(const depthwise_work& w, const frame& f) noexcept {
  const depthwise_plan& p = w.plan;
  const float* filters = f.at<const float>(p.filters.holder, p.filters.offset);
  if (!p.filters_packed) return {filters, p.across.tap_step};
  if (p.at_binding) return {reinterpret_cast<const float*>(w.packed), p.channel.extent};
  auto* packed = f.scratch<float>(w.scratch_offset);
  pack_filters(p, filters, packed);
  return {packed, p.channel.extent};
}
inline void run_channels(const depthwise_work& w, const frame& f) noexcept {
  const depthwise_plan& p = w.plan;
  const channel_filters filters = find_filters(w, f);
  f.threads(p.image.extent * p.line.extent,
            1 + 65536 / (p.column.extent * p.taps() * p.channel.extent),
            [&](i64 begin, i64 end, int thread) {
              auto* zeros = f.thread_scratch<float>(thread);
              std::memset(zeros, 0, static_cast<std::size_t>(p.channel.extent) * sizeof(float));
              auto* tap = reinterpret_cast<const float**>(zeros + p.table);
              for (i64 u = begin; u < end; ++u)
                for (i64 x = 0; x < p.column.extent; ++x) {
                  const i64 image = u / p.line.extent, y = u % p.line.extent;
                  list_taps(p, f, image, y, x, zeros, tap);
                  run_pixel(w, f, tap, image, y, x, filters);
                }
            });
}

}  // namespace tenon::simd
