// Runs a static graph in a constant expression, with the kernels of `reference`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/trace.hpp>
#include <tenon/plan/prepare.hpp>
#include <tenon/policy/reference/kernels.hpp>

namespace tenon {

/// Named elements for `evaluate`.
struct constant {
  name text{};
  reference_kernels::source data{};
  i64 count = 0;
};
template <class T, std::size_t N> constexpr constant given(const name& text, const T (&data)[N]) {
  return {text, data, static_cast<i64>(N)};
}

namespace evaluating {
/// A tensor, or the bytes that hold it.
constexpr tensor in_memory(const tensor& t) {
  return is_four_bit(t.type) ? tensor{type::uint8, extents(t.bytes())} : t;
}
constexpr reference_kernels::target allocate(const tensor& t) {
  const auto n = static_cast<std::size_t>(t.bytes() / size_bytes(t.type));
  return reference_kernels::with_type(
      t.type, [&](auto element) { return reference_kernels::target(new decltype(element)[n]{}); });
}
constexpr reference_kernels::source read_only(const reference_kernels::target& t) {
  return reference_kernels::with_type(
      t.type, [&](auto element) { return reference_kernels::source(t.as<decltype(element)>()); });
}
constexpr void release(const reference_kernels::target& t) {
  reference_kernels::with_type(t.type, [&](auto element) { delete[] t.as<decltype(element)>(); });
}

/// The values of a table's nodes.
struct values {
  table_view t;
  sequence<reference_kernels::target> owned;
  sequence<reference_kernels::source> at;
  sequence<bool> allocated;
  constexpr explicit values(table_view of)
      : t(of), owned(of.nodes.size), at(of.nodes.size), allocated(of.nodes.size) {}
  constexpr values(const values&) = delete;
  constexpr values& operator=(const values&) = delete;
  constexpr ~values() {
    for (int i = 0; i < t.nodes.size; ++i)
      if (allocated[i]) release(owned[i]);
  }
  /// Memory of node `i`'s own.
  constexpr void allocate_node(int i) {
    owned[i] = allocate(t.nodes[i].out);
    allocated[i] = true;
    at[i] = read_only(owned[i]);
  }
  constexpr void compute(int i, const reference_kernels::target& to) {
    const node& n = t.nodes[i];
    reference_kernels::operand in[max_operands];
    for (int k = 0; k < n.operands; ++k) {
      const shape& s = t.nodes[n.in[k]].out.shape;
      in[k] = {at[n.in[k]], {n.in[k], 0, dense(s), true}, s};
    }
    reference_kernels::run_node(t, n, in, to);
    at[i] = read_only(to);
  }
  /// Where a body's node writes in a step: what comes out of it at the address that `scans::move`
  /// would give it.
  constexpr reference_kernels::target position_of(const scanning& s, i64 step) const {
    const node& n = t.nodes[s.node];
    if (s.is == scanning::part::all)
      return owned[s.node] + s.position(step) * t.nodes[n.in[0]].out.shape.count();
    const bool other = n.operands == 2 && (s.steps - 1 - step) % 2 != 0;
    return other ? owned[n.in[1]] : owned[s.node];
  }
  /// Runs the scan whose first node is `first`; returns the first node behind it.
  constexpr int scan(int first) {
    const list<scanning> border = t.border_of(t.nodes[first].loop);
    int end = first;
    while (t.nodes[end].loop == t.nodes[first].loop) ++end;
    sequence<int> leaves(end - first, -1);  // by node: its part of the border
    for (int i = first; i < end; ++i)
      if (t.nodes[i].kind != family::scan || t.scanning_of(t.nodes[i]).is == scanning::part::state)
        allocate_node(i);
    for (int k = 0; k < border.size; ++k) {
      if (border[k].enters()) continue;
      allocate_node(border[k].node);
      leaves[t.nodes[border[k].node].in[0] - first] = k;
    }
    for (i64 step = 0; step < border[0].steps; ++step) {
      enter(border, step);
      for (int i = first; i < end; ++i)
        if (const int k = leaves[i - first]; t.nodes[i].kind != family::scan)
          compute(i, k < 0 ? owned[i] : position_of(border[k], step));
    }
    return end;
  }
  /// What enters a body in a step: slices, and states as the step before left them.
  constexpr void enter(list<scanning> border, i64 step) {
    for (const scanning& s : border) {
      const node& n = t.nodes[s.node];
      const i64 count = n.out.shape.count();
      if (s.is == scanning::part::slice) at[s.node] = at[n.in[0]] + s.position(step) * count;
      if (s.enters() || n.operands < 2) continue;
      at[n.in[1]] = step == 0 ? at[t.nodes[n.in[1]].in[0]] : read_only(position_of(s, step - 1));
    }
  }
};
}  // namespace evaluating

/// Computes output `output` of a graph from named inputs and weights, at compile time or at run
/// time:
/// ```cpp
/// constexpr float first_of(const float (&x)[2]) {
///   float y[2]{};
///   return evaluate<net>({given("x", x), given("w", {3.0f})}, y) == code::ok ? y[0] : -1;
/// }
/// static_assert(first_of({2, 5}) == 6);
/// ```
/// Bit for bit what the policy `reference` computes. Compilers end a constant expression after
/// about a million steps (clang): graphs of up to 50,000 multiply-adds are safe (a term costs about
/// 10 steps with clang 16, an element of a map 30 and 25 per instruction). Values must stay finite
/// in constant expressions. Error: missing (a name was not given), size (of a given run or of
/// `out`), element_type (of either), output (there is no such output). Elements of 4 bits are given
/// as the uint8 of their bytes.
template <class Graph, class T, std::size_t N>
constexpr code evaluate(std::initializer_list<constant> values, T (&out)[N], int output = 0) {
  const table prepared = plans::prepare(Graph::view());
  const table_view t = prepared.view();
  if (output < 0 || output >= t.outputs.size) return code::output;
  evaluating::values all(t);
  sequence<bool> filled(t.nodes.size);
  const tensor result = evaluating::in_memory(t.nodes[t.outputs[output]].out);
  code bad = result.type != type_of<T> ? code::element_type : code::ok;
  if (result.shape.count() != static_cast<i64>(N)) bad = code::size;
  for (int i = 0; i < t.nodes.size && bad == code::ok; ++i) {
    const node& n = t.nodes[i];
    if (is_leaf(n.kind)) {
      for (const constant& c : values)
        if (c.text == t.name_of(n)) {
          all.at[i] = c.data;
          filled[i] = true;
          const tensor stored = evaluating::in_memory(n.out);
          if (c.count != stored.shape.count()) bad = code::size;
          if (c.data.type != stored.type) bad = code::element_type;
        }
      if (!filled[i]) bad = code::missing;
      continue;
    }
    if (n.loop >= 0) {
      i = all.scan(i) - 1;
    } else if (n.kind != family::scan) {
      all.allocate_node(i);
      all.compute(i, all.owned[i]);
    }
  }
  if (bad == code::ok)
    for (std::size_t k = 0; k < N; ++k) out[k] = all.at[t.outputs[output]].template as<T>()[k];
  return bad;
}

}  // namespace tenon
