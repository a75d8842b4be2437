// expect: gemm: c must have at most 2 axes
// The third operand has too many axes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b, auto c) {
  return tn::gemm(a, b, c);  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>, tn::input<"b", float, 5, 7>, tn::input<"c", float, 1, 4, 7>>;
static_assert(net::view().nodes.size > 0);
