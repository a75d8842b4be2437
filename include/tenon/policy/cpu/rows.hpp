// Row groups on the CPU: maps and reductions that run row by row, intermediates in row buffers.
//
// A row group is one map, or several maps and reductions that fusion put together because each of
// them needs only a row of the ones before: a softmax is a maximum, a map, a sum and a map. A row
// goes through all stages before the next one begins, so that intermediates stay in the cache; they
// have no place in the arena, only a buffer of a row in each thread's memory.
//
// Threads share the rows. A single map is collapsed into as few and as long rows as its operands'
// strides allow (rows_plan.hpp), and rows longer than `map_piece` are cut into pieces of that. A
// group with a reduction is never cut within a row, so that bits do not depend on threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/reduce_integers.hpp>
#include <tenon/policy/cpu/reduce_tree.hpp>
#include <tenon/policy/cpu/rows_plan.hpp>
#include <tenon/policy/cpu/streams.hpp>

namespace tenon::simd {

/// A row's position in all row dimensions, counted up without a division.
struct row_index {
  i64 at[max_rank]{};
  void start(const row_plan& p, i64 row) noexcept {
    for (int d = p.dims - 1; d >= 0; --d) {
      at[d] = row % p.extent[d];
      row /= p.extent[d];
    }
  }
  void next(const row_plan& p) noexcept {
    for (int d = p.dims - 1; d >= 0 && ++at[d] == p.extent[d]; --d) at[d] = 0;
  }
  i64 offset(const row_plan& p, const stage_operand& w) const noexcept {
    i64 r = w.offset;
    for (int d = 0; d < p.dims; ++d) r += at[d] * w.step[d];
    return r;
  }
};

/// Where a stage's piece begins; a row buffer holds just the piece.
inline std::byte* address(const row_plan& p, const stage_operand& w, const row_index& row,
                          i64 first, const frame& f, std::byte* locals) noexcept {
  if (w.holder < 0) return locals + w.local * p.local_bytes;
  return f.at<std::byte>(w.holder, (row.offset(p, w) + first * w.column) * w.bytes);
}

/// Reduces a whole row; an average is divided once, at the end.
inline void reduce_row(const stage& g, const std::byte* from, std::byte* out, i64 n) noexcept {
  if (g.element != type::float32) {
    integer_sum sum(g.how, g.element);
    sum.add(from, 1, n);
    return store_integer(sum.value(), g.element, out);
  }
  float& y = *reinterpret_cast<float*>(out);
  y = reduce_run(g.how, reinterpret_cast<const float*>(from), n);
  if (g.average) y /= static_cast<float>(n);
}
/// Columns [first, first + n) of a row through all stages. Stages on row scalars, that is on
/// results of reductions, compute one element.
inline void run_row(const row_plan& p, const row_index& row, i64 first, i64 n, const frame& f,
                    std::byte* locals) noexcept {
  for (int s = 0; s < p.stage_count; ++s) {
    const stage& g = p.stages[s];
    stream in[max_operands];
    for (int k = 0; k < g.operands; ++k) {
      const stage_operand& w = g.in[k];
      in[k] = {address(p, w, row, first, f, locals), w.column, w.bytes, p.far && w.holder >= 0};
    }
    std::byte* out = address(p, g.out, row, first, f, locals);
    if (g.reduces) {
      reduce_row(g, static_cast<const std::byte*>(in[0].data), out, p.columns);
    } else {
      run_streams(g.f, in, g.operands, out, g.columns == 1 ? 1 : n);
    }
  }
}

/// All rows. A thread takes a piece of a row, or a row.
inline void run_rows(const row_plan& p, const frame& f) noexcept {
  const i64 pieces = p.piece > 0 ? (p.columns + p.piece - 1) / p.piece : 1;
  const i64 piece_operations = p.columns * p.stage_count / pieces + 1;
  f.threads(p.rows * pieces, 1 + 16384 / piece_operations, [&](i64 begin, i64 end, int thread) {
    auto* locals = f.thread_scratch<std::byte>(thread);
    row_index row;
    row.start(p, begin / pieces);
    for (i64 u = begin; u < end; ++u) {
      const i64 first = u % pieces * p.piece;
      const i64 n = pieces == 1 || first + p.piece > p.columns ? p.columns - first : p.piece;
      run_row(p, row, first, n, f, locals);
      if (u % pieces == pieces - 1) row.next(p);
    }
  });
}

/// Writes a group's row plan and stages into its bound memory.
inline const row_plan* bind_rows(const binding<function>& b) noexcept {
  const plan_view& p = *b.plan;
  const plans::group& g = p.groups[b.group];
  const list<int> members = p.members_of(g);
  const rows_memory memory = lay_out_rows(members.size, b.bound);
  auto* r = new (memory.plan) row_plan{};
  stage* const stages = memory.stages;
  int local_of[plans::max_stages];
  for (int k = 0; k < members.size; ++k)
    local_of[k] = p.locations[members[k]].materialised ? -1 : r->locals++;
  const auto operand = [&](int id) {
    for (int k = 0; k < members.size; ++k)
      if (members[k] == id) return operand_in(p, g, id, true, local_of[k]);
    return operand_in(p, g, id, false, -1);
  };
  r->stages = stages;
  r->stage_count = members.size;
  r->local_bytes = local_bytes_of(p, g);
  for (int k = 0; k < members.size; ++k) {
    const node& n = p.table.nodes[members[k]];
    stage& s = *new (stages + k) stage{};
    s.reduces = n.kind == family::reduce;
    s.operands = n.operands;
    s.columns = s.reduces || n.out.shape == g.space ? 0 : 1;
    if (s.reduces) s.how = p.table.reduction_of(n).how;
    if (s.reduces) s.element = n.out.type;
    if (s.reduces) s.average = p.table.reduction_of(n).average;
    if (n.kind == family::map) s.f = b.functions[n.detail];
    for (int j = 0; j < n.operands; ++j) s.in[j] = operand(n.in[j]);
    s.out = operand(members[k]);
  }
  collapse(*r, stages, g);
  r->far = members.size == 1 && g.space.count() * 4 * stages[0].operands > cached_bytes;
  r->piece = g.columns == 0 && r->columns > map_piece ? map_piece : 0;
  return r;
}

}  // namespace tenon::simd
