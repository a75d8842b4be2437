// expect: mul: shapes must broadcast
// Shapes that do not broadcast.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return a * b;  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>, tn::input<"b", float, 4>>;
static_assert(net::view().nodes.size > 0);
