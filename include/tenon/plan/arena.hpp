// Arenas: what the policies need for each group, and the offset of everything that has one.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/basic_plan.hpp>
#include <tenon/plan/reserve.hpp>

namespace tenon::plans {

/// What lies in one arena: buffers, copies of buffers and scratch memories. `offset` points to the
/// member of the plan that each one's offset is written to, so the plan's lists must not grow
/// while this exists.
struct arena_contents {
  sequence<lifetime> lifetimes;
  sequence<i64*> offset;
  constexpr void add(i64 bytes, int first, int last, i64& to) {
    lifetimes.push({aligned(bytes), first, last, -1});
    offset.push(&to);
  }
};
/// Everything that belongs into the arena of policy `home` (-1: of the host). Scratch memory lives
/// while its group runs: `first` and `last` are that group.
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

/// Asks the policies what their groups need beside the buffers (`measure`), and reserves the
/// arenas: one in the host's memory, and one for each policy.
///
/// Reads everything decided before; `measure` sees a plan without offsets. Packed weights and bound
/// forms lie one behind the other, for they live as long as the model; memory of threads is as
/// large as the largest group's. Afterwards every offset is a multiple of `arena_align`, and what
/// lives at the same time shares no byte.
template <class Table> constexpr void assign_offsets(basic_plan<Table>& p) {
  const plan_view so_far = p.view();
  for (int g = 0; g < p.grouped.groups.size(); ++g) {
    const footprint need = p.policies[p.grouped.groups[g].policy].measure(so_far, g);
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
    arena_contents arena = contents_of(p, home);
    const i64 bytes = reserve(arena.lifetimes);
    for (int i = 0; i < arena.lifetimes.size(); ++i) *arena.offset[i] = arena.lifetimes[i].offset;
    if (home >= 0) {
      p.device_bytes.push(bytes);
    } else {
      p.live_bytes = least_bytes(arena.lifetimes);
      p.shared_bytes = bytes;
    }
  }
}

}  // namespace tenon::plans
