// The order of execution: ranges of groups of one policy, and the steps of scans, each of which
// runs the same groups of its body at other addresses.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/policy.hpp>

namespace tenon::scans {

/// Where a node's elements begin.
template <class Address>
Address address_of(const plan_view& p, int id, const basic_frame<Address>& f) noexcept {
  const plans::location& v = p.locations[id];
  return f.base[v.holder] + v.offset * size_bytes(p.table.nodes[id].out.type);
}

/// Sets the addresses that one node of the border moves in a step. Nothing is copied:
///   a sequence    is read and written in place, position by position;
///   a state       is read where the previous step wrote it, if all values are results;
///   a last value  is double-buffered (result memory and state memory); the order is chosen so that
///                 the last step writes the result.
template <class Address>
void move(const plan_view& p, const scanning& s, i64 step, const basic_frame<Address>& f) noexcept {
  const node& n = p.table.nodes[s.node];
  if (s.is == scanning::part::slice) {
    f.base[s.node] = address_of(p, n.in[0], f) + s.position(step) * n.out.bytes();
    return;
  }
  if (s.is == scanning::part::state) return;  // moves with its next value
  const int inner = n.in[0], state = n.operands == 2 ? n.in[1] : -1;
  const Address out = address_of(p, s.node, f);
  Address before = out;
  if (s.is == scanning::part::all) {
    const i64 bytes = p.table.nodes[inner].out.bytes();
    f.base[inner] = out + s.position(step) * bytes;
    before = out + (step > 0 ? s.position(step - 1) * bytes : 0);
  } else {
    const bool odd = state >= 0 && (s.steps - 1 - step) % 2 != 0;
    if (!odd && state >= 0) before = f.address_of(p.buffers[state]);
    f.base[inner] = odd ? f.address_of(p.buffers[state]) : out;
  }
  if (state < 0) return;
  f.base[state] = step > 0 ? before : address_of(p, p.table.nodes[state].in[0], f);
}

/// The end of the body that begins at group `g`.
constexpr int end_of_body(const plan_view& p, int g) {
  int end = g;
  while (end < p.groups.size && p.loop_of(end) == p.loop_of(g)) ++end;
  return end;
}

/// Runs the groups of a range in their order, those of a scan's body once for each of its steps:
/// `each(group, first, last)`, with whether it is the first and the last time in the range.
template <class Address, class Each> void run_groups(const plan_view& p, const group_range& r,
                                                     const basic_frame<Address>& f,
                                                     const Each& each) noexcept {
  for (int g = r.begin; g < r.end;) {
    const int loop = r.inside ? -1 : p.loop_of(g);
    if (loop < 0) {
      each(g++, true, true);
      continue;
    }
    const list<scanning> border = p.table.border_of(loop);
    const int end = end_of_body(p, g);
    for (i64 step = 0; step < border[0].steps; ++step) {
      for (const scanning& s : border) move(p, s, step, f);
      for (int i = g; i < end; ++i) each(i, step == 0, step + 1 == border[0].steps);
    }
    g = end;
  }
}

/// The end of the groups of one policy from group `g` on.
constexpr int end_of_policy(const plan_view& p, int g, int limit) {
  int end = g;
  while (end < limit && p.groups[end].policy == p.groups[g].policy) ++end;
  return end;
}
/// The end of the range that begins at group `g`. Returns `g` if the body at `g` is shared by
/// several policies: there is no range.
constexpr int end_of_range(const plan_view& p, int g) {
  int end = g;
  while (end < p.groups.size && p.groups[end].policy == p.groups[g].policy) {
    const int body = p.loop_of(end) < 0 ? end + 1 : end_of_body(p, end);
    if (end_of_policy(p, end, body) < body) break;
    end = body;
  }
  return end;
}
/// The ranges of a body that several policies run: `each(range)` returns a status. Stops at the
/// first error, as the others below.
template <class Each>
status each_range_inside(const plan_view& p, int begin, int end, const Each& each) {
  for (int from = begin; from < end;) {
    const int to = end_of_policy(p, from, end);
    if (const status s = each(group_range{from, to, true}); !s.ok()) return s;
    from = to;
  }
  return {};
}
/// A plan in its order: `each(range)`, and `body(begin, end)` for each body that several policies
/// run.
template <class Each, class Body>
status each_range_or_body(const plan_view& p, const Each& each, const Body& body) {
  for (int g = 0; g < p.groups.size;) {
    const int last = end_of_range(p, g), end = last > g ? last : end_of_body(p, g);
    if (const status s = last > g ? each(group_range{g, last, false}) : body(g, end); !s.ok())
      return s;
    g = end;
  }
  return {};
}
/// The ranges of a plan, each once.
template <class Each> status each_range(const plan_view& p, const Each& each) {
  return each_range_or_body(
      p, each, [&](int begin, int end) { return each_range_inside(p, begin, end, each); });
}
/// Runs a plan range by range; a body that several policies run, step by step.
template <class Each>
status cut_into_ranges(const plan_view& p, const frame& f, const Each& each) noexcept {
  return each_range_or_body(p, each, [&](int begin, int end) {
    const list<scanning> border = p.table.border_of(p.loop_of(begin));
    for (i64 step = 0; step < border[0].steps; ++step) {
      for (const scanning& s : border) move(p, s, step, f);
      if (const status s = each_range_inside(p, begin, end, each); !s.ok()) return s;
    }
    return status{};
  });
}

}  // namespace tenon::scans
