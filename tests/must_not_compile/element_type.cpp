// expect: operator: an operand's element type is not accepted
// Integers in a convolution of floats.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::exp(x);  // here
};
using net = tn::graph<model, tn::input<"x", std::int32_t, 4>>;
static_assert(net::view().nodes.size > 0);
