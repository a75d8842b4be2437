// expect: quantizeLinear: scale and zeroPoint must have as many axes as the input
// The scale of a matrix has one axis.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::quantizeLinear(x, tn::weight<"scale", float, 6>, tn::weight<"zero", std::int8_t, 6>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
