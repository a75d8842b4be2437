// How the CPU plans a contraction of integers: axes by role, the copy of the image, the memory.
//
// The image is always copied: its bytes must be regrouped in words of four channels. `plan_dot`
// lists the decisions in their order.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_reading.hpp>
#include <tenon/policy/cpu/dot_work.hpp>

namespace tenon::simd {

namespace contracts_cpu {

/// Decides step by step; the order of the members is the order of the decisions. The contraction's
/// operands a and b are maps that dequantize. The kernel reads the integers instead: those of the
/// weights are b's operand, those of the image are the contraction's third operand.
struct dot_planner {
  reading r;
  dot_plan plan{};
  const node& a = r.p.table.nodes[r.n.in[0]];
  const node& b = r.p.table.nodes[r.n.in[1]];

  constexpr const plans::location& of(int id) const { return r.p.locations[id]; }
  constexpr i64 image_step(i64 step) const { return r.through(2, step); }
  constexpr i64 weight_step(i64 step) const {
    return plans::restride(step, b.out.shape, of(b.in[0]));
  }
  /// A stride in the weights' scales and zero points; 0 along axes along which they broadcast.
  constexpr i64 parameter_step(i64 step) const {
    const node& scale = r.p.table.nodes[b.in[1]];
    return plans::restride(step, b.out.shape,
                           {0, 0, broadcast(of(b.in[1]), scale.out.shape, b.out.shape), true});
  }
  /// Loop `i` as an axis with the strides of the integers, which are bytes.
  constexpr output_axis axis(int i) const {
    output_axis x = r.axis(i, false);
    x.rows = image_step(r.c.axis[i].a);
    x.lanes = weight_step(r.c.axis[i].b);
    return x;
  }
  /// The sweep whose positions or taps loop `i` is; -1 for none.
  constexpr int sweep_of(int i) const {
    for (int s = 0; s < r.c.sweeps; ++s)
      if (r.c.swept[s].out_axis == i || r.c.swept[s].tap_axis == i) return s;
    return -1;
  }
  /// Adds loop `i` to the items. Images and matrices of weights are counted apart, because several
  /// items may share an image or a matrix.
  constexpr void add_item(int i) {
    const int k = plan.item_axes++;
    plan.item[k] = axis(i);
    plan.items *= plan.item[k].extent;
    if (plan.item[k].rows != 0) plan.images *= plan.item[k].extent;
    if (plan.item[k].lanes != 0) plan.matrices *= plan.item[k].extent;
    plan.weight.item[k] = plan.item[k].lanes;
    plan.scale.item[k] = plan.zero.item[k] = parameter_step(r.c.axis[i].b);
  }
  /// Sorts the loops. The filters are the last axis along which only the weights vary. In a matrix
  /// product, the positions are the last axis along which only the image varies. All other axes of
  /// the output are items. Cold, for the reason that `plan_dot` gives.
  [[gnu::cold]] constexpr void collect_axes() {
    int filter = -1, row = -1;
    for (int i = 0; i < r.c.axes; ++i) {
      const contraction::loop& l = r.c.axis[i];
      if (l.reduced || l.extent == 1 || sweep_of(i) >= 0) continue;
      if (l.a == 0) filter = i;
      if (l.b == 0 && r.c.sweeps == 0) row = i;
    }
    for (int i = 0; i < r.c.axes; ++i) {
      const contraction::loop& l = r.c.axis[i];
      if (sweep_of(i) >= 0 || l.extent == 1) continue;
      if (l.reduced) {
        plan.channels = l.extent;
        plan.channel = image_step(l.a);
        plan.weight_channel = weight_step(l.b);
      } else if (i != filter && i != row) {
        add_item(i);
      }
    }
    plan.words = (plan.channels + word_terms - 1) / word_terms;
    if (filter >= 0) {
      plan.filter = axis(filter);
      plan.weight.filter = plan.filter.lanes;
      plan.scale.filter = plan.zero.filter = parameter_step(r.c.axis[filter].b);
    }
    if (row >= 0) plan.column = axis(row);
    plan.x.extent = plan.column.extent;
    plan.x.step = plan.column.rows;
    for (int s = 0; s < r.c.sweeps; ++s) sweep_over(r.c.swept[s], s == 0);
  }
  /// Lines and columns of a convolution, from its two sweeps.
  constexpr void sweep_over(const sweep& w, bool vertical) {
    (vertical ? plan.line : plan.column) = axis(w.out_axis);
    dot_window& to = vertical ? plan.y : plan.x;
    to = {w.taps, w.stride, w.dilation, w.begin, w.extent, image_step(w.step)};
    to.tap = weight_step(r.c.axis[w.tap_axis].b);
  }
  /// Makes lines as long as possible, since long lines fill more registers. In a matrix product,
  /// items become positions where one stride leads through both. In a convolution with windows of a
  /// single pixel, stride 1 and no edge, all lines become one.
  constexpr void merge_positions() {
    while (r.c.sweeps == 0 && plan.item_axes > 0) {
      const output_axis& outer = plan.item[plan.item_axes - 1];
      if (outer.lanes != 0 || outer.rows != plan.column.rows * plan.column.extent || !even(outer))
        break;
      plan.x.extent = plan.column.extent *= outer.extent;
      plan.items /= outer.extent;
      if (outer.rows != 0) plan.images /= outer.extent;
      --plan.item_axes;
    }
    const bool points = plan.y.taps * plan.x.taps * plan.y.stride * plan.x.stride == 1 &&
                        plan.y.begin == 0 && plan.x.begin == 0 &&
                        plan.y.extent == plan.line.extent && plan.x.extent == plan.column.extent;
    if (!points || plan.y.step != plan.x.step * plan.x.extent || !even(plan.line)) return;
    plan.x.extent = plan.column.extent *= plan.line.extent;
    plan.y.extent = 1;
    plan.line = {};
  }
  constexpr bool even(const output_axis& outer) const { return r.continues(outer, plan.column); }
  /// Decides what fills the vectors, filters or pixels. It is filters if they are neighbours in the
  /// output, or if pixels are not. Pixels need a plane for each phase of the stride.
  constexpr void plan_planes() {
    plan.by_rows = plan.filter.out == 1 || plan.column.out != 1;
    const i64 lines = plan.line.extent, columns = plan.column.extent;
    const auto split = [&](dot_window& w, i64 outputs) {
      const i64 span = (outputs - 1) * w.stride + (w.taps - 1) * w.dilation + 1;
      w.phases = plan.by_rows || w.taps == 1 ? 1 : w.stride;
      w.plane = plan.by_rows ? span : (span + w.stride - 1) / w.stride;
    };
    split(plan.y, lines);
    split(plan.x, columns);
  }
  /// Finds where integers, scales and zero points lie.
  constexpr void find_operands() {
    const auto find = [&](int id, dot_parameter& to) {
      to.holder = of(id).holder;
      to.offset = of(id).offset;
    };
    plan.holder = of(r.n.in[2]).holder;
    plan.offset = of(r.n.in[2]).offset;
    find(b.in[0], plan.weight);
    find(b.in[1], plan.scale);
    find(b.in[2], plan.zero);
    plan.image_scale = of(a.in[1]).holder;
    plan.image_scale_at = of(a.in[1]).offset;
    plan.image_zero = of(a.in[2]).holder;
    plan.image_zero_at = of(a.in[2]).offset;
    plan.is_signed = r.p.table.nodes[a.in[0]].out.type == type::int8;
    plan.signed_weights = r.p.table.nodes[b.in[0]].out.type == type::int8;
  }
  constexpr void plan_output(int anchor) {
    const plans::location& result = of(r.map >= 0 ? r.map : anchor);
    plan.out_holder = result.holder;
    plan.out_offset = result.offset;
    plan.epilogue = r.epilogue(anchor);
  }
};

}  // namespace contracts_cpu

/// Decides everything about group `g`, whose contraction is offered integers. Cold, so that the
/// compiler optimizes for size: graphs that quantize nothing contain this code as well.
[[gnu::cold]] constexpr dot_plan plan_dot(const plan_view& p, int g) {
  contracts_cpu::dot_planner planner{contracts_cpu::read_group(p, g)};
  planner.collect_axes();
  planner.merge_positions();
  planner.plan_planes();
  planner.find_operands();
  planner.plan_output(p.groups[g].anchor);
  dot_plan& plan = planner.plan;
  const i64 all = plan.matrices * plan.filters(),
            sums = plan.by_rows ? dot_rows * tile_columns : tile_rows * dot_pixels;
  plan.need = {all * plan.terms() * 4,
               aligned((plan.images * plan.image_words() + tile_columns) * 4), sums * 4,
               lay_out(plan, nullptr).bytes};
  return plan;
}
/// Memory for either of two kernels: the larger of each need, because binding chooses between them.
constexpr footprint either(const footprint& a, const footprint& b) {
  const auto larger = [](i64 x, i64 y) { return x > y ? x : y; };
  return {larger(a.packed, b.packed), larger(a.scratch, b.scratch),
          larger(a.per_thread, b.per_thread), larger(a.bound, b.bound)};
}

}  // namespace tenon::simd
