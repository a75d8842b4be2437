// expect: gatherElements: the indices must be int32, uint32 or int64
// Indices that are floats.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gatherElements<0>(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>, tn::input<"at", float, 4>>;
static_assert(net::view().nodes.size > 0);
