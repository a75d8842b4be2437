// expect: matmul: columns of the left operand must equal rows of the right
// The summed extents of a product differ.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return tn::matmul(a, b);  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>, tn::input<"b", float, 6, 7>>;
static_assert(net::view().nodes.size > 0);
