// expect: instanceNormalization: scale and bias must have one axis with one element per channel
// A scale for eight channels, of four.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto s) {
  return tn::instanceNormalization(x, s);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 8, 8>, tn::input<"s", float, 8>>;
static_assert(net::view().nodes.size > 0);
