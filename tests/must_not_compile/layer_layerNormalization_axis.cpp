// expect: layerNormalization: every axis must be below the rank and given once
// A normalization layer over an axis that is not there.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  constexpr tn::layerNormalization_options last{.axes = {2}};
  return tn::layer::layerNormalization<last>(x, "norm");  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 4>>;
static_assert(net::view().nodes.size > 0);
