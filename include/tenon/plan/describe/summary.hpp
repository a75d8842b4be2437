// The head of a description: policies, inputs and outputs, totals, and a line for each group.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/cost.hpp>
#include <tenon/plan/describe/plan_words.hpp>

namespace tenon::notation {

/// What stands above the groups: policies, what the caller passes and gets, and the totals.
struct plan_header : plan_words {
  int recorded = 0;  ///< operators before they were merged; 0: not known
  page& out;

  void write() const {
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
    for (int i = 0; i < t.call_inputs(); ++i) line_of(i == 0 ? "inputs" : "", i, t.inputs[i], "");
    for (int o = 0; o < t.call_outputs(); ++o)
      line_of(o == 0 ? "outputs" : "", o, t.outputs[o], delivery(o));
    for (int i = 0; i < t.states; ++i)
      line_of(i == 0 ? "states" : "", i, t.inputs[t.call_inputs() + i],
              "next: " + next_value(t.call_outputs() + i));
    if (p.has_limits())
      out.line("limits     extents, bytes and operations below are those of the largest call");
    numbers();
  }
  /// Line `i` of the policies.
  void policy(int i) const {
    constexpr const char* memory[] = {"works in the caller's memory", "imports the caller's memory",
                                      "has a memory of its own"};
    const policy_facts& f = p.policies[i];
    out.line(left(i == 0 ? "policies" : "", 11) + std::to_string(i) + "  " + left(f.name, 20) +
             "  " + memory[static_cast<int>(f.memory)] + (f.fuses ? ", fuses" : ", fuses nothing"));
  }
  /// A line for an input, an output or a state: its number, node, type, bytes and a note. Long
  /// names stand on a line of their own.
  void line_of(const char* label, int index, int id, const std::string& note) const {
    const tensor& t = at(id).out;
    const std::string typed = joined(name_of(t.type), " ", extents_of(id));
    std::string front = left(label, 11) + std::to_string(index) + "  " + left(node_name(id), 20);
    if (front.size() > 40) {
      out.line(front);
      front.assign(34, ' ');
    }
    out.wrapped(front + "  " + left(typed, 32) + "  " + right(bytes(t.bytes()), 9) + "   ", note);
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
  /// The plan's totals: weights, arena, work, traffic, and the arenas of devices.
  void numbers() const {
    i64 weights = 0;
    for (const int w : p.table.weights) weights += at(w).out.bytes();
    out.line(joined("weights    ", counted(p.table.weights.size, "tensor", "tensors")) + ", " +
             bytes(weights) + "; " + bytes(p.packed_bytes) + " packed, " + bytes(p.bound_bytes) +
             " of bound forms" +
             (p.table.states > 0 ? "; " + bytes(p.state_bytes()) + " of states" : ""));
    out.line(joined("arena      ", digits(p.shared_bytes)) + " B, lower bound " +
             digits(p.live_bytes) + " B (the most that is live at one time); " +
             digits(p.per_thread_bytes) + " B more for each thread");
    const cost whole = cost_of(p);
    out.line(joined("work       ", flops(whole.flops)) + "; reads " + bytes(whole.read) + " and " +
             bytes(whole.weights) + " of weights, writes " + bytes(whole.written) + ": " +
             intensity(whole.intensity()));
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
};

/// One line for each group, in columns.
inline void write_overview(const plan_words& words, page& out) {
  const plan_view& p = words.p;
  out.line();
  out.line(
      "group  policy      form      operators                     result                         "
      "FLOP     bytes   FLOP/B");
  for (int g = 0; g < p.groups.size; ++g) {
    const plans::group& group = p.groups[g];
    const cost c = cost_of(p, g);
    const int last = p.members_of(group)[group.size - 1];
    char intensity[32];
    std::snprintf(intensity, sizeof intensity, c.flops > 0 ? "%.2f" : "-", c.intensity());
    out.line(right(std::to_string(g), 5) + "  " + left(words.policy_of(g), 10) + "  " +
             left(kind_of(group), 8) + "  " + left(cut(title(p, group, 2), 28), 28) + "  " +
             left(words.shaped(last), 24) + "  " + right(rounded(static_cast<double>(c.flops)), 8) +
             "  " + right(bytes(c.bytes()), 8) + "  " + right(intensity, 7));
  }
}

}  // namespace tenon::notation
