// expect: batchNormalization: the axis must be below the rank
// Axis 2 of a matrix.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto m, auto v) {
  return tn::batchNormalization<tn::batchNormalization_options{.axis = 2}>(x, m, v);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 5>, tn::input<"m", float, 5>, tn::input<"v", float, 5>>;
static_assert(net::view().nodes.size > 0);
