// expect: instance: every output view must be writable
// An output that cannot be written.
// SPDX-License-Identifier: MIT
#include <tenon/run/instance.hpp>
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto relu = [](auto x) { return tn::relu(x); };
using net = tn::graph<relu, tn::input<"x", float, 4>>;
tn::status call(tn::instance<tn::model<net, tn::reference>>& instance, std::span<const float> x) {
  return instance(x, x);  // here
}
