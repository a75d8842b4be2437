// expect: gru: input, weights and initialHiddenState must have 3 axes, biases 2; reshape()
// The weights have no axis of directions.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gru(x, tn::weight<"w", float, 12, 3>, tn::weight<"r", float, 12, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
