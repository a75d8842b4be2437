// Reasons: what a finished plan fused, and why it did not fuse more. Nothing is recorded while
// planning; the fusion pass is run again and asked before each of its steps, so that reasons cannot
// drift from it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/apart.hpp>
#include <tenon/plan/describe/copied.hpp>
#include <tenon/plan/fuser.hpp>

namespace tenon {

namespace reasons {

/// Why node `id`, a reduction or a map, does not join the row group `at`.
constexpr apart outside_rows(table_view t, const plans::fuser& f, int id, int at) {
  const node& n = t.nodes[id];
  const plans::group& g = f.group_at(at);
  if (g.size >= plans::max_stages) return apart::full;
  if (f.takes_row(id, at)) return apart::none;
  if (n.kind == family::map)
    return n.out.shape == g.space || plans::is_row_scalar(n.out.shape, g.space, g.columns)
               ? apart::uneven
               : apart::space;
  if (!(t.nodes[n.in[0]].out.shape == g.space)) return apart::space;
  const int columns = plans::trailing_axes(t.reduction_of(n), g.space.rank);
  if (columns == 0) return apart::axes;
  return g.columns != 0 && g.columns != columns ? apart::rows : apart::uneven;
}
/// Why a map or a reduction does not become the epilogue of contraction `from`.
constexpr apart outside_contract(table_view t, const plans::fuser& f, const node& n, int from) {
  if (n.kind == family::reduce) return apart::reduced;
  if (t.nodes[from].kind != family::contract) return apart::epilogue;
  bool real = f.in_epilogues(n, n.out.type);
  for (int k = 0; k < n.operands; ++k) real &= f.in_epilogues(n, t.nodes[n.in[k]].out.type);
  if (!real) return apart::types;
  if (f.uses_of(from) > 1) return apart::several_uses;
  return t.nodes[from].out.shape == n.out.shape ? apart::none : apart::space;
}
/// What the pass says about node `id` joining the group of its operand `from`. `f` must have all
/// nodes before `id`, and not `id` itself: then its groups are those that the pass saw. The tests
/// stand in the order of the pass, so that the first one that fails is the reason.
constexpr apart ask(const plan_view& p, plans::fuser& f, int id, int from) {
  const node &n = p.table.nodes[id], &maker = p.table.nodes[from];
  if (maker.policy != n.policy) return apart::policies;
  if (n.whole >= 0 || maker.whole >= 0) return apart::whole;
  if (!p.policies[n.policy].fuses) return apart::no_fusion;
  if (maker.kind == family::scan || maker.loop != n.loop) return apart::scan;
  if (f.stands_in(id)) return apart::integers;
  if (n.kind == family::contract && maker.kind == family::contract) return apart::anchor;
  if (n.kind != family::map && n.kind != family::reduce) return apart::reader_alone;
  if (maker.kind == family::move) return apart::moved;
  if (n.kind == family::reduce && gives_position(p.table.reduction_of(n).how))
    return apart::positions;
  const int at = f.group_of(from);
  if (!f.same_epoch(id, at)) return apart::scan;
  const family kind = f.group_at(at).kind;
  apart why = apart::maker_alone;
  if (kind == family::contract) why = outside_contract(p.table, f, n, from);
  if (kind == family::map) why = outside_rows(p.table, f, id, at);
  if (why != apart::none) return why;
  if (f.crowded(id, at)) return apart::buffers;
  return f.makes_cycle(id, at) ? apart::cycle : apart::other_group;
}

}  // namespace reasons

/// Every value that leaves its group, once for each reader in another group and once for the
/// caller, in the order of the readers. A value that is read through views counts as read by those
/// who read the views. Runs the fusion pass again, so it costs as much.
constexpr sequence<boundary> boundaries(const plan_view& p) {
  const table_view t = p.table;
  sequence<boundary> edges;
  plans::fuser f(t, p.policies);
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    if (is_leaf(n.kind)) continue;
    const bool shows = is_view(p, i) || n.kind == family::scan;
    for (int k = 0; k < n.operands && !shows; ++k) {
      const int from = n.in[k];
      bool again = false;
      for (int j = 0; j < k; ++j) again |= n.in[j] == from;
      if (again) continue;
      each_maker(p, from, [&](int maker) {
        if (is_leaf(t.nodes[maker].kind) || p.group_of[maker] == p.group_of[i]) return;
        edges.push({maker, from == maker ? -1 : from, i, reasons::ask(p, f, i, from)});
      });
    }
    f.add(i);
  }
  for (int k = 0; k < t.outputs.size; ++k) {
    const int o = t.outputs[k];
    each_maker(p, o, [&](int maker) {
      if (!is_leaf(t.nodes[maker].kind))
        edges.push({maker, o == maker ? -1 : o, -1, apart::output, k});
    });
  }
  return edges;
}

/// Why node `reader` is not in the group of `value`, which it reads itself or through a view;
/// `none` if it is, or does not read it.
constexpr apart why_apart(const plan_view& p, int value, int reader) {
  for (const boundary& b : boundaries(p))
    if (b.value == value && b.reader == reader) return b.why;
  return apart::none;
}

/// What makes the members of a group one step.
enum class form : std::uint8_t {
  alone,     ///< one node
  epilogue,  ///< an element-wise program on the sums of a contraction, before they are stored
  rows,      ///< stages that reduce rows, and maps around them, row by row
  maps,      ///< element-wise programs over one space, in one pass
  whole,     ///< a composite operator for which the policy has a step of its own
};
constexpr form form_of(const plans::group& g) {
  if (g.kind == family::compose) return form::whole;
  if (g.size == 1) return form::alone;
  if (g.kind == family::contract) return form::epilogue;
  return g.columns > 0 ? form::rows : form::maps;
}

/// What moves where a value is needed by another policy.
enum class passage : std::uint8_t {
  none,      ///< nothing: one policy, or the caller's own memory
  shared,    ///< a crossing, and both policies work in the same memory
  imported,  ///< a crossing, and a device uses the host's memory where it lies
  copied,    ///< a crossing with a copy, because a policy cannot share the host's memory
};
constexpr const char* text_of(passage how) {
  constexpr const char* texts[] = {"", "in the same memory, not copied",
                                   "used where it lies in the host's memory, not copied",
                                   "copied, because a policy cannot share the host's memory"};
  return texts[static_cast<int>(how)];
}
/// How node `id` gets to a reader that runs on policy `to`, or (-1) to the caller. Weights pass at
/// binding and count as none.
constexpr passage passage_of(const plan_view& p, int id, int to) {
  const int caller = p.policies[0].memory == sharing::same ? 0 : -1;
  const node& n = p.table.nodes[p.locations[id].holder];
  if (n.kind == family::weight || (to < 0 && is_leaf(n.kind))) return passage::none;
  const int from = n.kind == family::input ? caller : n.policy, target = to < 0 ? caller : to;
  const auto memory = [&](int policy) {
    return policy < 0 ? sharing::same : p.policies[policy].memory;
  };
  if (from == target) return passage::none;
  const auto one_is = [&](sharing s) { return memory(from) == s || memory(target) == s; };
  return one_is(sharing::separate)     ? passage::copied
         : one_is(sharing::importable) ? passage::imported
                                       : passage::shared;
}

}  // namespace tenon
