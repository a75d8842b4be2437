// expect: map: a scalar program cannot branch on a symbol
// A branch on a symbol.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::map([](auto v) { return v > 0.0f ? v : 0.1f * v; })(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
