// expect: gruCell: activations must be two
// One activation for two functions.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gruCell<tn::gruCell_options{.activations = {tn::recurrent_activation::relu}}>(x, tn::weight<"w", float, 12, 3>, tn::weight<"r", float, 12, 4>, tn::weight<"h", float, 2, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 2, 3>>;
static_assert(net::view().nodes.size > 0);
