// expect: gemm: c must broadcast to the product
// The third operand does not fit the product.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b, auto c) {
  return tn::gemm(a, b, c);  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>, tn::input<"b", float, 5, 7>, tn::input<"c", float, 4>>;
static_assert(net::view().nodes.size > 0);
