// expect: next: the next value must have the state's type and extents; reshape() it
// Six numbers after four.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto h) {
  tn::next(h, x);  // here
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 6>, tn::state<"h", float, 4>>;
static_assert(net::view().nodes.size > 0);
