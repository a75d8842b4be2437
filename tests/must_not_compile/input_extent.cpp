// expect: input: every extent must be at least 1
// An input without elements.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 0>>;
static_assert(net::view().nodes.size > 0);  // here
