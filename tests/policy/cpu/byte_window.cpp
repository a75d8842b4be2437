// Windows over elements of one byte against plain loops, with lines that do not fit into one piece.
// SPDX-License-Identifier: MIT
#include "../../support/arrays.hpp"

using namespace tenon_test;
using namespace tenon;

TEST_CASE("the largest byte of each window") {
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
