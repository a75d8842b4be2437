// expect: lstmCell: extents must be input [batch, n], weight [4 * hidden, n], recurrentWeight [4 * hidden, hidden], states [batch, hidden], biases [4 * hidden], peepholeWeight [3 * hidden]
// A cell state of another size.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return std::get<0>(tn::lstmCell(x, tn::weight<"w", float, 16, 3>, tn::weight<"r", float, 16, 4>, tn::weight<"h", float, 2, 4>, tn::weight<"c", float, 2, 5>));  // here
};
using net = tn::graph<model, tn::input<"x", float, 2, 3>>;
static_assert(net::view().nodes.size > 0);
