// expect: expand: a tensor has at most 8 axes
// Nine axes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::expand<1, 1, 1, 1, 1, 1, 1, 1, 4>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
