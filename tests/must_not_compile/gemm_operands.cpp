// expect: operator: the number of operands is wrong
// One operand is missing.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a) {
  return tn::gemm(a);  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>>;
static_assert(net::view().nodes.size > 0);
