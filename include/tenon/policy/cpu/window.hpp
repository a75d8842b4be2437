// Pooling on the CPU.
//
// Three ways to run, chosen at binding (`choose_window`):
//
//   window_rows   any window: rows of column results, then across them (window_rows.hpp)
//   halve_rows    2 or 3 columns with stride 2: in registers (window_small.hpp)
//   whole_planes  one window that is a whole small plane: planes side by side (window_small.hpp)
//
// A piece of a thread is some output rows, numbered through all planes; with `whole_planes` a row
// is a plane. An output is computed by one thread in one order. Pools of integers are elsewhere:
// byte_window.hpp and reduce_integers.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/program.hpp>
#include <tenon/policy/cpu/window_small.hpp>
#include <tenon/policy/policy.hpp>
#include <new>

namespace tenon::simd {

/// Picks the functions of a plan.
template <combine How> void choose_window(window_plan& p) noexcept {
  p.rows = &window_rows<How>;
  if (halves(p)) p.rows = p.w.swept[1].taps == 2 ? &halve_rows<How, 2> : &halve_rows<How, 3>;
  if (sees_planes(p)) p.whole = &whole_planes<How>;
}

/// All output rows. A piece is cut at the ends of planes, because rows of one are neighbours.
inline void run_window(const window_plan& p, const frame& f) noexcept {
  const i64 row = p.out_width * p.inner;
  f.threads(p.images * p.channels * p.out_height, 1 + 8192 / (row * p.w.swept[0].taps),
            [&](i64 begin, i64 end, int thread) {
              const float* data = f.at<const float>(p.holder, p.offset);
              float* results = f.at<float>(p.out_holder, p.out_offset);
              if (p.whole != nullptr) return p.whole(p, data, results, begin, end);
              auto* column = f.thread_scratch<float>(thread);
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
/// A row of column results for each thread, and two registers that `combine_taps` may read behind
/// it.
constexpr footprint measure_window(const plan_view& p, int g) {
  const node& n = p.anchor_of(g);
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
  w->holder = v.holder;
  w->out_holder = p.locations[id].holder;
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
