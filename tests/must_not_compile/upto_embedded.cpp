// expect: instance: a graph with upto<> keeps the plan of its last call on the heap; it cannot be embedded
// An instance without a heap of a graph whose extents vary.
// SPDX-License-Identifier: MIT
#include <tenon/run/reference.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, tn::upto<8>, 6>>;
using bound = tn::model<net, tn::reference>;
void make(const bound& m) {
  tn::instance<bound, tn::embedded> own{m};  // here
}
