// Plans as diagrams for other programs: Graphviz and Mermaid.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/formula.hpp>
#include <tenon/plan/describe/reason.hpp>
#include <tenon/plan/plan.hpp>

namespace tenon {

namespace notation {

/// What both kinds of diagram draw.
struct diagram {
  const plan_view& p;

  const node& at(int id) const { return p.table.nodes[id]; }
  /// The lines of a node's label: its name, its shape.
  std::vector<std::string> label(int id) const {
    const node& n = at(id);
    std::string text =
        is_leaf(n.kind) ? printable(p.table.name_of(n).c_str()) : operator_name(p.table, id);
    if (n.kind == family::reduce && text != word_of(p.table.reduction_of(n)))
      text += std::string(" (") + word_of(p.table.reduction_of(n)) + ")";
    if (is_state(p.table, id)) text += " (state)";
    const std::string typed = n.out.type == type::float32 ? "" : name_of(n.out.type);
    return {text, typed + (typed.empty() ? "" : " ") + describe(n.out.shape)};
  }
  /// `output 0`; for the next value of a state `next` and its name.
  std::string output_label(int o) const {
    const int kept = o - p.table.call_outputs();
    if (kept < 0) return joined("output ", o);
    const int state = p.table.inputs[p.table.call_inputs() + kept];
    return "next " + printable(p.table.name_of(at(state)).c_str());
  }
  /// `group 2: rows on cpu`.
  std::string group_label(int g) const {
    const plans::group& group = p.groups[g];
    return joined("group ", g) + ": " + kind_of(group) + " on " + p.policies[group.policy].name;
  }
  /// Calls `visit(from, to, passage)` for every operand of every node, and with the number of the
  /// output and `is_output` for every output. A view moves nothing: what passes it crosses behind
  /// it.
  template <class Visit> void each_edge(Visit&& visit) const {
    for (int i = 0; i < p.table.nodes.size; ++i)
      for (int k = 0; k < at(i).operands; ++k)
        visit(at(i).in[k], i,
              p.group_of[i] < 0 ? passage::none : passage_of(p, at(i).in[k], at(i).policy), false);
    for (int o = 0; o < p.table.outputs.size; ++o)
      visit(p.table.outputs[o], o, passage_of(p, p.table.outputs[o], -1), true);
  }
  /// How a value passes to another policy; if by a copy, of how many bytes.
  std::string crossing_label(int from, passage how) const {
    return how == passage::copied ? joined("copied, ", bytes(at(from).out.bytes())) : "crosses";
  }
};

/// Text between double quotes in the language of Graphviz.
inline std::string dot_text(const std::string& s) {
  std::string text;
  for (const char c : s) text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return text;
}
/// Text between double quotes in the language of Mermaid, which knows HTML's numeric entities.
inline std::string mermaid_text(const std::string& s) {
  std::string text;
  for (const char c : s) {
    const bool special = c == '"' || c == '#' || c == '&' || c == '<' || c == '>' || c == '`' ||
                         c == '\\' || c == ';';
    text += special ? joined("#", static_cast<int>(c), ";") : std::string(1, c);
  }
  return text;
}

}  // namespace notation

/// The plan in the language of Graphviz (`dot -Tsvg`): a cluster for each group, its nodes with
/// operator and shape; views stand outside of all clusters, dashed. Edges between policies are red,
/// and bold where they copy.
inline std::string graphviz(const plan_view& p) {
  const notation::diagram d{p};
  std::string text =
      "digraph plan {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\"];\n"
      "  edge [fontname=\"sans-serif\"];\n";
  const auto declare = [&](const char* margin, int id) {
    const std::vector<std::string> label = d.label(id);
    text += margin + (notation::joined("n", id)) + " [label=\"" + notation::dot_text(label[0]) +
            "\\n" + label[1] + "\"";
    const family kind = p.table.nodes[id].kind;
    if (is_leaf(kind)) text += kind == family::input ? ", shape=ellipse" : ", shape=note";
    if (is_view(p, id)) text += ", style=dashed";
    text += "];\n";
  };
  for (int i = 0; i < p.table.nodes.size; ++i)
    if (p.group_of[i] < 0) declare("  ", i);
  for (int g = 0; g < p.groups.size; ++g) {
    text += notation::joined("  subgraph cluster_", g) + " {\n    label=\"" +
            notation::dot_text(d.group_label(g)) + "\";\n    style=\"rounded\";\n";
    for (const int i : p.members_of(p.groups[g])) declare("    ", i);
    text += "  }\n";
  }
  for (int o = 0; o < p.table.outputs.size; ++o)
    text += notation::joined("  out", o) + " [label=\"" + notation::dot_text(d.output_label(o)) +
            "\", shape=ellipse];\n";
  d.each_edge([&](int from, int to, passage how, bool is_output) {
    text += notation::joined("  n", from) + " -> " + notation::joined(is_output ? "out" : "n", to);
    if (how != passage::none)
      text += " [color=red, fontcolor=red, label=\"" +
              notation::dot_text(d.crossing_label(from, how)) + "\"" +
              (how == passage::copied ? ", style=bold]" : "]");
    text += ";\n";
  });
  return text + "}\n";
}

/// The plan as a Mermaid flowchart, which pages of Markdown show: a subgraph for each group. Edges
/// between policies are dotted, and thick where they copy; both say so.
inline std::string mermaid(const plan_view& p) {
  const notation::diagram d{p};
  std::string text = "flowchart TD\n";
  const auto declare = [&](const char* margin, int id) {
    const std::vector<std::string> label = d.label(id);
    const family kind = p.table.nodes[id].kind;
    const char* brackets[] = {"[", "]", "([", "])", "[/", "/]"};
    const int shape = kind == family::input ? 2 : kind == family::weight ? 4 : 0;
    text += margin + (notation::joined("n", id)) + brackets[shape] + "\"" +
            notation::mermaid_text(label[0]) + "<br/>" + label[1] + "\"" + brackets[shape + 1] +
            (is_view(p, id) ? ":::view\n" : "\n");
  };
  for (int i = 0; i < p.table.nodes.size; ++i)
    if (p.group_of[i] < 0) declare("  ", i);
  for (int g = 0; g < p.groups.size; ++g) {
    text += notation::joined("  subgraph g", g) + "[\"" + notation::mermaid_text(d.group_label(g)) +
            "\"]\n";
    for (const int i : p.members_of(p.groups[g])) declare("    ", i);
    text += "  end\n";
  }
  for (int o = 0; o < p.table.outputs.size; ++o)
    text += notation::joined("  out", o) + "([\"" + notation::mermaid_text(d.output_label(o)) +
            "\"])\n";
  d.each_edge([&](int from, int to, passage how, bool is_output) {
    text += notation::joined("  n", from);
    const std::string label = "|\"" + notation::mermaid_text(d.crossing_label(from, how)) + "\"| ";
    text += how == passage::none ? " --> " : (how == passage::copied ? " ==>" : " -.->") + label;
    text += notation::joined(is_output ? "out" : "n", to) + "\n";
  });
  return text + "  classDef view stroke-dasharray: 4 4\n";
}

}  // namespace tenon
