// expect: conv2d: the filter's input channels must equal the input's channels divided by groups
// A filter in another layout than the options say.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::conv2d(x, tn::weight<"f", float, 3, 3, 3, 6>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 6, 8, 8>>;
static_assert(net::view().nodes.size > 0);
