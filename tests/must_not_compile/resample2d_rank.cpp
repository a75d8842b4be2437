// expect: resample2d: the input must have 4 axes; reshape() it
// An image without a batch.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::resample2d<tn::resample2d_options{.scales = {2, 2}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
