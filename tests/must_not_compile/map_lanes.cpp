// expect: map: the lambda mixes symbols of different types
// Float and int32 symbols in one sum.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::map([](auto v) { return v + tn::cast<std::int32_t>(v); })(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
