// expect: l2Pool2d: the window must fit into the padded input
// A window larger than the image.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::l2Pool2d<tn::pool2d_options{.windowDimensions = {9, 2}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
