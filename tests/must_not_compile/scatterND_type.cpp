// expect: scatterND: the indices must be int32, uint32 or int64, and the updates have the input's type
// Indices that are no integers.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at, auto u) {
  return tn::scatterND(x, at, u);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", float, 2, 1>, tn::input<"u", float, 2, 6>>;
static_assert(net::view().nodes.size > 0);
