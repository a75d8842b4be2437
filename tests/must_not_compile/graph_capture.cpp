// expect: graph: the model must be a captureless lambda
// A model that captures a value.
// SPDX-License-Identifier: MIT
#include <tenon/tenon.hpp>
namespace tn = tenon;

constexpr auto model_with(float factor) {
  return [factor](auto x) { return x * factor; };
}
using model = decltype(model_with(2.0f));
using net = tn::basic_graph<model, tn::input<"x", float, 4>>;
static_assert(net::view().nodes.size > 0);  // here
