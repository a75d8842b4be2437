// expect: lstm: activations must be three, and steps the input's first extent
// Two activations for three functions.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return std::get<0>(tn::lstm<tn::lstm_options{.activations = {tn::recurrent_activation::relu, tn::recurrent_activation::relu}}>(x, tn::weight<"w", float, 1, 16, 3>, tn::weight<"r", float, 1, 16, 4>));  // here
};
using net = tn::graph<model, tn::input<"x", float, 5, 2, 3>>;
static_assert(net::view().nodes.size > 0);
