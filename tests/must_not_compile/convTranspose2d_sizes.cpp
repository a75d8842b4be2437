// expect: convTranspose2d: outputPadding must be below the strides
// Output padding without a stride.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::convTranspose2d<tn::convTranspose2d_options{.outputPadding = {1, 0}}>(x, tn::weight<"f", float, 4, 2, 3, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 5, 5>>;
static_assert(net::view().nodes.size > 0);
