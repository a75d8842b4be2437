// expect: argMin, argMax: outputDataType must be int32 or int64
// Positions are no floats.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::argMin<0, tn::arg_options{.outputDataType = tn::type::float32}>(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);
