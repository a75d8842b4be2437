// expect: operator: only dequantizeLinear and reshape take uint4
// A move of elements of 4 bits.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::transpose<1, 0>(x);  // here
};
using net = tn::graph<model, tn::input<"x", tn::uint4, 2, 2>>;
static_assert(net::view().nodes.size > 0);
