// expect: lstm: extents must be input [steps, batch, n], weight [directions, 4 * hidden, n], recurrentWeight [directions, 4 * hidden, hidden], biases [directions, 4 * hidden], peepholeWeight [directions, 3 * hidden], initial states [directions, batch, hidden]
// Three gates for four.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return std::get<0>(tn::lstm(x, tn::weight<"w", float, 1, 12, 3>, tn::weight<"r", float, 1, 16, 4>));  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
