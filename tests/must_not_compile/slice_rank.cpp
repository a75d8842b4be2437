// expect: slice: starts, sizes and strides must have one entry per axis
// A box with one axis of two.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::slice<tn::slice_options{.starts = {0}, .sizes = {4}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
