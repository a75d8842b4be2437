// expect: lstm: input, weights and initial states must have 3 axes, biases and peepholeWeight 2; reshape()
// The weights have no axis of directions.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return std::get<0>(tn::lstm(x, tn::weight<"w", float, 16, 3>, tn::weight<"r", float, 16, 4>));  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
