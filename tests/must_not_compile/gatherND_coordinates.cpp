// expect: gatherND: the last axis of the indices must hold at most as many coordinates as the input has axes
// Three coordinates for two axes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gatherND(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int64_t, 5, 3>>;
static_assert(net::view().nodes.size > 0);
