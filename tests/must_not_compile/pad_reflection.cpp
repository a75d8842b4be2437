// expect: pad: a reflection must be shorter than the axis that it mirrors
// A mirror image of four rows.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  constexpr tn::pad_options mirror{.beginningPadding = {4, 0}, .endingPadding = {0, 0}, .mode = tn::padding_mode::reflection};
  return tn::pad<mirror>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
