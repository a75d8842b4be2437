// expect: gatherND: the indices must be int32, uint32 or int64
// Indices that are bytes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gatherND(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>, tn::input<"at", std::uint8_t, 4, 1>>;
static_assert(net::view().nodes.size > 0);
