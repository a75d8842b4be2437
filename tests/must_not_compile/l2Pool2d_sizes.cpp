// expect: l2Pool2d: outputSizes must be the floor or the ceil of the computed sizes
// An output size that is neither rounding.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::l2Pool2d<tn::pool2d_options{.windowDimensions = {3, 3}, .strides = {2, 2}, .outputSizes = {5, 3}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
