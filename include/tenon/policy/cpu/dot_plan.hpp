// How the CPU multiplies integers that stand for numbers: in words of four terms. Numbers only; the
// kernels are in dot.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_plan.hpp>

namespace tenon::simd {

/// Terms that a word holds, a byte each.
inline constexpr i64 word_terms = 4;
/// Positions of a piece of work: with words of 64 channels they stay in the first level of the
/// cache.
inline constexpr i64 dot_pixels = 9 * width, dot_rows = 64;
/// Filters of a piece of work.
inline constexpr i64 dot_filters = 8 * tile_rows, dot_columns = 9 * width;

/// A window of the image along one axis. What is copied of it is split by stride phase where pixels
/// fill the vectors; a window of one tap sees but one phase.
struct dot_window {
  i64 taps = 1, stride = 1, dilation = 1, begin = 0, extent = 1;
  i64 step = 0;  ///< bytes of the image
  i64 tap = 0;   ///< weights
  i64 phases = 1, plane = 1;
};
/// Weights, or what belongs to them: a root, and strides for items and filters.
struct dot_parameter {
  int root = -1;
  i64 offset = 0, filter = 0, item[contraction::max_axes]{};
};

struct dot_plan {
  bool by_rows = false;  ///< the vectors are filled with filters; else with pixels
  bool is_signed = false, signed_weights = false;
  // The image (q of the axes: bytes), and the weights (p: elements).
  int root = -1;
  i64 offset = 0, channel = 0, channels = 1, words = 1;
  dot_window y{}, x{};
  dot_parameter weight{}, scale{}, zero{};
  i64 weight_channel = 0;
  int image_scale = -1, image_zero = -1;  ///< nodes
  i64 image_scale_at = 0, image_zero_at = 0;
  // The output: items, positions, filters.
  int items_axes = 0;
  output_axis item[contraction::max_axes]{}, line{}, column{}, filter{};
  i64 items = 1, images = 1, matrices = 1;
  int out_root = -1;
  i64 out_offset = 0;
  epilogue_plan after{};
  footprint need{};

  constexpr i64 terms() const { return words * y.taps * x.taps; }
  constexpr i64 filters() const {
    const i64 unit = by_rows ? width : tile_rows;
    return (filter.extent + unit - 1) / unit * unit;
  }
  constexpr i64 image_words() const { return words * y.phases * x.phases * y.plane * x.plane; }
  /// Positions, of which those between the lines of pixels are no outputs.
  constexpr i64 positions() const {
    return by_rows ? line.extent * column.extent : (line.extent - 1) * x.plane + column.extent;
  }
};

namespace contracts_cpu {

struct dot_planner {
  reading r;
  dot_plan t{};
  const node& a = r.p.table.nodes[r.n.in[0]];
  const node& b = r.p.table.nodes[r.n.in[1]];

  constexpr const plans::location& of(int id) const { return r.p.locations[id]; }
  constexpr i64 image_step(i64 step) const { return r.through(2, step); }
  constexpr i64 weight_step(i64 step) const { return restride(step, b.out.shape, of(b.in[0])); }
  constexpr i64 parameter_step(i64 step) const {
    const node& scale = r.p.table.nodes[b.in[1]];
    return plans::restride(step, b.out.shape,
                           {0, 0, broadcast(of(b.in[1]), scale.out.shape, b.out.shape), true});
  }
  constexpr output_axis axis(int i) const {
    output_axis x = r.axis(i, false);
    x.q = image_step(r.c.axis[i].a);
    x.p = weight_step(r.c.axis[i].b);
    return x;
  }
  constexpr int sweep_of(int i) const {
    for (int s = 0; s < r.c.sweeps; ++s)
      if (r.c.swept[s].out_axis == i || r.c.swept[s].tap_axis == i) return s;
    return -1;
  }
  constexpr void add_item(int i) {
    const int k = t.items_axes++;
    t.item[k] = axis(i);
    t.items *= t.item[k].extent;
    if (t.item[k].q != 0) t.images *= t.item[k].extent;
    if (t.item[k].p != 0) t.matrices *= t.item[k].extent;
    t.weight.item[k] = t.item[k].p;
    t.scale.item[k] = t.zero.item[k] = parameter_step(r.c.axis[i].b);
  }
  /// The last axis of the weights alone are filters, of a product the last one of the image alone
  /// are positions; what is left are items.
  [[gnu::cold]] constexpr void collect_axes() {  // see plan_dot
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
        t.channels = l.extent;
        t.channel = image_step(l.a);
        t.weight_channel = weight_step(l.b);
      } else if (i != filter && i != row) {
        add_item(i);
      }
    }
    t.words = (t.channels + word_terms - 1) / word_terms;
    if (filter >= 0) {
      t.filter = axis(filter);
      t.weight.filter = t.filter.p;
      t.scale.filter = t.zero.filter = parameter_step(r.c.axis[filter].b);
    }
    if (row >= 0) t.column = axis(row);
    t.x.extent = t.column.extent;
    t.x.step = t.column.q;
    for (int s = 0; s < r.c.sweeps; ++s) sweep_over(r.c.swept[s], s == 0);
  }
  constexpr void sweep_over(const sweep& w, bool vertical) {
    (vertical ? t.line : t.column) = axis(w.out_axis);
    dot_window& to = vertical ? t.y : t.x;
    to = {w.taps, w.stride, w.dilation, w.begin, w.extent, image_step(w.step)};
    to.tap = weight_step(r.c.axis[w.tap_axis].b);
  }
  /// Rows of one item follow those of the one before, and lines each other, in everything.
  constexpr void merge_positions() {
    while (r.c.sweeps == 0 && t.items_axes > 0) {
      const output_axis& outer = t.item[t.items_axes - 1];
      if (outer.p != 0 || outer.q != t.column.q * t.column.extent || !even(outer)) break;
      t.x.extent = t.column.extent *= outer.extent;
      t.items /= outer.extent;
      if (outer.q != 0) t.images /= outer.extent;
      --t.items_axes;
    }
    const bool points = t.y.taps * t.x.taps * t.y.stride * t.x.stride == 1 && t.y.begin == 0 &&
                        t.x.begin == 0 && t.y.extent == t.line.extent &&
                        t.x.extent == t.column.extent;
    if (!points || t.y.step != t.x.step * t.x.extent || !even(t.line)) return;
    t.x.extent = t.column.extent *= t.line.extent;
    t.y.extent = 1;
    t.line = {};
  }
  constexpr bool even(const output_axis& outer) const { return r.continues(outer, t.column); }
  constexpr void plan_planes() {
    t.by_rows = t.filter.out == 1 || t.column.out != 1;
    const i64 lines = t.line.extent, columns = t.column.extent;
    const auto split = [&](dot_window& w, i64 outputs) {
      const i64 span = (outputs - 1) * w.stride + (w.taps - 1) * w.dilation + 1;
      w.phases = t.by_rows || w.taps == 1 ? 1 : w.stride;
      w.plane = t.by_rows ? span : (span + w.stride - 1) / w.stride;
    };
    split(t.y, lines);
    split(t.x, columns);
  }
  constexpr void find_operands() {
    const auto place = [&](int id, dot_parameter& to) {
      to.root = of(id).root;
      to.offset = of(id).offset;
    };
    t.root = of(r.n.in[2]).root;
    t.offset = of(r.n.in[2]).offset;
    place(b.in[0], t.weight);
    place(b.in[1], t.scale);
    place(b.in[2], t.zero);
    t.image_scale = of(a.in[1]).root;
    t.image_scale_at = of(a.in[1]).offset;
    t.image_zero = of(a.in[2]).root;
    t.image_zero_at = of(a.in[2]).offset;
    t.is_signed = r.p.table.nodes[a.in[0]].out.type == type::int8;
    t.signed_weights = r.p.table.nodes[b.in[0]].out.type == type::int8;
  }
  constexpr void plan_output(int anchor) {
    const plans::location& result = of(r.map >= 0 ? r.map : anchor);
    t.out_root = result.root;
    t.out_offset = result.offset;
    t.after = r.epilogue(anchor);
  }
};

}  // namespace contracts_cpu

/// Bytes of the bound form: the plan itself, then tables.
inline constexpr i64 dot_bytes = aligned(static_cast<i64>(sizeof(dot_plan)) + 128);

/// Decides everything about group `g`, whose contraction is offered integers. (Cold, for its size:
/// the policy refers to it in graphs that quantize nothing, too.)
[[gnu::cold]] constexpr dot_plan plan_dot(const plan_view& p, int g) {
  contracts_cpu::dot_planner made{contracts_cpu::read_group(p, g)};
  made.collect_axes();
  made.merge_positions();
  made.plan_planes();
  made.find_operands();
  made.plan_output(p.groups[g].anchor);
  dot_plan& t = made.t;
  const i64 all = t.matrices * t.filters(),
            sums = t.by_rows ? dot_rows * tile_columns : tile_rows * dot_pixels;
  t.need = {all * t.terms() * 4, aligned((t.images * t.image_words() + tile_columns) * 4), sums * 4,
            dot_bytes + aligned(t.terms() * 4) + 2 * aligned(all * 4)};
  return t;
}
/// The larger of what both ways need: binding chooses.
constexpr footprint either(const footprint& a, const footprint& b) {
  const auto larger = [](i64 x, i64 y) { return x > y ? x : y; };
  return {larger(a.packed, b.packed), larger(a.scratch, b.scratch),
          larger(a.per_thread, b.per_thread), larger(a.bound, b.bound)};
}

}  // namespace tenon::simd
