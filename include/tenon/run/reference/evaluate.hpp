// Runs a static graph in a constant expression, with the kernels of `reference`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/trace.hpp>
#include <tenon/plan/prepare.hpp>
#include <tenon/run/reference/kernels.hpp>

namespace tenon {

/// A named run of floats for `evaluate`.
struct constant {
  name text{};
  const float* data = nullptr;
  i64 count = 0;
};
template <std::size_t N> constexpr constant given(const name& text, const float (&data)[N]) {
  return {text, data, static_cast<i64>(N)};
}

/// Computes output `output` of a graph from named inputs and weights, at compile time or at run time:
///
///     static_assert(evaluate<net>({given("x", x), given("w", w)}, y) == code::ok);
///
/// Bit for bit what the policy `reference` computes. Compilers end a constant expression after about
/// a million steps (clang): graphs of up to 50,000 multiply-adds are safe (a term costs about 10 steps
/// with clang 16, an element of a map 30 and 25 per instruction). Values must stay finite in constant
/// expressions. Error: missing (a name was not given), size (of a given run or of `out`), output
/// (there is no such output).
template <class Graph, std::size_t N>
constexpr code evaluate(std::initializer_list<constant> values, float (&out)[N], int output = 0) {
  const table prepared = prepare(Graph::view());
  const table_view t = prepared.view();
  if (output < 0 || output >= t.outputs.size) return code::output;
  sequence<float*> owned(t.nodes.size, nullptr);
  sequence<const float*> at(t.nodes.size, nullptr);
  code bad = code::ok;
  if (t.nodes[t.outputs[output]].out.shape.count() != static_cast<i64>(N)) bad = code::size;
  for (int i = 0; i < t.nodes.size && bad == code::ok; ++i) {
    const node& n = t.nodes[i];
    if (is_leaf(n.kind)) {
      for (const constant& c : values)
        if (c.text == t.name_of(n)) {
          at[i] = c.data;
          if (c.count != n.out.shape.count()) bad = code::size;
        }
      if (at[i] == nullptr) bad = code::missing;
      continue;
    }
    reference_kernels::operand in[max_operands];
    for (int k = 0; k < n.operands; ++k) {
      const shape& s = t.nodes[n.in[k]].out.shape;
      in[k] = {at[n.in[k]], {n.in[k], 0, dense(s), true}, s};
    }
    owned[i] = new float[static_cast<std::size_t>(n.out.shape.count())]{};
    reference_kernels::run_node(t, n, in, owned[i]);
    at[i] = owned[i];
  }
  if (bad == code::ok)
    for (std::size_t k = 0; k < N; ++k) out[k] = at[t.outputs[output]][k];
  for (float* p : owned) delete[] p;
  return bad;
}

}  // namespace tenon
