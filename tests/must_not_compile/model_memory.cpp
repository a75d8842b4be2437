// expect: model: a policy with another memory than the caller's must be a device_backend
// A policy with a memory of its own that nobody brings data to.
// SPDX-License-Identifier: MIT
#include <tenon/run/instance.hpp>
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
namespace tn = tenon;

struct remote : tn::reference {
  static constexpr tn::sharing memory = tn::sharing::separate;
};
inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 4>>;
tn::model<net, remote> bound;  // here
