// A plan for people: what runs in which order, where every value lives, what it costs, and why it
// was not fused further. Not part of tenon.hpp, because it wants <string>.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/cost.hpp>
#include <tenon/plan/describe/formula.hpp>
#include <tenon/plan/describe/reason.hpp>
#include <tenon/plan/plan.hpp>
#include <algorithm>

namespace tenon {

namespace notation {

/// The axes of every node (bit i: axis i) that have a limit instead of an extent: those that become
/// shorter when the graph's inputs do.
inline std::vector<std::uint32_t> bounded_axes(const plan_view& p) {
  const table_view t = p.table;
  std::vector<std::uint32_t> axes(static_cast<std::size_t>(t.nodes.size));
  if (!p.has_limits() || p.source.nodes.size == 0) return axes;
  std::vector<shape> inputs;
  for (const int i : t.inputs) inputs.push_back(t.nodes[i].out.shape);
  for (const varying& v : t.limits) {
    axes[static_cast<std::size_t>(t.inputs[v.input])] = v.axes;
    shape& s = inputs[static_cast<std::size_t>(v.input)];
    for (int i = 0; i < s.rank; ++i)
      if ((v.axes >> i & 1u) != 0 && s[i] > 1) --s.extent[i];
  }
  recorder again;
  if (const error e = replay(p.source, inputs.data(), again); !e.ok()) return axes;
  for (int i = 0; i < t.nodes.size; ++i) {
    const shape &most = t.nodes[i].out.shape, &less = again.out.nodes[t.nodes[i].origin].out.shape;
    for (int k = 0; k < most.rank; ++k)
      if (less[k] != most[k]) axes[static_cast<std::size_t>(i)] |= 1u << k;
  }
  return axes;
}

/// Writes one plan; see `tenon::describe`.
struct describer {
  const plan_view& p;
  int recorded = 0;          ///< operators before they were merged; 0: not known
  list<multiplied> bound{};  ///< by group: see `multiplication` of models; empty: not bound
  sequence<boundary> edges = boundaries(p);
  std::vector<std::uint32_t> bounded = bounded_axes(p);  ///< by node
  page out{};

  const node& at(int id) const { return p.table.nodes[id]; }
  std::string group_name(int id) const { return joined("group ", p.group_of[id]); }
  std::string policy_of(int g) const { return p.policies[p.groups[g].policy].name; }
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
  /// `[1, <= 128, 64]`, where the second axis has a limit.
  std::string extents_of(int id) const {
    const shape& s = at(id).out.shape;
    const std::uint32_t axes = bounded[static_cast<std::size_t>(id)];
    std::string text = "[";
    for (int i = 0; i < s.rank; ++i)
      text += joined(i > 0 ? ", " : "", (axes >> i & 1u) != 0 ? "<= " : "", s[i]);
    return text + "]";
  }
  /// The same with the type in front, where that is not float32.
  std::string shaped(int id) const {
    const type is = at(id).out.type;
    return is == type::float32 ? extents_of(id) : joined(name_of(is), " ", extents_of(id));
  }
  /// The number of a state; below 0: it is none.
  int state_of_input(int index) const { return index - p.table.call_inputs(); }
  int state_of_output(int index) const { return index - p.table.call_outputs(); }
  std::string state_name(int state) const {
    return value_name(p.table.inputs[p.table.call_inputs() + state]);
  }
  /// Where a value's bytes are: `arena 64 .. 128`, `input 0`, `weight, from byte 64`, `output 0`.
  std::string whereabouts(int id) const {
    const plans::location& v = p.locations[id];
    if (!v.materialised) return "inside the group";
    const plans::buffer& b = p.buffers[v.holder];
    const tensor& own = at(id).out;
    const bool packed = plans::is_contiguous(v, own.shape);
    const i64 first = packed ? v.offset * size_bytes(own.type) : 0;
    const i64 bytes = packed ? own.bytes() : b.bytes;
    const std::string part = first > 0 ? ", from byte " + digits(first) : "";
    switch (b.in) {
      case plans::buffer::storage::input:
        return (state_of_input(b.index) < 0 ? joined("input ", b.index)
                                            : joined("state ", state_of_input(b.index))) +
               part;
      case plans::buffer::storage::weight: return "weight" + part;
      case plans::buffer::storage::output:
        return (state_of_output(b.index) < 0 ? joined("output ", b.index)
                                             : joined("next state ", state_of_output(b.index))) +
               part;
      case plans::buffer::storage::arena:
        return (b.home < 0 ? "arena " : joined(p.policies[b.home].name, " ")) +
               digits(b.offset + first) + " .. " + digits(b.offset + first + bytes);
      case plans::buffer::storage::step: return "moves with the steps";
      case plans::buffer::storage::none: break;
    }
    return "nowhere";
  }
  /// What a view is made of: `reshape of conv.bias`, `concat of %3 and %5`.
  std::string origin(int id) const {
    if (!is_view(p, id)) return value_name(id);
    const node& n = at(id);
    std::string text = n.kind == family::map ? "cast of " : operator_name(p.table, id) + " of ";
    for (int k = 0; k < n.operands; ++k) {
      text += k == 0 ? "" : k + 1 < n.operands ? ", " : " and ";
      text += n.operands == 1 ? origin(n.in[k]) : value_name(n.in[k]);
    }
    return text;
  }
  /// What a scan's border shows: `this step of %3`, `a state, at first %5`, `all steps of %9`.
  std::string border_of(int id) const {
    const std::string from = value_name(at(id).in[0]);
    switch (p.table.scanning_of(at(id)).is) {
      case scanning::part::slice: return "this step of " + from;
      case scanning::part::state: return "a state, at first " + from;
      case scanning::part::all: return "all steps of " + from;
      case scanning::part::last: return "the last step of " + from;
    }
    return "";
  }
  /// `group 1`, `groups 0, 2`: those that compute a value.
  std::string groups_behind(int id) const {
    std::vector<int> groups;
    const auto add = [&](int maker) { groups.push_back(p.group_of[maker]); };
    each_maker(p, id, add);
    for (int k = 0; k < at(id).operands; ++k)
      if (joined_in_place(p, id, k)) each_maker(p, at(id).in[k], add);
    std::sort(groups.begin(), groups.end());
    groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
    std::string text = groups.size() == 1 ? "group" : "groups";
    for (std::size_t k = 0; k < groups.size(); ++k) text += joined(k > 0 ? ", " : " ", groups[k]);
    return text;
  }

  // The header.

  void header() {
    int operators = 0, views = 0;
    for (int i = 0; i < p.table.nodes.size; ++i) {
      operators += !is_leaf(at(i).kind);
      views += is_view(p, i);
    }
    std::string text = counted(recorded > 0 ? recorded : operators, "operator", "operators");
    if (recorded > operators) text += joined(", merged to ", digits(operators));
    text += joined(", in ", counted(p.groups.size, "group", "groups"));
    if (views > 0)
      text +=
          joined(" and ", counted(views, "view that needs no kernel", "views that need no kernel"));
    out.line("plan       " + text);
    for (int i = 0; i < p.policies.size; ++i) policy(i);
    const table_view& t = p.table;
    for (int i = 0; i < t.call_inputs(); ++i) border(i == 0 ? "inputs" : "", i, t.inputs[i], "");
    for (int o = 0; o < t.call_outputs(); ++o)
      border(o == 0 ? "outputs" : "", o, t.outputs[o], delivery(o));
    for (int i = 0; i < t.states; ++i)
      border(i == 0 ? "states" : "", i, t.inputs[t.call_inputs() + i],
             "next: " + next_value(t.call_outputs() + i));
    if (p.has_limits())
      out.line("limits     extents, bytes and operations below are those of the largest call");
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
    const std::string typed = joined(name_of(is.type), " ", extents_of(id));
    std::string front = left(label, 11) + std::to_string(index) + "  " + left(node_name(id), 20);
    if (front.size() > 40) {
      out.line(front);
      front.assign(34, ' ');
    }
    out.wrapped(front + "  " + left(typed, 32) + "  " + right(bytes(is.bytes()), 9) + "   ", note);
  }
  /// What a state is in the next call.
  std::string next_value(int o) const {
    const std::string how = delivery(o);
    return value_name(p.table.outputs[o]) +
           (how.starts_with("written") ? ", in place" : ", " + how);
  }
  /// How output `o` gets into its memory.
  std::string delivery(int o) const {
    const int id = p.table.outputs[o];
    for (const plans::output_copy& c : p.copies_out)
      if (c.output == o)
        return "copied at the end from " + (plans::is_contiguous(p.locations[id], at(id).out.shape)
                                                ? whereabouts(id)
                                                : "a strided view");
    return "written in place by " + groups_behind(id);
  }
  void numbers() {
    i64 weights = 0;
    for (const int w : p.table.weights) weights += at(w).out.bytes();
    out.line(joined("weights    ", counted(p.table.weights.size, "tensor", "tensors")) + ", " +
             bytes(weights) + "; " + bytes(p.packed_bytes) + " packed, " + bytes(p.bound_bytes) +
             " of bound forms" +
             (p.table.states > 0 ? "; " + bytes(p.state_bytes()) + " of states" : ""));
    out.line(joined("arena      ", digits(p.shared_bytes)) + " B, lower bound " +
             digits(p.live_bytes) + " B (the most that is live at one time); " +
             digits(p.per_thread_bytes) + " B more for each thread");
    const cost all = cost_of(p);
    out.line(joined("work       ", flops(all.flops)) + "; reads " + bytes(all.read) + " and " +
             bytes(all.weights) + " of weights, writes " + bytes(all.written) + ": " +
             intensity(all.intensity()));
    out.line(joined("traffic    ", counted(p.moved.crossings, "crossing", "crossings")) +
             " between policies, " + counted(p.moved.copies, "copy", "copies") + ", " +
             bytes(p.moved.bytes_moved) + " in every call" +
             (p.moved.upload_bytes > 0
                  ? "; " + bytes(p.moved.upload_bytes) + " of weights uploaded at binding"
                  : ""));
    for (int i = 0; i < p.policies.size; ++i)
      if (p.device_bytes[i] > 0)
        out.line(joined("           ", digits(p.device_bytes[i])) + " B in memory of " +
                 p.policies[i].name);
  }

  // One line for each group.

  void overview() {
    out.line();
    out.line(
        "group  policy      form      operators                     result                         "
        "FLOP     bytes   FLOP/B");
    for (int g = 0; g < p.groups.size; ++g) {
      const plans::group& own = p.groups[g];
      const cost c = cost_of(p, g);
      const int last = p.members_of(own)[own.size - 1];
      char intensity[32];
      std::snprintf(intensity, sizeof intensity, c.flops > 0 ? "%.2f" : "-", c.intensity());
      out.line(right(std::to_string(g), 5) + "  " + left(policy_of(g), 10) + "  " +
               left(kind_of(own), 8) + "  " + left(cut(title(p, own, 2), 28), 28) + "  " +
               left(shaped(last), 24) + "  " + right(rounded(static_cast<double>(c.flops)), 8) +
               "  " + right(bytes(c.bytes()), 8) + "  " + right(intensity, 7));
    }
  }

  // Everything about one group.

  void details_of(int g) {
    const plans::group& own = p.groups[g];
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
    if (const int loop = p.loop_of(g); loop >= 0)
      out.wrapped("  step of  ",
                  std::string(printable(at(p.table.border_of(loop)[0].node).op)) + ", which has " +
                      counted(p.steps_of(g), "step", "steps") +
                      (p.table.border_of(loop)[0].backward ? ", the last position first" : ""));
    fused(g);
    integers(g);
    shared_regions(g);
    if (own.kind == family::move) copies(own.anchor);
    crossings(g);
    kept_apart(g);
  }
  /// A line in the three columns of a group: what, its shape, where it is.
  void located(const std::string& label, const std::string& what, const std::string& shape,
               const std::string& where) {
    constexpr std::size_t first = 60;
    if (label.size() + what.size() < first) {
      out.line(left(label + what, first) + left(shape, 25) + " " + where);
    } else {
      out.wrapped(label, what);
      out.line(std::string(first, ' ') + left(shape, 25) + " " + where);
    }
  }
  void computes(int id) {
    located(left(joined("           %", id), 16) + "= ", expression(p, id), shaped(id),
            whereabouts(id));
    if (const std::string more = details(p.table, at(id)); !more.empty())
      out.wrapped(std::string(20, ' '), more);
  }
  void reads(int g) {
    std::vector<int> seen;
    for (const int i : p.members_of(p.groups[g]))
      for (int k = 0; k < at(i).operands; ++k) {
        const int from = at(i).in[k];
        if (p.group_of[from] == g || joined_in_place(p, i, k) ||
            std::find(seen.begin(), seen.end(), from) != seen.end())
          continue;
        const std::string what =
            value_name(from) + (is_view(p, from)                ? ", " + origin(from)
                                : at(from).kind == family::scan ? ", " + border_of(from)
                                                                : "");
        located(seen.empty() ? "  reads    " : "           ", what, shaped(from),
                whereabouts(from));
        seen.push_back(from);
      }
  }
  void fused(int g) {
    const plans::group& own = p.groups[g];
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
      case form::whole:
        out.wrapped("  fused    ", stages + " of a composite operator, one step of the policy");
        return;
      case form::maps:
        out.wrapped("  fused    ", stages + " over one iteration space, in one pass");
        return;
    }
  }
  void integers(int g) {
    for (const int i : p.members_of(p.groups[g]))
      if (at(i).keeps_integers)
        out.wrapped("  integers ", joined("%", i) + " is computed in " + name_of(at(i).out.type) +
                                       ", which stands for numbers: it only moves or orders them "
                                       "between one scale's dequantizeLinear and quantizeLinear");
    const plans::group& own = p.groups[g];
    const auto how = [&](int at_group) { return bound[at_group]; };
    if (offers_integers(at(own.anchor)))
      out.wrapped(
          "  integers ",
          joined("%", own.anchor) +
              (bound.size > 0 ? joined(" ", text_of(bound[g]))
                              : " is offered the integers " + value_name(at(own.anchor).in[2]) +
                                    ": binding, which sees the scales, decides whether it "
                                    "multiplies integers or float32"));
    if (bound.size > 0 && plans::is_left_out(p, g, how))
      out.wrapped("  left out ", "nobody reads it: the integers are multiplied");
  }
  void copies(int id) {
    const node& n = at(id);
    if (p.table.movement_of(n).is == movement::form::join) return joins(id);
    const refusal r = why_copied(p, id);
    const std::string who = r.reader < 0 ? "it" : node_name(r.reader);
    out.wrapped("  copied   ", "not a view, because " + who + " " + text_of(r.why));
  }
  /// The operands of a join that are not computed in their place.
  void joins(int id) {
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
        const passage how = passage_of(p, from, p.groups[g].policy);
        if (how == passage::none || std::find(seen.begin(), seen.end(), from) != seen.end())
          continue;
        seen.push_back(from);
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

  // Why not more.

  void kept_apart(int g) {
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
  std::string claim(int o) const {
    const int state = state_of_output(o);
    return state < 0 ? "it is an output" : "it is the next value of " + state_name(state);
  }
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

  // Memory.

  void memory() {
    struct entry {
      int home;
      i64 offset, bytes;
      int first, last;
      std::string name;
    };
    std::vector<entry> all;
    for (int i = 0; i < p.buffers.size; ++i)
      if (const plans::buffer& b = p.buffers[i]; b.in == plans::buffer::storage::arena)
        all.push_back({b.home, b.offset, b.bytes, b.first, b.last, node_name(i)});
    for (const plans::mirror& m : p.mirrors)
      all.push_back(
          {m.policy, m.offset, m.bytes, m.first, m.last, "copy of " + node_name(m.holder)});
    for (int g = 0; g < p.groups.size; ++g)
      if (p.needs[g].scratch > 0)
        all.push_back({plans::home_of(p.policies, p.groups[g].policy), p.scratch_offset[g],
                       p.needs[g].scratch, g, g, joined("scratch of group ", g)});
    std::sort(all.begin(), all.end(), [](const entry& a, const entry& b) {
      if (a.home != b.home) return a.home < b.home;
      return a.offset != b.offset ? a.offset < b.offset : a.first < b.first;
    });
    out.line();
    if (all.empty()) return out.line("arena      empty");
    const bool drawn = p.groups.size <= 30;  // what fits
    out.line("arena      buffer                        bytes              at               groups" +
             std::string(drawn ? "    live" : ""));
    int home = -1;
    for (const entry& e : all) {
      if (e.home != home) out.line(joined("           in memory of ", p.policies[e.home].name));
      home = e.home;
      std::string bar;
      for (int g = 0; drawn && g < p.groups.size; ++g)
        bar += e.first <= g && g <= e.last ? '#' : '.';
      out.line(joined("           ", left(cut(e.name, 22), 22)) + right(digits(e.bytes), 13) +
               "  " + right(digits(e.offset), 12) + " .. " + left(digits(e.offset + e.bytes), 12) +
               right(std::to_string(e.first), 4) + " .. " + left(std::to_string(e.last), 4) + bar);
    }
  }
};

inline std::string describe_bound(const plan_view& p, list<multiplied> bound, int recorded) {
  describer d{p, recorded, bound};
  d.header();
  d.overview();
  for (int g = 0; g < p.groups.size; ++g) d.details_of(g);
  d.memory();
  return d.out.text;
}

}  // namespace notation

/// The plan as text for a terminal of 120 columns: policies, inputs and outputs; a line for each
/// group; then each group with its program, what it reads and writes and where that lies, its cost,
/// and why each value that leaves it was not fused into its readers; at last the arena.
inline std::string describe(const plan_view& p, int recorded = 0) {
  return notation::describe_bound(p, {}, recorded);
}
/// The same of a bound model, with what binding made of the integers that contractions were
/// offered.
template <class Model>
requires requires(const Model& m) { m.multiplication(0); }
std::string describe(const Model& m) {
  const plan_view& p = m.plan_of();
  sequence<multiplied> bound;
  for (int g = 0; g < p.groups.size; ++g) bound.push(m.multiplication(g));
  return notation::describe_bound(p, {bound.data(), bound.size()}, 0);
}

/// The plan of a static graph for these policies.
template <class Graph, class... Policies>
requires(sizeof...(Policies) > 0) std::string describe() {
  int operators = 0;
  for (const node& n : Graph::view().nodes) operators += !is_leaf(n.kind);
  return describe(plan<Graph, Policies...>::view(), operators);
}

}  // namespace tenon
