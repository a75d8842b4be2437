// expect: scatterND: the updates must have the shape that gatherND gives
// Updates of single elements where rows are replaced.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at, auto u) {
  return tn::scatterND(x, at, u);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 2, 1>, tn::input<"u", float, 2>>;
static_assert(net::view().nodes.size > 0);
