// Runs a static graph in a constant expression, with the kernels of `reference`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/trace.hpp>
#include <tenon/plan/prepare.hpp>
#include <tenon/run/reference/kernels.hpp>

namespace tenon {

/// A named run of elements for `evaluate`.
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
  return is_packed(t.type) ? tensor{type::uint8, extents(t.bytes())} : t;
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
}  // namespace evaluating

/// Computes output `output` of a graph from named inputs and weights, at compile time or at run time:
///
///     static_assert(evaluate<net>({given("x", x), given("w", w)}, y) == code::ok);
///
/// Bit for bit what the policy `reference` computes. Compilers end a constant expression after about
/// a million steps (clang): graphs of up to 50,000 multiply-adds are safe (a term costs about 10 steps
/// with clang 16, an element of a map 30 and 25 per instruction). Values must stay finite in constant
/// expressions. Error: missing (a name was not given), size (of a given run or of `out`), element_type
/// (of either), output (there is no such output). Elements of 4 bits are given as the uint8 of their
/// bytes.
template <class Graph, class T, std::size_t N>
constexpr code evaluate(std::initializer_list<constant> values, T (&out)[N], int output = 0) {
  const table prepared = prepare(Graph::view());
  const table_view t = prepared.view();
  if (output < 0 || output >= t.outputs.size) return code::output;
  sequence<reference_kernels::target> owned(t.nodes.size);
  sequence<reference_kernels::source> at(t.nodes.size);
  sequence<bool> filled(t.nodes.size), allocated(t.nodes.size);
  const tensor wanted = evaluating::in_memory(t.nodes[t.outputs[output]].out);
  code bad = wanted.type != type_of<T> ? code::element_type : code::ok;
  if (wanted.shape.count() != static_cast<i64>(N)) bad = code::size;
  for (int i = 0; i < t.nodes.size && bad == code::ok; ++i) {
    const node& n = t.nodes[i];
    if (is_leaf(n.kind)) {
      for (const constant& c : values)
        if (c.text == t.name_of(n)) {
          at[i] = c.data;
          filled[i] = true;
          const tensor own = evaluating::in_memory(n.out);
          if (c.count != own.shape.count()) bad = code::size;
          if (c.data.type != own.type) bad = code::element_type;
        }
      if (!filled[i]) bad = code::missing;
      continue;
    }
    reference_kernels::operand in[max_operands];
    for (int k = 0; k < n.operands; ++k) {
      const shape& s = t.nodes[n.in[k]].out.shape;
      in[k] = {at[n.in[k]], {n.in[k], 0, dense(s), true}, s};
    }
    owned[i] = evaluating::allocate(n.out);
    allocated[i] = true;
    reference_kernels::run_node(t, n, in, owned[i]);
    at[i] = evaluating::read_only(owned[i]);
  }
  if (bad == code::ok)
    for (std::size_t k = 0; k < N; ++k) out[k] = at[t.outputs[output]].template as<T>()[k];
  for (int i = 0; i < t.nodes.size; ++i)
    if (allocated[i]) evaluating::release(owned[i]);
  return bad;
}

}  // namespace tenon
