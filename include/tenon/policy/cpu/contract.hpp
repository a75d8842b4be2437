// Contractions of float32 on the CPU: products of matrices, and convolutions that are not depthwise
// (depthwise.hpp). What is chosen and why: contract_plan.hpp, contract_choice.hpp.
//
// A call runs in three steps, each one spread over the threads by the executor:
//   1. copy the image with its edge, if taps leave it or its strides forbid reading it in place;
//   2. pack panels of the operand that wants them, unless it is a weight: then binding did;
//   3. compute pieces of the output, in the way of the plan's form: contract_panels.hpp (with
//      contract_turned.hpp) or contract_pixels.hpp (with contract_lines.hpp).
// Work is cut at three levels: pieces for threads (`piece_grid`), blocks of terms and of columns
// for the caches, tiles of accumulators for registers (tile.hpp). A sum's terms are always added
// in the same order, whatever the cuts, so results do not depend on threads, nor on sizes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_panels.hpp>
#include <tenon/policy/cpu/contract_pixels.hpp>
#include <tenon/policy/cpu/contract_planner.hpp>
#include <tenon/policy/cpu/pack.hpp>
#include <tenon/policy/policy.hpp>

namespace tenon::simd {

/// How the output is cut into pieces. They are numbered so that neighbours share what is worth
/// keeping in the cache.
struct piece_grid {
  i64 registers;       ///< of columns, in all
  i64 unit;            ///< registers that stay together: a tile, where tiles store to the output
  even_split columns;  ///< in units
  fixed_split rows;    ///< of an image: whole panels of filters
  bool rows_inside;    ///< rows run through before columns: large panels stay in the cache
  explicit piece_grid(const contract_work& w) noexcept
      : registers(registers_of(is_image(w) ? w.plan.positions : w.plan.column.extent)),
        unit(is_image(w) && stores_pixels(w) ? tile_vectors : 1),
        columns((registers + unit - 1) / unit, unit > 1        ? i64{piece_tiles}
                                               : w.plan.turned ? i64{tile_vectors}
                                                               : block_columns / width),
        rows(w.plan.rows, even_size(w.plan.rows, most_rows(w), is_image(w) ? width : tile_rows)),
        rows_inside(!w.plan.turned || w.plan.terms * w.plan.column.extent > (i64{1} << 17)) {}
  static bool is_image(const contract_work& w) noexcept {
    return w.plan.form != vector_form::panels;
  }
  /// Small images are cut into more pieces, for the threads.
  i64 most_rows(const contract_work& w) const noexcept {
    return w.plan.turned ? turned_rows : is_image(w) && columns.count < 4 ? i64{width} : block_rows;
  }
  i64 pieces(const contract_plan& plan) const {
    return plan.batch_count * rows.count * columns.count;
  }
  contract_piece at(i64 number) const noexcept {
    const i64 inner = rows_inside ? rows.count : columns.count,
              outer = rows_inside ? columns.count : rows.count;
    const i64 a = number % inner, rest = number / inner, b = rest % outer;
    const i64 row = rows_inside ? a : b, column = rows_inside ? b : a;
    const i64 first = columns.begin(column) * unit, room = columns.size(column) * unit;
    return {rest / outer, rows.begin(row), rows.size(row), first,
            room < registers - first ? room : registers - first};
  }
};

/// Address of a side's elements.
inline const float* address(const contract_work& w, const frame& f, const side& s) noexcept {
  if (s.from == side::source::packed) return reinterpret_cast<const float*>(w.packed + s.at);
  if (s.from == side::source::scratch) return f.scratch<const float>(w.scratch_offset + s.at);
  return f.at<const float>(s.holder, s.offset);
}
inline void run_pieces(const contract_call& call, const piece_grid& grid, i64 begin,
                       i64 end) noexcept {
  for (i64 i = begin; i < end; ++i)
    if (call.work.plan.form == vector_form::panels)
      panel_piece(call, grid.at(i)).run();
    else
      pixel_piece(call, grid.at(i)).run();
}

// The numbers 16384 and 1000000 below are elements copied and products made per piece of the
// executor, so that small calls stay on one thread.
inline void copy_images(const contract_work& w, const frame& f) noexcept {
  const image_copy& m = w.plan.image;
  const float* from = f.at<const float>(m.holder, m.offset);
  auto* to = f.scratch<float>(w.scratch_offset + m.at);
  const i64 source = m.height * m.width * m.inner;
  f.threads(m.count, 1 + 16384 / m.item, [&](i64 begin, i64 end, int) {
    for (i64 i = begin; i < end; ++i) copy_image(m, from + i * source, to + i * m.item);
  });
  // The last tile of pixels reads on behind the last image. Its surplus sums are dropped; zeros
  // keep what an earlier group left there out of them.
  if (w.plan.form == vector_form::planes)
    std::memset(to + m.count * m.item, 0, tile_columns * sizeof(float));
}
/// The side whose panels are packed.
inline const side& packed_side(const contract_plan& plan) noexcept {
  return plan.form == vector_form::panels ? plan.lane_side : plan.row_side;
}
inline void pack_at_call(const contract_work& w, const frame& f) noexcept {
  const contract_plan& plan = w.plan;
  const float* from = f.at<const float>(plan.panels.holder, plan.panels.offset);
  auto* to = f.scratch<float>(w.scratch_offset + packed_side(plan).at);
  f.threads(plan.panels.items * panel_count(plan), 1 + 16384 / (plan.terms * width),
            [&](i64 begin, i64 end, int) { pack_panels(plan, from, to, begin, end); });
}
inline void run_contract(const contract_work& w, const frame& f) noexcept {
  const contract_plan& plan = w.plan;
  if (plan.image.used) copy_images(w, f);
  if (!plan.panels.at_binding) pack_at_call(w, f);
  const piece_grid grid(w);
  const i64 products = plan.terms * grid.rows.size(0) * grid.columns.size(0) * width;
  f.threads(grid.pieces(plan), 1 + 1000000 / products, [&](i64 begin, i64 end, int thread) {
    const contract_call call{w,
                             f,
                             address(w, f, plan.row_side),
                             address(w, f, plan.lane_side),
                             f.at<float>(plan.out_holder, plan.out_offset),
                             f.thread_scratch<float>(thread)};
    run_pieces(call, grid, begin, end);
  });
}

/// The epilogue as something that tiles do. Bias and shift belong to a filter or a column: they do
/// not vary along pixels or rows. A residual has neighbours where the output has neighbours.
inline fused_epilogue fused_epilogue_of(const contract_plan& plan,
                                        const table_view& table) noexcept {
  const bool pixels = plan.form != vector_form::panels;
  epilogue_role roles[max_operands];
  for (int k = 0; k < plan.epilogue.operands; ++k) {
    bool constant = !pixels || (plan.column.epilogue[k] == 0 && plan.line.epilogue[k] == 0);
    for (int b = 0; b < plan.row_axes && !pixels; ++b)
      constant = constant && plan.row[b].epilogue[k] == 0;
    const bool line =
        plan.turned
            ? plan.row_axes > 0 && plan.row[plan.row_axes - 1].epilogue[k] == 1
            : is_dense(plan) && plan.stretch > plan.column.extent && plan.column.epilogue[k] == 1;
    roles[k] = plan.epilogue.holder[k] < 0 ? epilogue_role::sums
               : constant                  ? epilogue_role::constant
               : line                      ? epilogue_role::residual
                                           : epilogue_role::other;
  }
  const range program = table.programs[plan.epilogue.program];
  return read_fused_epilogue({table.code.data + program.begin, program.size}, roles);
}
/// Writes plan and tables into the bound memory, packed weights into the packed memory.
inline const contract_work* bind_contract(const binding<function>& b) noexcept {
  const contract_plan plan = plan_contract(*b.plan, b.group);
  const contract_memory memory = lay_out(plan, b.bound);
  auto* w = new (memory.work) contract_work{};
  w->plan = plan;
  w->packed = b.packed;
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (plan.epilogue.program >= 0) {
    w->epilogue = b.functions[plan.epilogue.program];
    w->fused = fused_epilogue_of(plan, b.plan->table);
  }
  if (plan.form == vector_form::panels && plan.has_row_table())
    write_terms(plan, plan.term_rows, false, memory.row_terms);
  if (plan.form != vector_form::panels)
    write_terms(plan, plan.term_lanes, plan.form == vector_form::planes, memory.lane_terms);
  w->row_terms = memory.row_terms;
  w->lane_terms = memory.lane_terms;
  if (b.packs && plan.panels.at_binding) {
    const float* from = b.weight<float>(plan.panels.holder, plan.panels.offset);
    pack_panels(plan, from, reinterpret_cast<float*>(b.packed + packed_side(plan).at), 0,
                plan.panels.items * panel_count(plan));
  }
  return w;
}

}  // namespace tenon::simd
