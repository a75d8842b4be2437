// expect: conv2d: the bias must have one axis with one element per filter
// A bias of another length.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::conv2d(x, tn::weight<"f", float, 6, 3, 3, 3>, tn::weight<"b", float, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
