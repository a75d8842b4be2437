// expect: scatterND: the last axis of the indices must hold at most as many coordinates as the input has axes
// Three coordinates for a matrix.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at, auto u) {
  return tn::scatterND(x, at, u);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 2, 3>, tn::input<"u", float, 2>>;
static_assert(net::view().nodes.size > 0);
