// LeNet-5, planned for a policy without kernels: what the graph and the passes cost.
// SPDX-License-Identifier: MIT
#include <tenon/plan/plan.hpp>
#include "../../examples/networks/lenet5.hpp"

/// Supports everything, needs nothing.
struct stub {
  static constexpr const char* name = "stub";
  static constexpr auto memory = tenon::sharing::same;
  static constexpr bool fuses = true;
  static constexpr bool supports(const tenon::table_view&, const tenon::node&) { return true; }
  static constexpr tenon::footprint measure(const tenon::plan_view&, int) { return {}; }
};
using plan = tenon::plan<networks::lenet5::graph, stub>;

// The first convolution's result and, pooled, the next: 4 * 6 * (28 * 28 + 14 * 14) = 23,520 bytes,
// each aligned to 64.
static_assert(plan::live_bytes <= 23552);
static_assert(plan::arena_bytes == plan::live_bytes);
