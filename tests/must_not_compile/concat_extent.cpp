// expect: concat: all extents but that of the axis must be the same; reshape() or pad()
// Rows of 6 above rows of 5.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto y) {
  return tn::concat<0>(x, y);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"y", float, 4, 5>>;
static_assert(net::view().nodes.size > 0);
