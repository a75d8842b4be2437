// expect: concat: all inputs must have one type; cast()
// Whole numbers behind real ones.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto y) {
  return tn::concat<0>(x, y);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"y", std::int32_t, 4, 6>>;
static_assert(net::view().nodes.size > 0);
