// expect: convTranspose2d: groups must divide the input channels; check inputLayout
// Three groups of four channels.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::convTranspose2d<tn::convTranspose2d_options{.groups = 3}>(x, tn::weight<"f", float, 4, 2, 3, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 5, 5>>;
static_assert(net::view().nodes.size > 0);
