// expect: operator: a weight and a number meet only behind an input
// A weight and a number, with no handle to record them.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return x * (tn::weight<"w", float, 4> + 1.0f);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
