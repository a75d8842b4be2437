// expect: slice: starts and sizes must stay inside the input; check them per axis
// A box that leaves the input.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::slice<tn::slice_options{.starts = {0, 3}, .sizes = {4, 4}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
