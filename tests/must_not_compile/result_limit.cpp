// expect: operator: the result would have more than 2^40 elements
// 2^60 elements.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::expand<1073741824, 1073741824>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1>>;
static_assert(net::view().nodes.size > 0);
