// expect: resample2d: there must be two different axes below 4; count axes from 0
// An axis twice.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::resample2d<tn::resample2d_options{.scales = {2, 2}, .axes = {2, 2}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
