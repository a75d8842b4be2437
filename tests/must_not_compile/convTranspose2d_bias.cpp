// expect: convTranspose2d: the bias must have one axis with one element per output channel
// A bias for the input channels.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::convTranspose2d(x, tn::weight<"f", float, 4, 2, 3, 3>, tn::weight<"b", float, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 5, 5>>;
static_assert(net::view().nodes.size > 0);
