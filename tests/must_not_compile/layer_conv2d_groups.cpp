// expect: conv2d: groups must divide the input channels and the filters
// A grouped convolution layer whose filters cannot be dealt out.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  constexpr tn::conv2d_options halves{.groups = 2};
  return tn::layer::conv2d<5, 3, halves>(x, "c");  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 6, 8, 8>>;
static_assert(net::view().nodes.size > 0);
