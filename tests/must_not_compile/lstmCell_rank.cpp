// expect: lstmCell: input, weights and states must have 2 axes, biases and peepholeWeight 1; reshape()
// The input is a sequence.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return std::get<0>(tn::lstmCell(x, tn::weight<"w", float, 16, 3>, tn::weight<"r", float, 16, 4>, tn::weight<"h", float, 2, 4>, tn::weight<"c", float, 2, 4>));  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
