// expect: operator: the number of operands is wrong
// No operand at all.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::outputs(x, tn::conv2d());  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
