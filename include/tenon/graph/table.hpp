// The node table: the one representation that every pass and every policy reads. `table` owns and
// grows, `frozen` is its exact-size constant, `table_view` reads either.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/sequence.hpp>
#include <tenon/graph/node.hpp>

namespace tenon {

/// A table to read. Nodes stand in topological order: operands before their users.
struct table_view {
  list<node> nodes;
  list<instruction> code;
  list<range> programs;
  list<contraction> contractions;
  list<windowing> windowings;
  list<reduction> reductions;
  list<movement> movements;
  list<name> names;
  list<region> regions;
  list<int> inputs, weights, outputs;  ///< node numbers, in the order of the calls' views

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
  constexpr const name& name_of(const node& n) const { return names[n.detail]; }
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
  sequence<name> names;
  sequence<region> regions;
  sequence<int> inputs, weights, outputs;

  constexpr table_view view() const {
    const auto of = []<class T>(const sequence<T>& s) { return list<T>{s.data(), s.size()}; };
    return {of(nodes),      of(code),       of(programs),  of(contractions),
            of(windowings), of(reductions), of(movements), of(names),
            of(regions),    of(inputs),     of(weights),   of(outputs)};
  }

  /// The number of this program in the pool; equal programs share one.
  constexpr int intern(program_view p) {
    const range* known = programs.data();
    for (int i = 0, n = programs.size(); i < n; ++i)
      if (known[i].size == p.size && same(known[i], p)) return i;
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

/// The sizes of a table's pools.
struct table_sizes {
  int nodes = 0, code = 0, programs = 0, contractions = 0, windowings = 0, reductions = 0,
      movements = 0, names = 0, regions = 0, inputs = 0, weights = 0, outputs = 0;
};

constexpr table_sizes sizes_of(const table_view& t) {
  return {t.nodes.size,      t.code.size,       t.programs.size,  t.contractions.size,
          t.windowings.size, t.reductions.size, t.movements.size, t.names.size,
          t.regions.size,    t.inputs.size,     t.weights.size,   t.outputs.size};
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
  pool<name, S.names> names;
  pool<region, S.regions> regions;
  pool<int, S.inputs> inputs;
  pool<int, S.weights> weights;
  pool<int, S.outputs> outputs;

  constexpr frozen() = default;
  constexpr explicit frozen(const table_view& t) {
    nodes.copy(t.nodes);
    code.copy(t.code);
    programs.copy(t.programs);
    contractions.copy(t.contractions);
    windowings.copy(t.windowings);
    reductions.copy(t.reductions);
    movements.copy(t.movements);
    names.copy(t.names);
    regions.copy(t.regions);
    inputs.copy(t.inputs);
    weights.copy(t.weights);
    outputs.copy(t.outputs);
  }
  constexpr table_view view() const {
    return {nodes.view(),      code.view(),       programs.view(),  contractions.view(),
            windowings.view(), reductions.view(), movements.view(), names.view(),
            regions.view(),    inputs.view(),     weights.view(),   outputs.view()};
  }
};

}  // namespace tenon
