// expect: graph: a name must have 1 to 95 characters
// A loop that makes a name longer and longer.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  tn::name label = "w";
  for (int i = 0; i < 30; ++i) x = x * tn::weight_of<float, 4>(label = label + ".next");
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);  // here
