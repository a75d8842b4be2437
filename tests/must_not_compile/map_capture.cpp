// expect: map: the lambda must not capture
// A custom operator that captures a value.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  float slope = 0.1f;
  return tn::map([=](auto v) { return max(v, slope * v); })(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
