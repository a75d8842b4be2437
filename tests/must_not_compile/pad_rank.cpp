// expect: pad: give one padding per axis on both sides
// Padding of one axis of two.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::pad<tn::pad_options{.beginningPadding = {1}, .endingPadding = {1, 1}}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
