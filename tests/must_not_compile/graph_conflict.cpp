// expect: graph: one name has two shapes or two meanings
// One name with two shapes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return x * tn::weight<"w", float, 4> + tn::weight<"w", float, 1>; };
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);  // here
