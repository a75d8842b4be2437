// The pipeline: prepare, place, fuse, lay out, reserve, verify. At compile time for static graphs
// (`tenon::plan`), at run time for built ones (`make_plan`).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/trace.hpp>
#include <tenon/plan/extents.hpp>
#include <tenon/plan/stages.hpp>

namespace tenon {

/// Plans a table for these policies: the passes in their order, each of which reads what those
/// before it decided. `plans::stages` runs the same ones for static graphs.
/// Error: policy, unsupported; capacity, if the verifier refuses.
constexpr result<owned_plan> make_plan(table_view t, list<policy_facts> policies) {
  owned_plan p;
  for (const policy_facts& f : policies) p.policies.push(f);
  // Merging keeps maps with different tags apart; `place` then chooses a policy for each node.
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
  static_assert(stages::verdict.ok(),
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
