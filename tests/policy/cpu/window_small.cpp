// Which poolings run in registers: the results would be right without, so nothing else would tell.
// SPDX-License-Identifier: MIT
#include <tenon/policy/cpu/window_small.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon;
using simd::masks_loads, simd::window_plan;

constexpr i64 positions(const sweep& s, i64 end) {
  return (s.extent + s.begin + end - ((s.taps - 1) * s.dilation + 1)) / s.stride + 1;
}
/// Windows along lines of `h` and down columns of `v`, with `end` zeros behind each line.
constexpr window_plan windows(sweep v, sweep h, i64 end = 0, combine how = combine::max) {
  window_plan p;
  p.w.how = how;
  p.w.average = how == combine::sum;
  p.w.swept[0] = v;
  p.w.swept[1] = h;
  p.out_height = positions(v, 0);
  p.out_width = positions(h, end);
  return p;
}
constexpr sweep along(i64 extent, i64 taps, i64 stride, i64 begin = 0, i64 dilation = 1) {
  sweep s;
  s.extent = extent, s.taps = taps, s.stride = stride, s.begin = begin, s.dilation = dilation;
  return s;
}
constexpr sweep down = along(8, 2, 2);

// Two or three columns, stride 2.
static_assert(simd::halves(windows(down, along(8, 2, 2))) == masks_loads);
static_assert(simd::halves(windows(down, along(9, 3, 2))) == masks_loads);
static_assert(simd::halves(windows(down, along(8, 3, 2, 1), 1)) == masks_loads,
              "an edge on both sides");
static_assert(!simd::halves(windows(down, along(8, 4, 2))), "four columns");
static_assert(!simd::halves(windows(down, along(8, 3, 1))) &&
              !simd::halves(windows(down, along(9, 3, 3))));
static_assert(!simd::halves(windows(down, along(9, 2, 2, 0, 2))), "a dilation");
static_assert(!simd::halves(windows(down, along(8, 2, 2, 2))), "the first window has only zeros");
static_assert(!simd::halves(windows(down, along(8, 3, 2, 1), 1, combine::sum)),
              "the first average counts two columns, the others three");
static_assert(simd::halves(windows(down, along(9, 3, 2), 0, combine::sum)) == masks_loads);
constexpr window_plan channels_last = [] {
  window_plan p = windows(down, along(8, 2, 2));
  p.inner = 3;
  return p;
}();
static_assert(!simd::halves(channels_last));

// One window that is all of a small plane.
static_assert(sees_planes(windows(along(7, 7, 1), along(4, 4, 1))) == masks_loads);
static_assert(!sees_planes(windows(along(7, 7, 1), along(simd::width + 1, simd::width + 1, 1))),
              "its lines are longer than a register");
static_assert(!sees_planes(windows(along(7, 6, 2), along(4, 4, 1))), "the last line is left out");
static_assert(!sees_planes(windows(along(7, 7, 1), along(4, 2, 2))), "two windows");

}  // namespace

TEST_CASE("windows of every other row may run in registers too") {
  CHECK(simd::halves(windows(along(9, 3, 3), along(8, 2, 2))) == masks_loads);
}
