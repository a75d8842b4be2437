// expect: gather: the indices must be int32, uint32 or int64; cast() them
// Real numbers as indices.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gather<0>(x, x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
