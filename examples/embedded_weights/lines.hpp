// A network small enough to read: it tells lines apart by their direction. Its weights are
// constants and stay in read-only memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace lines {

inline constexpr int side = 8;
inline constexpr const char* directions[] = {"horizontal", "vertical", "falling", "rising"};

/// Four filters, each of which answers to a line of its direction.
constexpr float filters[4][1][3][3] = {
    {{{-1, -1, -1}, {2, 2, 2}, {-1, -1, -1}}},
    {{{-1, 2, -1}, {-1, 2, -1}, {-1, 2, -1}}},
    {{{2, -1, -1}, {-1, 2, -1}, {-1, -1, 2}}},
    {{{-1, -1, 2}, {-1, 2, -1}, {2, -1, -1}}},
};

inline constexpr auto model = [](auto image) {
  auto answers = tenon::relu(tenon::conv2d(image, tenon::weight<"filters", float, 4, 1, 3, 3>));
  auto strength = tenon::averagePool2d<tenon::pool2d_options{}>(answers);  // over the whole image
  return tenon::softmax<1>(tenon::reshape<1, 4>(strength * 8.0f));
};
using net = tenon::graph<model, tenon::input<"image", float, 1, 1, side, side>>;

}  // namespace lines
