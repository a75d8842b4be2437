// expect: operator: an option or extent is beyond a limit of the library
// A stride that overflows nothing yet, but would with its friends.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::maxPool2d<tn::pool2d_options{.strides = {1 << 25, 1}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
