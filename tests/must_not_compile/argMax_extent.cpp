// expect: argMin, argMax: an int32 has no room for positions of this axis
// 2^31 positions.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::argMax<0>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 2147483648>>;
static_assert(net::view().nodes.size > 0);
