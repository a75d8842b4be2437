// The node table: the one representation that every pass and every policy reads. `table` owns and
// grows, `frozen` is its exact-size constant, `table_view` reads either.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <tenon/base/sequence.hpp>
#include <tenon/graph/node.hpp>

namespace tenon {

class recorder;
struct recipe;
/// Infers an operator again and records it. Error: what `infer` refuses.
using again_type = error (*)(recorder&, const recipe&, list<int> operands);

/// How a run of nodes was recorded, for graphs with bounds: the operator and its operands. A null
/// `again` is an element-wise node, whose program does not depend on the extents.
struct recipe {
  int first = -1, size = 0;  ///< nodes
  range operands{};          ///< in the table's `used`
  again_type again = nullptr;
  static constexpr int room = 256;
  alignas(16) unsigned char options[room]{};  ///< of operators that were added at run time
};

/// A table to read. Nodes stand in topological order: operands before their users.
struct table_view {
  list<node> nodes;
  list<instruction> code;
  list<range> programs;
  list<contraction> contractions;
  list<windowing> windowings;
  list<reduction> reductions;
  list<movement> movements;
  list<gathering> gatherings;
  list<scanning> scans;
  list<name> names;
  list<region> regions;
  list<int> inputs, weights, outputs;  ///< node numbers, in the order of the calls' views
  list<varying> bounds;
  list<recipe> recipes;  ///< of graphs with bounds
  list<int> used;        ///< operands of the recipes
  int states = 0;        ///< so many of the last inputs are states; so many of the last outputs
                         ///< their next values
  constexpr int call_inputs() const { return inputs.size - states; }
  constexpr int call_outputs() const { return outputs.size - states; }

  constexpr program_view program_of(const node& n) const {
    const range r = programs[n.detail];
    return {code.data + r.begin, r.size};
  }
  constexpr const contraction& contraction_of(const node& n) const {
    return contractions[n.detail];
  }
  constexpr const windowing& windowing_of(const node& n) const { return windowings[n.detail]; }
  constexpr const reduction& reduction_of(const node& n) const { return reductions[n.detail]; }
  constexpr const movement& movement_of(const node& n) const { return movements[n.detail]; }
  constexpr const gathering& gathering_of(const node& n) const { return gatherings[n.detail]; }
  constexpr const scanning& scanning_of(const node& n) const { return scans[n.detail]; }
  /// The border of a scan's body: what enters it, then what comes out of it.
  constexpr list<scanning> border_of(int loop) const {
    int first = 0, end = 0;
    while (scans.data[first].loop != loop) ++first;
    for (end = first; end < scans.size && scans.data[end].loop == loop;) ++end;
    return {scans.data + first, end - first};
  }
  constexpr const name& name_of(const node& n) const { return names[n.detail]; }
};

/// The sizes of a table's pools.
struct table_sizes {
  int nodes = 0, code = 0, programs = 0, contractions = 0, windowings = 0, reductions = 0,
      movements = 0, gatherings = 0, scans = 0, names = 0, regions = 0, inputs = 0, weights = 0,
      outputs = 0, bounds = 0, recipes = 0, used = 0;
};

/// A table to build.
struct table {
  sequence<node> nodes;
  sequence<instruction> code;
  sequence<range> programs;
  sequence<contraction> contractions;
  sequence<windowing> windowings;
  sequence<reduction> reductions;
  sequence<movement> movements;
  sequence<gathering> gatherings;
  sequence<scanning> scans;
  sequence<name> names;
  sequence<region> regions;
  sequence<int> inputs, weights, outputs;
  sequence<varying> bounds;
  sequence<recipe> recipes;
  sequence<int> used;
  int states = 0;

  constexpr table_view view() const {
    const auto of = []<class T>(const sequence<T>& s) { return list<T>{s.data(), s.size()}; };
    return {of(nodes),      of(code),      of(programs),   of(contractions), of(windowings),
            of(reductions), of(movements), of(gatherings), of(scans),        of(names),
            of(regions),    of(inputs),    of(weights),    of(outputs),      of(bounds),
            of(recipes),    of(used),      states};
  }

  /// Takes back what was recorded since the pools had these sizes. Inputs, weights, outputs stay.
  constexpr void shrink(const table_sizes& to) {
    nodes.resize(to.nodes);
    code.resize(to.code);
    programs.resize(to.programs);
    contractions.resize(to.contractions);
    windowings.resize(to.windowings);
    reductions.resize(to.reductions);
    movements.resize(to.movements);
    gatherings.resize(to.gatherings);
    scans.resize(to.scans);
    names.resize(to.names);
    regions.resize(to.regions);
    recipes.resize(to.recipes);
    used.resize(to.used);
  }

  /// The number of this program in the pool; equal programs share one. In lent memory that is full,
  /// an empty one stands for it.
  constexpr int intern(program_view p) {
    const range* known = programs.data();
    for (int i = 0, n = programs.size(); i < n; ++i)
      if (known[i].size == p.size && same(known[i], p)) return i;
    if (!code.grows() && code.size() + p.size > code.capacity()) return programs.push({});
    const range r{code.size(), p.size};
    for (int i = 0; i < p.size; ++i) code.push(p.code[i]);
    return programs.push(r);
  }

 private:
  constexpr bool same(range r, program_view p) const {
    const instruction* own = code.data() + r.begin;
    for (int i = 0; i < p.size; ++i)
      if (own[i].word != p.code[i].word) return false;
    return true;
  }
};

/// A table of its own with the same rows.
constexpr table copy_of(table_view from) {
  table t;
  const auto copy = []<class T>(sequence<T>& to, const list<T>& all) {
    to.reserve(all.size);
    for (const T& x : all) to.push(x);
  };
  copy(t.nodes, from.nodes);
  copy(t.code, from.code);
  copy(t.programs, from.programs);
  copy(t.contractions, from.contractions);
  copy(t.windowings, from.windowings);
  copy(t.reductions, from.reductions);
  copy(t.movements, from.movements);
  copy(t.gatherings, from.gatherings);
  copy(t.scans, from.scans);
  copy(t.names, from.names);
  copy(t.regions, from.regions);
  copy(t.inputs, from.inputs);
  copy(t.weights, from.weights);
  copy(t.outputs, from.outputs);
  copy(t.bounds, from.bounds);
  copy(t.recipes, from.recipes);
  copy(t.used, from.used);
  t.states = from.states;
  return t;
}

constexpr table_sizes sizes_of(const table_view& t) {
  return {t.nodes.size,      t.code.size,       t.programs.size,  t.contractions.size,
          t.windowings.size, t.reductions.size, t.movements.size, t.gatherings.size,
          t.scans.size,      t.names.size,      t.regions.size,   t.inputs.size,
          t.weights.size,    t.outputs.size,    t.bounds.size,    t.recipes.size,
          t.used.size};
}

/// An array with room for `N` elements, which may be 0.
template <class T, int N> struct pool {
  T item[N > 0 ? N : 1]{};
  int size = 0;
  constexpr list<T> view() const { return {item, size}; }
  constexpr void copy(const list<T>& from) {
    size = from.size;
    for (int i = 0; i < from.size; ++i) item[i] = from.data[i];
  }
  constexpr sequence<T> lend() { return {item, N}; }
};

/// A table as a constant with room for these sizes.
template <table_sizes S> struct frozen {
  pool<node, S.nodes> nodes;
  pool<instruction, S.code> code;
  pool<range, S.programs> programs;
  pool<contraction, S.contractions> contractions;
  pool<windowing, S.windowings> windowings;
  pool<reduction, S.reductions> reductions;
  pool<movement, S.movements> movements;
  pool<gathering, S.gatherings> gatherings;
  pool<scanning, S.scans> scans;
  pool<name, S.names> names;
  pool<region, S.regions> regions;
  pool<int, S.inputs> inputs;
  pool<int, S.weights> weights;
  pool<int, S.outputs> outputs;
  pool<varying, S.bounds> bounds;
  pool<recipe, S.recipes> recipes;
  pool<int, S.used> used;
  int states = 0;

  constexpr frozen() = default;
  constexpr explicit frozen(const table_view& t) {
    nodes.copy(t.nodes);
    code.copy(t.code);
    programs.copy(t.programs);
    contractions.copy(t.contractions);
    windowings.copy(t.windowings);
    reductions.copy(t.reductions);
    movements.copy(t.movements);
    gatherings.copy(t.gatherings);
    scans.copy(t.scans);
    names.copy(t.names);
    regions.copy(t.regions);
    inputs.copy(t.inputs);
    weights.copy(t.weights);
    outputs.copy(t.outputs);
    bounds.copy(t.bounds);
    recipes.copy(t.recipes);
    used.copy(t.used);
    states = t.states;
  }
  constexpr table_view view() const {
    return {nodes.view(),        code.view(),       programs.view(),
            contractions.view(), windowings.view(), reductions.view(),
            movements.view(),    gatherings.view(), scans.view(),
            names.view(),        regions.view(),    inputs.view(),
            weights.view(),      outputs.view(),    bounds.view(),
            recipes.view(),      used.view(),       states};
  }
  /// A table to build in this memory.
  constexpr tenon::table lend() {
    return {nodes.lend(),        code.lend(),       programs.lend(),
            contractions.lend(), windowings.lend(), reductions.lend(),
            movements.lend(),    gatherings.lend(), scans.lend(),
            names.lend(),        regions.lend(),    inputs.lend(),
            weights.lend(),      outputs.lend(),    bounds.lend(),
            recipes.lend(),      used.lend(),       0};
  }
};

}  // namespace tenon
