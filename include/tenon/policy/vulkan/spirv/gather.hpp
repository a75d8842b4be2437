// The kernels of gathers and scatters: reads and writes at positions that other elements say. An
// invocation reads its indices itself; nothing is shared.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/move.hpp>

namespace tenon::spirv {

/// A gather: an invocation for each element of the result. A scatter's second dispatch: an
/// invocation for each position along the axes that are no index, which goes through all updates
/// for it in their order; so the last of several for one place stays.
class gather_writer {
 public:
  constexpr gather_writer(const plan_view& p, int node, const target& t)
      : m_(p, t),
        n_(m_.at(node)),
        g_(p.table.gathering_of(n_)),
        indices_(m_.access_of(n_.in[1], {})) {
    const shape& s = m_.at(n_.in[1]).out.shape;
    const plans::location& v = m_.value_of(n_.in[1]);
    for (int i = 0; i < max_rank; ++i) indices_.step[i] = plans::restride(g_.index_step[i], s, v);
    further_ = plans::restride(g_.coordinate_step, s, v);
    if (g_.writes)
      prepare_scatter(node);
    else
      prepare_gather(node);
  }
  constexpr bool fits() const { return m_.fits(); }
  /// Turns: updates that one invocation writes one after the other, so that of several to one
  /// position the last stays.
  constexpr i64 turns() const {
    i64 n = 1;
    for (int i = apart_; i < s_.dims; ++i) n *= s_.extent[i];
    return n;
  }
  /// The turns from `first` on, as many as the driver makes. Once.
  constexpr kernel write(i64 first) {
    access* all[] = {&indices_, &from_, &to_};
    const list<access*> accesses{all, 3};
    apart_ = merge(s_, 0, apart_, accesses);
    merge(s_, apart_, s_.dims, accesses);
    space apart = s_, turns;
    apart.dims = apart_;
    for (int i = apart_; i < s_.dims; ++i) turns.extent[turns.dims++] = s_.extent[i];
    const i64 left = turns.count() - first, iterations = m_.device.iterations;
    return m_.each(apart.count(), [&](id flat) {
      id position[max_axes]{};
      m_.unravel(apart, flat, position);
      m_.loop(left < iterations ? left : iterations, [&](id k) {
        m_.unravel(turns, m_.plus(k, first), position + apart_);
        move(position);
      });
    });
  }

 private:
  writer m_;
  const node& n_;
  const gathering& g_;
  access indices_, from_{}, to_{};
  space s_;
  int apart_ = 0;
  i64 further_ = 0;
  i64 stride_[max_rank]{};  ///< of the coordinates, in what they are positions of

  /// All axes of the result; the operand has the strides of those that are no coordinates.
  constexpr void prepare_gather(int node) {
    const shape& s = m_.at(n_.in[0]).out.shape;
    const plans::location& v = m_.value_of(n_.in[0]);
    s_ = space_of(n_.out.shape);
    apart_ = s_.dims;
    strides step{};
    for (int i = 0; i < s_.dims; ++i) step.step[i] = plans::restride(g_.step[i], s, v);
    for (int c = 0; c < g_.coordinates; ++c)
      stride_[c] = plans::restride(g_.coordinate_stride[c], s, v);
    from_ = m_.access_of(n_.in[0], step);
    to_ = m_.result_access(node);
  }
  /// The axes of the updates: first those along which the result moves, which go to invocations,
  /// then those of the indices alone, whose updates may meet at one position.
  constexpr void prepare_scatter(int node) {
    const shape& s = m_.at(n_.in[2]).out.shape;
    from_ = m_.access_of(n_.in[2], m_.value_of(n_.in[2]).step);
    to_ = m_.access_of(node, g_.step, true);
    for (int c = 0; c < g_.coordinates; ++c) stride_[c] = g_.coordinate_stride[c];
    const access indices = indices_, from = from_, to = to_;
    for (const bool turn : {false, true})
      for (int i = 0; i < s.rank; ++i) {
        if ((g_.step[i] == 0) != turn) continue;
        indices_.step[s_.dims] = indices.step[i];
        from_.step[s_.dims] = from.step[i];
        to_.step[s_.dims] = to.step[i];
        s_.extent[s_.dims++] = s[i];
        apart_ += !turn;
      }
  }

  constexpr void move(const id* position) {
    const id at = m_.index_of(indices_, s_, position);
    id cursor{};
    for (int c = 0; c < g_.coordinates; ++c) {
      const id k = coordinate(m_.plus(at, c * further_), g_.extent[c]);
      cursor = m_.sum(cursor, m_.times(k, stride_[c]));
    }
    id from = m_.index_of(from_, s_, position), to = m_.index_of(to_, s_, position);
    (g_.writes ? to : from) = m_.add(g_.writes ? to : from, cursor);
    m_.store_bits(to_, to, m_.load_bits(from_, from));
  }
  /// An index as a position on an axis; see `position_of`.
  constexpr id coordinate(id at, i64 extent) {
    const id index = m_.read(indices_, at),
             last = m_.constant(index.is, static_cast<std::uint64_t>(extent - 1));
    if (indices_.element == type::uint32) return m_.select(m_.below(index, last), index, last);
    const id zero = m_.constant(index.is, 0),
             count = m_.constant(index.is, static_cast<std::uint64_t>(extent));
    const id from_end = m_.add(index, count),
             moved = m_.select(m_.less(index, zero), from_end, index);
    const id above = m_.select(m_.less(last, moved), last, moved),
             r = m_.select(m_.less(moved, zero), zero, above);
    return r.is == kind::int64 ? m_.convert(op::UConvert, r, kind::int32) : r;
  }
};

/// The dispatches of a gather or a scatter. A scatter copies its operand first; its turns are
/// spread over several dispatches where the driver ends long loops.
constexpr sequence<kernel> emit_gather(const plan_view& p, int id, const target& t) {
  const node& n = p.table.nodes[id];
  sequence<kernel> all;
  bool fit = true;
  if (p.table.gathering_of(n).writes) {
    copy_writer w(p, t);
    all.push({});
    all.back() =
        w.write(n.in[0], p.locations[n.in[0]].step, 0, id, p.locations[id].step, 0, n.out.shape);
    fit = w.fits();
  }
  for (i64 first = 0, turns = 1; first < turns; first += t.iterations) {
    gather_writer w(p, id, t);
    turns = w.turns();
    all.push({});
    all.back() = w.write(first);
    fit = fit && w.fits();
  }
  if (!fit) all.clear();
  return all;
}

}  // namespace tenon::spirv
