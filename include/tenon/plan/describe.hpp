// A plan for people: what runs in which order, where every value lives, what it costs, and why it
// was not fused further. Not part of tenon.hpp, because it wants <string>.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/cost.hpp>
#include <tenon/plan/formula.hpp>
#include <tenon/plan/plan.hpp>
#include <tenon/plan/reason.hpp>
#include <algorithm>

namespace tenon {

namespace notation {

/// Writes one plan; see `tenon::describe`.
struct describer {
  const plan_view& p;
  int recorded = 0;  ///< operators before they were merged; 0: not known
  sequence<boundary> edges = boundaries(p);
  page out{};

  const node& at(int id) const { return p.table.nodes[id]; }
  std::string group_name(int id) const { return joined("group ", p.group_of[id]); }
  std::string policy_of(int g) const { return p.policies[p.groups[g].place].name; }
  /// An input's or weight's own name, with its number where programs have to use that; else `%3`.
  std::string value_name(int id) const {
    const std::string called = symbol(p.table, id);
    if (!is_leaf(at(id).kind) || called[0] != '%') return called;
    return called + " " + printable(p.table.name_of(at(id)).c_str());
  }
  /// `%5 relu`.
  std::string node_name(int id) const {
    return is_leaf(at(id).kind) ? value_name(id)
                                : symbol(p.table, id) + " " + operator_name(p.table, id);
  }
  /// Where a value's bytes are: `arena 64 .. 128`, `input 0`, `weight`, `output 0`.
  std::string whereabouts(int id) const {
    if (!p.values[id].materialised) return "inside the group";
    const buffer& b = p.buffers[p.values[id].root];
    switch (b.in) {
      case buffer::storage::input: return joined("input ", b.index);
      case buffer::storage::weight: return "weight";
      case buffer::storage::output: return joined("output ", b.index);
      case buffer::storage::arena:
        return joined("arena ", digits(b.offset)) + " .. " + digits(b.offset + b.bytes);
      case buffer::storage::none: break;
    }
    return "nowhere";
  }
  /// What a view is made of: `reshape of conv.bias`.
  std::string origin(int id) const {
    std::string text;
    for (; reasons::is_view(p, id); id = at(id).in[0]) text += operator_name(p.table, id) + " of ";
    return text + value_name(id);
  }

  // The header.

  void header() {
    int operators = 0, views = 0;
    for (int i = 0; i < p.table.nodes.size; ++i) {
      operators += !is_leaf(at(i).kind);
      views += reasons::is_view(p, i);
    }
    std::string text = counted(recorded > 0 ? recorded : operators, "operator", "operators");
    if (recorded > operators) text += joined(", merged to ", digits(operators));
    text += joined(", in ", counted(p.groups.size, "group", "groups"));
    if (views > 0)
      text +=
          joined(" and ", counted(views, "view that needs no kernel", "views that need no kernel"));
    out.line("plan       " + text);
    for (int i = 0; i < p.policies.size; ++i) policy(i);
    for (int i = 0; i < p.table.inputs.size; ++i)
      border(i == 0 ? "inputs" : "", i, p.table.inputs[i], "");
    for (int o = 0; o < p.table.outputs.size; ++o)
      border(o == 0 ? "outputs" : "", o, p.table.outputs[o], delivery(o));
    numbers();
  }
  void policy(int i) {
    constexpr const char* memory[] = {"works in the caller's memory", "imports the caller's memory",
                                      "has a memory of its own"};
    const policy_facts& f = p.policies[i];
    out.line(left(i == 0 ? "policies" : "", 11) + std::to_string(i) + "  " + left(f.name, 20) +
             "  " + memory[static_cast<int>(f.memory)] + (f.fuses ? ", fuses" : ", fuses nothing"));
  }
  void border(const char* label, int index, int id, const std::string& note) {
    const tensor& is = at(id).out;
    const std::string shaped = std::string(name_of(is.type)) + " " + describe(is.shape);
    std::string front = left(label, 11) + std::to_string(index) + "  " + left(node_name(id), 20);
    if (front.size() > 40) {
      out.line(front);
      front.assign(34, ' ');
    }
    out.line(front + "  " + left(shaped, 32) + "  " + right(bytes(is.bytes()), 9) + "   " + note);
  }
  /// How output `o` gets into the caller's memory.
  std::string delivery(int o) const {
    const int id = p.table.outputs[o];
    for (const output_copy& c : p.copies_out) {
      if (c.output != o) continue;
      const buffer& b = p.buffers[p.values[id].root];
      const bool strided = !passes::is_dense(p.values[id], at(id).out.shape);
      return "copied at the end from " +
             (strided || b.in == buffer::storage::arena ? "a strided view" : whereabouts(id));
    }
    return "written in place by " + group_name(p.values[id].root);
  }
  void numbers() {
    i64 weights = 0;
    for (const int w : p.table.weights) weights += at(w).out.bytes();
    out.line(joined("weights    ", counted(p.table.weights.size, "tensor", "tensors")) + ", " +
             bytes(weights) + "; " + bytes(p.packed_bytes) + " packed, " + bytes(p.bound_bytes) +
             " of bound forms");
    out.line(joined("arena      ", digits(p.shared_bytes)) + " B, lower bound " +
             digits(p.live_bytes) + " B (the most that is live at one time); " +
             digits(p.per_thread_bytes) + " B more for each thread");
    const cost all = cost_of(p);
    out.line(joined("work       ", flops(all.flops)) + "; reads " + bytes(all.read) + " and " +
             bytes(all.weights) + " of weights, writes " + bytes(all.written) + ": " +
             intensity(all.intensity()));
    out.line(joined("traffic    ", counted(p.crossings, "crossing", "crossings")) +
             " between policies, " + counted(p.copies, "copy", "copies") + ", " +
             bytes(p.bytes_moved) + " in every call");
  }

  // One line for each group.

  void overview() {
    out.line();
    out.line(
        "group  policy      form      operators                     result                         "
        "FLOP     bytes   FLOP/B");
    for (int g = 0; g < p.groups.size; ++g) {
      const group& own = p.groups[g];
      const cost c = cost_of(p, g);
      const int last = p.members_of(own)[own.size - 1];
      char intensity[32];
      std::snprintf(intensity, sizeof intensity, c.flops > 0 ? "%.2f" : "-", c.intensity());
      out.line(right(std::to_string(g), 5) + "  " + left(policy_of(g), 10) + "  " +
               left(kind_of(own), 8) + "  " + left(cut(title(p, own, 2), 28), 28) + "  " +
               left(describe(at(last).out.shape), 24) + "  " +
               right(rounded(static_cast<double>(c.flops)), 8) + "  " + right(bytes(c.bytes()), 8) +
               "  " + right(intensity, 7));
    }
  }

  // Everything about one group.

  void details_of(int g) {
    const group& own = p.groups[g];
    const cost c = cost_of(p, g);
    out.line();
    out.line(left(joined("group ", g), 11) + title(p, own) + ": " + kind_of(own) + " on " +
             policy_of(g) + ", " + flops(c.flops) + ", " + bytes(c.bytes()) + ", " +
             intensity(c.intensity()));
    for (const int i : p.members_of(own)) computes(i);
    reads(g);
    if (p.needs[g].scratch > 0)
      located("  scratch  ", "", bytes(p.needs[g].scratch),
              joined("arena ", digits(p.scratch_offset[g])) + " .. " +
                  digits(p.scratch_offset[g] + p.needs[g].scratch));
    fused(g);
    shared_regions(g);
    if (own.kind == family::move) copies(own.anchor);
    crossings(g);
    kept_apart(g);
  }
  /// A line in the three columns of a group: what, its shape, where it is.
  void located(const std::string& label, const std::string& what, const std::string& shaped,
               const std::string& where) {
    constexpr std::size_t first = 60;
    if (label.size() + what.size() < first) {
      out.line(left(label + what, first) + left(shaped, 26) + where);
    } else {
      out.wrapped(label, what);
      out.line(std::string(first, ' ') + left(shaped, 26) + where);
    }
  }
  void computes(int id) {
    located(left(joined("           %", id), 16) + "= ", expression(p, id),
            describe(at(id).out.shape), whereabouts(id));
    if (const std::string more = details(p.table, at(id)); !more.empty())
      out.wrapped(std::string(20, ' '), more);
  }
  void reads(int g) {
    std::vector<int> seen;
    for (const int i : p.members_of(p.groups[g]))
      for (int k = 0; k < at(i).operands; ++k) {
        const int from = at(i).in[k];
        if (p.group_of[from] == g || std::find(seen.begin(), seen.end(), from) != seen.end())
          continue;
        const std::string what =
            value_name(from) + (reasons::is_view(p, from) ? ", " + origin(from) : "");
        located(seen.empty() ? "  reads    " : "           ", what, describe(at(from).out.shape),
                whereabouts(from));
        seen.push_back(from);
      }
  }
  void fused(int g) {
    const group& own = p.groups[g];
    const list<int> members = p.members_of(own);
    const std::string stages = counted(own.size, "stage", "stages");
    i64 row = 1;
    for (int i = own.space.rank - own.columns; i < own.space.rank; ++i) row *= own.space[i];
    const i64 rows = row > 0 ? own.space.count() / row : 0;
    switch (form_of(own)) {
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
      case form::maps:
        out.wrapped("  fused    ", stages + " over one iteration space, in one pass");
        return;
    }
  }
  void copies(int id) {
    const refusal r = why_copied(p, id);
    const std::string who = r.reader < 0 ? "it" : node_name(r.reader);
    out.wrapped("  copied   ", "not a view, because " + who + " " + text_of(r.why));
  }
  /// Regions of which other groups hold a part.
  void shared_regions(int g) {
    std::vector<int> seen;
    for (const int i : p.members_of(p.groups[g])) {
      const int r = at(i).region;
      if (r < 0 || std::find(seen.begin(), seen.end(), r) != seen.end()) continue;
      seen.push_back(r);
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
  void crossings(int g) {
    std::vector<int> seen;
    for (const int i : p.members_of(p.groups[g]))
      for (int k = 0; k < at(i).operands; ++k) {
        const int from = at(i).in[k];
        const passage how = passage_of(p, from, p.groups[g].place);
        if (how == passage::none || std::find(seen.begin(), seen.end(), from) != seen.end())
          continue;
        seen.push_back(from);
        const std::string source = at(from).kind == family::input
                                       ? "the caller"
                                       : std::string(p.policies[at(from).place].name);
        out.wrapped("  crosses  ",
                    value_name(from) + " from " + source + ": " +
                        (how == passage::copied ? joined("copied, ", bytes(at(from).out.bytes()))
                                                : "in the same memory, not copied"));
      }
  }

  // Why not more.

  void kept_apart(int g) {
    const char* label = "  stored   ";
    for (const boundary& b : edges) {
      if (p.group_of[b.value] != g) continue;
      const std::string value = joined("%", b.value);
      if (b.reader < 0)
        out.wrapped(label, value + ": it is an output" +
                               (b.through < 0 ? "" : ", as " + origin(b.through)));
      else
        out.wrapped(label, value + " for " + node_name(b.reader) + " in " + group_name(b.reader) +
                               ": " + sentence(b));
      label = "           ";
    }
  }
  std::string sentence(const boundary& b) const {
    switch (b.why) {
      case apart::policies:
        return std::string("that runs on ") + p.policies[at(b.reader).place].name;
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
        return joined("its space is ", describe(at(b.reader).out.shape)) + ", this group's " +
               describe(p.groups[p.group_of[b.value]].space);
      default: return text_of(b.why);
    }
  }

  // Memory.

  void memory() {
    struct entry {
      i64 offset, bytes;
      int first, last;
      std::string name;
    };
    std::vector<entry> all;
    for (int i = 0; i < p.buffers.size; ++i)
      if (const buffer& b = p.buffers[i]; b.in == buffer::storage::arena)
        all.push_back({b.offset, b.bytes, b.first, b.last, node_name(i)});
    for (int g = 0; g < p.groups.size; ++g)
      if (p.needs[g].scratch > 0)
        all.push_back(
            {p.scratch_offset[g], p.needs[g].scratch, g, g, joined("scratch of group ", g)});
    std::sort(all.begin(), all.end(), [](const entry& a, const entry& b) {
      return a.offset != b.offset ? a.offset < b.offset : a.first < b.first;
    });
    out.line();
    if (all.empty()) return out.line("arena      empty");
    const bool drawn = p.groups.size <= 30;  // what fits
    out.line("arena      buffer                        bytes              at               groups" +
             std::string(drawn ? "    live" : ""));
    for (const entry& e : all) {
      std::string bar;
      for (int g = 0; drawn && g < p.groups.size; ++g)
        bar += e.first <= g && g <= e.last ? '#' : '.';
      out.line(joined("           ", left(cut(e.name, 22), 22)) + right(digits(e.bytes), 13) +
               "  " + right(digits(e.offset), 12) + " .. " + left(digits(e.offset + e.bytes), 12) +
               right(std::to_string(e.first), 4) + " .. " + left(std::to_string(e.last), 4) + bar);
    }
  }
};

}  // namespace notation

/// The plan as text for a terminal of 120 columns: policies, inputs and outputs; a line for each
/// group; then each group with its program, what it reads and writes and where that lies, its cost,
/// and why each value that leaves it was not fused into its readers; at last the arena.
inline std::string describe(const plan_view& p, int recorded = 0) {
  notation::describer d{p, recorded};
  d.header();
  d.overview();
  for (int g = 0; g < p.groups.size; ++g) d.details_of(g);
  d.memory();
  return d.out.text;
}

/// The plan of a static graph for these policies.
template <class Graph, class... Policies>
requires(sizeof...(Policies) > 0) std::string describe() {
  int operators = 0;
  for (const node& n : Graph::view().nodes) operators += !is_leaf(n.kind);
  return describe(plan<Graph, Policies...>::view(), operators);
}

}  // namespace tenon
