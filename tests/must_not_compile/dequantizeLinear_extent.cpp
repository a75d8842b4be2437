// expect: dequantizeLinear: zeroPoint must have the shape of scale
// One zero point for many scales.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::dequantizeLinear(x, tn::weight<"scale", float, 1, 6>, tn::weight<"zero", std::int8_t, 1, 1>);  // here
};
using net = tn::graph<model, tn::input<"x", std::int8_t, 4, 6>>;
static_assert(net::view().nodes.size > 0);
