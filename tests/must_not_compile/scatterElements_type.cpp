// expect: scatterElements: the indices must be int32, uint32 or int64, and the updates have the input's type
// Updates of another type.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at, auto u) {
  return tn::scatterElements<0>(x, at, u);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 3, 6>, tn::input<"u", std::int32_t, 3, 6>>;
static_assert(net::view().nodes.size > 0);
