// expect: clamp: minValue must not exceed maxValue
// Bounds in the wrong order.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::clamp<tn::clamp_options{.minValue = 6, .maxValue = 0}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
