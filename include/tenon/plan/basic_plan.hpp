// A plan that owns its parts: what the passes fill in, one after the other.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>

namespace tenon::plans {

/// The lists of a plan that have one name wherever plans are held, named once: calls
/// `f(a.policies, b.policies)`, then `f(a.locations, b.locations)`, and so on.
template <class F, class... P> constexpr void each_part(const F& f, P&&... p) {
  f(p.policies...);
  f(p.locations...);
  f(p.buffers...);
  f(p.copies_out...);
  f(p.mirrors...);
  f(p.device_bytes...);
  f(p.needs...);
  f(p.scratch_offset...);
  f(p.packed_offset...);
  f(p.bound_offset...);
}

/// A plan while it is made. `view()` reads it; no pass may read a list that a later one fills.
template <class Table> struct basic_plan : plan_numbers {
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

  constexpr plan_view view() const {
    const auto show = [](auto& rows, const auto& part) { rows = {part.data(), part.size()}; };
    plan_view p;
    static_cast<plan_numbers&>(p) = *this;
    p.table = table.view();
    p.source = source.view();
    show(p.groups, grouped.groups);
    show(p.members, grouped.members);
    show(p.group_of, grouped.of);
    each_part(show, p, *this);
    return p;
  }
};

}  // namespace tenon::plans

namespace tenon {

using owned_plan = plans::basic_plan<table>;

}  // namespace tenon
