// expect: operator: an operand's element type is not accepted, or operands differ in type; cast<T>() them
// A real number below a whole one.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto y) {
  return x < y;  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"y", std::int32_t, 4, 6>>;
static_assert(net::view().nodes.size > 0);
