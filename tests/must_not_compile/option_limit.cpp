// expect: operator: an option is beyond the library's limit of 2^24
// A stride that overflows nothing yet, but would with its friends.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::maxPool2d<tn::pool2d_options{.strides = {1 << 25, 1}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
