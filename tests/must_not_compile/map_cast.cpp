// expect: map: cast<T> knows the element types of tensors
// A cast to a type that programs do not have.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) {
  return tn::map([](auto v) { return tn::cast<double>(v); })(x);  // here
};
using net = tn::graph<model, tn::input<"x", float, 1, 3, 8, 8>>;
static_assert(net::view().nodes.size > 0);
