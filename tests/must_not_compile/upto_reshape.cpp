// expect: graph: an operator refuses extents below a limit; a weight or an option has the limit itself as an extent: slice() it, or use upto<> for all of them
// A shape with the limit written out.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::reshape<48>(x);
};
using net = tn::graph<model, tn::input<"x", float, tn::upto<8>, 6>>;
static_assert(net::view().nodes.size > 0);  // here
