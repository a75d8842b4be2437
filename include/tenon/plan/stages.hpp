// The passes of a static graph in constant expressions, and the plan that they leave as a constant.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/arena.hpp>
#include <tenon/plan/fuse.hpp>
#include <tenon/plan/homes.hpp>
#include <tenon/plan/place.hpp>
#include <tenon/plan/prepare.hpp>
#include <tenon/plan/storage.hpp>
#include <tenon/plan/verify.hpp>

namespace tenon::plans {

/// A table that somebody else owns.
struct borrowed_table {
  table_view lent;
  constexpr table_view view() const { return lent; }
};

/// The sizes of a plan's lists, or their largest sizes: the room of a frozen plan.
struct plan_sizes {
  table_sizes table;
  int groups = 0, members = 0, copies_out = 0, mirrors = 0;
};
constexpr plan_sizes sizes_of(const plan_view& p) {
  return {tenon::sizes_of(p.table), p.groups.size, p.members.size, p.copies_out.size,
          p.mirrors.size};
}

/// The decisions of the passes so far, as a constant, without the table. A list's room is its
/// maximum, its size what it holds.
template <plan_sizes S, int Policies> struct frozen_decisions {
  pool<policy_facts, Policies> policies;
  pool<group, S.groups> groups;
  pool<int, S.members> members;
  pool<int, S.table.nodes> group_of;
  pool<location, S.table.nodes> locations;
  pool<buffer, S.table.nodes> buffers;
  pool<output_copy, S.copies_out> copies_out;
  pool<mirror, S.mirrors> mirrors;
  pool<i64, Policies> device_bytes;
  pool<footprint, S.groups> needs;
  pool<i64, S.groups> scratch_offset, packed_offset, bound_offset;
  plan_numbers numbers;
  constexpr explicit frozen_decisions(const plan_view& p) : numbers(p) {
    const auto copy = [](auto& part, const auto& rows) { part.copy(rows); };
    copy(groups, p.groups);
    copy(members, p.members);
    copy(group_of, p.group_of);
    each_part(copy, *this, p);
  }
  constexpr plan_view view(const table_view& table) const {
    const auto show = [](auto& rows, const auto& part) { rows = part.view(); };
    plan_view p;
    static_cast<plan_numbers&>(p) = numbers;
    p.table = table;
    show(p.groups, groups);
    show(p.members, members);
    show(p.group_of, group_of);
    each_part(show, p, *this);
    return p;
  }
};
/// A whole plan as a constant, in memory that fits it.
template <plan_sizes S, int Policies> struct frozen_plan : frozen_decisions<S, Policies> {
  frozen<S.table> table;
  constexpr explicit frozen_plan(const plan_view& p)
      : frozen_decisions<S, Policies>(p), table(p.table) {}
  constexpr plan_view view() const { return frozen_decisions<S, Policies>::view(table.view()); }
};

/// The first passes' table, or why it cannot be placed.
template <table_sizes Room> struct placed_table {
  frozen<Room> table;
  error fault;
  constexpr placed_table(const table_view& t, list<policy_facts> facts) {
    tenon::table placed = prepare(t, facts);
    fault = place(placed, facts);
    if (!fault.ok()) return;
    table = frozen<Room>(placed.view());
  }
};
/// The largest sizes of the table that `prepare` leaves. Merging may make different programs of
/// nodes that shared one, so every map counts with a program of its own.
constexpr table_sizes room_to_prepare(const table_view& t) {
  table_sizes r = tenon::sizes_of(t);
  r.programs = r.code = 0;
  for (const node& n : t.nodes) {
    if (n.kind != family::map) continue;
    ++r.programs;
    r.code += t.programs[n.detail].size;
  }
  if (quantizes(t)) make_room_for_integers(t, r);
  return r;
}

/// The passes of a static graph, a constant each: clang ends an evaluation after 1,048,576 steps,
/// and all passes in one would take more. Between them the plan is frozen and thawed, so nothing of
/// one evaluation's heap reaches the next. The order is that of `make_plan`.
template <class Graph, class... Policies> struct stages {
  static constexpr int policies = sizeof...(Policies);
  static constexpr policy_facts facts[] = {facts_of<Policies>()...};
  static constexpr table_sizes room = room_to_prepare(Graph::view());
  static constexpr placed_table<room> placed{Graph::view(), {facts, policies}};

  static constexpr table_view table() { return placed.table.view(); }
  static constexpr int nodes = table().nodes.size;
  /// Copies exist only where a policy cannot share the host's memory.
  static constexpr int most_mirrors =
      ((Policies::memory == sharing::separate ? nodes : 0) + ... + 0);
  static constexpr plan_sizes largest{room, nodes, nodes, room.outputs, most_mirrors};
  using decided = frozen_decisions<largest, policies>;
  /// Goes on from what was decided before: `pass` reads and changes a plan that owns its lists.
  template <class Pass> static constexpr decided after(const decided& before, const Pass& pass) {
    basic_plan<borrowed_table> p;
    thaw(p, before.view(table()));
    pass(p);
    return decided(p.view());
  }
  /// Copies what was decided up to the locations; `reserved` decides the rest, as one constant.
  static constexpr void thaw(basic_plan<borrowed_table>& p, const plan_view& v) {
    const auto copy = []<class T>(sequence<T>& to, list<T> from) {
      to.resize(from.size);
      T* item = to.data();
      for (int i = 0; i < from.size; ++i) item[i] = from.data[i];
    };
    p.table = {v.table};
    copy(p.policies, v.policies);
    copy(p.grouped.groups, v.groups);
    copy(p.grouped.members, v.members);
    copy(p.grouped.of, v.group_of);
    copy(p.locations, v.locations);
  }
  static constexpr decided grouped = [] {
    basic_plan<borrowed_table> p;
    p.table = {table()};
    for (const policy_facts& f : facts) p.policies.push(f);
    p.grouped = fuse(table(), {facts, policies});
    return decided(p.view());
  }();
  static constexpr decided laid_out = after(grouped, [](basic_plan<borrowed_table>& p) {
    p.locations = lay_out(table(), p.grouped, {facts, policies});
  });
  static constexpr decided reserved = after(laid_out, [](basic_plan<borrowed_table>& p) {
    assign_storage(p);
    assign_homes(p);
    assign_offsets(p);
  });
  static constexpr plan_view view() { return reserved.view(table()); }
  static constexpr finding verdict = verify(view());
};

}  // namespace tenon::plans
