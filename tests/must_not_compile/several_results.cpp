// expect: operator: one with several results needs an operand that is no weight
// A net over weights alone.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::outputs(std::get<0>(tn::lstm(tn::weight<"v", float, 5, 2, 3>, tn::weight<"w", float, 1, 16, 3>, tn::weight<"r", float, 1, 16, 4>)), x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
