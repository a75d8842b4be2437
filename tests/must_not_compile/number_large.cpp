// expect: operator: a number beside a handle must be one that its element type can hold
// A number of 33 bits.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return x == 4294967296;
};
using net = tn::graph<model, tn::input<"x", std::int32_t, 4>>;
static_assert(net::view().nodes.size > 0);  // here
