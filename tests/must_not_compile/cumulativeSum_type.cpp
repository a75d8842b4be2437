// expect: cumulativeSum: the input must be float or 32 or 64 bits wide; cast() it
// Bytes are too small for sums.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::cumulativeSum(x);  // here
};
using net = tn::graph<model, tn::input<"x", std::uint8_t, 3, 4>>;
static_assert(net::view().nodes.size > 0);
