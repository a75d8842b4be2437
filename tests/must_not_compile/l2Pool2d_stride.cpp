// expect: l2Pool2d: strides and dilations must be at least 1
// A stride of zero.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::l2Pool2d<tn::pool2d_options{.strides = {0, 1}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
