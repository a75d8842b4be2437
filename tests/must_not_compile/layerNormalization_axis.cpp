// expect: layerNormalization: every axis must be below the rank and given once
// An axis that is not there.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::layerNormalization<tn::layerNormalization_options{.axes = {1, 2}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
