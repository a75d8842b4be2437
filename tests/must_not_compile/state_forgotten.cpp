// expect: state: a state of the graph has no next value; say next(state, value)
// A state that nobody sets.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto h) {
  return x + h;
};
using net = tn::graph<model, tn::input<"x", float, 4>, tn::state<"h", float, 4>>;
static_assert(net::view().nodes.size > 0);  // here
