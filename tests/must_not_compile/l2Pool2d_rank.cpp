// expect: l2Pool2d: the input must have 4 axes
// A matrix is no image.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::l2Pool2d<tn::pool2d_options{.windowDimensions = {2, 2}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 8, 8>>;
static_assert(net::view().nodes.size > 0);
