// Contractions for CPU drivers. The lanes of a vector run along the output; each computes a block
// of elements, of some rows and of neighbouring columns. There is no shared memory and no barrier:
// what all lanes need is loaded by one lane each and handed around.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/contract_nest.hpp>
#include <utility>

namespace tenon::spirv {

/// How a contraction is cut. Along every axis of the output `block` neighbours belong to one
/// invocation; the blocks of some axes go to lanes, those of the others to workgroups.
struct lane_tile {
  bool used = false;
  int row_operand = -1;  ///< 0: a, 1: b; moves along `row_axis` alone within a block, no lane sees
                         ///< another place of it
  int row_axis = -1;
  i64 block[max_axes]{};
  bool by_lane[max_axes]{};
  int unrolled = 0;  ///< the terms from this axis on are written out
  i64 unroll = 1;    ///< and so many of the axis before
};

/// Chooses tiles; the numbers were measured on lavapipe with vectors of 8.
class lane_tile_choice {
 public:
  constexpr explicit lane_tile_choice(const loop_nest& n) : n_(n) {
    for (i64& b : t_.block) b = 1;
  }
  constexpr lane_tile chosen() {
    const int last = n_.out.dims - 1;
    if (last < 0 || n_.terms.dims == 0) return t_;
    t_.used = true;
    const bool along_a = moves(0, last), along_b = moves(1, last);
    if (along_a != along_b) t_.row_operand = along_a || n_.edges > 0 ? 1 : 0;
    for (int i = 0; i <= last; ++i)
      if (t_.row_operand >= 0 && moves(1 - t_.row_operand, i) && !moves(t_.row_operand, i))
        column_axis_ = i;
    for (int i = 0; i <= last; ++i)
      t_.by_lane[i] = t_.row_operand < 0 ? i == last : !moves(t_.row_operand, i);
    choose_blocks(last);
    fill_lanes();
    choose_unroll();
    return t_;
  }

 private:
  /// Most of a block: rows and columns; the same and lines of an image; columns and lines where
  /// there are no rows. Measured.
  static constexpr i64 most_rows = 32, most_columns = 4, image_rows = 20, image_columns = 2,
                       image_lines = 4, plane_columns = 8, plane_lines = 4;
  /// Most terms that are written out: whole axes, and of the axis before.
  static constexpr i64 most_terms = 25, few_terms = 4;
  const loop_nest& n_;
  lane_tile t_{};
  int column_axis_ = -1;  ///< the last one along which just the operand of the columns moves

  constexpr bool moves(int operand, int axis) const { return spirv::moves(n_, operand, axis); }

  /// The block up to `most` with the least work: what is computed twice counts, and what is loaded
  /// once for each block.
  static constexpr i64 block_of(i64 extent, i64 most, i64 load = 2) {
    i64 best = 1, least = 0;
    for (i64 b = most < extent ? most : extent; b > 0; --b) {
      const i64 own = blocks_of(extent, b) * (b + load);
      if (least != 0 && own >= least) continue;
      least = own;
      best = b;
    }
    return best;
  }
  constexpr void choose_blocks(int last) {
    const int other = 1 - t_.row_operand;
    if (t_.row_operand < 0) {  // both move along the last axis: blocks where just a moves
      i64 most = most_columns;
      for (int i = last - 1; i >= 0 && most > 1; --i) {
        if (!moves(0, i) || moves(1, i)) continue;
        t_.block[i] = block_of(n_.out.extent[i], most);
        most /= 2;
      }
      if (n_.out.extent[last] % 2 == 0) t_.block[last] = 2;
      return;
    }
    for (int i = 0; i <= last; ++i)
      if (moves(t_.row_operand, i) && !moves(other, i) &&
          (t_.row_axis < 0 || n_.out.extent[i] > n_.out.extent[t_.row_axis]))
        t_.row_axis = i;
    const bool plane = t_.row_axis < 0 || n_.out.extent[t_.row_axis] == 1;
    const int column = column_axis_;
    const bool image = column > 0 && is_cut(column) && is_cut(column - 1);
    const auto limit = [&](int axis, i64 most) {
      t_.block[axis] = block_of(n_.out.extent[axis], most);
    };
    if (column >= 0) limit(column, plane ? plane_columns : image ? image_columns : most_columns);
    if (image) limit(column - 1, plane ? plane_lines : image_lines);
    if (t_.row_axis >= 0) limit(t_.row_axis, n_.edges > 0 ? image_rows : most_rows);
  }
  /// Small planes leave lanes empty: then what has no rows goes to lanes as a whole.
  constexpr void fill_lanes() {
    i64 by_lane = 1;
    for (int i = 0; i < n_.out.dims; ++i)
      if (t_.by_lane[i]) by_lane *= blocks_of(n_.out.extent[i], t_.block[i]);
    if (t_.row_operand < 0 || t_.row_axis >= 0 || by_lane >= 16) return;
    t_.row_operand = -1;
    for (bool& lanes : t_.by_lane) lanes = true;
  }
  constexpr bool is_cut(int axis) const {
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].axis == axis) return true;
    return false;
  }
  constexpr bool is_tap(int term) const {
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].term == term) return true;
    return false;
  }
  constexpr void choose_unroll() {
    i64 terms = 1, rounds = n_.terms.count();
    int& first = t_.unrolled = n_.terms.dims;
    while (first > 0) {
      const i64 extent = n_.terms.extent[first - 1];
      if (terms * extent > most_terms && (!is_tap(first - 1) || rounds <= writer::most_rounds))
        break;
      terms *= extent;
      rounds /= extent;
      --first;
    }
    if (first == 0 || is_tap(first - 1)) return;
    const i64 extent = n_.terms.extent[first - 1];
    t_.unroll = few_terms / terms;
    if (t_.unroll < blocks_of(rounds, writer::most_rounds))
      t_.unroll = blocks_of(rounds, writer::most_rounds);
    if (t_.unroll > extent) t_.unroll = extent;
  }
};

/// Such a kernel while it is written.
class lane_tile_writer {
 public:
  constexpr lane_tile_writer(writer& m, const loop_nest& n, epilogue_writer& epilogue,
                             const lane_tile& t)
      : m_(m),
        n_(n),
        epilogue_(epilogue),
        t_(t),
        lanes_(m.device.subgroup > 0 ? m.device.subgroup : 8) {
    spreads_ = t.row_operand >= 0 && m.device.shuffles && m.device.subgroup > 0 &&
               (t.row_operand == 1 || n.edges == 0);
    for (int s = 0; s < n.edges; ++s)
      if (n.edge[s].step == 1 && n.edge[s].extent > 1) neighbours_ = s;
    choose_borrowed();
    list_cells();
  }
  /// The blocks of rows follow each other: they read the same columns.
  constexpr kernel write() {
    i64 by_lane = 1, by_group = 1;
    for (int i = 0; i < n_.out.dims; ++i)
      if (i != t_.row_axis) (t_.by_lane[i] ? by_lane : by_group) *= blocks_along(i);
    const i64 lane_groups = blocks_of(by_lane, lanes_),
              row_groups = t_.row_axis < 0 ? 1 : blocks_along(t_.row_axis);
    return m_.each_group(row_groups * lane_groups * by_group, lanes_, [&](id flat, id own) {
      own_ = own;
      const id row = m_.modulo(flat, row_groups), rest = m_.over(flat, row_groups);
      const id first = m_.times(m_.modulo(rest, lane_groups), lanes_),
               group = m_.over(rest, lane_groups);
      id lane = m_.add(first, own);
      if (by_lane % lanes_ != 0) {
        live_ = m_.below(lane, m_.integer(by_lane));
        lane = m_.select(live_, lane, m_.integer(by_lane - 1));
      }
      enter(lane, row, group);
      if (borrowed_ >= 0) enter_ends(first, by_lane, row, group);
      sum_terms(0, start_);
      store();
    });
  }

 private:
  /// An element of the block, or a term, and where it finds its operands.
  struct cell {
    i64 at[max_axes]{};
    i64 operand[2]{};
    i64 tap[2]{};  ///< positions along cut axes
  };
  /// An element that terms read: half of what a load brings.
  struct need {
    i64 offset = 0, tap[2]{};
    int load = -1, half = 0;
    int side = 0;    ///< -1: the lane before has it, 1: the one behind
    int there = -1;  ///< which of that lane's own needs it is
    int end = -1;    ///< and which one among those that the lane at the end lacks
    id inside{}, borrowed{};
    constexpr bool operator==(const need& o) const {
      return offset == o.offset && tap[0] == o.tap[0] && tap[1] == o.tap[1];
    }
  };
  /// One element, or two neighbours.
  struct reading {
    i64 offset = 0, tap[2]{};
    bool pair = false;
    id value[2]{};
  };
  /// What the first lane lacks, loaded by lanes of the first half, an element each; and the last
  /// lane by those of the second.
  struct end_reading {
    id distance{}, inside{}, value{};
  };
  /// What a run of terms reads: `of[operand][term * cells + cell]` are indices of needs. Of the
  /// operand of the rows cells are rows, of the other one columns.
  struct body {
    sequence<cell> terms;
    sequence<need> needs[2];
    sequence<reading> loads[2];
    sequence<end_reading> ends;
    sequence<int> of[2];
  };
  struct place {
    id operand[2]{};
    id first[2]{};  ///< along cut axes: the position of tap 0 for the first element
  };
  /// A tap along a cut axis: how far from the start of the image, and whether inside (nothing:
  /// always). A pair stays inside as a whole; `turned` where the wanted element is the other one of
  /// it (nothing: never).
  struct tap {
    int border = -1;
    i64 at = 0;
    bool pair = false;
    id distance{}, inside[2]{}, turned[2]{};
  };
  struct spot {
    i64 tap[2]{};
    bool pair = false;
    id distance{}, inside[2]{}, turned[2]{};
  };
  /// Lanes that load one element each: `step[k]` from the first lane's to lane k's.
  struct pattern {
    i64 step[32]{};
    id start{};
  };

  writer& m_;
  const loop_nest& n_;
  epilogue_writer& epilogue_;
  lane_tile t_;
  int lanes_;
  bool spreads_ = false;
  sequence<cell> rows_, columns_;
  sequence<variable> sums_;
  id own_{}, live_{};
  id begin_[max_axes]{},
      wanted_[max_axes]{};  ///< the block's first position; less where a block overlaps
  place start_{};
  sequence<tap> taps_;
  sequence<spot> spots_;
  sequence<pattern> patterns_;
  body whole_, rest_;
  bool prepared_ = false;
  int neighbours_ = -1;  ///< the border along which elements are neighbours in memory
  int borrowed_ = -1;    ///< the border along which lanes have what the lanes beside them read
  id at_first_{}, at_last_{}, before_{}, behind_{};  ///< a lane at an end; the lanes beside a lane
  place end_{};  ///< where the first lane is; for lanes of the second half where the last is

  constexpr i64 blocks_along(int i) const { return blocks_of(n_.out.extent[i], t_.block[i]); }
  constexpr const access& access_of(int operand) const { return operand == 0 ? n_.a : n_.b; }

  // ---- the block
  constexpr void list_cells() {
    cell c;
    list_cells(0, c, columns_, false);
    list_cells(0, c, rows_, true);
  }
  constexpr void list_cells(int axis, cell c, sequence<cell>& to, bool rows) {
    if (axis == n_.out.dims) {
      to.push(c);
      return;
    }
    const i64 n = (axis == t_.row_axis) == rows ? t_.block[axis] : 1;
    for (i64 k = 0; k < n; ++k) {
      cell next = c;
      next.at[axis] = k;
      next.operand[0] += k * n_.a.step[axis];
      next.operand[1] += k * n_.b.step[axis];
      for (int s = 0; s < n_.edges; ++s)
        if (n_.edge[s].axis == axis) next.tap[s] += k * n_.edge[s].stride;
      list_cells(axis + 1, next, to, rows);
    }
  }
  constexpr void enter(id lane, id row, id group) {
    find_block(lane, row, group, begin_, wanted_);
    start_ = place_at(begin_);
    epilogue_.enter(n_.out, begin_);
    for (int i = 0; i < rows_.size() * columns_.size(); ++i) sums_.push(m_.local(m_.real(0)));
  }
  /// Where a block begins; `wanted` where it should if it overlaps another one.
  constexpr void find_block(id lane, id row, id group, id* begin, id* wanted) {
    for (int i = n_.out.dims - 1; i >= 0; --i) {
      id& rest = i == t_.row_axis ? row : t_.by_lane[i] ? lane : group;
      const i64 n = blocks_along(i), block = t_.block[i], last = n_.out.extent[i] - block;
      begin[i] = m_.times(m_.modulo(rest, n), block);
      rest = m_.over(rest, n);
      if (n * block == n_.out.extent[i]) continue;
      wanted[i] = begin[i];
      begin[i] = at_most(begin[i], last);
    }
  }
  constexpr id at_most(id x, i64 most) {
    const id last = m_.integer(most);
    return m_.select(m_.less(last, x), last, x);
  }
  constexpr place place_at(const id* begin) {
    place r;
    r.operand[0] = m_.cursor_of(n_.a, m_.index_of(n_.a, n_.out, begin));
    r.operand[1] = m_.cursor_of(n_.b, m_.index_of(n_.b, n_.out, begin));
    for (int s = 0; s < n_.edges; ++s)
      r.first[s] = m_.hidden(
          m_.plus(m_.times(begin[n_.edge[s].axis], n_.edge[s].stride), -n_.edge[s].begin));
    return r;
  }
  /// Neighbours in memory are stored as one where a block has both.
  constexpr void store() {
    const int last = n_.out.dims - 1, columns = columns_.size();
    const bool pairs = wanted_[last].number == 0 && epilogue_.takes_pairs(last);
    for (int r = 0; r < rows_.size(); ++r)
      for (int c = 0; c < columns; ++c) {
        i64 at[max_axes]{};
        for (int i = 0; i <= last; ++i) at[i] = rows_[r].at[i] + columns_[c].at[i];
        if (pairs && at[last] % 2 == 1) continue;
        const int own = r * columns + c, next = own + (t_.row_axis == last ? columns : 1);
        const id sum = m_.get(sums_[own]), condition = condition_at(at);
        if (pairs && at[last] + 1 < t_.block[last])
          epilogue_.store_pair(sum, m_.get(sums_[next]), at, last, condition);
        else
          epilogue_.store(sum, at, n_.out.dims, condition);
      }
  }
  /// Whether an element is this invocation's; nothing: it is.
  constexpr id condition_at(const i64* at) {
    id condition = live_;
    for (int i = 0; i < n_.out.dims; ++i) {
      if (wanted_[i].number == 0 || at[i] + 1 == t_.block[i]) continue;
      const id before = m_.plus(wanted_[i], -1), here = m_.plus(begin_[i], at[i]),
               own = m_.less(before, here);
      condition = m_.hold(condition, own);
    }
    return condition;
  }

  // ---- what lanes have from those beside them
  /// Lanes lie side by side along the border; what one lacks at the end of a line is outside the
  /// image.
  constexpr void choose_borrowed() {
    if (!m_.device.shuffles || m_.device.subgroup == 0 || lanes_ % 2 != 0) return;
    int inner = -1;
    for (int i = 0; i < n_.out.dims; ++i)
      if (i != t_.row_axis && t_.by_lane[i] && blocks_along(i) > 1) inner = i;
    for (int s = 0; s < n_.edges; ++s) {
      const image_edge& c = n_.edge[s];
      if (c.axis == inner && c.stride == 1 && c.extent <= n_.out.extent[inner] &&
          n_.out.extent[inner] % t_.block[inner] == 0)
        borrowed_ = s;
    }
    if (taps_follow(0)) borrowed_ = -1;
  }
  constexpr void enter_ends(id first, i64 by_lane, id row, id group) {
    const id left = m_.less(own_, m_.integer(lanes_ / 2)), last_lane = m_.plus(first, lanes_ - 1);
    id end = m_.select(left, first, last_lane);
    if (by_lane % lanes_ != 0) end = at_most(end, by_lane - 1);
    id begin[max_axes]{}, wanted[max_axes]{};
    find_block(end, row, group, begin, wanted);
    end_ = place_at(begin);
    at_first_ = m_.equal(own_, m_.integer(0));
    at_last_ = m_.equal(own_, m_.integer(lanes_ - 1));
    before_ = m_.select(at_first_, own_, m_.plus(own_, -1));
    behind_ = m_.select(at_last_, own_, m_.plus(own_, 1));
  }
  /// Marks what lanes beside have. False if they do not read all of it themselves.
  constexpr bool mark_borrowed(sequence<need>& all) const {
    const image_edge& c = n_.edge[borrowed_];
    const i64 block = t_.block[c.axis];
    const auto side_of = [&](const need& n) {
      const i64 x = n.tap[borrowed_] - c.begin;
      return x < 0 ? -1 : x < block ? 0 : 1;
    };
    for (need& n : all) {
      n.side = side_of(n);
      if (n.side == 0) continue;
      need there = n;
      there.tap[borrowed_] -= n.side * block;
      n.there = find(all, there);
      if (n.there < 0 || side_of(there) != 0) return false;
    }
    return true;
  }
  /// Borrows if that saves loads.
  constexpr void borrow(body& b, const place& p) {
    body other;
    for (need n : b.needs[0]) {
      n.load = -1;
      other.needs[0].push(n);
    }
    if (!mark_borrowed(other.needs[0])) return;
    list_loads(other, 0);
    sequence<int> lacks[2];
    for (int k = 0; k < other.needs[0].size(); ++k) {
      need& n = other.needs[0][k];
      if (n.side != 0) n.end = lacks[n.side > 0].push(k);
    }
    const int half = lanes_ / 2,
              most = lacks[0].size() > lacks[1].size() ? lacks[0].size() : lacks[1].size(),
              loads = other.loads[0].size() + static_cast<int>(blocks_of(most, half));
    if (loads >= b.loads[0].size()) return;
    b.needs[0] = other.needs[0];
    b.loads[0] = other.loads[0];
    for (need& n : b.needs[0])
      if (n.side != 0) n.inside = tap_of(borrowed_, n.tap[borrowed_], false, p).inside[0];
    for (int first = 0; first < most; first += half) {
      need of[32];
      for (int k = 0; k < lanes_; ++k) {
        const bool left = (k < half && !lacks[0].empty()) || lacks[1].empty();
        const sequence<int>& all = lacks[left ? 0 : 1];
        const int own = first + k % half;
        of[k] = b.needs[0][all[own < all.size() ? own : all.size() - 1]];
      }
      b.ends.push(end_reading_of(of));
    }
  }
  /// A load of `of[k]` by lane k, for the lane at its end.
  constexpr end_reading end_reading_of(const need* of) {
    i64 n[32]{};
    const auto each = [&](auto&& part) {
      for (int k = 0; k < lanes_; ++k) n[k] = part(of[k]);
      return of_each_lane(n);
    };
    end_reading r;
    id at = each([](const need& own) { return own.offset; });
    for (int s = 0; s < n_.edges; ++s) {
      const image_edge& c = n_.edge[s];
      const id x = m_.add(end_.first[s], each([&](const need&own) { return own.tap[s]; })),
               inside = m_.below(x, m_.integer(c.extent));
      r.inside = m_.hold(r.inside, inside);
      at = m_.plus_times(at, m_.select(inside, x, m_.integer(0)), c.step);
    }
    const id distance = m_.distance_of(n_.a, at);
    r.distance = m_.add(m_.sub(end_.operand[0], start_.operand[0]), distance);
    return r;
  }
  /// A number of each lane's own.
  constexpr id of_each_lane(const i64* n) {
    const i64 step = n[1] - n[0];
    bool even = true;
    for (int k = 0; k < lanes_; ++k) even = even && n[k] == n[0] + k * step;
    if (even) return m_.plus(m_.times(own_, step), n[0]);
    id r = m_.integer(n[0]);
    for (int k = 1; k < lanes_; ++k)
      r = m_.select(m_.equal(own_, m_.integer(k)), m_.integer(n[k]), r);
    return r;
  }
  constexpr void load_ends(body& b, const place& p) {
    for (end_reading& e : b.ends) {
      const id x = m_.read_at(n_.a, m_.add(p.operand[0], e.distance));
      e.value = m_.select(e.inside, x, m_.real(0));
    }
    const int half = lanes_ / 2;
    for (need& n : b.needs[0]) {
      if (n.side == 0) continue;
      const bool left = n.side < 0;
      const id there = m_.of_lane(value(b, 0, n.there), left ? before_ : behind_),
               end = m_.of_lane(b.ends[n.end / half].value, n.end % half + (left ? 0 : half));
      const id x = m_.select(left ? at_first_ : at_last_, end, there);
      n.borrowed = n.inside.number == 0 ? x : m_.select(n.inside, x, m_.real(0));
    }
  }

  // ---- the terms
  constexpr void sum_terms(int axis, const place& p) {
    if (!prepared_ && !taps_follow(axis)) prepare(p);
    if (axis == t_.unrolled) return add_terms(whole_, p);
    const i64 unroll = axis + 1 == t_.unrolled ? t_.unroll : 1, extent = n_.terms.extent[axis];
    m_.loop(extent / unroll,
            [&](id k) { sum_terms(axis + 1, moved(p, axis, m_.times(k, unroll))); });
    if (extent % unroll == 0) return;
    add_terms(rest_, moved(p, axis, m_.integer(extent - extent % unroll)));
  }
  /// True if a loop over taps is still to come.
  constexpr bool taps_follow(int axis) const {
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].term >= axis && n_.edge[s].term < t_.unrolled) return true;
    return false;
  }
  constexpr place moved(const place& p, int axis, id k) {
    place r = p;
    const i64 step[] = {n_.term_a[axis], n_.term_b[axis]};
    for (int o = 0; o < 2; ++o)
      if (step[o] != 0)
        r.operand[o] = m_.add(p.operand[o], m_.distance_of(access_of(o), m_.times(k, step[o])));
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].term == axis) r.first[s] = m_.plus_times(p.first[s], k, n_.edge[s].dilation);
    return r;
  }
  constexpr void list_terms(int axis, cell c, i64 unroll, sequence<cell>& to) const {
    if (axis == n_.terms.dims) {
      to.push(c);
      return;
    }
    const i64 n = axis < t_.unrolled ? unroll : n_.terms.extent[axis];
    for (i64 k = 0; k < n; ++k) {
      cell next = c;
      next.operand[0] += k * n_.term_a[axis];
      next.operand[1] += k * n_.term_b[axis];
      for (int s = 0; s < n_.edges; ++s)
        if (n_.edge[s].term == axis) next.tap[s] += k * n_.edge[s].dilation;
      list_terms(axis + 1, next, unroll, to);
    }
  }
  /// What all iterations share: places of taps, and what lanes load for others.
  constexpr void prepare(const place& p) {
    prepared_ = true;
    const int first = t_.unroll > 1 ? t_.unrolled - 1 : t_.unrolled;
    list_needs(first, t_.unroll, whole_, p);
    const i64 rest = t_.unroll > 1 ? n_.terms.extent[first] % t_.unroll : 0;
    if (rest > 0) list_needs(first, rest, rest_, p);
  }
  constexpr void list_needs(int first, i64 unroll, body& b, const place& p) {
    list_terms(first, {}, unroll, b.terms);
    for (int o = 0; o < 2; ++o) {
      const sequence<cell>& cells = o == t_.row_operand ? rows_ : columns_;
      for (const cell& k : b.terms)
        for (const cell& c : cells) {
          need n{k.operand[o] + c.operand[o]};
          for (int s = 0; o == 0 && s < n_.edges; ++s) n.tap[s] = k.tap[s] + c.tap[s];
          int at = find(b.needs[o], n);
          if (at < 0) at = b.needs[o].push(n);
          b.of[o].push(at);
        }
      list_loads(b, o);
    }
    if (borrowed_ >= 0) borrow(b, p);
    for (const reading& l : b.loads[0])
      if (n_.edges > 0) (void)spot_of(l, p);
    if (spreads_)
      for (int k = 0; k < b.loads[t_.row_operand].size(); k += lanes_) (void)pattern_of(b, k);
  }
  static constexpr int find(const sequence<need>& all, const need& n) {
    for (int k = 0; k < all.size(); ++k)
      if (all[k] == n) return k;
    return -1;
  }
  /// The neighbour of an element that is loaded: its number among the needs.
  constexpr int beside(const sequence<need>& all, int operand, need n, i64 by) const {
    if (operand == 1 || n_.edges == 0)
      n.offset += by;
    else if (neighbours_ >= 0)
      n.tap[neighbours_] += by;
    else
      return -1;
    const int r = find(all, n);
    return r >= 0 && all[r].side == 0 ? r : -1;
  }
  /// Pairs if each element has a neighbour that is wanted too.
  constexpr void list_loads(body& b, int operand) {
    sequence<need>& all = b.needs[operand];
    bool pairs = m_.has_pairs();
    for (int k = 0; pairs && k < all.size(); ++k)
      pairs = all[k].side != 0 || beside(all, operand, all[k], 1) >= 0 ||
              beside(all, operand, all[k], -1) >= 0;
    for (int k = 0; k < all.size(); ++k) {
      if (all[k].load >= 0 || all[k].side != 0) continue;
      const int next = pairs ? beside(all, operand, all[k], 1) : -1,
                first = pairs && next < 0 ? beside(all, operand, all[k], -1) : k;
      reading l{all[first].offset, {all[first].tap[0], all[first].tap[1]}, pairs, {}};
      const int number = b.loads[operand].push(l);
      all[k].load = number;
      all[k].half = first != k;
      if (next >= 0 && all[next].load < 0) {
        all[next].load = number;
        all[next].half = 1;
      }
    }
  }
  /// The least and the greatest position of a tap, over all blocks.
  constexpr std::pair<i64, i64> reach_of(const image_edge& c, i64 at) const {
    const i64 first = at - c.begin, blocks = n_.out.extent[c.axis] - t_.block[c.axis],
              taps = c.term >= t_.unrolled ? 0 : n_.terms.extent[c.term] - 1;
    return {first, first + blocks * c.stride + taps * c.dilation};
  }
  constexpr const tap& tap_of(int border_number, i64 at, bool pair, const place& p) {
    for (const tap& t : taps_)
      if (t.border == border_number && t.at == at && t.pair == pair) return t;
    const image_edge& c = n_.edge[border_number];
    tap r{border_number, at, pair, {}, {}, {}};
    const id x = m_.plus(p.first[border_number], at);
    const auto [least, most] = reach_of(c, at);
    for (int half = 0; half < 1 + pair; ++half)
      if (least + half < 0 || most + half >= c.extent)
        r.inside[half] = m_.below(m_.plus(x, half), m_.integer(c.extent));
    id from = x;
    if (r.inside[0].number != 0) from = m_.select(r.inside[0], x, m_.integer(0));
    if (pair && least < 0) r.turned[1] = m_.less(x, m_.integer(0));
    if (pair && most > c.extent - 2) {
      const id last = m_.integer(c.extent - 2);
      r.turned[0] = m_.less(last, x);
      from = m_.select(m_.less(last, from), last, from);
    }
    r.distance = m_.distance_of(n_.a, m_.times(from, c.step));
    taps_.push(r);
    return taps_.back();
  }
  constexpr const spot& spot_of(const reading& l, const place& p) {
    for (const spot& s : spots_)
      if (s.tap[0] == l.tap[0] && s.tap[1] == l.tap[1] && s.pair == l.pair) return s;
    spot r{{l.tap[0], l.tap[1]}, l.pair, {}, {}, {}};
    for (int s = 0; s < n_.edges; ++s) {
      const bool pair = l.pair && s == neighbours_;
      const tap own = tap_of(s, l.tap[s], pair, p);
      r.distance = m_.sum(r.distance, own.distance);
      for (int half = 0; half < 2; ++half) {
        r.inside[half] = m_.hold(r.inside[half], own.inside[pair ? half : 0]);
        if (pair) r.turned[half] = own.turned[half];
      }
    }
    spots_.push(r);
    return spots_.back();
  }
  /// Lane k of a load of what stands from `first` on.
  constexpr const pattern& pattern_of(const body& b, int first) {
    const sequence<reading>& all = b.loads[t_.row_operand];
    pattern r;
    for (int k = 0; k < lanes_; ++k) {
      const int own = first + k < all.size() ? first + k : all.size() - 1;
      r.step[k] = all[own].offset - all[first].offset;
    }
    for (const pattern& p : patterns_) {
      bool same = true;
      for (int k = 0; k < lanes_; ++k) same = same && p.step[k] == r.step[k];
      if (same) return p;
    }
    r.start = m_.distance_of(access_of(t_.row_operand), of_each_lane(r.step));
    patterns_.push(r);
    return patterns_.back();
  }
  constexpr void add_terms(body& b, const place& p) {
    for (int o = 0; o < 2; ++o) load(b, o, p);
    load_ends(b, p);
    sequence<id> line(columns_.size());
    const int rows = rows_.size(), columns = columns_.size();
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) line[c] = m_.get(sums_[r * columns + c]);
      for (int k = 0; k < b.terms.size(); ++k) {
        id shared{};
        if (t_.row_operand >= 0) shared = row_value(b, b.of[t_.row_operand][k * rows + r]);
        for (int c = 0; c < columns; ++c) {
          id x[2];
          for (int o = 0; o < 2; ++o)
            x[o] = o == t_.row_operand ? shared : value(b, o, b.of[o][k * columns + c]);
          line[c] = m_.plus_product(line[c], x[0], x[1]);
        }
      }
      for (int c = 0; c < columns; ++c) m_.set(sums_[r * columns + c], line[c]);
    }
  }
  static constexpr id value(const body& b, int operand, int at) {
    const need& n = b.needs[operand][at];
    return n.side != 0 ? n.borrowed : b.loads[operand][n.load].value[n.half];
  }
  constexpr id row_value(const body& b, int at) {
    const int o = t_.row_operand;
    if (!spreads_) return value(b, o, at);
    const need& n = b.needs[o][at];
    return m_.of_lane(b.loads[o][n.load / lanes_ * lanes_].value[n.half], n.load % lanes_);
  }
  constexpr void load(body& b, int operand, const place& p) {
    const access& v = access_of(operand);
    const bool spread = spreads_ && operand == t_.row_operand;
    for (int k = 0; k < b.loads[operand].size(); k += spread ? lanes_ : 1) {
      reading& l = b.loads[operand][k];
      const bool cut = operand == 0 && n_.edges > 0;
      spot s{};
      id at = p.operand[operand];
      if (spread) at = m_.add(at, pattern_of(b, k).start);
      if (cut) {
        s = spot_of(l, p);
        at = m_.add(at, s.distance);
      }
      at = m_.moved(v, at, l.offset);
      if (l.pair)
        m_.read_pair(v, at, l.value);
      else
        l.value[0] = m_.read_at(v, at);
      if (cut) keep_inside(s, l);
    }
  }
  constexpr void keep_inside(const spot& s, reading& l) {
    const id both[] = {l.value[0], l.value[1]};
    for (int half = 0; half < 1 + l.pair; ++half) {
      id x = both[half];
      if (s.turned[half].number != 0) x = m_.select(s.turned[half], both[1 - half], x);
      l.value[half] = s.inside[half].number == 0 ? x : m_.select(s.inside[half], x, m_.real(0));
    }
  }
};

}  // namespace tenon::spirv
