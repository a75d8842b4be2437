// expect: matmul: leading axes must broadcast
// Stacks of matrices of different height.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return tn::matmul(a, b);  // here
};
using net = tn::graph<model, tn::input<"a", float, 2, 4, 5>, tn::input<"b", float, 3, 5, 7>>;
static_assert(net::view().nodes.size > 0);
