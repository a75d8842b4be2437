// expect: split: the axis must be below the rank
// An axis that is not there.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  auto [a, b] = tn::split<2, 1, 3>(x);  // here
  return a + b;
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
