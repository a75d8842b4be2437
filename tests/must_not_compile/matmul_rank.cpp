// expect: matmul: both operands must have at least 2 axes
// A vector is no matrix.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return tn::matmul(a, b);  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>, tn::input<"b", float, 5>>;
static_assert(net::view().nodes.size > 0);
