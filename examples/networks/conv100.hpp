// Convolutions of 100 channels, 3 x 3, with bias and ReLU, on an image of 100 x 100.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"

namespace networks::conv100 {

inline constexpr tn::conv2d_options same{.padding = {1, 1, 1, 1}};

template <int Layers> inline constexpr auto model = [](auto x) {
  for (int i = 0; i < Layers; ++i)
    x = tn::relu(tn::layer::conv2d<100, 3, same>(x, tn::name("conv") + i));
  return x;
};
template <int Layers = 1> using graph =
    tn::graph<model<Layers>, tn::input<"in", float, 1, 100, 100, 100>>;

inline tn::result<tn::table> build(int count) {
  layers b;
  value x = b.input("in", floats(1, 100, 100, 100));
  for (int i = 0; i < count; ++i) x = b.relu(b.conv2d(x, tn::name("conv") + i, 100, 3, same));
  return b.finish({x});
}

}  // namespace networks::conv100
