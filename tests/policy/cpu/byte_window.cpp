// Windows over elements of one byte against plain loops, with lines that do not fit into one piece.
// SPDX-License-Identifier: MIT
#include "../../support/arrays.hpp"

using namespace tenon_test;
using namespace tenon;

namespace {

// Which pools this kernel takes: the general one would give the same bytes, more slowly.
constexpr sweep along(int axis, i64 extent, i64 taps, i64 stride, i64 begin = 0, i64 dilation = 1) {
  sweep s;
  s.out_axis = axis, s.extent = extent, s.taps = taps, s.stride = stride, s.begin = begin;
  s.dilation = dilation;
  return s;
}
constexpr bool taken(const shape& x, const shape& out, sweep v, sweep h, type element = type::uint8,
                     combine how = combine::max, i64 column = 1) {
  windowing m;
  m.how = how;
  m.swept[0] = v;
  m.swept[1] = h;
  plans::location from;
  from.step = dense(x);
  from.step.step[x.rank - 1] = column;
  return simd::is_byte_window(m, {element, x}, from, out);
}
constexpr shape image = extents(1, 3, 8, 8), half = extents(1, 3, 4, 4);
constexpr sweep down = along(2, 8, 2, 2), across = along(3, 8, 2, 2);
static_assert(taken(image, half, down, across) && taken(image, half, down, across, type::int8));
static_assert(taken(image, half, down, across, type::uint8, combine::min));
static_assert(!taken(image, half, down, across, type::int32), "four bytes");
static_assert(!taken(image, half, down, across, type::uint8, combine::sum));
static_assert(!taken(image, half, down, across, type::uint8, combine::max, 2), "not contiguous");
static_assert(!taken(image, half, down, along(3, 8, 2, 2, 2)), "the first window has no element");
static_assert(taken(image, half, down, along(3, 8, 3, 2, 1)), "part of the first window has");
static_assert(taken(extents(1, 8, 8, 3), extents(1, 4, 4, 3), along(1, 8, 2, 2), along(2, 8, 2, 2)),
              "channels last");
static_assert(!taken(extents(1, 1, 8, 9999), extents(1, 1, 4, 2), down, along(3, 9999, 5000, 4000)),
              "a window longer than a line on the stack");

}  // namespace

TEST_CASE("max pooling of bytes gives the largest byte of each window") {
  for (int round = 0; round < times(60); ++round) {
    dice d = dice_of(9203, round);
    const bool last = d.in(0, 1) == 0;
    const int h = last ? 1 : 2, w = last ? 2 : 3;
    shape s = random_shape(d, 4, 9);
    if (round % 4 == 0) s.extent[w] = d.in(1000, 2500);
    pool2d_options o;
    o.layout = last ? image_layout::nhwc : image_layout::nchw;
    o.windowDimensions = {d.in(1, static_cast<int>(s[h])),
                          d.in(1, std::min(9, static_cast<int>(s[w])))};
    o.strides = {d.in(1, 3), d.in(1, 4)};
    o.padding = {d.in(0, 2), d.in(0, 2), d.in(0, 3), d.in(0, 3)};
    if (d.in(0, 2) == 0) o.dilations = {1, d.in(1, 3)};
    if (d.in(0, 1) == 0) o.outputShapeRounding = rounding::ceil;
    const tensor t{d.in(0, 1) ? type::int8 : type::uint8, s};
    const tensor in[] = {t};
    const result<tensor> out = maxPool2d_t::infer(o, {in, 1});
    if (!out.ok()) continue;
    const array x = random_array(t, d), found = operate<maxPool2d_t>(o, {x});
    each_position(out->shape, [&](const i64* at, i64 n) {
      double most = -1e9;
      for (i64 i = 0; i < o.windowDimensions.height; ++i)
        for (i64 k = 0; k < o.windowDimensions.width; ++k) {
          i64 from[4] = {at[0], at[1], at[2], at[3]};
          from[h] = at[h] * o.strides.height + i * o.dilations.height - o.padding.beginningHeight;
          from[w] = at[w] * o.strides.width + k * o.dilations.width - o.padding.beginningWidth;
          if (from[h] < 0 || from[h] >= s[h] || from[w] < 0 || from[w] >= s[w]) continue;
          most = std::max(most, x[number_of(s, from)]);
        }
      REQUIRE(found[n] == (most == -1e9 ? 0 : most));
    });
  }
}
