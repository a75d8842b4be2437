// expect: batchNormalization: mean, variance, scale and bias must have one axis with one element per channel; reshape() them
// Four means of six channels.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::batchNormalization(x, tn::weight<"mean", float, 4>, tn::weight<"variance", float, 6>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
