// expect: constant_program: the lambda must not capture
// A program that is a constant knows no variables.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  const float slope = 0.5f;
  (void)tn::constant_program<1>([slope](auto a) { return a * slope; });  // here
  return x;
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
