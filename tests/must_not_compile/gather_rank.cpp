// expect: gather: the result has too many axes; reshape() indices
// A result of nine axes.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gather<0>(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 1, 1, 1, 1, 1, 1, 1, 2>>;
static_assert(net::view().nodes.size > 0);
