// expect: where: condition and values must broadcast
// Two conditions for three values.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto c, auto a, auto b) {
  return tn::where(c, a, b);  // here
};
using net = tn::graph<model, tn::input<"c", std::uint8_t, 2>, tn::input<"a", float, 3>, tn::input<"b", float, 3>>;
static_assert(net::view().nodes.size > 0);
