// expect: operator: an integer handle takes integer numbers; cast() the handle
// Half a whole number.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return x * 0.5f;  // here
};
using net = tn::graph<model, tn::input<"x", std::int32_t, 4>>;
static_assert(net::view().nodes.size > 0);
