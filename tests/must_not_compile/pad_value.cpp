// expect: pad: the value must be a number that the element type can hold
// A byte has no 256.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::pad<tn::pad_options{.beginningPadding = {1}, .endingPadding = {0}, .value = 256}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", std::uint8_t, 4>>;
static_assert(net::view().nodes.size > 0);
