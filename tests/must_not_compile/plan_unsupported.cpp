// expect: plan: no policy of the model runs one of its operators
// A policy that runs nothing, alone.
// SPDX-License-Identifier: MIT
#include <tenon/run/instance.hpp>
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
namespace tn = tenon;

struct nothing : tn::reference {
  static constexpr const char* name = "nothing";
  static constexpr bool supports(const tn::table_view&, const tn::node&) { return false; }
};
inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 4>>;
static_assert(tn::plan<net, nothing>::arena_bytes == 0);  // here
