// expect: pad: padding must not be negative; use slice()
// Padding that takes away.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::pad<tn::pad_options{.beginningPadding = {0, -1}, .endingPadding = {0, 0}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
