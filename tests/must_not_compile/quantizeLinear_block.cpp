// expect: quantizeLinear: every extent of scale must divide the input's
// Four scales for six columns.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::quantizeLinear(x, tn::weight<"scale", float, 1, 4>, tn::weight<"zero", std::int8_t, 1, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
