// expect: gemm: a and b must have 2 axes
// gemm knows no stacks of matrices.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return tn::gemm(a, b);  // here
};
using net = tn::graph<model, tn::input<"a", float, 2, 4, 5>, tn::input<"b", float, 5, 7>>;
static_assert(net::view().nodes.size > 0);
