// Builds the graphs of a case, binds and runs them on a policy, and compares what comes out.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include <tenon/run/instance.hpp>
#include "operators.hpp"

namespace conformance {

enum class way { table, eager };

/// What the policy declares not to support.
struct unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using named_buffers = std::map<std::string, buffer>;

/// Constants by the names of their weights.
struct constants {
  std::vector<tn::named_view> all;
  tn::const_view find(const tn::name& wanted) const noexcept {
    for (const tn::named_view& v : all)
      if (v.text == wanted) return v.view;
    return {};
  }
};
template <class V, class B> V dense_view(B& b) {
  return {b.bytes.data(), b.of.type, b.of.shape, dense(b.of.shape), true};
}

/// A graph with what its leaves stand for: any name of a case, characters that the library's names
/// do not have included.
struct graph {
  builder b;
  named_values values;
  constants weights;
  std::vector<tn::const_view> inputs;

  void leaf(const std::string& label, const buffer& data, bool constant) {
    tn::name own = tn::name("operand ") + static_cast<int>(values.size()) + " ";
    for (const char c : label)
      if (own.size() < tn::name::capacity) own = own + (c == 0 ? '?' : c);
    values[label] = constant ? b.weight(own, data.of) : b.input(own, data.of);
    const auto view = dense_view<tn::const_view>(data);
    if (constant)
      weights.all.push_back({own, view});
    else
      inputs.push_back(view);
  }
};

inline void check(const tn::error& e) {
  if (!e.ok()) throw problem(describe(e));
}
/// The first node that a policy declares not to support: "gather (float16, int32 -> float16)".
template <class Policy> std::optional<std::string> missing(const tn::table_view& t) {
  for (const tn::node& n : t.nodes) {
    if (is_leaf(n.kind) || Policy::supports(t, n)) continue;
    std::string text = std::string(n.op) + " (";
    for (int k = 0; k < n.operands; ++k)
      text += (k > 0 ? ", " : "") + std::string(tn::name_of(t.nodes[n.in[k]].out.type));
    return text + " -> " + tn::name_of(n.out.type) + ")";
  }
  return std::nullopt;
}

/// Binds and runs a graph. Error: throws `unsupported` when the policy's own table says so,
/// `problem` for everything else that the library refuses.
template <class Policy> named_buffers run(graph& g, const std::vector<std::string>& outputs) {
  std::vector<builder::value> wanted;
  for (const std::string& name : outputs) {
    if (g.b.fault().ok() && !g.values.contains(name))
      throw problem("no operator gives '" + name + "'");
    wanted.push_back(g.values[name]);
  }
  const tn::result<tn::table> net = g.b.finish({wanted.data(), static_cast<int>(wanted.size())});
  check(net.error());
  const tn::model<tn::dynamic, Policy> model{*net, g.weights};
  if (model.fault().what == tn::code::unsupported)
    if (const auto what = missing<Policy>(net->view())) throw unsupported(*what);
  if (const tn::error& e = model.fault(); e.what == tn::code::feature)
    throw unsupported(std::string(e.op.c_str()) + ": the device lacks " + describe(e));
  check(model.fault());
  tn::instance caller{model};
  named_buffers found;
  std::vector<tn::mutable_view> views;
  const tn::table_view t = net->view();
  for (std::size_t o = 0; o < outputs.size(); ++o) {
    buffer& own = found[outputs[o]] = buffer(t.nodes[t.outputs[static_cast<int>(o)]].out);
    views.push_back(dense_view<tn::mutable_view>(own));
  }
  if (const tn::status s = caller.run(g.inputs, views); !s.ok())
    throw problem("the call: " + describe(s));
  return found;
}

/// The whole case as one graph.
template <class Policy> named_buffers run_table(const single_case& c) {
  graph g;
  std::vector<std::string> outputs;
  for (const auto& [name, input] : c.inputs) g.leaf(name, input.value, input.constant);
  for (const call& one : c.calls) add(g.b, one, g.values);
  for (const auto& [name, value] : c.expected) outputs.push_back(name);
  return run<Policy>(g, outputs);
}

/// Names of the operands of a call.
inline std::vector<std::string> operands_of(const call& c) {
  std::vector<std::string> all;
  for (const std::string& path : c.operands) {
    const bool option = path.starts_with("options.");
    const json& found =
        option ? c.arguments.at("options").at(path.substr(8)) : c.arguments.at(path);
    if (found.is_string())
      all.push_back(found.get<std::string>());
    else
      for (const json& one : found) all.push_back(one.get<std::string>());
  }
  return all;
}
/// Each operator as its own graph; results are the inputs of the next ones.
template <class Policy> named_buffers run_eager(const single_case& c) {
  named_buffers all;
  for (const call& one : c.calls) {
    graph g;
    for (const std::string& name : operands_of(one)) {
      if (g.values.contains(name)) continue;
      if (const auto input = c.inputs.find(name); input != c.inputs.end())
        g.leaf(name, input->second.value, input->second.constant);
      else
        g.leaf(name, all.at(name), false);
    }
    add(g.b, one, g.values);
    all.merge(run<Policy>(g, one.outputs));
  }
  return all;
}

/// Runs a case. Error: throws `problem`, also for a result that is not as expected; `unsupported`.
template <class Policy> void run_case(const single_case& c, way how) {
  const single_case before = c;
  const named_buffers found = how == way::table ? run_table<Policy>(c) : run_eager<Policy>(c);
  for (const auto& [name, expected] : c.expected) {
    const auto own = found.find(name);
    if (own == found.end()) throw problem("no operator gives '" + name + "'");
    if (!(own->second.of == expected.of))
      throw problem(name + ": expected " + tn::name_of(expected.of.type) + " " +
                    describe(expected.of.shape) + ", found " + tn::name_of(own->second.of.type) +
                    " " + describe(own->second.of.shape));
    if (const auto wrong = difference(expected, own->second, c.allowed))
      throw problem(name + ": " + *wrong);
  }
  for (const auto& [name, input] : c.inputs)
    if (input.value.bytes != before.inputs.at(name).value.bytes)
      throw problem(name + ": the call wrote to its input");
}

}  // namespace conformance
