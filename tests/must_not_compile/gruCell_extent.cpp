// expect: gruCell: extents must be input [batch, n], weight [3 * hidden, n], recurrentWeight [3 * hidden, hidden], hiddenState [batch, hidden], biases [3 * hidden]
// A hidden state of another batch.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::gruCell(x, tn::weight<"w", float, 12, 3>, tn::weight<"r", float, 12, 4>, tn::weight<"h", float, 3, 4>);  // here
};
using net = tn::graph<model, tn::input<"x", float, 2, 3>>;
static_assert(net::view().nodes.size > 0);
