// Scatters on the CPU: a copy of the input, into which updates are written where indices say.
//
// Where several updates are for one element, the last one in row-major order must win, also with
// threads. So the updates' axes are sorted into those along which updates never meet, whatever the
// indices are (`apart`), and those along which they may (`turns`). Threads share the positions
// along the first; each thread goes through all turns in order.
//
// Trailing axes that one index writes form a row, which is cut into pieces of 1,024 elements.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/policy/cpu/gather.hpp>

namespace tenon::simd {

/// Some axes of the updates, with their strides in the result (`to`), the indices and the updates
/// (`from`).
struct scatter_axes {
  int dims = 0;
  i64 extent[max_rank]{}, to[max_rank]{}, index[max_rank]{}, from[max_rank]{};
  i64 count = 1;
  constexpr void add(i64 e, i64 t, i64 i, i64 f) {
    extent[dims] = e;
    to[dims] = t;
    index[dims] = i;
    from[dims++] = f;
    count *= e;
  }
};
/// Offsets of an update in the result, the indices and the updates.
struct scatter_offsets {
  i64 to = 0, index = 0, from = 0;
  /// The offsets at a position along these axes, counted through with the last axis innermost.
  constexpr scatter_offsets moved(const scatter_axes& along, i64 position) const {
    scatter_offsets p = *this;
    for (int d = along.dims - 1; d >= 0; --d) {
      const i64 i = position % along.extent[d];
      position /= along.extent[d];
      p.to += i * along.to[d];
      p.index += i * along.index[d];
      p.from += i * along.from[d];
    }
    return p;
  }
};

/// A bound scatter. Every index writes a row of `columns` elements.
struct scatter_plan {
  box copied{};  ///< the input
  gathering g{};
  int bytes = 4, indices = -1, updates = -1, out_holder = -1;
  type by = type::int32;  ///< of the indices
  scatter_axes apart{}, turns{};
  i64 columns = 1, in_column = 1, out_column = 1;
  i64 index_offset = 0, update_offset = 0, out_offset = 0;
  static constexpr i64 piece = 1024;  ///< elements of a row, a unit of work for threads
  constexpr i64 pieces() const { return (columns + piece - 1) / piece; }
};

/// The offset in the result to which the index at element `at` leads.
inline i64 scattered_to(const scatter_plan& p, const std::byte* indices, i64 at) noexcept {
  i64 offset = 0;
  for (int c = 0; c < p.g.coordinates; ++c, at += p.g.coordinate_step)
    offset += index_at(p.by, indices, at, p.g.extent[c]) * p.g.coordinate_stride[c];
  return offset;
}
/// Writes units [begin, end) in all turns. A unit is a piece of a row at one position along the
/// axes `apart`. Turns are the outer loop: that keeps the order in which updates may meet.
template <class Size> inline void scatter_units(Size size, const scatter_plan& p,
                                                const std::byte* indices, const std::byte* from,
                                                std::byte* to, i64 begin, i64 end) noexcept {
  for (i64 turn = 0; turn < p.turns.count; ++turn) {
    const scatter_offsets first = scatter_offsets{}.moved(p.turns, turn);
    for (i64 unit = begin; unit < end; ++unit) {
      const scatter_offsets at = first.moved(p.apart, unit / p.pieces());
      const i64 skip = unit % p.pieces() * p.piece, left = p.columns - skip;
      copy_row(size, from + (at.from + skip * p.in_column) * size.bytes, p.in_column,
               to + (at.to + scattered_to(p, indices, at.index) + skip * p.out_column) * size.bytes,
               p.out_column, left < p.piece ? left : p.piece);
    }
  }
}
/// The copy first, then the updates. Between the two all threads wait, since any update may write
/// to any part of the copy.
template <class Size>
inline void run_scatter_of(Size size, const scatter_plan& p, const frame& f) noexcept {
  const auto* data = f.at<const std::byte>(p.copied.holder, p.copied.offset * size.bytes);
  const auto* indices = f.at<const std::byte>(p.indices, p.index_offset * size_bytes(p.by));
  const auto* from = f.at<const std::byte>(p.updates, p.update_offset * size.bytes);
  auto* to = f.at<std::byte>(p.out_holder, p.out_offset * size.bytes);
  f.threads(p.copied.rows, 1 + 16384 / p.copied.columns,
            [&](i64 begin, i64 end, int) { copy_rows(size, p.copied, data, to, begin, end); });
  const i64 row = p.columns < p.piece ? p.columns : p.piece;
  f.threads(
      p.apart.count * p.pieces(), 1 + 4096 / (row * p.turns.count),
      [&](i64 begin, i64 end, int) { scatter_units(size, p, indices, from, to, begin, end); });
}
inline void run_scatter(const scatter_plan& p, const frame& f) noexcept {
  with_size(p.bytes, [&](auto size) { run_scatter_of(size, p, f); });
}

/// Sorts the axes of the updates. Trailing axes that one index writes become the row. Of the
/// others, an axis along which the result's offset grows is `apart`; along one with stride 0 only
/// the index tells updates from each other, so these are turns.
constexpr void sort_axes(scatter_plan& w, const shape& updates, const plans::location& from,
                         const shape& indices, const plans::location& by) {
  int last = updates.rank;
  // Whether axis d continues the row: the same index, and one stride on each side.
  const auto even = [&](int d) {
    if (w.g.index_step[d] != 0 || w.g.step[d] == 0) return false;
    return w.columns == 1 ||
           (w.g.step[d] == w.out_column * w.columns && from.step[d] == w.in_column * w.columns);
  };
  for (; last > 0 && (updates[last - 1] == 1 || even(last - 1)); --last) {
    const int d = last - 1;
    if (updates[d] == 1) continue;
    if (w.columns == 1) {
      w.in_column = from.step[d];
      w.out_column = w.g.step[d];
    }
    w.columns *= updates[d];
  }
  for (int d = 0; d < last; ++d)
    if (updates[d] > 1)
      (w.g.step[d] != 0 ? w.apart : w.turns)
          .add(updates[d], w.g.step[d], plans::restride(w.g.index_step[d], indices, by),
               from.step[d]);
}
template <class Binding> inline const scatter_plan* bind_scatter(const Binding& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const plans::location &data = p.locations[n.in[0]], &by = p.locations[n.in[1]],
                        &from = p.locations[n.in[2]], &result = p.locations[id];
  const shape& indices = p.table.nodes[n.in[1]].out.shape;
  auto* w = new (b.bound) scatter_plan{};
  w->g = p.table.gathering_of(n);
  w->copied = make_box(n.out.shape, data.step, dense(n.out.shape));
  w->copied.holder = data.holder;
  w->copied.offset = data.offset;
  w->bytes = static_cast<int>(size_bytes(n.out.type));
  w->by = p.table.nodes[n.in[1]].out.type;
  w->indices = by.holder;
  w->updates = from.holder;
  w->out_holder = result.holder;
  w->index_offset = by.offset;
  w->update_offset = from.offset;
  w->out_offset = result.offset;
  sort_axes(*w, p.table.nodes[n.in[2]].out.shape, from, indices, by);
  w->g.coordinate_step = plans::restride(w->g.coordinate_step, indices, by);
  return w;
}
constexpr footprint measure_scatter() { return {0, 0, 0, static_cast<i64>(sizeof(scatter_plan))}; }

}  // namespace tenon::simd
