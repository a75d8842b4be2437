// expect: conv2d: strides and dilations must be at least 1
// A stride of zero.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::conv2d<tn::conv2d_options{.strides = {1, 0}}>(x, tn::weight<"f", float, 6, 3, 3, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
