// How the CPU plans a contraction: which operand is broadcast and which fills the vectors, what is
// packed and when, how large a piece of work and its memory are.
//
// `plan_contract` reads as a table of contents: one call per decision, in their order, and each one
// depends on earlier ones only. It runs at compile time for static graphs (its footprint is part of
// the plan's), at binding for the others.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_choice.hpp>
#include <tenon/policy/cpu/contract_work.hpp>

namespace tenon::simd {

namespace contracts_cpu {

/// Decides step by step; the order of the members is the order of the decisions.
struct contract_planner {
  reading r;
  vector_choice vectors{r};
  contract_plan plan{};
  i64 scratch = 0, packed = 0, per_thread = 0;  ///< bytes so far

  /// Decides whether the image is read in place or copied. It is copied if a tap can lie outside of
  /// the image, or if pixels are to fill vectors and a stride keeps them from being neighbours.
  constexpr void choose_image() {
    plan.turned = vectors.turned;
    const contraction& c = r.c;
    bool in_place = true;
    for (int s = 0; s < c.sweeps; ++s) {
      const sweep& w = c.swept[s];
      in_place =
          in_place && w.begin == 0 && span(w) <= w.extent && (!vectors.pixels || w.stride == 1);
    }
    // The last tile of an image in place is shifted left to stay inside, so it must find room.
    if (vectors.pixels)
      in_place = in_place && (c.axis[vectors.line_axis].extent - 1) * c.swept[0].step +
                                     c.axis[vectors.vector_axis].extent >=
                                 tile_columns;
    if (!in_place) copy_image();
    plan.form = !vectors.pixels ? vector_form::panels
                : in_place      ? vector_form::image
                                : vector_form::planes;
  }
  /// The number of input positions between the first and the last tap of all outputs of an axis.
  constexpr i64 span(const sweep& w) const {
    return (r.c.axis[w.out_axis].extent - 1) * w.stride + (w.taps - 1) * w.dilation + 1;
  }
  /// Plans a copy of the image, edge included. Where pixels fill vectors, each phase of the stride
  /// gets a plane of its own, in which neighbouring outputs read neighbouring pixels.
  constexpr void copy_image() {
    const sweep &down = r.c.swept[0], &across = r.c.swept[1];
    const plans::location& from = r.p.locations[r.n.in[0]];
    image_copy& copy = plan.image;
    copy.used = true;
    copy.holder = from.holder;
    copy.offset = from.offset;
    copy.at = scratch;
    copy.height = down.extent;
    copy.width = across.extent;
    copy.inner = across.step;
    copy.count = r.extents_of(0).count() / (copy.height * copy.width * copy.inner);
    copy.top = down.begin;
    copy.left = across.begin;
    copy.phases_y = vectors.pixels ? down.stride : 1;
    copy.phases_x = vectors.pixels ? across.stride : 1;
    copy.plane_height = (span(down) + copy.phases_y - 1) / copy.phases_y;
    copy.plane_width = (span(across) + copy.phases_x - 1) / copy.phases_x;
    if (vectors.pixels && copy.phases_y * copy.phases_x == 1)
      copy.tail = shared_edge(across, span(across));
    copy.plane_width -= copy.tail;
    copy.item = copy.phases_y * copy.phases_x * copy.plane_height * copy.plane_width * copy.inner +
                copy.tail;
    // The last tile of pixels reads whole registers, up to a tile behind the last output.
    scratch += aligned((copy.count * copy.item + (vectors.pixels ? tile_columns : 0)) * 4);
    r.image = copy;
  }
  constexpr void choose_sides() {
    const plans::location &rows = r.p.locations[r.n.in[vectors.swap ? 1 : 0]],
                          &lanes = r.p.locations[r.n.in[vectors.swap ? 0 : 1]];
    plan.row_side = {side::source::in_place, rows.holder, rows.offset, 0};
    plan.lane_side = {side::source::in_place, lanes.holder, lanes.offset, 0};
    if (plan.image.used)
      (vectors.pixels ? plan.lane_side : plan.row_side) = {side::source::scratch, -1, 0,
                                                           plan.image.at};
  }
  /// Sorts the loops: those of the output into column, line, rows and batch, the reduced ones into
  /// terms. A row axis varies the row side only; all others are batch.
  constexpr void collect_axes() {
    if (vectors.vector_axis >= 0) plan.column = r.axis(vectors.vector_axis, vectors.swap);
    if (vectors.line_axis >= 0) plan.line = r.axis(vectors.line_axis, vectors.swap);
    for (int i = 0; i < r.c.axes; ++i) {
      if (r.c.axis[i].reduced) {
        add_terms(i);
      } else if (i != vectors.vector_axis && i != vectors.line_axis && r.c.axis[i].extent > 1) {
        const output_axis x = r.axis(i, vectors.swap);
        const bool row = x.rows != 0 && x.lanes == 0;
        (row ? plan.row[plan.row_axes++] : plan.batch[plan.batch_axes++]) = x;
        (row ? plan.rows : plan.batch_count) *= x.extent;
        if (row) merge_rows();
      }
    }
    if (!vectors.pixels) return;
    plan.pitch = plan.image.used ? plan.image.plane_width : r.c.swept[0].step;
    plan.positions = (plan.line.extent - 1) * plan.pitch + plan.column.extent;
  }
  /// Joins the last two row axes if one stride leads through both, in the row side, the output and
  /// the epilogue's operands. With one row axis the tiles need no list of addresses.
  constexpr void merge_rows() {
    if (plan.row_axes < 2) return;
    output_axis &outer = plan.row[plan.row_axes - 2], &inner = plan.row[plan.row_axes - 1];
    if (outer.rows != inner.rows * inner.extent || !r.continues(outer, inner)) return;
    inner.extent *= outer.extent;
    outer = inner;
    --plan.row_axes;
  }
  constexpr void add_terms(int i) {
    const int k = plan.term_axes++;
    plan.term_extent[k] = r.c.axis[i].extent;
    plan.term_rows[k] = vectors.swap ? r.b(i) : r.a(i);
    plan.term_lanes[k] = vectors.swap ? r.a(i) : r.b(i);
    plan.term_sweep[k] = -1;
    for (int s = 0; s < r.c.sweeps; ++s)
      if (r.c.swept[s].tap_axis == i) plan.term_sweep[k] = s;
    plan.terms *= r.c.axis[i].extent;
  }
  /// Decides whether one stride leads through all terms of the row side; else they need a table.
  constexpr void choose_terms() {
    i64 expected = -1;
    for (int k = plan.term_axes - 1; k >= 0; --k) {
      if (plan.term_extent[k] == 1) continue;
      if (expected < 0)
        plan.row_term_step = plan.term_rows[k];
      else if (plan.term_rows[k] != expected)
        plan.rows_indexed = true;
      expected = plan.term_rows[k] * plan.term_extent[k];
    }
  }
  /// Plans the panels of the lane side or, where pixels fill the vectors, of the filters. A weight
  /// is packed once, at binding. The panels' layout is the same in both cases, so that packed
  /// weights do not depend on the image's extents, which may differ from call to call.
  constexpr void plan_panels() {
    panel_copy& copies = plan.panels;
    const bool pixels = vectors.pixels;
    side& of = pixels ? plan.row_side : plan.lane_side;
    copies.columns = pixels ? plan.rows : plan.column.extent;
    copies.column_step = pixels ? plan.row[0].rows : plan.column.lanes;
    copies.item = plan.terms * registers_of(copies.columns) * width;
    for (int k = 0; k < plan.term_axes; ++k)
      copies.term[k] = pixels ? plan.term_rows[k] : plan.term_lanes[k];
    for (int b = plan.batch_axes - 1; b >= 0; --b) {
      i64& step = pixels ? plan.batch[b].rows : plan.batch[b].lanes;
      if (step == 0) continue;  // the same matrix for the whole axis
      copies.extent[copies.outer] = plan.batch[b].extent;
      copies.step[copies.outer++] = step;
      step = copies.items * copies.item;  // from here on the stride in the panels
      copies.items *= plan.batch[b].extent;
    }
    copies.holder = of.holder;
    copies.offset = of.offset;
    copies.at_binding = r.p.table.nodes[copies.holder].kind == family::weight;
    i64& where = copies.at_binding ? packed : scratch;
    of = {copies.at_binding ? side::source::packed : side::source::scratch, -1, 0, where};
    where += aligned(copies.items * copies.item * 4);
  }
  /// A thread's memory for the sums of one piece. Turned sums are transposed in whole squares, so
  /// `width` extra rows are reserved, and `width` extra lines if an epilogue follows.
  constexpr void plan_sums() {
    const i64 rows = vectors.pixels ? i64{tile_rows}
                     : plan.turned  ? turned_rows
                                    : block_rows,
              columns = plan.turned ? i64{tile_columns} : block_columns,
              all = vectors.pixels ? plan.positions : plan.column.extent;
    const i64 used_rows = (plan.rows < rows ? plan.rows : rows) + (plan.turned ? width : 0),
              used_columns = all < columns ? registers_of(all) * width : columns;
    plan.sums = (vectors.pixels ? rows : used_rows) * used_columns;
    per_thread = aligned((plan.sums + (plan.turned && r.map >= 0 ? width * turned_rows : 0)) * 4);
  }
  /// The number of neighbouring outputs over which the epilogue can run at once.
  constexpr void plan_stretch() {
    if (vectors.pixels) {
      plan.stretch = plan.column.extent;
      if (r.continues(plan.line, plan.column)) plan.stretch *= plan.line.extent;
    } else if (plan.turned) {
      plan.stretch = 1;
      for (int b = plan.row_axes - 1; b >= 0; --b) {
        // If images have one pixel, the next row belongs to another image: the stretch ends.
        if (plan.row[b].out != plan.stretch) break;
        if (b < plan.row_axes - 1 && !r.continues(plan.row[b], plan.row[b + 1])) break;
        plan.stretch *= plan.row[b].extent;
      }
    }
  }
  constexpr void count_memory() {
    plan.need = {packed, scratch, per_thread, lay_out(plan, nullptr).bytes};
  }
  constexpr void plan_epilogue(int anchor) {
    const plans::location& result = r.p.locations[r.map >= 0 ? r.map : anchor];
    plan.out_holder = result.holder;
    plan.out_offset = result.offset;
    if (r.map < 0) return;
    plan.epilogue = r.epilogue(anchor);
    for (int k = 0; k < plan.epilogue.operands; ++k)
      if (plan.epilogue.holder[k] >= 0 &&
          (plan.column.epilogue[k] != 0 || plan.line.epilogue[k] != 0))
        plan.pixelwise_constant = false;
  }
};

}  // namespace contracts_cpu

/// Decides everything about group `g`; usable in constant expressions.
constexpr contract_plan plan_contract(const plan_view& p, int g) {
  contracts_cpu::contract_planner planner{contracts_cpu::read_group(p, g)};
  planner.choose_image();
  planner.choose_sides();
  planner.collect_axes();
  planner.choose_terms();
  planner.plan_panels();
  planner.plan_sums();
  planner.plan_stretch();
  planner.count_memory();
  planner.plan_epilogue(p.groups[g].anchor);
  return planner.plan;
}

}  // namespace tenon::simd
