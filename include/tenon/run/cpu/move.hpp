// Moves on the CPU that no layout could save: a strided copy.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/rows.hpp>

namespace tenon::simd {

/// A copy is a row group of one stage without a program.
constexpr footprint measure_move() {
  return {0, 0, 0, aligned(static_cast<i64>(sizeof(row_plan))) + static_cast<i64>(sizeof(stage))};
}

inline const row_plan* bind_move(const binding<function>& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const value& from = p.values[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* r = new (b.bound) row_plan{};
  auto* copy = new (const_cast<stage*>(stages_of(r))) stage{};
  group g = p.groups[b.group];
  g.columns = 0;
  g.space = m.reshapes ? s : n.out.shape;  // a reshape copies in the order of its operand
  const strides packed = dense(g.space);
  copy->operands = 1;
  copy->in[0].root = from.root;
  copy->in[0].offset = from.offset + (m.reshapes ? 0 : restride(m.offset, s, from));
  copy->out.root = id;
  for (int i = 0; i < g.space.rank; ++i) {
    copy->in[0].step[i] = m.reshapes ? from.step[i] : restride(m.step[i], s, from);
    copy->out.step[i] = packed[i];
  }
  r->stages = 1;
  collapse(*r, copy, g);
  r->chunk = r->columns > map_chunk ? map_chunk : 0;
  return r;
}

}  // namespace tenon::simd
