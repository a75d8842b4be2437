// expect: gather: the axis must be below the input's rank
// An axis that is not there.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x, auto at) {
  return tn::gather<2>(x, at);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4, 6>, tn::input<"at", std::int32_t, 3>>;
static_assert(net::view().nodes.size > 0);
