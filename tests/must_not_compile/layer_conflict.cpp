// expect: graph: one name has two shapes or two meanings
// Two layers of one name, with weights of two shapes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::layer::dense<3>(tn::layer::dense<5>(x, "fc"), "fc");
};
using net = tn::graph<model, tn::input<"x", float, 4, 4>>;
static_assert(net::view().nodes.size > 0);  // here
