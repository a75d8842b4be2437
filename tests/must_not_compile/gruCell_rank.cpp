// expect: gruCell: input, weights and hiddenState must have 2 axes, biases 1; reshape()
// The input is a sequence.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gruCell(x, tn::weight<"w", float, 12, 3>, tn::weight<"r", float, 12, 4>, tn::weight<"h", float, 2, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
