// expect: on: a weight and operators on weights alone run on no policy of their own
// A placement of a weight, which no policy runs.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return x + tn::on<1>(tn::weight<"w", float, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
