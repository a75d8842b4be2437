// expect: cumulativeSum: the axis must be below the rank; count axes from 0
// There is no third axis.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::cumulativeSum<tn::cumulativeSum_options{.axis = 2}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 3, 4>>;
static_assert(net::view().nodes.size > 0);
