// expect: operator: only dequantizeLinear and reshape take int4
// Arithmetic on elements of 4 bits.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return x + x;  // here
};
using net = tn::graph<model, tn::input<"x", tn::int4, 4>>;
static_assert(net::view().nodes.size > 0);
