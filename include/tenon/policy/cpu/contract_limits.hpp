// Upper limits of the memory of contractions over all extents below a graph's limits.
//
// What is reserved must do for every extent, and the largest extents do not always need the most: a
// narrow image is copied where a wide one is read in place, and needs a table of terms where the
// wide one has one stride. So every copy and table that some extents may need is counted, at the
// limits' size.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_planner.hpp>
#include <tenon/policy/cpu/depthwise.hpp>

namespace tenon::simd {

namespace contracts_cpu {

/// Elements of the image's copy, whole or in stride phases. Phases round up to whole strides, hence
/// a stride more than the span.
constexpr i64 most_image(const reading& r) {
  if (r.c.sweeps < 2) return 0;
  i64 pixels = 1, copied = 1;
  for (const sweep& w : r.c.swept) {
    pixels *= w.extent;
    copied *= (r.c.axis[w.out_axis].extent - 1) * w.stride + (w.taps - 1) * w.dilation + w.stride;
  }
  return r.extents_of(0).count() / pixels * copied + tile_columns;
}
/// Elements of a depthwise strip's copied input and sums. A strip has about `strip_outputs`
/// outputs, so one of narrow lines has many lines, each with its own edge.
constexpr i64 most_strip(const contraction& c) {
  const sweep &down = c.swept[0], &across = c.swept[1];
  const i64 lines = c.axis[3].extent, columns = c.axis[4].extent;
  const i64 sums = strip_outputs + strip_rows * columns, strip = sums < lines ? sums : lines;
  const i64 above = (down.taps - 1) * down.dilation + 1,
            beside = (across.taps - 1) * across.dilation + across.stride * (width + 1);
  return sums * down.stride * across.stride + strip * down.stride * beside +
         above * (columns * across.stride + beside) + 2 * width + sums + 2 * arena_align;
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
  const contract_plan widest = plan_contract(p, g);
  footprint need = widest.need;
  // Panels of weights are packed at binding, into memory that does not depend on extents.
  const i64 panels =
      widest.panels.at_binding ? 0 : aligned(widest.panels.items * widest.panels.item * 4);
  need.scratch = larger(need.scratch, aligned(contracts_cpu::most_image(r) * 4) + panels);
  if (widest.form != vector_form::panels)
    need.per_thread = larger(need.per_thread, aligned(tile_rows * block_columns * 4));
  const i64 fixed = aligned(static_cast<i64>(sizeof(contract_work)));
  need.bound = larger(need.bound, fixed + aligned(widest.terms * 4));  // one table or the other
  return need;
}

}  // namespace tenon::simd
