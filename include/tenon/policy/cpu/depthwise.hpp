// Depthwise convolutions on the CPU: every output plane sees one input plane.
//
// policy.hpp comes here for contractions of which `is_depthwise` is true. depthwise_plan.hpp tells
// the three ways to run and decides; binding writes the plan, the taps' table and, for weights, the
// packed filters.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/depthwise_channels.hpp>
#include <tenon/policy/cpu/depthwise_planes.hpp>
#include <tenon/policy/policy.hpp>

namespace tenon::simd {

inline void run_depthwise(const depthwise_work& w, const frame& f) noexcept {
  (w.plan.planes ? run_planes : run_channels)(w, f);
}
/// The epilogue as something that tiles of planes compute: a bias and limits. An operand is the
/// bias if it is one number for the whole plane.
inline fused_epilogue fused_epilogue_of(const depthwise_plan& t, const table_view& table) noexcept {
  epilogue_role roles[max_operands];
  for (int k = 0; k < t.epilogue.operands; ++k)
    roles[k] = t.epilogue.holder[k] < 0 ? epilogue_role::sums
               : t.planes && t.line.epilogue[k] == 0 && t.column.epilogue[k] == 0
                   ? epilogue_role::constant
                   : epilogue_role::other;
  const range program = table.programs[t.epilogue.program];
  return read_fused_epilogue({table.code.data + program.begin, program.size}, roles);
}
inline const depthwise_work* bind_depthwise(const binding<function>& b) noexcept {
  const depthwise_plan t = plan_depthwise(*b.plan, b.group);
  const depthwise_memory memory = lay_out(t, b.bound);
  auto* w = new (memory.work) depthwise_work{};
  w->plan = t;
  w->packed = b.packed;
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (t.epilogue.program >= 0) {
    w->epilogue = b.functions[t.epilogue.program];
    w->fused = fused_epilogue_of(t, b.plan->table);
  }
  if (t.planes) write_strip_taps(t, memory.taps);
  w->taps = memory.taps;
  if (b.packs && t.filters_packed && t.at_binding)
    pack_filters(t, b.weight<float>(t.filters.holder, t.filters.offset),
                 reinterpret_cast<float*>(b.packed));
  return w;
}

}  // namespace tenon::simd
