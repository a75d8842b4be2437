// The pipeline: prepare, place, fuse, lay out, reserve, verify. At compile time for static graphs
// (`tenon::plan`), at run time for built ones (`make_plan`).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/trace.hpp>
#include <tenon/plan/extents.hpp>
#include <tenon/plan/fuse.hpp>
#include <tenon/plan/homes.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/plan/place.hpp>
#include <tenon/plan/reserve.hpp>
#include <tenon/plan/verify.hpp>

namespace tenon {

namespace plans {

/// A plan while it is made, and one that owns its parts. `view()` reads it.
template <class Table> struct basic_plan {
  Table table;
  tenon::table source;
  sequence<policy_facts> policies;
  grouping grouped;
  sequence<location> locations;
  sequence<buffer> buffers;
  sequence<output_copy> copies_out;
  sequence<mirror> mirrors;
  sequence<i64> device_bytes;
  sequence<footprint> needs;
  sequence<i64> scratch_offset, packed_offset, bound_offset;
  i64 shared_bytes = 0, per_thread_bytes = 0, packed_bytes = 0, bound_bytes = 0, live_bytes = 0;
  traffic moved;

  constexpr plan_view view() const {
    plan_view p;
    p.table = table.view();
    p.source = source.view();
    p.policies = {policies.data(), policies.size()};
    p.groups = {grouped.groups.data(), grouped.groups.size()};
    p.members = {grouped.members.data(), grouped.members.size()};
    p.group_of = {grouped.of.data(), grouped.of.size()};
    p.locations = {locations.data(), locations.size()};
    p.buffers = {buffers.data(), buffers.size()};
    p.copies_out = {copies_out.data(), copies_out.size()};
    p.mirrors = {mirrors.data(), mirrors.size()};
    p.device_bytes = {device_bytes.data(), device_bytes.size()};
    p.needs = {needs.data(), needs.size()};
    p.scratch_offset = {scratch_offset.data(), scratch_offset.size()};
    p.packed_offset = {packed_offset.data(), packed_offset.size()};
    p.bound_offset = {bound_offset.data(), bound_offset.size()};
    p.shared_bytes = shared_bytes;
    p.per_thread_bytes = per_thread_bytes;
    p.packed_bytes = packed_bytes;
    p.bound_bytes = bound_bytes;
    p.live_bytes = live_bytes;
    p.moved = moved;
    return p;
  }
};
/// What a body's step reads at moving addresses, or writes there. A state that does not come out in
/// all steps has memory of its own, into which every other step writes.
template <class Table> constexpr void assign_steps(basic_plan<Table>& p, table_view t) {
  constexpr auto moves = buffer::storage::step;
  for (const scanning& s : t.scans) {
    const node& n = t.nodes[s.node];
    const int moved = s.enters() ? s.node : n.in[0];
    p.buffers[moved] = {moves, -1, 0, t.nodes[moved].out.bytes(), 0, 0};
  }
  const sequence<body_groups> bodies = bodies_of(t, {p.grouped.of.data(), p.grouped.of.size()});
  for (const scanning& s : t.scans) {
    const node& n = t.nodes[s.node];
    if (s.is != scanning::part::last || n.operands < 2 || s.steps == 1) continue;
    const body_groups& own = bodies[s.loop];
    p.buffers[n.in[1]] = {buffer::storage::arena,       -1,        0,
                          t.nodes[n.in[1]].out.bytes(), own.first, own.last};
  }
}
/// What a body reads from outside, and what comes out of it, lives through all of its steps.
template <class Table> constexpr void outlive_bodies(basic_plan<Table>& p, table_view t) {
  const list<int> group_of{p.grouped.of.data(), p.grouped.of.size()};
  const sequence<body_groups> bodies = bodies_of(t, group_of);
  const auto keep = [&](int id, const body_groups& own) {
    const int holder = p.locations[id].holder;
    if (t.nodes[holder].loop >= 0) return;  // it begins anew in every step, or moves
    buffer& b = p.buffers[holder];
    if (own.first < b.first) b.first = own.first;
    if (own.last > b.last) b.last = own.last;
  };
  for (int i = 0; bodies.size() > 0 && i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    const bool leaves = n.kind == family::scan && n.loop < 0;
    if (leaves) keep(i, bodies[t.scanning_of(n).loop]);
    for (int k = 0; n.loop >= 0 && k < n.operands; ++k) keep(n.in[k], bodies[n.loop]);
  }
}

/// Where every holder lives; outputs are written in place where nothing else claims the holder.
template <class Table> constexpr void assign_storage(basic_plan<Table>& p) {
  const table_view t = p.table.view();
  p.buffers.resize(t.nodes.size);
  for (int i = 0; i < t.inputs.size; ++i)
    p.buffers[t.inputs[i]] = {buffer::storage::input, i, 0, t.nodes[t.inputs[i]].out.bytes(), 0, 0};
  for (int i = 0; i < t.weights.size; ++i)
    p.buffers[t.weights[i]] = {buffer::storage::weight,           i, 0,
                               t.nodes[t.weights[i]].out.bytes(), 0, 0};
  for (int o = 0; o < t.outputs.size; ++o) {
    const location& v = p.locations[t.outputs[o]];
    buffer& b = p.buffers[v.holder];
    const bool whole = t.nodes[v.holder].out.bytes() == t.nodes[t.outputs[o]].out.bytes();
    if (b.in == buffer::storage::none && whole && is_dense(v, t.nodes[t.outputs[o]].out.shape))
      b = {buffer::storage::output, o, 0, t.nodes[v.holder].out.bytes(), 0, 0};
    else
      p.copies_out.push({t.outputs[o], o});
  }
  assign_steps(p, t);
  constexpr int nobody = std::numeric_limits<int>::max();
  for (int i = 0; i < t.nodes.size; ++i) {
    buffer& b = p.buffers[i];
    if (p.locations[i].holder != i || !p.locations[i].materialised || b.in != buffer::storage::none)
      continue;
    b = {buffer::storage::arena, -1, 0, t.nodes[i].out.bytes(), nobody, -1};
  }
  // A buffer lives from the first group that writes into it to the last one that touches it.
  for (int i = 0; i < t.nodes.size; ++i) {
    const int g = p.grouped.of[i];
    if (g < 0) continue;
    buffer& own = p.buffers[p.locations[i].holder];
    if (p.locations[i].materialised && g < own.first) own.first = g;
    if (p.locations[i].materialised && g > own.last) own.last = g;
    for (int k = 0; k < t.nodes[i].operands; ++k) {
      buffer& b = p.buffers[p.locations[t.nodes[i].in[k]].holder];
      if (g > b.last) b.last = g;
    }
  }
  outlive_bodies(p, t);
  for (const output_copy& c : p.copies_out)
    p.buffers[p.locations[c.node].holder].last = p.grouped.groups.size();
}

/// What lies in one arena: buffers, copies and scratch memories, with where their offsets go.
struct arena_contents {
  sequence<lifetime> all;
  sequence<i64*> offset;
  constexpr void add(i64 bytes, int first, int last, i64& to) {
    all.push({aligned(bytes), first, last, -1});
    offset.push(&to);
  }
};
/// Everything that belongs into the arena of policy `home` (-1: of the host).
template <class Table> constexpr arena_contents contents_of(basic_plan<Table>& p, int home) {
  arena_contents r;
  for (buffer& b : p.buffers)
    if (b.in == buffer::storage::arena && b.home == home) r.add(b.bytes, b.first, b.last, b.offset);
  for (mirror& m : p.mirrors)
    if (m.policy == home) r.add(m.bytes, m.first, m.last, m.offset);
  for (int g = 0; g < p.grouped.groups.size(); ++g)
    if (p.needs[g].scratch > 0 &&
        home_of({p.policies.data(), p.policies.size()}, p.grouped.groups[g].policy) == home)
      r.add(p.needs[g].scratch, g, g, p.scratch_offset[g]);
  return r;
}

/// What the policies need beside the buffers, and the arenas' offsets.
template <class Table> constexpr void assign_offsets(basic_plan<Table>& p) {
  const plan_view seen = p.view();
  for (int g = 0; g < p.grouped.groups.size(); ++g) {
    const footprint need = p.policies[p.grouped.groups[g].policy].measure(seen, g);
    p.packed_offset.push(p.packed_bytes);
    p.packed_bytes += aligned(need.packed);
    p.bound_offset.push(p.bound_bytes);
    p.bound_bytes += aligned(need.bound);
    p.scratch_offset.push(0);
    if (aligned(need.per_thread) > p.per_thread_bytes)
      p.per_thread_bytes = aligned(need.per_thread);
    p.needs.push(need);
  }
  for (int home = -1; home < p.policies.size(); ++home) {
    arena_contents own = contents_of(p, home);
    const i64 bytes = reserve(own.all);
    for (int i = 0; i < own.all.size(); ++i) *own.offset[i] = own.all[i].offset;
    if (home >= 0) {
      p.device_bytes.push(bytes);
    } else {
      p.live_bytes = least_bytes(own.all);
      p.shared_bytes = bytes;
    }
  }
}

}  // namespace plans

using owned_plan = plans::basic_plan<table>;

/// Plans a table for these policies. Error: policy, unsupported; capacity if the verifier refuses.
constexpr result<owned_plan> make_plan(table_view t, list<policy_facts> policies) {
  owned_plan p;
  for (const policy_facts& f : policies) p.policies.push(f);
  // Places are decided before merging, so that what merges is what runs together.
  table placed;
  placed = plans::prepare(t, policies);
  if (const error e = plans::place(placed, policies); !e.ok()) return e;
  p.table = static_cast<table&&>(placed);
  p.grouped = plans::fuse(p.table.view(), policies);
  p.locations = plans::lay_out(p.table.view(), p.grouped, policies);
  plans::assign_storage(p);
  plans::assign_homes(p);
  plans::assign_offsets(p);
  if (const plans::finding f = plans::verify(p.view()); !f.ok())
    return error{code::capacity, "plan", "verify", static_cast<int>(f.what), f.at};
  return p;
}

/// The declaration of a policy as data.
template <class Policy> constexpr policy_facts facts_of() {
  policy_facts f{Policy::name, Policy::memory, Policy::fuses, &Policy::supports, &Policy::measure};
  if constexpr (requires(const table_view& t, const region& r) { Policy::owns(t, r); })
    f.owns = &Policy::owns;
  if constexpr (requires { Policy::multiplies_integers; })
    f.multiplies_integers = Policy::multiplies_integers;
  if constexpr (requires { Policy::takes_halves; }) f.takes_halves = Policy::takes_halves;
  if constexpr (requires { Policy::most_buffers; }) f.most_buffers = Policy::most_buffers;
  return f;
}

namespace plans {

/// A table that somebody else owns.
struct borrowed_table {
  table_view seen;
  constexpr table_view view() const { return seen; }
};

struct plan_sizes {
  table_sizes table;
  int groups = 0, members = 0, copies_out = 0, mirrors = 0;
};
constexpr plan_sizes sizes_of(const plan_view& p) {
  return {tenon::sizes_of(p.table), p.groups.size, p.members.size, p.copies_out.size,
          p.mirrors.size};
}

/// What the passes decided up to some point, as a constant; all but the table.
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
  plan_view numbers;  ///< only the plain numbers
  constexpr explicit frozen_decisions(const plan_view& p) : numbers(p) {
    policies.copy(p.policies);
    groups.copy(p.groups);
    members.copy(p.members);
    group_of.copy(p.group_of);
    locations.copy(p.locations);
    buffers.copy(p.buffers);
    copies_out.copy(p.copies_out);
    mirrors.copy(p.mirrors);
    device_bytes.copy(p.device_bytes);
    needs.copy(p.needs);
    scratch_offset.copy(p.scratch_offset);
    packed_offset.copy(p.packed_offset);
    bound_offset.copy(p.bound_offset);
    numbers.table = numbers.source = {};
    numbers.policies = {};
    numbers.groups = {};
    numbers.members = numbers.group_of = {};
    numbers.locations = {};
    numbers.buffers = {};
    numbers.copies_out = {};
    numbers.mirrors = {};
    numbers.device_bytes = {};
    numbers.needs = {};
    numbers.scratch_offset = numbers.packed_offset = numbers.bound_offset = {};
  }
  constexpr plan_view view(const table_view& table) const {
    plan_view p = numbers;
    p.table = table;
    p.policies = policies.view();
    p.groups = groups.view();
    p.members = members.view();
    p.group_of = group_of.view();
    p.locations = locations.view();
    p.buffers = buffers.view();
    p.copies_out = copies_out.view();
    p.mirrors = mirrors.view();
    p.device_bytes = device_bytes.view();
    p.needs = needs.view();
    p.scratch_offset = scratch_offset.view();
    p.packed_offset = packed_offset.view();
    p.bound_offset = bound_offset.view();
    return p;
  }
};
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
/// Most that `prepare` leaves of a table: it merges programs, so equal ones may come to differ.
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

/// The passes of a static graph, a constant each: clang ends an evaluation after 1,048,576 steps.
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
  static constexpr plan_sizes bound{room, nodes, nodes, room.outputs, most_mirrors};
  using decided = frozen_decisions<bound, policies>;
  /// Goes on from what was decided before.
  template <class Pass> static constexpr decided after(const decided& before, const Pass& pass) {
    basic_plan<borrowed_table> p;
    thaw(p, before.view(table()));
    pass(p);
    return decided(p.view());
  }
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
  static constexpr finding found = verify(view());
};

}  // namespace plans

/// The plan of a static graph for a list of policies, as constants.
///
/// `arena_bytes` is the memory of an instance with one thread; `crossings`, `copies` and
/// `bytes_moved` count what moves between policies at every call, `upload_bytes` the weights that
/// binding hands to policies with a memory of their own, `device_bytes<i>` policy i's arena there.
template <class Graph, class... Policies> struct plan {
  static_assert(sizeof...(Policies) >= 1, "plan: give at least one policy, for example tenon::cpu");
  using stages = plans::stages<Graph, Policies...>;
  static constexpr error fault = stages::placed.fault;
  static_assert(fault.what != code::policy,
                "on: a placement names a policy that the model does not have; add it to the list "
                "of policies");
  static_assert(fault.what != code::unsupported,
                "plan: no policy of the model runs one of its operators; add a policy such as "
                "tenon::reference behind it");
  static_assert(stages::found.ok(),
                "plan: the verifier refused the plan; this is a bug of tenon, please report it");
  static constexpr plans::plan_sizes sizes = plans::sizes_of(stages::view());
  static constexpr table_sizes source_sizes = tenon::sizes_of(Graph::view());
  static constexpr plans::frozen_plan<sizes, sizeof...(Policies)> data{stages::view()};
  static constexpr plan_view view() {
    plan_view p = data.view();
    if (p.has_limits()) p.source = Graph::view();
    return p;
  }
  static constexpr i64 arena_bytes = data.numbers.arena_bytes();
  static constexpr i64 live_bytes = data.numbers.live_bytes + data.numbers.per_thread_bytes;
  static constexpr i64 packed_bytes = data.numbers.packed_bytes;
  static constexpr i64 bound_bytes = data.numbers.bound_bytes;
  static constexpr int groups = sizes.groups;
  static constexpr int crossings = data.numbers.moved.crossings;
  static constexpr int copies = data.numbers.moved.copies;
  static constexpr i64 bytes_moved = data.numbers.moved.bytes_moved;
  static constexpr i64 upload_bytes = data.numbers.moved.upload_bytes;
  template <int Policy> static constexpr i64 device_bytes = data.device_bytes.item[Policy];
};

}  // namespace tenon
