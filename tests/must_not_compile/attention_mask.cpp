// expect: attention: the mask must broadcast to [batch, heads, queries, keys]
// A mask of five keys for four.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto mask) {
  return tn::attention(x, x, x, mask);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 6>, tn::input<"mask", float, 4, 5>>;
static_assert(net::view().nodes.size > 0);
