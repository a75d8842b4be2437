// expect: convTranspose2d: the filter's input channels must equal the input's; check filterLayout
// The filter of a convolution.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::convTranspose2d(x, tn::weight<"f", float, 2, 4, 3, 3>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 5, 5>>;
static_assert(net::view().nodes.size > 0);
