// expect: scatterElements: the axis must be below the input's rank
// An axis too far.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at, auto u) {
  return tn::scatterElements<2>(x, at, u);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 3, 6>, tn::input<"u", float, 3, 6>>;
static_assert(net::view().nodes.size > 0);
