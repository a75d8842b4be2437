// What contractions may need in a graph with bounds. Their forms follow the extents: a narrow image
// may want a copy that the widest one does not. What is reserved must do for all extents.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/depthwise.hpp>

namespace tenon::simd {

namespace contracts_cpu {

/// Elements of the panels of an operand, with whichever of its axes across the registers.
constexpr i64 most_panels(const contraction& c, bool of_a) {
  i64 terms = 1, all = 1, most = width;
  for (int i = 0; i < c.axes; ++i)
    if (const auto& l = c.axis[i]; l.reduced || (of_a ? l.a : l.b) != 0)
      (l.reduced ? terms : all) *= l.extent;
  for (int i = 0; i < c.axes; ++i) {
    const auto& l = c.axis[i];
    if (l.reduced || (of_a ? l.a : l.b) == 0 || l.extent == 1) continue;
    const i64 padded = all / l.extent * registers_of(l.extent) * width;
    if (padded > most) most = padded;
  }
  return terms * most;
}
/// Elements of the image's copy, whole or in stride phases.
constexpr i64 most_image(const reading& r) {
  if (r.c.sweeps < 2) return 0;
  i64 pixels = 1, copied = 1;
  for (const sweep& w : r.c.swept) {
    pixels *= w.extent;
    copied *= (r.c.axis[w.out_axis].extent - 1) * w.stride + (w.taps - 1) * w.dilation + w.stride;
  }
  return r.extents_of(0).count() / pixels * copied + tile_columns;
}
/// Elements of a strip's copied input and sums: a strip of narrow lines has many.
constexpr i64 most_strip(const contraction& c) {
  const sweep &v = c.swept[0], &h = c.swept[1];
  const i64 lines = c.axis[3].extent, columns = c.axis[4].extent;
  const i64 sums = strip_outputs + strip_rows * columns, strip = sums < lines ? sums : lines;
  const i64 above = (v.taps - 1) * v.dilation + 1,
            beside = (h.taps - 1) * h.dilation + h.stride * (width + 1);
  return sums * v.stride * h.stride + strip * v.stride * beside +
         above * (columns * h.stride + beside) + 2 * width + sums + 2 * arena_align;
}

}  // namespace contracts_cpu

/// At least what `plan_depthwise` and `plan_contract` say for any extents up to these.
constexpr footprint most_for_contract(const plan_view& p, int g) {
  const contracts_cpu::reading r = contracts_cpu::read_group(p, g);
  const auto larger = [](i64 a, i64 b) { return a > b ? a : b; };
  if (is_depthwise(p, g)) {
    footprint need = plan_depthwise(p, g).need;
    const i64 strip =
        aligned((contracts_cpu::most_strip(r.c) + r.c.swept[0].taps * r.c.swept[1].taps) * 4);
    need.per_thread = larger(need.per_thread, strip);
    return need;
  }
  const contract_plan now = plan_contract(p, g);
  footprint need = now.need;
  i64 scratch = aligned(contracts_cpu::most_image(r) * 4);
  if (!now.panels.at_binding || r.c.sweeps == 0)
    scratch += aligned(
        larger(contracts_cpu::most_panels(r.c, true), contracts_cpu::most_panels(r.c, false)) * 4);
  constexpr i64 sums = (turned_rows + width) * block_columns + width * turned_rows;
  need.scratch = larger(need.scratch, scratch);
  need.per_thread = larger(need.per_thread, aligned(sums * 4));
  need.bound = larger(need.bound, work_bytes + 2 * aligned(now.terms * 4));
  return need;
}

}  // namespace tenon::simd
