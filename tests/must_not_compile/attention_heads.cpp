// expect: attention: heads must divide the columns
// Six columns for four heads.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::attention<tn::attention_options{.heads = 4}>(x, x, x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 4, 6>>;
static_assert(net::view().nodes.size > 0);
