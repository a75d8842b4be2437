// A network of examples/networks, planned for a policy without kernels: -DHEADER, -DGRAPH.
// SPDX-License-Identifier: MIT
#include <tenon/plan/plan.hpp>
#include HEADER

/// Supports everything, needs nothing.
struct stub {
  static constexpr const char* name = "stub";
  static constexpr auto memory = tenon::sharing::same;
  static constexpr bool fuses = true;
  static constexpr bool supports(const tenon::table_view&, const tenon::node&) { return true; }
  static constexpr tenon::footprint measure(const tenon::plan_view&, int) { return {}; }
};
using plan = tenon::plan<GRAPH, stub>;

static_assert(plan::arena_bytes == plan::live_bytes && plan::live_bytes > 0);
