// Moves on the CPU that no layout could save: copies of boxes between layouts, and computed rows.
//
// Most reshapes, transposes, slices and joins need no kernel: plan/layout.hpp gives their results
// strides into the operand, or puts operands where the result wants them. What remains comes here:
// an affine move or a join is boxes (box.hpp); padding, bands, samples and 4-bit elements are
// computed row by row (move_rows.hpp). Threads share the rows of one box after the other.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/move_rows.hpp>
#include <tenon/policy/policy.hpp>
#include <new>

namespace tenon::simd {

struct move_work {
  move_plan plan{};
};
/// The boxes one after the other; the threads share the rows of each. A piece has at least 16 Ki
/// elements, so that small copies stay on one thread.
template <class Size>
inline void run_boxes(Size size, const move_plan& p, const frame& f) noexcept {
  auto* out = f.at<std::byte>(p.out_holder);
  for (int k = 0; k < p.boxes; ++k) {
    const box& b = p.copied[k];
    const auto* from = f.at<const std::byte>(b.holder, b.offset * size.bytes);
    std::byte* to = out + b.out_offset * size.bytes;
    f.threads(b.rows, 1 + 16384 / b.columns,
              [&](i64 begin, i64 end, int) { move_rows(size, p, b, from, to, begin, end); });
  }
}
inline void run_move(const move_work& w, const frame& f) noexcept {
  with_size(w.plan.bytes, [&](auto size) { run_boxes(size, w.plan, f); });
}

constexpr footprint measure_move() { return {0, 0, 0, static_cast<i64>(sizeof(move_work))}; }

/// The boxes that a join has to copy: one for each operand that its own group has not already
/// computed in its place in the result.
inline void bind_join(const plan_view& p, int id, move_plan& r) noexcept {
  const node& n = p.table.nodes[id];
  const plans::location& result = p.locations[id];
  for (int k = 0; k < n.operands; ++k) {
    const plans::location& v = p.locations[n.in[k]];
    const shape& s = p.table.nodes[n.in[k]].out.shape;
    const i64 at = result.offset + plans::join_offset(p.table, n, k);
    if (v.holder == result.holder && v.offset == at && p.group_of[n.in[k]] >= 0) continue;
    box& b = r.copied[r.boxes++];
    b = make_box(s, v.step, dense(n.out.shape));
    b.holder = v.holder;
    b.offset = v.offset;
    b.out_offset = at;
  }
}
/// Binds a movement that is computed by rows. The box is the rows of the result; for 4-bit elements
/// its rows are bytes, for fractions elements.
inline void bind_computed(const movement& m, const tensor& result, const shape& operand,
                          const plans::location& from, move_plan& r) noexcept {
  r.by_rows = true;
  r.m = m;
  r.fill = bits_of(m.value, result.type);
  r.space = result.shape;
  r.inside = operand;
  r.step = from.step;
  r.is_signed = is_signed(result.type);
  const int rank = result.shape.rank;
  const bool elements = m.is == movement::form::sample && m.how == sampling::fraction;
  const bool halves = m.is == movement::form::unpack || m.is == movement::form::pack;
  box& b = r.copied[0];
  b.columns = rank > 0 && !elements && !halves ? result.shape[rank - 1] : 1;
  b.rows = halves ? bytes_of(type::int4, result.shape.count()) : result.shape.count() / b.columns;
}
/// Binds any movement. A movement's strides are those of a dense operand; `restride` turns them
/// into strides of the operand's memory, which may be a view.
template <class Binding> inline const move_work* bind_move(const Binding& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const plans::location &from = p.locations[n.in[0]], &result = p.locations[id];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* w = new (b.bound) move_work{};
  move_plan& r = w->plan;
  r.bytes = static_cast<int>(size_bytes(n.out.type));
  r.out_holder = result.holder;
  if (m.is == movement::form::join) {
    bind_join(p, id, r);
    return w;
  }
  r.boxes = 1;
  if (m.is == movement::form::reshape) {
    r.copied[0] = make_box(s, from.step, dense(s));
  } else if (m.is == movement::form::affine) {
    strides step{};
    for (int i = 0; i < n.out.shape.rank; ++i) step.step[i] = plans::restride(m.step[i], s, from);
    r.copied[0] = make_box(n.out.shape, step, dense(n.out.shape));
    r.copied[0].offset = plans::restride(m.offset, s, from);
  } else {
    bind_computed(m, n.out, s, from, r);
  }
  r.copied[0].holder = from.holder;
  r.copied[0].offset += from.offset;
  r.copied[0].out_offset = result.offset;
  return w;
}

}  // namespace tenon::simd
