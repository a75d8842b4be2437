// expect: model: a policy lacks a required member
// A policy without run().
// SPDX-License-Identifier: MIT
#include <tenon/run/instance.hpp>
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
namespace tn = tenon;

struct lame {
  static constexpr const char* name = "lame";
  static constexpr tn::sharing memory = tn::sharing::same;
  static constexpr bool fuses = false;
  static constexpr bool supports(const tn::table_view&, const tn::node&) { return true; }
  static constexpr tn::footprint measure(const tn::plan_view&, int) { return {}; }
  struct work {};
  struct function {};
  static function interpreted(tn::program_view) noexcept { return {}; }
};
inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 4>>;
tn::model<net, lame> bound;  // here
