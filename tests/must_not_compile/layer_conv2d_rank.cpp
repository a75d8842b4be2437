// expect: conv2d: input and filter must have 4 axes
// A convolution layer on a matrix.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::layer::conv2d<8, 3>(x, "c");  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 4>>;
static_assert(net::view().nodes.size > 0);
