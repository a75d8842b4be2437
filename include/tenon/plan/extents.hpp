// A plan for the extents of one call: the table, the values and the groups' spaces of a plan that
// was made for limits, with what the operators say for the actual extents.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/replay.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/plan/plan_view.hpp>

namespace tenon::plans {

/// The sizes of those pools of a plan's table that depend on extents; the others stay the plan's.
constexpr table_sizes room_to_follow(table_sizes s) {
  s.code = s.programs = s.names = s.regions = s.inputs = s.weights = s.outputs = 0;
  s.limits = s.recipes = s.used = 0;
  return s;
}
/// A plan with the extents of each call. `set` records the graph again for the new shapes and takes
/// shapes, details of operators and locations from that; groups and aliases stay as the passes
/// decided for the limits. After `start`, `set` allocates nothing.
class actual_extents {
 public:
  /// Memory for a plan of `Groups` groups with a table of these sizes, made from one of the sizes
  /// `Source`.
  template <table_sizes Source, table_sizes Planned, int Groups> struct room {
    frozen<replaying::room_to_replay(Source)> again;
    frozen<room_to_follow(Planned)> now;
    pool<location, Planned.nodes> locations;
    pool<group, Groups> groups;
  };
  constexpr actual_extents() = default;
  /// In memory of somebody else; `start` does not allocate either.
  template <class Room> constexpr explicit actual_extents(Room& r)
      : again_(r.again),
        followed_(r.now.lend()),
        locations_(r.locations.lend()),
        groups_(r.groups.lend()) {}
  actual_extents(const actual_extents&) = delete;
  actual_extents& operator=(const actual_extents&) = delete;

  /// `limits` is the plan for the limits; it outlives this object. Allocates.
  constexpr void start(const plan_view& limits) {
    limits_ = limits;
    const table_view t = limits.table;
    const auto copy = [](auto& to, const auto& rows) {
      for (const auto& x : rows) to.push(x);
    };
    copy(followed_.nodes, t.nodes);
    each_detail_pool(copy, followed_, t);
    for (const location& v : limits.locations) locations_.push(v);
    for (const group& g : limits.groups) groups_.push(g);
  }
  /// Takes these shapes of the inputs. Error: what the operators refuse; broadcast, when an extent
  /// of 1 would repeat where its limit does not, or nodes that one group computes have other
  /// extents from each other; capacity (see `replay`).
  constexpr error set(const shape* inputs) {
    if (const error e = replay(limits_.source, inputs, again_); !e.ok()) return e;
    const table_view now = again_.out.view();
    for (int i = 0; i < followed_.nodes.size(); ++i) {
      const node& n = now.nodes[followed_.nodes[i].origin];
      followed_.nodes[i].out.shape = n.out.shape;
      const int detail = followed_.nodes[i].detail;
      if (n.kind == family::scan)  // it names a node, which has another number here
        followed_.scans[detail].steps = now.scanning_of(n).steps;
      else
        detail_pool(
            n.kind, [&](auto& to, const auto& rows) { to[detail] = rows[n.detail]; }, followed_,
            now);
    }
    if (const error e = check_broadcasts(); !e.ok()) return e;
    follow_extents(table(), limits_.group_of, locations_);
    for (group& g : groups_) {
      const bool whole = g.kind == family::compose;
      const node& n = followed_.nodes[whole ? limits_.members[g.begin + g.size - 1] : g.anchor];
      g.space = space_of(table(), n);
    }
    return check_spaces();
  }
  /// The plan for the shapes that were set last. Valid until the next `set`.
  constexpr plan_view view() const {
    plan_view p = limits_;
    p.table = table();
    p.limits = limits_.table.contractions;
    p.locations = {locations_.data(), locations_.size()};
    p.groups = {groups_.data(), groups_.size()};
    return p;
  }

 private:
  constexpr table_view table() const {
    table_view t = limits_.table;
    const table_view followed = followed_.view();
    t.nodes = followed.nodes;
    each_detail_pool([](auto& rows, const auto& actual) { rows = actual; }, t, followed);
    return t;
  }
  static constexpr const shape& space_of(const table_view& t, const node& n) {
    return n.kind == family::reduce ? t.nodes[n.in[0]].out.shape : n.out.shape;
  }
  /// The members of a group run over one space because their limits are the same, so their extents
  /// must be the same, too: two inputs with one limit may come with different extents.
  constexpr error check_spaces() const {
    const table_view now = table();
    for (int i = 0; i < groups_.size(); ++i) {
      const group &g = groups_[i], &old = limits_.groups[i];
      for (int k = g.begin; g.kind != family::compose && k < g.begin + g.size; ++k) {
        const node& n = followed_.nodes[limits_.members[k]];
        const bool same =
            space_of(limits_.table, limits_.table.nodes[limits_.members[k]]) == old.space;
        if (same && !(space_of(now, n) == g.space))
          return {code::broadcast, n.op, "extents", g.space, space_of(now, n)};
      }
    }
    return {};
  }
  /// The plan was made for operands that repeat along an axis, or do not, as they do with the
  /// limits. An extent of 1 where the limit is larger would turn one into the other.
  constexpr error check_broadcasts() const {
    for (int i = 0; i < followed_.nodes.size(); ++i) {
      const node &n = followed_.nodes[i], &old = limits_.table.nodes[i];
      for (int a = 0; n.kind == family::move && a < n.out.shape.rank; ++a)
        if (n.out.shape[a] > 1 && (followed_.movements[n.detail].step[a] == 0) !=
                                      (limits_.table.movement_of(old).step[a] == 0))
          return {code::broadcast, n.op, "extents", n.out.shape,
                  followed_.nodes[n.in[0]].out.shape};
      for (int k = 0; n.kind == family::map && k < n.operands; ++k) {
        const shape &now = followed_.nodes[n.in[k]].out.shape,
                    &then = limits_.table.nodes[n.in[k]].out.shape;
        for (int a = 1; a <= now.rank; ++a)
          if (then[then.rank - a] == old.out.shape[old.out.shape.rank - a] &&
              now[now.rank - a] != n.out.shape[n.out.shape.rank - a])
            return {code::broadcast, n.op, "extents", n.out.shape, now};
      }
    }
    return {};
  }

  plan_view limits_{};
  recorder again_{};
  tenon::table followed_{};  ///< what depends on extents
  sequence<location> locations_;
  sequence<group> groups_;
};

}  // namespace tenon::plans
