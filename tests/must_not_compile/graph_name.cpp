// expect: graph: a name must have 1 to 95 characters
// A name without characters.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return x * tn::weight<"", float, 4>; };
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);  // here
