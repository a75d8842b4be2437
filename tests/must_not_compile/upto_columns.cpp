// expect: graph: an operator of a graph with upto<> records other nodes or programs for other extents; take the extent from an input instead
// Attention divides by the root of a number of columns that varies.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::attention(x, x, x);
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, tn::upto<6>>>;
static_assert(net::view().nodes.size > 0);  // here
