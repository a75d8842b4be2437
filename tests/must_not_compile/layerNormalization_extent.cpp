// expect: layerNormalization: scale and bias must have the extents of the axes, in their order; reshape() them
// A scale per row, normalized along the rows.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::layerNormalization(x, tn::weight<"scale", float, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
