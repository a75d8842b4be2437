// expect: triangular: the diagonal must fit into 32 bits
// A diagonal that WebNN has no number for.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::triangular<tn::triangular_options{.diagonal = 1ll << 31}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>>;
static_assert(net::view().nodes.size > 0);
