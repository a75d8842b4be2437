// expect: reduceMax: every axis must be below the rank and given once
// An axis twice.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::reduceMax<tn::reduce_options{.axes = {1, 1}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
