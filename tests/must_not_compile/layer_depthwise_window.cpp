// expect: conv2d: the filter must fit into the padded input
// A depthwise layer whose filter is larger than the image, in a loop.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  for (int i = 0; i < 3; ++i)
    x = tn::relu(tn::layer::depthwise<9>(x, tn::name("block") + i));  // here
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 1, 6, 8, 8>>;
static_assert(net::view().nodes.size > 0);
