// expect: map: a scalar program takes at most 8 operands
// Nine operands.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  constexpr auto sum = [](auto... a) { return (a + ...); };
  (void)tn::record_program<9>(sum);  // here
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
