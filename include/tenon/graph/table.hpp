// The node table: the one representation that all passes and policies read. `table` owns its memory
// and grows; `frozen` is a constant of exact size; `table_view` reads either.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <tenon/base/sequence.hpp>
#include <tenon/graph/node.hpp>

namespace tenon {

class recorder;
struct recipe;
/// Records an operator again for other extents. Error: what its `infer` refuses.
using again_type = error (*)(recorder&, const recipe&, list<int> operands);

/// In graphs with limits: the operator that recorded consecutive nodes, and its operands. Without
/// an `again` it is an element-wise node, whose program does not depend on extents.
struct recipe {
  int first = -1, size = 0;  ///< nodes
  range operands{};          ///< in the table's `used`
  again_type again = nullptr;
  static constexpr int room = 256;
  alignas(16) unsigned char options[room]{};  ///< of operators that were added at run time
};

/// Calls `f` for each pool with details of a family, `f(t.contractions...)` and so on, with this
/// pool of all of the tables, views or sizes `t`. Names and programs are left out: nodes share
/// them.
template <class F, class... T> constexpr void each_detail_pool(const F& f, T&&... t) {
  f(t.contractions...);
  f(t.windowings...);
  f(t.reductions...);
  f(t.movements...);
  f(t.gatherings...);
  f(t.scans...);
}
/// The pool with the details of one family; leaves and element-wise nodes have none.
template <class F, class... T> constexpr void detail_pool(family kind, const F& f, T&&... t) {
  switch (kind) {
    case family::contract: return f(t.contractions...);
    case family::window: return f(t.windowings...);
    case family::reduce: return f(t.reductions...);
    case family::move: return f(t.movements...);
    case family::gather: return f(t.gatherings...);
    case family::scan: return f(t.scans...);
    default: return;
  }
}
/// Calls `f` for each pool of a table. This is the one list of all pools; what copies, counts or
/// lends a table uses it.
template <class F, class... T> constexpr void each_pool(const F& f, T&&... t) {
  f(t.nodes...);
  f(t.code...);
  f(t.programs...);
  each_detail_pool(f, t...);
  f(t.names...);
  f(t.regions...);
  f(t.inputs...);
  f(t.weights...);
  f(t.outputs...);
  f(t.limits...);
  f(t.recipes...);
  f(t.used...);
}

/// A table to read. The nodes are in topological order: operands before their users.
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
  list<varying> limits;
  list<recipe> recipes;  ///< of graphs with limits
  list<int> used;        ///< operands of the recipes
  int states = 0;        ///< this many of the last inputs are states; this many of the last outputs
                         ///< are their next values
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
  /// The border of a scan's body: what enters the body, then what comes out of it.
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
      outputs = 0, limits = 0, recipes = 0, used = 0;
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
  sequence<varying> limits;
  sequence<recipe> recipes;
  sequence<int> used;
  int states = 0;

  constexpr table_view view() const {
    table_view v;
    each_pool([](auto& rows, const auto& pool) { rows = {pool.data(), pool.size()}; }, v, *this);
    v.states = states;
    return v;
  }

  /// Removes what was recorded since the pools had these sizes. Inputs, weights and outputs stay.
  constexpr void shrink(const table_sizes& to) {
    const auto cut = [](auto& pool, int size) { pool.resize(size); };
    cut(nodes, to.nodes);
    cut(code, to.code);
    cut(programs, to.programs);
    each_detail_pool(cut, *this, to);
    cut(names, to.names);
    cut(regions, to.regions);
    cut(recipes, to.recipes);
    cut(used, to.used);
  }

  /// The number of this program in the pool; equal programs share one. If lent memory has no room
  /// for it, an empty program takes its place, and `same_nodes` in language/replay.hpp refuses the
  /// table.
  constexpr int intern(program_view p) {
    const range* pooled = programs.data();
    for (int i = 0, n = programs.size(); i < n; ++i)
      if (pooled[i].size == p.size && same(pooled[i], p)) return i;
    if (!code.grows() && code.size() + p.size > code.capacity()) return programs.push({});
    const range r{code.size(), p.size};
    for (int i = 0; i < p.size; ++i) code.push(p.code[i]);
    return programs.push(r);
  }

 private:
  constexpr bool same(range r, program_view p) const {
    const instruction* pooled = code.data() + r.begin;
    for (int i = 0; i < p.size; ++i)
      if (pooled[i].word != p.code[i].word) return false;
    return true;
  }
};

/// A table of its own with the same rows.
constexpr table copy_of(table_view from) {
  table t;
  const auto copy = []<class T>(sequence<T>& to, const list<T>& rows) {
    to.reserve(rows.size);
    for (const T& x : rows) to.push(x);
  };
  each_pool(copy, t, from);
  t.states = from.states;
  return t;
}

constexpr table_sizes sizes_of(const table_view& t) {
  table_sizes sizes;
  each_pool([](int& size, const auto& rows) { size = rows.size; }, sizes, t);
  return sizes;
}

/// An array with room for `N` elements; `N` may be 0.
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

/// A table as a constant, with room for these sizes.
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
  pool<varying, S.limits> limits;
  pool<recipe, S.recipes> recipes;
  pool<int, S.used> used;
  int states = 0;

  constexpr frozen() = default;
  constexpr explicit frozen(const table_view& t) {
    each_pool([](auto& pool, const auto& rows) { pool.copy(rows); }, *this, t);
    states = t.states;
  }
  constexpr table_view view() const {
    table_view v;
    each_pool([](auto& rows, const auto& pool) { rows = pool.view(); }, v, *this);
    v.states = states;
    return v;
  }
  /// A table that is built in this memory. It must not outlive it. Its pools are named here once
  /// more: a table that began with pools of its own would link the heap, which programs for
  /// microcontrollers do not have.
  constexpr tenon::table lend() {
    return {.nodes = nodes.lend(),
            .code = code.lend(),
            .programs = programs.lend(),
            .contractions = contractions.lend(),
            .windowings = windowings.lend(),
            .reductions = reductions.lend(),
            .movements = movements.lend(),
            .gatherings = gatherings.lend(),
            .scans = scans.lend(),
            .names = names.lend(),
            .regions = regions.lend(),
            .inputs = inputs.lend(),
            .weights = weights.lend(),
            .outputs = outputs.lend(),
            .limits = limits.lend(),
            .recipes = recipes.lend(),
            .used = used.lend()};
  }
};

}  // namespace tenon
