// expect: gatherElements: indices and input must have the same extents but for the axis
// Five columns of indices for six.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gatherElements<0>(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 3, 5>>;
static_assert(net::view().nodes.size > 0);
