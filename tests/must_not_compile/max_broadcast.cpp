// expect: element-wise operator: shapes must broadcast
// Three columns and two.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return tn::max(a, b);  // here
};
using net = tn::graph<model, tn::input<"a", float, 2, 3>, tn::input<"b", float, 2>>;
static_assert(net::view().nodes.size > 0);
