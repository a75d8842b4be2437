// Everything about one group: program, operands, memory, cost, and why it was not fused further.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/cost.hpp>
#include <tenon/plan/describe/plan_words.hpp>
#include <tenon/plan/describe/reason.hpp>

namespace tenon::notation {

/// Writes the paragraph of a group: `write` has the order of its lines, every other member is one
/// kind of line. Lines that do not apply are left out, so a paragraph says nothing that is usual.
struct group_details : plan_words {
  list<multiplied> bound{};  ///< by group: see `multiplication` of models; empty: not bound
  page& out;
  sequence<boundary> edges = boundaries(p);

  void write(int g) const {
    const plans::group& group = p.groups[g];
    const cost c = cost_of(p, g);
    out.line();
    out.line(left(joined("group ", g), 11) + title(p, group) + ": " + kind_of(group) + " on " +
             policy_of(g) + ", " + flops(c.flops) + ", " + bytes(c.bytes()) + ", " +
             intensity(c.intensity()));
    for (const int i : p.members_of(group)) computes(i);
    reads(g);
    if (p.needs[g].scratch > 0)
      located("  scratch  ", "", bytes(p.needs[g].scratch),
              joined("arena ", digits(p.scratch_offset[g])) + " .. " +
                  digits(p.scratch_offset[g] + p.needs[g].scratch));
    if (const int loop = p.loop_of(g); loop >= 0)
      out.wrapped("  step of  ",
                  std::string(printable(at(p.table.border_of(loop)[0].node).op)) + ", which has " +
                      counted(p.steps_of(g), "step", "steps") +
                      (p.table.border_of(loop)[0].backward ? ", the last position first" : ""));
    fused(g);
    integers(g);
    shared_regions(g);
    if (group.kind == family::move) copies(group.anchor);
    crossings(g);
    kept_apart(g);
  }
  /// A line in the three columns of a group: what, its shape, where it is.
  void located(const std::string& label, const std::string& what, const std::string& shape,
               const std::string& where) const {
    constexpr std::size_t first = 60;
    if (label.size() + what.size() < first) {
      out.line(left(label + what, first) + left(shape, 25) + " " + where);
    } else {
      out.wrapped(label, what);
      out.line(std::string(first, ' ') + left(shape, 25) + " " + where);
    }
  }
  /// A member: its formula, shape and memory, and what its family adds.
  void computes(int id) const {
    located(left(joined("           %", id), 16) + "= ", expression(p, id), shaped(id),
            whereabouts(id));
    if (const std::string more = details(p.table, at(id)); !more.empty())
      out.wrapped(std::string(20, ' '), more);
  }
  /// What comes from outside of the group, each value once; behind views also what they show.
  void reads(int g) const {
    std::vector<int> operands;
    for (const int i : p.members_of(p.groups[g]))
      for (int k = 0; k < at(i).operands; ++k) {
        const int from = at(i).in[k];
        if (p.group_of[from] == g || joined_in_place(p, i, k) ||
            std::find(operands.begin(), operands.end(), from) != operands.end())
          continue;
        const std::string what =
            value_name(from) + (is_view(p, from)                ? ", " + origin(from)
                                : at(from).kind == family::scan ? ", " + border_of(from)
                                                                : "");
        located(operands.empty() ? "  reads    " : "           ", what, shaped(from),
                whereabouts(from));
        operands.push_back(from);
      }
  }
  /// What makes its members one step: the epilogue of a contraction, rows, a composite operator,
  /// or one pass over the same elements. A group of one node says nothing.
  void fused(int g) const {
    const plans::group& group = p.groups[g];
    const list<int> members = p.members_of(group);
    const std::string stages = counted(group.size, "stage", "stages");
    i64 row = 1;
    for (int i = group.space.rank - group.columns; i < group.space.rank; ++i) row *= group.space[i];
    const i64 rows = row > 0 ? group.space.count() / row : 0;
    switch (form_of(group)) {
      case form::alone: return;
      case form::epilogue:
        out.wrapped("  fused    ",
                    joined("%", members[1]) +
                        joined(" is the epilogue: it is computed on the sums of %", members[0]) +
                        " before they are stored");
        return;
      case form::rows:
        out.wrapped("  fused    ", stages + " run row by row: " + counted(rows, "row", "rows") +
                                       " of " + counted(row, "element", "elements"));
        return;
      case form::whole:
        out.wrapped("  fused    ", stages + " of a composite operator, one step of the policy");
        return;
      case form::maps:
        out.wrapped("  fused    ", stages + " over one iteration space, in one pass");
        return;
    }
  }
  /// What is computed in integers, and what binding made of integers that were offered: only
  /// binding sees the scales, so the plan of a model that is not bound speaks of an offer.
  void integers(int g) const {
    for (const int i : p.members_of(p.groups[g]))
      if (at(i).keeps_integers)
        out.wrapped("  integers ", joined("%", i) + " is computed in " + name_of(at(i).out.type) +
                                       ", which stands for numbers: it only moves or orders them "
                                       "between one scale's dequantizeLinear and quantizeLinear");
    const plans::group& group = p.groups[g];
    const auto how = [&](int at_group) { return bound[at_group]; };
    if (offers_integers(at(group.anchor)))
      out.wrapped(
          "  integers ",
          joined("%", group.anchor) +
              (bound.size > 0 ? joined(" ", text_of(bound[g]))
                              : " is offered the integers " + value_name(at(group.anchor).in[2]) +
                                    ": binding, which sees the scales, decides whether it "
                                    "multiplies integers or float32"));
    if (bound.size > 0 && plans::is_left_out(p, g, how))
      out.wrapped("  left out ", "nobody reads it: the integers are multiplied");
  }
  /// Why a move is no view of its operand but copies: the first of its readers that needs it.
  void copies(int id) const {
    const node& n = at(id);
    if (p.table.movement_of(n).is == movement::form::join) return joins(id);
    const refusal r = why_copied(p, id);
    const std::string who = r.reader < 0 ? "it" : node_name(r.reader);
    out.wrapped("  copied   ", "not a view, because " + who + " " + text_of(r.why));
  }
  /// The operands of a join that are not computed in their place.
  void joins(int id) const {
    const char* label = "  copied   ";
    for (int k = 0; k < at(id).operands; ++k) {
      const int from = at(id).in[k];
      const copied why = reasons::refused_by_join(p, id, k);
      out.wrapped(label, value_name(from) + (why == copied::none
                                                 ? std::string(" not: it is computed in its place")
                                                 : joined(", because it ", text_of(why))));
      label = "           ";
    }
  }
  /// Composites whose nodes are spread over several groups.
  void shared_regions(int g) const {
    std::vector<int> regions;
    for (const int i : p.members_of(p.groups[g])) {
      const int r = at(i).region;
      if (r < 0 || std::find(regions.begin(), regions.end(), r) != regions.end()) continue;
      regions.push_back(r);
      std::vector<int> others;
      for (int j = 0; j < p.table.nodes.size; ++j)
        if (const int h = p.group_of[j];
            at(j).region == r && h >= 0 && h != g && (others.empty() || others.back() != h))
          others.push_back(h);
      if (others.empty()) continue;
      std::string text = std::string(printable(p.table.regions[r].op)) + ", together with " +
                         (others.size() == 1 ? "group" : "groups");
      for (std::size_t k = 0; k < others.size(); ++k) text += joined(k > 0 ? ", " : " ", others[k]);
      out.wrapped("  part of  ", text);
    }
  }
  /// What comes from other policies.
  void crossings(int g) const {
    std::vector<int> operands;
    for (const int i : p.members_of(p.groups[g]))
      for (int k = 0; k < at(i).operands; ++k) {
        const int from = at(i).in[k];
        const passage how = passage_of(p, from, p.groups[g].policy);
        if (how == passage::none ||
            std::find(operands.begin(), operands.end(), from) != operands.end())
          continue;
        operands.push_back(from);
        const int holder = p.locations[from].holder;
        const std::string source = is_state(p.table, holder) ? "the call before"
                                   : at(holder).kind == family::input
                                       ? "the caller"
                                       : std::string(p.policies[at(holder).policy].name);
        const i64 size = bytes_of(p.stored_type(from), at(from).out.shape.count());
        out.wrapped("  crosses  ", value_name(from) + " from " + source + ": " + text_of(how) +
                                       ", " + bytes(size));
      }
  }

  /// Why each value that leaves the group does: a line for each of its readers.
  void kept_apart(int g) const {
    const char* label = "  stored   ";
    for (const boundary& b : edges) {
      if (p.group_of[b.value] != g) continue;
      const std::string value = joined("%", b.value);
      if (b.reader < 0)
        out.wrapped(label, value + ": " + claim(b.output) +
                               (b.through < 0 ? "" : ", as " + origin(b.through)));
      else
        out.wrapped(label, value + " for " + node_name(b.reader) + " in " + group_name(b.reader) +
                               ": " + sentence(b));
      label = "           ";
    }
  }
  /// What the caller wants of a value.
  std::string claim(int o) const {
    const int state = state_of_output(o);
    return state < 0 ? "it is an output" : "it is the next value of " + state_name(state);
  }
  /// A reason in the words of this plan, where it has any; else `text_of` of it.
  std::string sentence(const boundary& b) const {
    if (p.locations[b.value].inside == b.reader) return "it is computed in its place in the result";
    switch (b.why) {
      case apart::policies:
        return std::string("that runs on ") + p.policies[at(b.reader).policy].name;
      case apart::no_fusion: return policy_of(p.group_of[b.value]) + " fuses nothing";
      case apart::reader_alone:
        return joined("a ", noun_of(at(b.reader).kind)) + " starts a group of its own";
      case apart::maker_alone:
        return joined("nothing joins a ", noun_of(p.groups[p.group_of[b.value]].kind));
      case apart::moved:
        return joined("read through a ",
                      operator_name(p.table, b.through < 0 ? b.value : b.through)) +
               ", and moves join no group";
      case apart::cycle:
        return joined("another operand of ", symbol(p.table, b.reader)) +
               " depends on this group: that would be a cycle";
      case apart::space:
        return joined("its space is ", extents_of(b.reader)) + ", this group's " +
               describe(p.groups[p.group_of[b.value]].space);
      default: return text_of(b.why);
    }
  }
};

}  // namespace tenon::notation
