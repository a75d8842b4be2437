// expect: assign: a variable keeps the shape that it began with
// A loop whose layers change the shape.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  for (int i = 0; i < 2; ++i)
    x = tn::matmul(x, tn::weight_of<float, 4, 5>(tn::name("l") + i));  // here
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 4, 4>>;
static_assert(net::view().nodes.size > 0);
