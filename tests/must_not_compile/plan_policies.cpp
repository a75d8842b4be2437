// expect: plan: give at least one policy
// A plan for no policy.
// SPDX-License-Identifier: MIT
#include <tenon/run/instance.hpp>
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(tn::plan<net>::arena_bytes == 0);  // here
