// Writes the loads of a contraction for CPU drivers: what a tile reads (lane_reads.hpp) as
// instructions, with zeros outside of an image, and what lanes hand to each other.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/lane_reads.hpp>

namespace tenon::spirv {

/// Where a tile finds its operands, at some term.
struct lane_position {
  id operand[2]{};  ///< cursors
  id first[2]{};    ///< along axes with edges: the position of tap 0 for the first output
};

/// What some terms read, and the values that were loaded.
struct lane_values {
  struct load_value {
    id half[2]{};  ///< the second one of pairs only
  };
  struct borrowed_value {
    id inside{};  ///< whether the tap is inside of the image; id{}: always
    id value{};
  };
  struct end_value {
    id distance{}, inside{}, value{};
  };
  lane_reads reads;
  sequence<load_value> loads[2];      ///< by load
  sequence<borrowed_value> borrowed;  ///< by need of operand a
  sequence<end_value> ends;           ///< by end load
};

/// Writes loads. What all iterations of a loop share, the positions of taps, is written once.
class lane_loader {
 public:
  constexpr lane_loader(writer& m, const loop_nest& n, const lane_tile& t,
                        const lane_read_planner& planner)
      : m_(m), n_(n), t_(t), planner_(planner), lanes_(planner.lanes()) {}

  constexpr const access& access_of(int operand) const { return operand == 0 ? n_.a : n_.b; }

  /// `lane` is this invocation's number in the subgroup, `start` where its tile begins.
  constexpr void enter(id lane, const lane_position& start) {
    lane_ = lane;
    start_ = start;
  }
  /// For tiles that borrow: `end` is, for lanes of the first half, the tile of the first lane, for
  /// the others that of the last one.
  constexpr void enter_ends(const lane_position& end) {
    end_ = end;
    at_first_ = m_.equal(lane_, m_.integer(0));
    at_last_ = m_.equal(lane_, m_.integer(lanes_ - 1));
    before_ = m_.select(at_first_, lane_, m_.plus(lane_, -1));
    behind_ = m_.select(at_last_, lane_, m_.plus(lane_, 1));
  }
  /// Writes what all iterations share. `p` stands in front of all loops over taps.
  constexpr void prepare(lane_values& v, const lane_position& p) {
    for (int o = 0; o < 2; ++o) v.loads[o].resize(v.reads.loads[o].size());
    if (!v.reads.ends.empty()) prepare_ends(v, p);
    for (const lane_load& l : v.reads.loads[0])
      if (n_.edges > 0) (void)tap_of(l, p);
    if (planner_.spreads())
      for (int k = 0; k < v.reads.loads[t_.row_operand].size(); k += lanes_)
        (void)pattern_of(v.reads, k);
  }
  /// Loads all that the terms at `p` read.
  constexpr void load(lane_values& v, const lane_position& p) {
    for (int o = 0; o < 2; ++o) load(v, o, p);
    load_ends(v, p);
  }
  constexpr id value(const lane_values& v, int operand, int need) const {
    const lane_need& n = v.reads.needs[operand][need];
    return n.side != 0 ? v.borrowed[need].value : v.loads[operand][n.load].half[n.half];
  }
  /// An element of the operand of the rows: from the lane that has loaded it.
  constexpr id row_value(const lane_values& v, int need) {
    const int o = t_.row_operand;
    if (!planner_.spreads()) return value(v, o, need);
    const lane_need& n = v.reads.needs[o][need];
    return m_.of_lane(v.loads[o][n.load / lanes_ * lanes_].half[n.half], n.load % lanes_);
  }

 private:
  /// A position along one edge, or along all of them (`edge` -1): how far it is from the start of
  /// the image, and whether it is inside (id{}: always). A pair that reaches over an edge is
  /// shifted to lie inside as a whole. `turned[h]`: condition under which element h comes from the
  /// pair's other half (id{}: never).
  struct image_tap {
    int edge = -1;
    i64 tap[2]{};
    bool pair = false;
    id distance{}, inside[2]{}, turned[2]{};
    constexpr bool is_at(const image_tap& o) const {
      return edge == o.edge && tap[0] == o.tap[0] && tap[1] == o.tap[1] && pair == o.pair;
    }
  };
  /// Lanes that load one element each: `step[k]` from the first lane's to lane k's.
  struct pattern {
    i64 step[lane_sharing::most_lanes]{};
    id start{};
  };

  writer& m_;
  const loop_nest& n_;
  const lane_tile& t_;
  const lane_read_planner& planner_;
  int lanes_;
  id lane_{};
  lane_position start_{}, end_{};
  id at_first_{}, at_last_{};  ///< whether this lane is at an end of the subgroup
  id before_{}, behind_{};     ///< the numbers of the lanes beside it
  sequence<image_tap> taps_;   ///< so far
  sequence<pattern> patterns_;

  /// A number that differs between lanes: lane k gets n[k]. Equal distances are computed, others
  /// chosen.
  constexpr id of_each_lane(const i64* n) {
    const i64 step = n[1] - n[0];
    bool even = true;
    for (int k = 0; k < lanes_; ++k) even = even && n[k] == n[0] + k * step;
    if (even) return m_.plus(m_.times(lane_, step), n[0]);
    id r = m_.integer(n[0]);
    for (int k = 1; k < lanes_; ++k)
      r = m_.select(m_.equal(lane_, m_.integer(k)), m_.integer(n[k]), r);
    return r;
  }

  // ---- positions of taps
  constexpr const image_tap* find(const image_tap& tap) const {
    for (const image_tap& t : taps_)
      if (t.is_at(tap)) return &t;
    return nullptr;
  }
  /// A tap along one edge. What is not inside for any tile needs no comparison.
  constexpr image_tap tap_of(int edge, i64 tap, bool pair, const lane_position& p) {
    image_tap r;
    r.edge = edge, r.tap[edge] = tap, r.pair = pair;
    if (const image_tap* const cached = find(r)) return *cached;
    const image_edge& e = n_.edge[edge];
    const id x = m_.plus(p.first[edge], tap);
    const auto [lowest, highest] = planner_.reach_of(e, tap);
    for (int half = 0; half < 1 + pair; ++half)
      if (lowest + half < 0 || highest + half >= e.extent)
        r.inside[half] = m_.below(m_.plus(x, half), m_.integer(e.extent));
    id from = x;
    if (r.inside[0].number != 0) from = m_.select(r.inside[0], x, m_.integer(0));
    if (pair && lowest < 0) r.turned[1] = m_.less(x, m_.integer(0));
    if (pair && highest > e.extent - 2) {
      const id last = m_.integer(e.extent - 2);
      r.turned[0] = m_.less(last, x);
      from = m_.select(m_.less(last, from), last, from);
    }
    r.distance = m_.distance_of(n_.a, m_.times(from, e.step));
    taps_.push(r);
    return r;
  }
  /// The tap of a load, along all edges.
  constexpr image_tap tap_of(const lane_load& l, const lane_position& p) {
    image_tap r;
    r.tap[0] = l.tap[0], r.tap[1] = l.tap[1], r.pair = l.pair;
    if (const image_tap* const cached = find(r)) return *cached;
    for (int s = 0; s < n_.edges; ++s) {
      const bool pair = l.pair && s == planner_.neighbours();
      const image_tap along = tap_of(s, l.tap[s], pair, p);
      r.distance = m_.sum(r.distance, along.distance);
      for (int half = 0; half < 2; ++half) {
        r.inside[half] = m_.hold(r.inside[half], along.inside[pair ? half : 0]);
        if (pair) r.turned[half] = along.turned[half];
      }
    }
    taps_.push(r);
    return r;
  }

  // ---- loads
  /// The loads of the operand of the rows from `first` on, one by each lane.
  constexpr id pattern_of(const lane_reads& reads, int first) {
    const sequence<lane_load>& all = reads.loads[t_.row_operand];
    pattern r;
    for (int k = 0; k < lanes_; ++k) {
      const int number = first + k < all.size() ? first + k : all.size() - 1;
      r.step[k] = all[number].offset - all[first].offset;
    }
    for (const pattern& p : patterns_) {
      bool same = true;
      for (int k = 0; k < lanes_; ++k) same = same && p.step[k] == r.step[k];
      if (same) return p.start;
    }
    r.start = m_.distance_of(access_of(t_.row_operand), of_each_lane(r.step));
    patterns_.push(r);
    return r.start;
  }
  constexpr void load(lane_values& v, int operand, const lane_position& p) {
    const access& from = access_of(operand);
    const bool spread = planner_.spreads() && operand == t_.row_operand;
    for (int k = 0; k < v.reads.loads[operand].size(); k += spread ? lanes_ : 1) {
      const lane_load& l = v.reads.loads[operand][k];
      lane_values::load_value& value = v.loads[operand][k];
      const bool has_edges = operand == 0 && n_.edges > 0;
      image_tap tap;
      id cursor = p.operand[operand];
      if (spread) cursor = m_.add(cursor, pattern_of(v.reads, k));
      if (has_edges) {
        tap = tap_of(l, p);
        cursor = m_.add(cursor, tap.distance);
      }
      cursor = m_.moved(from, cursor, l.offset);
      if (l.pair)
        m_.read_pair(from, cursor, value.half);
      else
        value.half[0] = m_.read_at(from, cursor);
      if (has_edges) keep_inside(tap, l.pair, value.half);
    }
  }
  /// Zero outside of the image.
  constexpr void keep_inside(const image_tap& tap, bool pair, id* value) {
    const id both[] = {value[0], value[1]};
    for (int half = 0; half < 1 + pair; ++half) {
      id x = both[half];
      if (tap.turned[half].number != 0) x = m_.select(tap.turned[half], both[1 - half], x);
      value[half] = tap.inside[half].number == 0 ? x : m_.select(tap.inside[half], x, m_.real(0));
    }
  }

  // ---- what lanes have from those beside them
  constexpr void prepare_ends(lane_values& v, const lane_position& p) {
    const sequence<lane_need>& needs = v.reads.needs[0];
    const int edge = planner_.borrowed();
    v.borrowed.resize(needs.size());
    for (int k = 0; k < needs.size(); ++k)
      if (needs[k].side != 0)
        v.borrowed[k].inside = tap_of(edge, needs[k].tap[edge], false, p).inside[0];
    for (const end_load& l : v.reads.ends) v.ends.push(end_of(needs, l));
  }
  /// Where each lane loads its element for the lane at its end.
  constexpr lane_values::end_value end_of(const sequence<lane_need>& needs, const end_load& l) {
    i64 number[lane_sharing::most_lanes]{};
    const auto each = [&](auto&& part) {
      for (int k = 0; k < lanes_; ++k) number[k] = part(needs[l.need[k]]);
      return of_each_lane(number);
    };
    lane_values::end_value r;
    id at = each([](const lane_need& n) { return n.offset; });
    for (int s = 0; s < n_.edges; ++s) {
      const image_edge& e = n_.edge[s];
      const id x = m_.add(end_.first[s], each([&](const lane_need&n) { return n.tap[s]; })),
               inside = m_.below(x, m_.integer(e.extent));
      r.inside = m_.hold(r.inside, inside);
      at = m_.plus_times(at, m_.select(inside, x, m_.integer(0)), e.step);
    }
    const id distance = m_.distance_of(n_.a, at);
    r.distance = m_.add(m_.sub(end_.operand[0], start_.operand[0]), distance);
    return r;
  }
  /// Loads what lanes at an end lack, and then takes all that is borrowed: from the lane beside,
  /// or, at an end, from the lane that has loaded it.
  constexpr void load_ends(lane_values& v, const lane_position& p) {
    for (lane_values::end_value& e : v.ends) {
      const id x = m_.read_at(n_.a, m_.add(p.operand[0], e.distance));
      e.value = m_.select(e.inside, x, m_.real(0));
    }
    const int half = lanes_ / 2;
    for (int k = 0; k < v.borrowed.size(); ++k) {
      const lane_need& n = v.reads.needs[0][k];
      if (n.side == 0) continue;
      const bool left = n.side < 0;
      const id there = m_.of_lane(value(v, 0, n.there), left ? before_ : behind_),
               end = m_.of_lane(v.ends[n.end / half].value, n.end % half + (left ? 0 : half));
      const id x = m_.select(left ? at_first_ : at_last_, end, there),
               inside = v.borrowed[k].inside;
      v.borrowed[k].value = inside.number == 0 ? x : m_.select(inside, x, m_.real(0));
    }
  }
};

}  // namespace tenon::spirv
