// The encoder of a transformer (Vaswani et al., 2017) with the extents of BERT base: normalized
// behind every sum, gelu in its exact form. Once as an expression and once for the run-time
// builder; weights are named in the order of their first use.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"

namespace networks::encoder {
namespace layer = tn::layer;

inline constexpr int hidden = 768, heads = 12, width = hidden / heads, inner = 3072;
static_assert(width == 8 * 8);
inline constexpr auto scaled = [](auto score) { return score / 8.0f; };
inline constexpr auto io = layer::matrix_layout::io;
inline constexpr tn::layerNormalization_options each_row{.axes = {2}, .epsilon = 1e-12f};

/// A layer whose columns are dealt out to the heads, with the axes of [1, length, heads, width] in
/// another order.
template <int... Axis, class X> constexpr auto by_heads(X x, const tn::name& label) {
  auto all = layer::dense<hidden, io>(x, label);
  return tn::transpose<Axis...>(tn::reshape<1, X::type.shape[1], heads, width>(all));
}
template <class X> constexpr auto attention(X x, const tn::name& label) {
  auto query = by_heads<0, 2, 1, 3>(x, label + ".query");
  auto key = by_heads<0, 2, 3, 1>(x, label + ".key");
  auto content = by_heads<0, 2, 1, 3>(x, label + ".value");
  auto shares = tn::softmax<3>(tn::map(scaled)(tn::matmul(query, key)));
  auto mixed = tn::transpose<0, 2, 1, 3>(tn::matmul(shares, content));
  return layer::dense<hidden, io>(tn::reshape<1, X::type.shape[1], hidden>(mixed),
                                  label + ".output");
}
constexpr auto block(auto x, const tn::name& label) {
  auto seen = attention(x, label + ".attention") + x;
  auto y = layer::layerNormalization<each_row>(seen, label + ".attention.norm");
  auto wide = tn::gelu(layer::dense<inner, io>(y, label + ".widen"));
  auto thought = layer::dense<hidden, io>(wide, label + ".narrow") + y;
  return layer::layerNormalization<each_row>(thought, label + ".norm");
}
template <int Layers> inline constexpr auto model = [](auto x) {
  for (int i = 0; i < Layers; ++i) x = block(x, tn::name("layer") + i);
  return x;
};
template <int Layers, int Length = 128> using graph =
    tn::graph<model<Layers>, tn::input<"x", float, 1, Length, hidden>>;

inline value by_heads(layers& b, value x, const tn::name& label, const tn::axis_list& order) {
  const value all = b.dense(x, label, hidden, io);
  const value dealt =
      b.add<tn::reshape_t>({.newShape = {1, b.shape_of(x)[1], heads, width}}, {all});
  return b.add<tn::transpose_t>({.permutation = order}, {dealt});
}
inline value attention(layers& b, value x, const tn::name& label) {
  const value query = by_heads(b, x, label + ".query", {0, 2, 1, 3});
  const value key = by_heads(b, x, label + ".key", {0, 2, 3, 1});
  const value content = by_heads(b, x, label + ".value", {0, 2, 1, 3});
  const value product = b.add<tn::matmul_t>({}, {query, key});
  const value shares = b.add<tn::softmax_t>({.axis = 3}, {b.map<1>(scaled, {product})});
  const value mixed = b.add<tn::matmul_t>({}, {shares, content});
  const value joined = b.add<tn::transpose_t>({.permutation = {0, 2, 1, 3}}, {mixed});
  const value flat = b.add<tn::reshape_t>({.newShape = {1, b.shape_of(x)[1], hidden}}, {joined});
  return b.dense(flat, label + ".output", hidden, io);
}
inline value block(layers& b, value x, const tn::name& label) {
  value y = b.plus(attention(b, x, label + ".attention"), x);
  y = b.normalize(y, label + ".attention.norm", each_row);
  const value wide = b.add<tn::gelu_t>({}, {b.dense(y, label + ".widen", inner, io)});
  const value thought = b.plus(b.dense(wide, label + ".narrow", hidden, io), y);
  return b.normalize(thought, label + ".norm", each_row);
}
inline tn::result<tn::table> build(int count, int length = 128) {
  layers b;
  value x = b.input("x", floats(1, length, hidden));
  for (int i = 0; i < count; ++i) x = block(b, x, tn::name("layer") + i);
  return b.finish({x});
}

}  // namespace networks::encoder
