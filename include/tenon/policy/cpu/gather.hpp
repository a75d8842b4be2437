// Gathers, and positions of extremes (argMax, argMin), on the CPU.
//
// A gather reads, for each position of its result, an index, and copies the element that the index
// names. Trailing axes along which the index is the same form a row, which is copied at once: an
// embedding, which gathers whole rows of a table, is one memcpy for each index. `position_of`
// counts negative indices from the end and clamps all of them to the axis, so that none reads
// outside of the operand. Threads share the rows.
//
// argMax and argMin walk over the elements of each output. Of equal extremes the first one wins; a
// NaN ends the walk. Threads share the outputs.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/policy/cpu/box.hpp>
#include <tenon/policy/policy.hpp>
#include <new>

namespace tenon::simd {

/// A bound gather: `rows` positions, each of which copies a row of `columns` elements, `in_column`
/// apart in the operand and contiguous in the result.
struct gather_plan {
  gathering g{};  ///< its strides are those of the memory that is read
  int dims = 0, bytes = 4, holder = -1, indices = -1, out_holder = -1;
  type by = type::int32;  ///< of the indices
  i64 extent[max_rank]{};
  i64 rows = 1, columns = 1, in_column = 1;
  i64 offset = 0, index_offset = 0, out_offset = 0;
};

/// The position along an axis of this extent that the index at element `at` names.
inline i64 index_at(type by, const std::byte* indices, i64 at, i64 extent) noexcept {
  if (by == type::int64)
    return position_of(reinterpret_cast<const std::int64_t*>(indices)[at], extent);
  if (by == type::uint32)
    return position_of(reinterpret_cast<const std::uint32_t*>(indices)[at], extent);
  return position_of(reinterpret_cast<const std::int32_t*>(indices)[at], extent);
}
/// Copies rows [begin, end). A row's position gives an offset into the operand and the element of
/// its first index; each index then adds its coordinate's offset.
template <class Size> [[gnu::noinline]] void gather_rows(Size size, const gather_plan& p,
                                                         const std::byte* from,
                                                         const std::byte* indices, std::byte* to,
                                                         i64 begin, i64 end) noexcept {
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, at = 0, index = 0;
    for (int d = p.dims - 1; d >= 0; --d) {
      const i64 i = rest % p.extent[d];
      rest /= p.extent[d];
      at += i * p.g.step[d];
      index += i * p.g.index_step[d];
    }
    for (int c = 0; c < p.g.coordinates; ++c)
      at += index_at(p.by, indices, index + c * p.g.coordinate_step, p.g.extent[c]) *
            p.g.coordinate_stride[c];
    copy_row(size, from + at * size.bytes, p.in_column, to + row * p.columns * size.bytes, 1,
             p.columns);
  }
}
inline void run_gather(const gather_plan& p, const frame& f) noexcept {
  const auto* from = f.at<const std::byte>(p.holder, p.offset * p.bytes);
  const auto* indices = f.at<const std::byte>(p.indices, p.index_offset * size_bytes(p.by));
  auto* to = f.at<std::byte>(p.out_holder, p.out_offset * p.bytes);
  f.threads(p.rows, 1 + 4096 / p.columns, [&](i64 begin, i64 end, int) {
    with_size(p.bytes, [&](auto size) { gather_rows(size, p, from, indices, to, begin, end); });
  });
}
template <class Binding> inline const gather_plan* bind_gather(const Binding& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const gathering& g = p.table.gathering_of(n);
  const plans::location &from = p.locations[n.in[0]], &by = p.locations[n.in[1]],
                        &result = p.locations[id];
  const shape &x = p.table.nodes[n.in[0]].out.shape, &i = p.table.nodes[n.in[1]].out.shape;
  auto* w = new (b.bound) gather_plan{};
  w->g = g;
  w->bytes = static_cast<int>(size_bytes(n.out.type));
  w->by = p.table.nodes[n.in[1]].out.type;
  w->holder = from.holder;
  w->indices = by.holder;
  w->out_holder = result.holder;
  w->offset = from.offset;
  w->index_offset = by.offset;
  w->out_offset = result.offset;
  w->g.coordinate_step = plans::restride(g.coordinate_step, i, by);
  for (int c = 0; c < g.coordinates; ++c)
    w->g.coordinate_stride[c] = plans::restride(g.coordinate_stride[c], x, from);
  w->dims = n.out.shape.rank;
  for (int d = 0; d < w->dims; ++d) {
    w->extent[d] = n.out.shape[d];
    w->g.step.step[d] = plans::restride(g.step[d], x, from);
    w->g.index_step.step[d] = plans::restride(g.index_step[d], i, by);
  }
  // An axis joins the row if all its positions have the same index, and one stride leads through
  // all elements of the row.
  const auto joins = [&](int d) {
    const bool even = w->columns == 1 || w->g.step[d] == w->in_column * w->columns;
    return w->g.index_step[d] == 0 && even;
  };
  while (w->dims > 0 && (w->extent[w->dims - 1] == 1 || joins(w->dims - 1))) {
    --w->dims;
    if (w->extent[w->dims] == 1) continue;
    if (w->columns == 1) w->in_column = w->g.step[w->dims];
    w->columns *= w->extent[w->dims];
  }
  for (int d = 0; d < w->dims; ++d) w->rows *= w->extent[d];
  return w;
}
constexpr footprint measure_gather() { return {0, 0, 0, static_cast<i64>(sizeof(gather_plan))}; }

/// A bound argMax or argMin: `kept` are the axes of the outputs; the `terms` elements of each
/// output lie `step` apart.
struct position_plan {
  box kept{};
  combine how = combine::first_max;
  bool wide = false;  ///< positions are int64, else int32
  i64 terms = 1, step = 1;
  int holder = -1, out_holder = -1;
  i64 offset = 0, out_offset = 0;
};
/// The position of the first NaN of `n` elements, or else of the first extreme. The loop ends when
/// the extreme is NaN, the one value that differs from itself.
template <combine How> inline i64 first_extreme(const float* x, i64 step, i64 n) noexcept {
  i64 best = 0;
  float extreme = x[0];
  for (i64 k = 1; k < n && extreme == extreme; ++k) {
    const float e = x[k * step];
    if (!((How == combine::first_max ? e > extreme : e < extreme) || e != e)) continue;
    extreme = e;
    best = k;
  }
  return best;
}
inline void run_position(const position_plan& p, const frame& f) noexcept {
  const auto* x = f.at<const float>(p.holder, p.offset);
  auto* out = f.at<std::byte>(p.out_holder, p.out_offset * (p.wide ? 8 : 4));
  f.threads(p.kept.rows, 1 + 4096 / p.terms, [&](i64 begin, i64 end, int) {
    for (i64 row = begin; row < end; ++row) {
      i64 rest = row, at = 0;
      for (int d = p.kept.dims - 1; d >= 0; --d) {
        at += rest % p.kept.extent[d] * p.kept.in[d];
        rest /= p.kept.extent[d];
      }
      const i64 best = p.how == combine::first_max
                           ? first_extreme<combine::first_max>(x + at, p.step, p.terms)
                           : first_extreme<combine::first_min>(x + at, p.step, p.terms);
      if (p.wide)
        reinterpret_cast<std::int64_t*>(out)[row] = best;
      else
        reinterpret_cast<std::int32_t*>(out)[row] = static_cast<std::int32_t>(best);
    }
  });
}
template <class Binding> inline const position_plan* bind_position(const Binding& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const reduction& r = p.table.reduction_of(n);
  const plans::location &from = p.locations[n.in[0]], &result = p.locations[id];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* w = new (b.bound) position_plan{};
  w->how = r.how;
  w->wide = n.out.type == type::int64;
  w->holder = from.holder;
  w->offset = from.offset;
  w->out_holder = result.holder;
  w->out_offset = result.offset;
  for (int i = 0; i < s.rank; ++i) {
    if (r.reduces(i)) {
      w->terms = s[i];
      w->step = from.step[i];
    } else if (s[i] > 1) {
      w->kept.extent[w->kept.dims] = s[i];
      w->kept.in[w->kept.dims++] = from.step[i];
      w->kept.rows *= s[i];
    }
  }
  return w;
}

}  // namespace tenon::simd
