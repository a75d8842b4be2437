// A failure in words: the seed, the operator, its operands, the first element that differs, and the
// code to build the graph again.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/calls.hpp>
#include <tenon/trial/graph.hpp>
#include <tenon/trial/shrink.hpp>

namespace tenon::trial {

inline std::string words_of(const tensor& t) {
  std::string r = std::string(name_of(t.type)) + " [";
  for (int i = 0; i < t.shape.rank; ++i) r += (i > 0 ? ", " : "") + std::to_string(t.shape[i]);
  return r + "]";
}
/// A value's name in the report is its node's number: the same in the code and in the table.
inline std::string value_name(int node) { return std::string("v").append(std::to_string(node)); }

/// Floats are printed twice: exactly, in hexadecimal, and with the 9 digits that tell them apart.
template <class T> std::string words_of_element(const std::byte* at) {
  T x;
  std::memcpy(&x, at, sizeof x);
  if constexpr (is_real(type_of<T>))
    return printed("%a (%.9g)", static_cast<double>(x), static_cast<double>(x));
  else
    return std::to_string(x);
}
/// Number of floats from one to the other, where both zeros count as one. The bits of floats of one
/// sign are in the order of the numbers; those of negative ones are turned around.
inline std::string distance_of(const std::byte* a, const std::byte* b) {
  float x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  if (x != x || y != y) return "one is NaN";
  const auto number_of = [](float f) {
    const auto bits = static_cast<i64>(std::bit_cast<std::uint32_t>(f));
    return (bits & 0x80000000) != 0 ? 0x80000000 - bits : bits;
  };
  const i64 apart = number_of(x) - number_of(y);
  return std::to_string(apart < 0 ? -apart : apart) + " ulp apart";
}

/// The element and both values.
inline std::string words_of_element(const difference& d) {
  if (d.element < 0) return "  " + d.problem + "\n";
  std::string r = "  first difference: element " + std::to_string(d.element) + " at [";
  i64 left = d.element;
  const strides step = dense(d.of.shape);
  for (int i = 0; i < d.of.shape.rank; left %= step[i], ++i)
    r += (i > 0 ? ", " : "") + std::to_string(left / step[i]);
  const std::byte *a = d.wanted.data(), *b = d.found.data();
  with_element(d.of.type, [&]<class T>() {
    r += "]: reference " + words_of_element<T>(a) + ", found " + words_of_element<T>(b);
  });
  if (d.of.type == type::float32) r += ", " + distance_of(a, b);
  if (d.ranged)
    r += printed(", allowed %.9g to %.9g", d.allowed.low, d.allowed.high) +
         (d.allowed.nan ? " or NaN" : "");
  return r + "\n";
}

/// The node that differs, the composite operator that it is a part of, and what it reads.
inline std::string words_of_node(const table_view& t, int at) {
  const node& n = t.nodes[at];
  std::string r = std::string("  operator: ") + n.op + " (" + name_of(n.kind) + "), node " +
                  value_name(at) + ", " + words_of(n.out) + "\n";
  if (n.region >= 0) r += std::string("  part of: ") + t.regions[n.region].op + "\n";
  for (int k = 0; k < n.operands; ++k)
    r += "  operand " + std::to_string(k) + ": " + value_name(n.in[k]) + ", " +
         t.nodes[n.in[k]].op + ", " + words_of(t.nodes[n.in[k]].out) + "\n";
  return r;
}
/// Small contents are printed whole.
inline std::string words_of_contents(const tensor& t, const elements& e) {
  if (t.shape.count() > 64) return "";
  std::string r = "  //";
  with_element(t.type, [&]<class T>() {
    for (std::size_t i = 0; i < e.size(); i += sizeof(T)) {
      T x;
      std::memcpy(&x, e.data() + i, sizeof x);
      if constexpr (is_real(type_of<T>))
        r += printed(" %a", static_cast<double>(x));
      else
        r += " " + std::to_string(x);
    }
  });
  return r;
}
/// The nodes that a case needs, each as `line(node)` says it.
template <class Line>
std::string words_of_graph(const cut_table& net, const contents& c, Line line) {
  const table_view t = net.view();
  const std::vector<bool> needed = net.needed();
  std::string r = "  rebuild:\n";
  for (int i = 0; i < t.nodes.size; ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (!needed[at]) continue;
    const std::string text = line(t, i);
    if (text.empty()) continue;
    r += "    " + text +
         (is_leaf(t.nodes[i].kind) ? words_of_contents(t.nodes[i].out, c[at]) : "") + "\n";
  }
  r += "    const auto net = b.finish({";
  for (int o = 0; o < t.outputs.size; ++o) r += (o > 0 ? ", " : "") + value_name(t.outputs[o]);
  return r + "});\n";
}

template <class Test> std::string headline(const Test& test, const difference& d, int number) {
  return "differential: seed " + std::to_string(test.options.seed) + ", number " +
         std::to_string(number) + ", " + d.way + "\n";
}
/// The report of a small case: seed, operator, first difference, code to build it again.
template <class Test, class Line>
std::string words_of_case(const Test& test, const small_case& s, int number, Line line) {
  const table_view t = s.net.view();
  std::string r = headline(test, s.what, number) +
                  words_of_node(t, t.outputs[s.what.output < 0 ? 0 : s.what.output]);
  return r + words_of_element(s.what) + words_of_graph(s.net, s.values, line);
}

/// `g` with inputs in place of its states, or extents in place of its limits.
inline random_graph simpler(const random_graph& g, bool states, bool limits) {
  random_graph r;
  r.steps = g.steps;
  r.outputs = g.outputs;
  if (states) r.next = g.next;
  for (const random_graph::carried& c : g.next)  // an operator may show in a state alone
    if (!states) r.outputs.push_back(c.next);
  for (step& s : r.steps) {
    if (!states && s.is == step::leaf::state) s.is = step::leaf::input;
    if (!limits) s.limited = 0;
    if (s.is != step::leaf::none) s.code = code_of_leaf(s);
  }
  if (auto net = build_again(r, nullptr); net.ok())
    r.net = static_cast<table&&>(*net);
  else
    r.fault = net.error();
  return r;
}

/// The report of a random graph with limits or states. First the graph is tried without both,
/// without states and without limits: the first of these that fails as well is reported instead.
/// Then each operator is tried as the only output, the earliest first. At last operators before it
/// are replaced by inputs, the last one first; a replacement stays if the graph still fails.
template <class Test> std::string report_of_history(Test& test, const random_graph& g,
                                                    const difference& what, std::uint64_t seed,
                                                    mood m, int number) {
  const table_view whole = g.net.view();
  for (const bool states : {false, true})
    for (const bool limits : {false, true}) {
      if ((states && whole.states == 0) || (limits && whole.limits.size == 0)) continue;
      if ((states || whole.states == 0) && (limits || whole.limits.size == 0)) continue;  // itself
      const random_graph less = simpler(g, states, limits);
      if (!less.fault.ok()) continue;
      if (const auto d = test.differs(less, seed, m))
        return report_of(test, less, *d, seed, m, number);
    }
  random_graph best = g;
  difference failure = what;
  const auto attempt = [&](const random_graph& from, const std::vector<int>& outputs,
                           int replaced) {
    random_graph next = part_of(from, outputs, replaced);
    result<table> net = build_again(next, nullptr);
    if (!net.ok()) return false;
    next.net = static_cast<table&&>(*net);
    if (!has_history(next.net.view())) return false;
    const auto d = test.differs(next, seed, m);
    if (!d) return false;
    best = std::move(next);
    failure = *d;
    return true;
  };
  for (const step& s : g.steps)
    if (s.is == step::leaf::none && attempt(g, {s.node}, -1)) break;
  for (std::size_t i = best.steps.size(); i-- > 0;)
    if (i < best.steps.size() && best.steps[i].is == step::leaf::none &&
        best.steps[i].node != best.outputs[0])
      attempt(best, best.outputs, best.steps[i].node);
  const table_view t = best.net.view();
  const node& n = t.nodes[t.outputs[failure.output < 0 ? 0 : failure.output]];
  std::string r = headline(test, failure, number) + "  operator: " + n.op + " (" + name_of(n.kind) +
                  "), " + words_of(n.out) + "\n" + words_of_element(failure) + "  rebuild:\n";
  for (const step& s : best.steps)
    r += "    const auto " + value_name(s.node) + " = " + s.code + ";\n";
  for (const random_graph::carried& c : best.next)
    r += "    b.next(" + value_name(c.state) + ", " + value_name(c.next) + ");\n";
  r += "    const auto net = b.finish({";
  for (std::size_t o = 0; o < best.outputs.size(); ++o)
    r += (o > 0 ? ", " : "") + value_name(best.outputs[o]);
  return r + "});\n";
}

/// The report of a random graph that fails. Only results of whole operators are cut: nodes inside
/// of a composite have no code.
template <class Test> std::string report_of(Test& test, const random_graph& g,
                                            const difference& what, std::uint64_t seed, mood m,
                                            int number) {
  if (!g.fault.ok()) return headline(test, what, number) + "  " + what.problem + "\n";
  const table_view t = g.net.view();
  if (has_history(t)) return report_of_history(test, g, what, seed, m, number);
  std::vector<bool> may_cut(static_cast<std::size_t>(t.nodes.size));
  std::vector<const step*> steps(may_cut.size());
  for (const step& s : g.steps) {
    may_cut[static_cast<std::size_t>(s.node)] = true;
    steps[static_cast<std::size_t>(s.node)] = &s;
  }
  const contents c = any_contents(t, seed, m);
  const auto line = [&](const table_view& now, int i) {
    const node& n = now.nodes[i];
    const step* s = steps[static_cast<std::size_t>(i)];
    if (s == nullptr) return std::string();  // inside of a composite operator
    const bool replaced = is_leaf(n.kind) && !is_leaf(t.nodes[i].kind);
    return "const auto " + value_name(i) + " = " +
           (replaced ? "b.input(\"" + value_name(i) + "\", " + code_of(n.out) + ")" : s->code) +
           ";";
  };
  const auto cut = cut_down(t, c, may_cut, [&](const table_view& v, const contents& e) {
    return test.differs(v, e, seed);
  });
  return words_of_case(test, cut ? *cut : small_case{cut_table(t), c, what}, number, line);
}

/// The report of a table that fails. Any node may be cut off, but the cut table runs as a run-time
/// graph: if only the static graph differs, the report says so.
template <class Test> std::string report_of(Test& test, const table_view& t, const contents& c,
                                            const difference& what, std::uint64_t seed,
                                            int number) {
  const auto line = [](const table_view& now, int i) {
    const node& n = now.nodes[i];
    std::string r = value_name(i) + " = " + n.op + " (" + name_of(n.kind) + ") " + words_of(n.out);
    if (is_leaf(n.kind)) return r + " " + now.name_of(n).c_str();
    for (int k = 0; k < n.operands; ++k) r += (k > 0 ? ", " : " of ") + value_name(n.in[k]);
    return r;
  };
  const std::vector<bool> all(static_cast<std::size_t>(t.nodes.size), true);
  std::optional<small_case> cut;
  if (!has_history(t))
    cut = cut_down(t, c, all, [&](const table_view& v, const contents& e) {
      return test.differs(v, e, seed);
    });
  if (cut) return words_of_case(test, *cut, number, line);
  return words_of_case(test, small_case{cut_table(t), c, what}, number, line) +
         (has_history(t)
              ? ""
              : "  only the whole graph differs: its programs as constants, or how it is fused\n");
}

}  // namespace tenon::trial
