// expect: l2Pool2d: padding must not be negative
// A negative padding.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::l2Pool2d<tn::pool2d_options{.padding = {-1, 0, 0, 0}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
