// expect: conv2d: input and filter must have 4 axes
// An image without a batch axis.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::conv2d(x, tn::weight<"f", float, 6, 3, 3, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
