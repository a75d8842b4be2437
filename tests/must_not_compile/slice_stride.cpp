// expect: slice: strides must be at least 1; use reverse()
// A backward stride.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::slice<tn::slice_options{.starts = {0, 0}, .sizes = {4, 6}, .strides = {1, -1}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
