// The first pass, table to table, the same for every policy: drops dead nodes, merges chains of
// element-wise nodes into one program each, forms fma. What it leaves defines the results.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/recorder.hpp>
#include <tenon/plan/program.hpp>

namespace tenon {

namespace passes {

/// How many nodes (and outputs) use each node; dead nodes have none.
constexpr sequence<int> count_uses(table_view t) {
  sequence<int> uses(t.nodes.size);
  for (const int o : t.outputs) ++uses[o];
  for (int i = t.nodes.size - 1; i >= 0; --i) {
    const node& n = t.nodes[i];
    if (uses[i] == 0) continue;
    for (int k = 0; k < n.operands; ++k) {
      bool again = false;
      for (int j = 0; j < k; ++j) again |= n.in[j] == n.in[k];
      if (!again) ++uses[n.in[k]];
    }
  }
  return uses;
}

/// A node's program over numbered operands while chains are merged.
struct merging {
  recorded program;
  int in[max_operands]{};
  int operands = 0;
};

/// A map node's program with every operand once: `x * x` reads x through one argument.
constexpr merging distinct_operands(table_view t, const node& n) {
  merging m;
  tape w;
  int argument[max_operands]{};
  for (int k = 0; k < n.operands; ++k) {
    int at = 0;
    while (at < m.operands && m.in[at] != n.in[k]) ++at;
    if (at == m.operands) m.in[m.operands++] = n.in[k];
    argument[k] = w.argument(at, t.nodes[n.in[k]].out.type);
  }
  m.program = finish(w, append(w, t.program_of(n), argument));
  return m;
}

/// Replaces operand `k` of `m` by what computes it. False if the limits do not allow it.
constexpr bool inline_operand(table_view of, merging& m, int k, const merging& producer) {
  merging r;
  const auto slot_of = [&](int id) {
    for (int i = 0; i < r.operands; ++i)
      if (r.in[i] == id) return i;
    if (r.operands == max_operands) return -1;
    r.in[r.operands] = id;
    return r.operands++;
  };
  int own[max_operands]{}, theirs[max_operands]{};
  for (int i = 0; i < m.operands; ++i)
    if (i != k && (own[i] = slot_of(m.in[i])) < 0) return false;
  for (int i = 0; i < producer.operands; ++i)
    if ((theirs[i] = slot_of(producer.in[i])) < 0) return false;
  tape t;
  int arguments[max_operands]{};
  for (int i = 0; i < r.operands; ++i)
    arguments[i] = t.argument(i, of.nodes[r.in[i]].out.type);
  const auto pick = [&](int& which) { which = arguments[which]; };
  for (int i = 0; i < producer.operands; ++i) pick(theirs[i]);
  for (int i = 0; i < m.operands; ++i)
    if (i != k) pick(own[i]);
  own[k] = append(t, producer.program.view(), theirs);
  const int root = append(t, m.program.view(), own);
  if (t.fault != code::ok) return false;
  r.program = finish(t, root);
  if (allocate(r.program.view()).registers > max_registers) return false;
  m = r;
  return true;
}

}  // namespace passes

/// Merges and cleans a table. Inputs and weights keep their order; a dead weight disappears, a dead
/// input stays (the call still passes it).
constexpr table prepare(table_view t) {
  using namespace passes;
  sequence<int> uses = count_uses(t);
  sequence<merging> programs;  // of the map nodes only
  sequence<int> program_at(t.nodes.size, -1);
  sequence<int> to(t.nodes.size, -1);
  sequence<bool> absorbed(t.nodes.size);
  for (int i = 0; i < t.nodes.size; ++i) {
    const node& n = t.nodes[i];
    if (n.kind != family::map || uses[i] == 0) continue;
    merging m = distinct_operands(t, n);
    for (int k = 0; k < m.operands;) {
      const int from = m.in[k];
      const node& f = t.nodes[from];
      const bool joins =
          f.kind == family::map && uses[from] == 1 && f.out.shape == n.out.shape &&
                         f.place == n.place;
      const merging own = joins ? m : merging{};
      if (joins && inline_operand(t, m, k, programs[program_at[from]])) {
        absorbed[from] = true;
        const merging& producer = programs[program_at[from]];
        for (int j = 0; j < producer.operands; ++j)  // an operand that both used has one user less
          for (int q = 0; q < own.operands; ++q)
            uses[producer.in[j]] -= own.in[q] == producer.in[j];
        k = 0;
      } else {
        ++k;
      }
    }
    program_at[i] = programs.push(m);
  }
  table r;
  for (int i = 0; i < t.nodes.size; ++i) {
    node n = t.nodes[i];
    n.origin = i;
    if (absorbed[i] || (uses[i] == 0 && n.kind != family::input)) continue;
    switch (n.kind) {
      case family::input:
      case family::weight:
        if (n.kind == family::weight) r.weights.push(r.nodes.size());
        n.detail = r.names.push(t.names[n.detail]);
        break;
      case family::map: {
        const merging& m = programs[program_at[i]];
        n.operands = m.operands;
        for (int k = 0; k < m.operands; ++k) n.in[k] = m.in[k];
        const recorded fused = form_fma(m.program.view());
        allocated done = allocate(fused.view());  // an fma keeps its factors alive for longer
        if (done.registers > max_registers) done = allocate(m.program.view());
        n.detail = r.intern(done.program.view());
        break;
      }
      case family::reduce: n.detail = r.reductions.push(t.reduction_of(n)); break;
      case family::contract: n.detail = r.contractions.push(t.contraction_of(n)); break;
      case family::window: n.detail = r.windowings.push(t.windowing_of(n)); break;
      case family::move: n.detail = r.movements.push(t.movement_of(n)); break;
      case family::gather: n.detail = r.gatherings.push(t.gathering_of(n)); break;
    }
    for (int k = 0; k < n.operands; ++k) n.in[k] = to[n.in[k]];
    to[i] = r.nodes.push(n);
  }
  for (const region& x : t.regions) r.regions.push(x);
  for (const int i : t.inputs) r.inputs.push(to[i]);
  for (const int o : t.outputs) r.outputs.push(to[o]);
  for (const varying& v : t.bounds) r.bounds.push(v);
  r.states = t.states;
  return r;
}

}  // namespace tenon
