// expect: convTranspose2d: input and filter must have 4 axes; reshape() them
// An image without a batch.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::convTranspose2d(x, tn::weight<"f", float, 4, 2, 3, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 5, 5>>;
static_assert(net::view().nodes.size > 0);
