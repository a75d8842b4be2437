// expect: attention: key must have the query's batch and columns
// Keys of 4 columns for queries of 8.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto q, auto k, auto v) {
  return tn::attention(q, k, v);  // here
};
using net = tn::graph<model, tn::input<"q", float, 2, 3, 8>, tn::input<"k", float, 2, 5, 4>, tn::input<"v", float, 2, 5, 8>>;
static_assert(net::view().nodes.size > 0);
