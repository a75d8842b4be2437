// expect: split: the parts must be at least 1 and add up to the axis' extent
// Parts of 5 along an axis of 4.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  auto [a, b] = tn::split<0, 2, 3>(x);  // here
  return tn::outputs(a, b);
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
