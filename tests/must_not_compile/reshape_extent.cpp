// expect: reshape: every extent must be at least 1
// WebNN has no -1 in shapes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::reshape<1, -1>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
