// What the verifier can find wrong in a plan.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstdint>

namespace tenon::plans {

/// The invariants of a plan: what execution relies on without looking again.
enum class defect : std::uint8_t {
  none,
  order,       ///< a node stands before one of its operands, or a group before one it needs
  membership,  ///< a node is in no group, in two, or in a group of another policy
  hidden,      ///< a value that lives inside a group is read outside of it
  holder,      ///< a value's holder holds nothing
  outside,     ///< a value reaches beyond its buffer, or a buffer beyond the arena
  alignment,   ///< an arena offset is not aligned
  overlap,     ///< two buffers share bytes while both are live
  output,      ///< an output is written by nothing, or twice
  home,        ///< a buffer lies where a policy that uses it cannot reach it
  scan,        ///< a scan's body is not in one piece, or what comes out of it is no result of it
};

/// Where a plan is wrong; `at` is a node or a group.
struct finding {
  defect what = defect::none;
  int at = -1;
  constexpr bool ok() const { return what == defect::none; }
};

}  // namespace tenon::plans
