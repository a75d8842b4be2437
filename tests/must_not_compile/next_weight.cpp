// expect: next: the first operand must be a state of the graph
// A weight for a state.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  tn::next(tn::weight<"h", float, 4>, x);  // here
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
