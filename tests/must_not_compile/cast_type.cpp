// expect: cast: the element type is not one of tenon's
// WebNN has no float64.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::cast<double>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
