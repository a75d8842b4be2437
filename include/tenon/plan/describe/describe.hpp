// A plan for people: what runs in which order, where every value lives, what it costs, and why it
// was not fused further. Not part of tenon.hpp, because it wants <string>.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/describe/group_details.hpp>
#include <tenon/plan/describe/memory_map.hpp>
#include <tenon/plan/describe/summary.hpp>
#include <tenon/plan/plan.hpp>

namespace tenon {

namespace notation {

/// The whole description. `bound`: by group what binding decided; empty: a plan without a model.
/// `recorded`: operators before they were merged; 0: not known.
inline std::string describe_bound(const plan_view& p, list<multiplied> bound, int recorded) {
  const plan_words words{p};
  page out;
  plan_header{words, recorded, out}.write();
  write_overview(words, out);
  const group_details details{words, bound, out};
  for (int g = 0; g < p.groups.size; ++g) details.write(g);
  write_memory(words, out);
  return out.text;
}

}  // namespace notation

/// The plan as text for a terminal of 120 columns: policies, inputs and outputs; a line for each
/// group; then each group with its program, what it reads and writes and where that lies, its cost,
/// and why each value that leaves it was not fused into its readers; at last the arena.
inline std::string describe(const plan_view& p, int recorded = 0) {
  return notation::describe_bound(p, {}, recorded);
}
/// The plan of a bound model, with what binding made of the integers that contractions were
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
