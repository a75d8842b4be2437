// What a tile of a contraction reads for some terms, and how lanes share it: which elements are
// loaded, which of them as pairs, and which a lane has from the lanes beside it. Plain values; no
// instruction is written here (lane_loads.hpp does that).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/lane_tile.hpp>
#include <utility>

namespace tenon::spirv {

/// What a device lets lanes do with each other's elements.
struct lane_sharing {
  static constexpr int most_lanes = 32;
  int lanes = 8;          ///< invocations of a workgroup, all of one subgroup
  bool shuffles = false;  ///< a lane can read what another one has loaded
  bool pairs = false;     ///< two neighbours in memory can be read at once
};
constexpr lane_sharing sharing_of(const target& device, bool pairs) {
  const bool has_subgroup = device.subgroup > 0;
  return {has_subgroup ? device.subgroup : 8, device.shuffles && has_subgroup, pairs};
}

/// An output of the tile, or a term: how far behind the tile's first one it stands. Outputs and
/// terms add up: term k of output c reads operand o at `k.operand[o] + c.operand[o]`.
struct lane_cell {
  i64 at[max_axes]{};  ///< outputs only: by axis
  i64 operand[2]{};    ///< elements
  i64 tap[2]{};        ///< positions along axes with edges
};
/// An element that terms read.
struct lane_need {
  i64 offset = 0, tap[2]{};
  int load = -1, half = 0;  ///< the load that brings it, and which half of a pair it is
  int side = 0;             ///< -1: the lane before has it, 1: the lane behind, 0: loaded
  int there = -1;           ///< if borrowed: its index among that lane's needs
  int end = -1;             ///< if borrowed: its index among what the last lane loads itself
  constexpr bool operator==(const lane_need& o) const {
    return offset == o.offset && tap[0] == o.tap[0] && tap[1] == o.tap[1];
  }
};
/// One element, or two neighbours.
struct lane_load {
  i64 offset = 0, tap[2]{};
  bool pair = false;
};
/// One element for each lane: the first half of the lanes loads what the first lane lacks, the
/// second half what the last one lacks. By lane: the number of the need.
struct end_load {
  int need[lane_sharing::most_lanes]{};
};
/// What some terms read. `of[o][term * cells + cell]` is the need that operand o has for a term and
/// a cell. Cells are the tile's rows for the operand of the rows, its columns for the other.
struct lane_reads {
  sequence<lane_cell> terms;
  sequence<lane_need> needs[2];
  sequence<lane_load> loads[2];
  sequence<end_load> ends;
  sequence<int> of[2];
};

/// Finds out what tiles read.
class lane_read_planner {
 public:
  constexpr lane_read_planner(const loop_nest& n, const lane_tile& t, const lane_sharing& sharing)
      : n_(n), t_(t), sharing_(sharing) {
    spreads_ = t.row_operand >= 0 && sharing.shuffles && (t.row_operand == 1 || n.edges == 0);
    for (int s = 0; s < n.edges; ++s)
      if (n.edge[s].step == 1 && n.edge[s].extent > 1) neighbours_ = s;
    choose_borrowed();
    list_outputs(0, {}, columns_, false);
    list_outputs(0, {}, rows_, true);
  }
  /// The rows and the columns of a tile: its outputs are all pairs of them.
  constexpr const sequence<lane_cell>& rows() const { return rows_; }
  constexpr const sequence<lane_cell>& columns() const { return columns_; }
  constexpr int lanes() const { return sharing_.lanes; }
  /// All lanes read the same elements of the operand of the rows. If this is true, each lane loads
  /// one of them, and hands it to the others.
  constexpr bool spreads() const { return spreads_; }
  /// The edge along which elements are neighbours in memory; -1: none.
  constexpr int neighbours() const { return neighbours_; }
  /// The edge along which a lane's taps reach into what the lanes beside it load; -1: none.
  constexpr int borrowed() const { return borrowed_; }

  /// True if a loop over taps, from this axis of the terms on, is still to come.
  constexpr bool taps_follow(int axis) const {
    for (int s = 0; s < n_.edges; ++s)
      if (n_.edge[s].term >= axis && n_.edge[s].term < t_.unrolled) return true;
    return false;
  }
  /// Lists in `r`, which is empty, what the terms from axis `first` on read; `unroll` of that axis,
  /// if it is not unrolled whole. By reference: g++ 12 loses track of returned arrays of sequences.
  constexpr void list(int first, i64 unroll, lane_reads& r) const {
    list_terms(first, {}, unroll, r.terms);
    for (int o = 0; o < 2; ++o) {
      const sequence<lane_cell>& cells = o == t_.row_operand ? rows_ : columns_;
      for (const lane_cell& k : r.terms)
        for (const lane_cell& c : cells) {
          lane_need need{k.operand[o] + c.operand[o]};
          for (int s = 0; o == 0 && s < n_.edges; ++s) need.tap[s] = k.tap[s] + c.tap[s];
          int number = find(r.needs[o], need);
          if (number < 0) number = r.needs[o].push(need);
          r.of[o].push(number);
        }
      list_loads(r, o);
    }
    if (borrowed_ >= 0) borrow(r);
  }
  /// The least and the greatest position of a tap, over all tiles.
  constexpr std::pair<i64, i64> reach_of(const image_edge& e, i64 tap) const {
    const i64 first = tap - e.begin, tiles = n_.out.extent[e.axis] - t_.extent[e.axis],
              taps = e.term >= t_.unrolled ? 0 : n_.terms.extent[e.term] - 1;
    return {first, first + tiles * e.stride + taps * e.dilation};
  }

 private:
  const loop_nest& n_;
  const lane_tile& t_;
  lane_sharing sharing_;
  bool spreads_ = false;
  int neighbours_ = -1, borrowed_ = -1;
  sequence<lane_cell> rows_, columns_;

  constexpr void list_outputs(int axis, lane_cell c, sequence<lane_cell>& to, bool rows) {
    if (axis == n_.out.dims) {
      to.push(c);
      return;
    }
    const i64 n = (axis == t_.row_axis) == rows ? t_.extent[axis] : 1;
    for (i64 k = 0; k < n; ++k) {
      lane_cell next = c;
      next.at[axis] = k;
      next.operand[0] += k * n_.a.step[axis];
      next.operand[1] += k * n_.b.step[axis];
      for (int s = 0; s < n_.edges; ++s)
        if (n_.edge[s].axis == axis) next.tap[s] += k * n_.edge[s].stride;
      list_outputs(axis + 1, next, to, rows);
    }
  }
  constexpr void list_terms(int axis, lane_cell c, i64 unroll, sequence<lane_cell>& to) const {
    if (axis == n_.terms.dims) {
      to.push(c);
      return;
    }
    const i64 n = axis < t_.unrolled ? unroll : n_.terms.extent[axis];
    for (i64 k = 0; k < n; ++k) {
      lane_cell next = c;
      next.operand[0] += k * n_.term_a[axis];
      next.operand[1] += k * n_.term_b[axis];
      for (int s = 0; s < n_.edges; ++s)
        if (n_.edge[s].term == axis) next.tap[s] += k * n_.edge[s].dilation;
      list_terms(axis + 1, next, unroll, to);
    }
  }

  // ---- loads
  static constexpr int find(const sequence<lane_need>& all, const lane_need& n) {
    for (int k = 0; k < all.size(); ++k)
      if (all[k] == n) return k;
    return -1;
  }
  /// The number of the need that lies `by` elements behind another one and is loaded; -1: none.
  constexpr int beside(const sequence<lane_need>& all, int operand, lane_need n, i64 by) const {
    if (operand == 1 || n_.edges == 0)
      n.offset += by;
    else if (neighbours_ >= 0)
      n.tap[neighbours_] += by;
    else
      return -1;
    const int number = find(all, n);
    return number >= 0 && all[number].side == 0 ? number : -1;
  }
  /// Gives each need a load. Pairs only if every element has a neighbour that is needed, too.
  constexpr void list_loads(lane_reads& r, int operand) const {
    sequence<lane_need>& all = r.needs[operand];
    bool pairs = sharing_.pairs;
    for (int k = 0; pairs && k < all.size(); ++k)
      pairs = all[k].side != 0 || beside(all, operand, all[k], 1) >= 0 ||
              beside(all, operand, all[k], -1) >= 0;
    for (int k = 0; k < all.size(); ++k) {
      if (all[k].load >= 0 || all[k].side != 0) continue;
      const int next = pairs ? beside(all, operand, all[k], 1) : -1,
                first = pairs && next < 0 ? beside(all, operand, all[k], -1) : k;
      const int number =
          r.loads[operand].push({all[first].offset, {all[first].tap[0], all[first].tap[1]}, pairs});
      all[k].load = number;
      all[k].half = first != k;
      if (next >= 0 && all[next].load < 0) {
        all[next].load = number;
        all[next].half = 1;
      }
    }
  }

  // ---- what lanes have from those beside them
  /// Lanes borrow along the axis that they run along, and only where tiles divide a line evenly.
  /// What the last lane of a line misses is then outside of the image or in the next workgroup.
  constexpr void choose_borrowed() {
    if (!sharing_.shuffles || sharing_.lanes % 2 != 0) return;
    int inner = -1;
    for (int i = 0; i < n_.out.dims; ++i)
      if (i != t_.row_axis && t_.by_lane[i] && blocks_of(n_.out.extent[i], t_.extent[i]) > 1)
        inner = i;
    for (int s = 0; s < n_.edges; ++s) {
      const image_edge& e = n_.edge[s];
      if (e.axis == inner && e.stride == 1 && e.extent <= n_.out.extent[inner] &&
          n_.out.extent[inner] % t_.extent[inner] == 0)
        borrowed_ = s;
    }
    if (taps_follow(0)) borrowed_ = -1;
  }
  /// Marks what lanes beside have. False if those do not read all of it themselves.
  constexpr bool mark_borrowed(sequence<lane_need>& all) const {
    const image_edge& e = n_.edge[borrowed_];
    const i64 extent = t_.extent[e.axis];
    const auto side_of = [&](const lane_need& n) {
      const i64 x = n.tap[borrowed_] - e.begin;
      return x < 0 ? -1 : x < extent ? 0 : 1;
    };
    for (lane_need& n : all) {
      n.side = side_of(n);
      if (n.side == 0) continue;
      lane_need there = n;
      there.tap[borrowed_] -= n.side * extent;
      n.there = find(all, there);
      if (n.there < 0 || side_of(there) != 0) return false;
    }
    return true;
  }
  /// Borrows if that saves loads.
  constexpr void borrow(lane_reads& r) const {
    lane_reads other;
    for (lane_need n : r.needs[0]) {
      n.load = -1;
      other.needs[0].push(n);
    }
    if (!mark_borrowed(other.needs[0])) return;
    list_loads(other, 0);
    sequence<int> lacks[2];  // needs of the first lane, and of the last one, that no lane has
    for (int k = 0; k < other.needs[0].size(); ++k) {
      lane_need& n = other.needs[0][k];
      if (n.side != 0) n.end = lacks[n.side > 0].push(k);
    }
    const int half = sharing_.lanes / 2,
              longest = lacks[0].size() > lacks[1].size() ? lacks[0].size() : lacks[1].size(),
              loads = other.loads[0].size() + static_cast<int>(blocks_of(longest, half));
    if (loads >= r.loads[0].size()) return;
    r.needs[0] = other.needs[0];
    r.loads[0] = other.loads[0];
    for (int first = 0; first < longest; first += half) r.ends.push(end_load_of(lacks, first));
  }
  /// The needs from `first` on, one for each lane; lanes that are left over repeat the last one.
  constexpr end_load end_load_of(const sequence<int> (&lacks)[2], int first) const {
    const int half = sharing_.lanes / 2;
    end_load r;
    for (int k = 0; k < sharing_.lanes; ++k) {
      const bool left = (k < half && !lacks[0].empty()) || lacks[1].empty();
      const sequence<int>& all = lacks[left ? 0 : 1];
      const int number = first + k % half;
      r.need[k] = all[number < all.size() ? number : all.size() - 1];
    }
    return r;
  }
};

}  // namespace tenon::spirv
