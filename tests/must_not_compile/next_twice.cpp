// expect: next: the first operand must be a state, and have one next value only
// Two next values.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto h) {
  tn::next(h, x);
  tn::next(h, -x);
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 4>, tn::state<"h", float, 4>>;
static_assert(net::view().nodes.size > 0);  // here
