// What contractions may need in a graph with bounds: a narrow image may want a copy that the widest
// one does not, or a table. What is reserved must do for all extents.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/depthwise.hpp>

namespace tenon::simd {

namespace contracts_cpu {

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
  const i64 panels = now.panels.at_binding ? 0 : aligned(now.panels.items * now.panels.item * 4);
  need.scratch = larger(need.scratch, aligned(contracts_cpu::most_image(r) * 4) + panels);
  if (now.form != vector_form::panels)
    need.per_thread = larger(need.per_thread, aligned(tile_rows * block_columns * 4));
  need.bound = larger(need.bound, work_bytes + 2 * aligned(now.terms * 4));
  return need;
}

}  // namespace tenon::simd
