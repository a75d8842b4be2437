// expect: on: a placement names a policy that the model does not have
// A placement on the second of one policies.
// SPDX-License-Identifier: MIT
#include <tenon/run/instance.hpp>
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return tn::on<1>(tn::relu(x)); };
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(tn::plan<net, tn::reference>::arena_bytes == 0);  // here
