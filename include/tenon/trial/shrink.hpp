// Makes a failing case small: fewer and smaller decisions for a random graph, then for any table
// one output, and inputs in place of what comes before it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/compare.hpp>
#include <tenon/trial/graph.hpp>

namespace tenon::trial {

/// A table whose nodes were partly replaced by inputs and that has one output. It reads the pools
/// of the table that it was made of.
class cut_table {
 public:
  explicit cut_table(const table_view& of)
      : of_(of),
        nodes_(of.nodes.begin(), of.nodes.end()),
        names_(of.names.begin(), of.names.end()),
        inputs_(of.inputs.begin(), of.inputs.end()),
        outputs_(of.outputs.begin(), of.outputs.end()) {}
  /// Makes a node the only output.
  void give_only(int node) { outputs_ = {node}; }
  /// An input of the same type and shape in place of a node.
  void replace(int at) {
    node& n = nodes_[static_cast<std::size_t>(at)];
    n.detail = static_cast<int>(names_.size());
    names_.push_back(name("v") + at);
    n.kind = family::input;
    n.op = "input";
    n.operands = 0;
    n.policy = -1;
    n.region = -1;
    inputs_.push_back(at);
  }
  table_view view() const {
    table_view t = of_;
    const auto of = []<class T>(const std::vector<T>& v) {
      return list<T>{v.data(), static_cast<int>(v.size())};
    };
    t.nodes = of(nodes_);
    t.names = of(names_);
    t.inputs = of(inputs_);
    t.outputs = of(outputs_);
    return t;
  }
  /// The nodes that the outputs need.
  std::vector<bool> needed() const {
    std::vector<bool> r(nodes_.size());
    for (const int o : outputs_) r[static_cast<std::size_t>(o)] = true;
    for (std::size_t i = nodes_.size(); i-- > 0;)
      for (int k = 0; r[i] && k < nodes_[i].operands; ++k)
        r[static_cast<std::size_t>(nodes_[i].in[k])] = true;
    return r;
  }

 private:
  table_view of_;
  std::vector<node> nodes_;
  std::vector<name> names_;
  std::vector<int> inputs_, outputs_;
};

/// The part of a random graph that these outputs need, and the states that they read. Node
/// `replaced` becomes an input; its extents have limits if they depended on inputs with limits.
inline random_graph part_of(const random_graph& g, const std::vector<int>& outputs, int replaced) {
  std::vector<bool> needed(g.steps.size());
  const auto at = [&](int node) {
    std::size_t i = 0;
    while (g.steps[i].node != node) ++i;
    return i;
  };
  for (const int o : outputs) needed[at(o)] = true;
  for (bool more = true; more;) {
    more = false;
    const auto need = [&](int node) {
      if (needed[at(node)]) return;
      needed[at(node)] = true;
      more = true;
    };
    for (std::size_t i = g.steps.size(); i-- > 0;)
      for (const int o : g.steps[i].operands)
        if (needed[i] && g.steps[i].node != replaced) need(o);
    for (const random_graph::carried& c : g.next)
      if (needed[at(c.state)]) need(c.next);
  }
  random_graph r;
  r.outputs = outputs;
  for (const random_graph::carried& c : g.next)
    if (needed[at(c.state)]) r.next.push_back(c);
  for (std::size_t i = 0; i < g.steps.size(); ++i) {
    if (!needed[i]) continue;
    step s = g.steps[i];
    if (s.node == replaced) {
      s.is = step::leaf::input;
      s.label = name("v") + s.node;
      s.operands.clear();
      s.policy = -1;
      s.code = code_of_leaf(s);
    }
    r.steps.push_back(std::move(s));
  }
  return r;
}

/// A small failing case.
struct small_case {
  cut_table net;
  contents values;
  difference what;
};

/// Cuts a table down to the first node that differs and as little before it as shows the
/// difference. `differs(table, contents)` says what is wrong, if anything; `may_cut[i]`: node i is
/// a whole operator's result. Nothing, if the cut tables do not differ.
template <class Differs> std::optional<small_case> cut_down(const table_view& t, const contents& c,
                                                            const std::vector<bool>& may_cut,
                                                            Differs differs) {
  for (int i = 0; i < t.nodes.size; ++i) {
    if (!may_cut[static_cast<std::size_t>(i)] || is_leaf(t.nodes[i].kind)) continue;
    small_case best{cut_table(t), c, {}};
    best.net.give_only(i);
    if (auto d = differs(best.net.view(), best.values))
      best.what = *d;
    else
      continue;
    for (int k = i - 1; k >= 0; --k) {
      if (!may_cut[static_cast<std::size_t>(k)] || is_leaf(t.nodes[k].kind) ||
          !best.net.needed()[static_cast<std::size_t>(k)])
        continue;
      cut_table source = best.net;
      source.give_only(k);
      std::string problem;
      const auto value = results_of_reference(source.view(), best.values, problem);
      if (!value) continue;
      small_case next = best;
      next.net.replace(k);
      next.values[static_cast<std::size_t>(k)] = (*value)[0];
      if (auto d = differs(next.net.view(), next.values)) {
        next.what = *d;
        best = std::move(next);
      }
    }
    return best;
  }
  return {};
}

/// Shrinks a list of decisions while `fails(list)` holds: removes stretches of 32 decisions, of 16,
/// and so on, from the end; then makes numbers smaller: 0, half, one less. Repeats both until
/// nothing changes. What remains need not be the smallest list. `attempts` limits the number of
/// calls.
template <class Fails> choices::list shrink(choices::list best, int attempts, Fails fails) {
  const auto attempt = [&](choices::list next) {
    if (attempts <= 0) return false;
    --attempts;
    if (!fails(next)) return false;
    best = std::move(next);
    return true;
  };
  for (bool smaller = true; smaller && attempts > 0;) {
    smaller = false;
    for (std::size_t stretch = 32; stretch > 0; stretch /= 2)
      for (std::size_t at = best.size(); at-- > 0;) {
        if (at + stretch > best.size()) continue;
        choices::list next = best;
        const auto from = next.begin() + static_cast<std::ptrdiff_t>(at);
        next.erase(from, from + static_cast<std::ptrdiff_t>(stretch));
        smaller |= attempt(std::move(next));
      }
    for (std::size_t at = 0; at < best.size(); ++at)
      for (const std::uint32_t v : {0u, best[at] / 2, best[at] - 1}) {
        if (at >= best.size() || best[at] == 0 || v >= best[at]) continue;
        choices::list next = best;
        next[at] = v;
        if (attempt(std::move(next))) smaller = true;
      }
  }
  return best;
}

}  // namespace tenon::trial
