// expect: gru: extents must be input [steps, batch, n], weight [directions, 3 * hidden, n], recurrentWeight [directions, 3 * hidden, hidden], biases [directions, 3 * hidden], initialHiddenState [directions, batch, hidden]
// Both directions want two nets.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gru<tn::gru_options{.direction = tn::recurrent_direction::both}>(x, tn::weight<"w", float, 1, 12, 3>, tn::weight<"r", float, 1, 12, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
