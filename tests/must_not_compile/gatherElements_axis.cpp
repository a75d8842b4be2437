// expect: gatherElements: the axis must be below the input's rank
// Axis 1 of a vector.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gatherElements<1>(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>, tn::input<"at", std::int32_t, 4>>;
static_assert(net::view().nodes.size > 0);
