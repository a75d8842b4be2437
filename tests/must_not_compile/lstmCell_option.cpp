// expect: lstmCell: activations must be three
// Two activations for three functions.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return std::get<0>(tn::lstmCell<tn::lstmCell_options{.activations = {tn::recurrent_activation::relu, tn::recurrent_activation::relu}}>(x, tn::weight<"w", float, 16, 3>, tn::weight<"r", float, 16, 4>, tn::weight<"h", float, 2, 4>, tn::weight<"c", float, 2, 4>));  // here
};
using net = tn::graph<model, tn::input<"x", float, 2, 3>>;
static_assert(net::view().nodes.size > 0);
