// expect: gru: activations must be two, and steps the input's first extent
// Four steps of a sequence of five.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gru<tn::gru_options{.steps = 4}>(x, tn::weight<"w", float, 1, 12, 3>, tn::weight<"r", float, 1, 12, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
