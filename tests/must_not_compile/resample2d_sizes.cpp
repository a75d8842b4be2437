// expect: resample2d: sizes must be two, at least 1, and scales large enough for that
// A scale that leaves nothing.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::resample2d<tn::resample2d_options{.scales = {0.1f, 2}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
