// expect: gemm: columns of a must equal rows of b
// The summed extents of a product differ.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto a, auto b) {
  return tn::gemm<tn::gemm_options{.bTranspose = true}>(a, b);  // here
};
using net = tn::graph<model, tn::input<"a", float, 4, 5>, tn::input<"b", float, 5, 7>>;
static_assert(net::view().nodes.size > 0);
