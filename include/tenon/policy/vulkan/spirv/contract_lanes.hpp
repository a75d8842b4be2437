// The kernel of contractions for CPU drivers, where invocations are SIMD lanes: no shared memory,
// no barrier. A workgroup is one vector of lanes; each invocation computes a tile of some rows and
// of neighbouring columns of the output (lane_tile.hpp) and keeps its sums in variables. What all
// lanes need is loaded by one lane each and handed around (lane_reads.hpp, lane_loads.hpp).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/epilogue.hpp>
#include <tenon/policy/vulkan/spirv/lane_loads.hpp>

namespace tenon::spirv {

/// Such a kernel while it is written.
class lane_tile_writer {
 public:
  constexpr lane_tile_writer(writer& m, const loop_nest& n, epilogue_writer& epilogue,
                             const lane_tile& t)
      : m_(m),
        n_(n),
        epilogue_(epilogue),
        t_(t),
        planner_(n, t_, sharing_of(m.device, m.has_pairs())),
        loader_(m, n, t_, planner_) {}
  constexpr lane_tile_writer(const lane_tile_writer&) = delete;
  constexpr lane_tile_writer& operator=(const lane_tile_writer&) = delete;
  /// Workgroups that differ in their rows alone follow each other: they read the same columns.
  constexpr kernel write() {
    const int lanes = planner_.lanes();
    i64 by_lane = 1, by_group = 1;
    for (int i = 0; i < n_.out.dims; ++i)
      if (i != t_.row_axis) (t_.by_lane[i] ? by_lane : by_group) *= tiles_along(i);
    const i64 lane_groups = blocks_of(by_lane, lanes),
              row_groups = t_.row_axis < 0 ? 1 : tiles_along(t_.row_axis);
    return m_.each_group(row_groups * lane_groups * by_group, lanes, [&](id flat, id invocation) {
      const id row = m_.modulo(flat, row_groups), rest = m_.over(flat, row_groups);
      const id first = m_.times(m_.modulo(rest, lane_groups), lanes),
               group = m_.over(rest, lane_groups);
      id lane = m_.add(first, invocation);
      if (by_lane % lanes != 0) {  // lanes beyond the last tile compute that one, and store nothing
        live_ = m_.below(lane, m_.integer(by_lane));
        lane = m_.select(live_, lane, m_.integer(by_lane - 1));
      }
      enter(lane, row, group);
      loader_.enter(invocation, start_);
      if (planner_.borrowed() >= 0) enter_ends(invocation, first, by_lane, row, group);
      sum_terms(0, start_);
      store();
    });
  }

 private:
  writer& m_;
  const loop_nest& n_;
  epilogue_writer& epilogue_;
  lane_tile t_;
  lane_read_planner planner_;
  lane_loader loader_;
  sequence<variable> sums_;   ///< by row and column
  id live_{};                 ///< whether this invocation has a tile of its own; id{}: always
  id begin_[max_axes]{};      ///< the tile's first output
  id unshifted_[max_axes]{};  ///< where it should begin, if it overlaps the one before; else id{}
  lane_position start_{};
  bool prepared_ = false;
  lane_values whole_, rest_;  ///< what `unroll` terms read, and those that are left

  constexpr i64 tiles_along(int i) const { return blocks_of(n_.out.extent[i], t_.extent[i]); }

  // ---- the tile
  constexpr void enter(id lane, id row, id group) {
    find_tile(lane, row, group, begin_, unshifted_);
    start_ = position_at(begin_);
    epilogue_.enter(n_.out, begin_);
    for (int i = 0; i < planner_.rows().size() * planner_.columns().size(); ++i)
      sums_.push(m_.local(m_.real(0)));
  }
  constexpr void enter_ends(id invocation, id first, i64 by_lane, id row, id group) {
    const int lanes = planner_.lanes();
    const id left = m_.less(invocation, m_.integer(lanes / 2)),
             last_lane = m_.plus(first, lanes - 1);
    id end = m_.select(left, first, last_lane);
    if (by_lane % lanes != 0) end = at_most(end, by_lane - 1);
    id begin[max_axes]{}, unshifted[max_axes]{};
    find_tile(end, row, group, begin, unshifted);
    loader_.enter_ends(position_at(begin));
  }
  /// Where a tile begins. The last one of an axis is shifted to end with the axis, so it overlaps
  /// the one before; `unshifted` is where it would begin otherwise.
  constexpr void find_tile(id lane, id row, id group, id* begin, id* unshifted) {
    for (int i = n_.out.dims - 1; i >= 0; --i) {
      id& rest = i == t_.row_axis ? row : t_.by_lane[i] ? lane : group;
      const i64 n = tiles_along(i), extent = t_.extent[i], last = n_.out.extent[i] - extent;
      begin[i] = m_.times(m_.modulo(rest, n), extent);
      rest = m_.over(rest, n);
      if (n * extent == n_.out.extent[i]) continue;
      unshifted[i] = begin[i];
      begin[i] = at_most(begin[i], last);
    }
  }
  constexpr id at_most(id x, i64 limit) {
    const id last = m_.integer(limit);
    return m_.select(m_.less(last, x), last, x);
  }
  constexpr lane_position position_at(const id* begin) {
    lane_position r;
    r.operand[0] = m_.cursor_of(n_.a, m_.index_of(n_.a, n_.out, begin));
    r.operand[1] = m_.cursor_of(n_.b, m_.index_of(n_.b, n_.out, begin));
    for (int s = 0; s < n_.edges; ++s)
      r.first[s] = m_.hidden(
          m_.plus(m_.times(begin[n_.edge[s].axis], n_.edge[s].stride), -n_.edge[s].begin));
    return r;
  }

  // ---- the terms
  /// Loops over the axes of the terms that are not written out. The positions of taps are computed
  /// where the last loop over taps has begun: they hold in all loops inside of it.
  constexpr void sum_terms(int axis, const lane_position& p) {
    if (!prepared_ && !planner_.taps_follow(axis)) prepare(p);
    if (axis == t_.unrolled) return add_terms(whole_, p);
    const i64 unroll = axis + 1 == t_.unrolled ? t_.unroll : 1, extent = n_.terms.extent[axis];
    m_.loop(extent / unroll,
            [&](id k) { sum_terms(axis + 1, moved(p, axis, m_.times(k, unroll))); });
    if (extent % unroll == 0) return;
    add_terms(rest_, moved(p, axis, m_.integer(extent - extent % unroll)));
  }
  constexpr void prepare(const lane_position& p) {
    prepared_ = true;
    const int first = t_.unroll > 1 ? t_.unrolled - 1 : t_.unrolled;
    planner_.list(first, t_.unroll, whole_.reads);
    loader_.prepare(whole_, p);
    const i64 rest = t_.unroll > 1 ? n_.terms.extent[first] % t_.unroll : 0;
    if (rest == 0) return;
    planner_.list(first, rest, rest_.reads);
    loader_.prepare(rest_, p);
  }
  /// `k` steps along an axis of the terms.
  constexpr lane_position moved(const lane_position& p, int axis, id k) {
    lane_position r = p;
    const i64 step[] = {n_.term_a[axis], n_.term_b[axis]};
    for (int o = 0; o < 2; ++o)
      if (step[o] != 0)
        r.operand[o] =
            m_.add(p.operand[o], m_.distance_of(loader_.access_of(o), m_.times(k, step[o])));
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].term == axis) r.first[s] = m_.plus_times(p.first[s], k, n_.edge[s].dilation);
    return r;
  }
  /// Adds the terms at `p` to all sums, row by row: a row's sums stay in registers meanwhile.
  constexpr void add_terms(lane_values& v, const lane_position& p) {
    loader_.load(v, p);
    const int rows = planner_.rows().size(), columns = planner_.columns().size();
    sequence<id> line(columns);
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) line[c] = m_.get(sums_[r * columns + c]);
      for (int k = 0; k < v.reads.terms.size(); ++k) add_term(v, k, r, line);
      for (int c = 0; c < columns; ++c) m_.set(sums_[r * columns + c], line[c]);
    }
  }
  /// Adds term `k` to the sums of row `r`.
  constexpr void add_term(const lane_values& v, int k, int r, sequence<id>& line) {
    const int rows = planner_.rows().size(), columns = planner_.columns().size();
    id shared{};
    if (t_.row_operand >= 0)
      shared = loader_.row_value(v, v.reads.of[t_.row_operand][k * rows + r]);
    for (int c = 0; c < columns; ++c) {
      id x[2];
      for (int o = 0; o < 2; ++o)
        x[o] = o == t_.row_operand ? shared : loader_.value(v, o, v.reads.of[o][k * columns + c]);
      line[c] = m_.plus_product(line[c], x[0], x[1]);
    }
  }

  // ---- results
  /// Neighbours in memory are stored as one where a tile has both.
  constexpr void store() {
    const int last = n_.out.dims - 1, columns = planner_.columns().size();
    const bool pairs = unshifted_[last].number == 0 && epilogue_.takes_pairs(last);
    for (int r = 0; r < planner_.rows().size(); ++r)
      for (int c = 0; c < columns; ++c) {
        i64 at[max_axes]{};
        for (int i = 0; i <= last; ++i)
          at[i] = planner_.rows()[r].at[i] + planner_.columns()[c].at[i];
        if (pairs && at[last] % 2 == 1) continue;
        const int number = r * columns + c, next = number + (t_.row_axis == last ? columns : 1);
        const id sum = m_.get(sums_[number]), condition = condition_at(at);
        if (pairs && at[last] + 1 < t_.extent[last])
          epilogue_.store_pair(sum, m_.get(sums_[next]), at, last, condition);
        else
          epilogue_.store(sum, at, n_.out.dims, condition);
      }
  }
  /// Whether this invocation stores an output: those that a shifted tile shares with the tile
  /// before are stored by that one. id{}: always.
  constexpr id condition_at(const i64* at) {
    id condition = live_;
    for (int i = 0; i < n_.out.dims; ++i) {
      if (unshifted_[i].number == 0 || at[i] + 1 == t_.extent[i]) continue;
      const id before = m_.plus(unshifted_[i], -1), here = m_.plus(begin_[i], at[i]),
               is_own = m_.less(before, here);
      condition = m_.hold(condition, is_own);
    }
    return condition;
  }
};

}  // namespace tenon::spirv
