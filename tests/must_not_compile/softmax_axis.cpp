// expect: softmax: the axis must be below the rank
// A negative axis.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::softmax<-1>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
