// Compares two node tables field by field, and models that several tests use.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace tenon_test {

namespace tn = tenon;

constexpr bool same_text(const char* a, const char* b) {
  for (; *a && *a == *b; ++a, ++b) {
  }
  return *a == *b;
}
constexpr bool equal(const tn::node& a, const tn::node& b) {
  bool r = a.kind == b.kind && a.policy == b.policy && a.region == b.region && a.loop == b.loop &&
           a.operands == b.operands && a.detail == b.detail && a.out == b.out &&
           same_text(a.op, b.op);
  for (int k = 0; k < a.operands; ++k) r = r && a.in[k] == b.in[k];
  return r;
}
constexpr bool equal(const tn::range& a, const tn::range& b) {
  return a.begin == b.begin && a.size == b.size;
}
constexpr bool equal(const tn::region& a, const tn::region& b) {
  return same_text(a.op, b.op) && a.parent == b.parent;
}
template <class T> constexpr bool equal(const T& a, const T& b) { return a == b; }
template <class T> constexpr bool equal(tn::list<T> a, tn::list<T> b) {
  bool r = a.size == b.size;
  for (int i = 0; r && i < a.size; ++i) r = equal(a[i], b[i]);
  return r;
}

/// The name of the first pool in which two tables differ; "" when they are equal.
constexpr const char* difference(const tn::table_view& a, const tn::table_view& b) {
  if (!equal(a.nodes, b.nodes)) return "nodes";
  if (!equal(a.code, b.code)) return "code";
  if (!equal(a.programs, b.programs)) return "programs";
  if (!equal(a.contractions, b.contractions)) return "contractions";
  if (!equal(a.windowings, b.windowings)) return "windowings";
  if (!equal(a.reductions, b.reductions)) return "reductions";
  if (!equal(a.movements, b.movements)) return "movements";
  if (!equal(a.scans, b.scans)) return "scans";
  if (!equal(a.names, b.names)) return "names";
  if (!equal(a.regions, b.regions)) return "regions";
  if (!equal(a.inputs, b.inputs)) return "inputs";
  if (!equal(a.weights, b.weights)) return "weights";
  if (!equal(a.outputs, b.outputs)) return "outputs";
  return "";
}
constexpr bool same(const tn::table_view& a, const tn::table_view& b) {
  return same_text(difference(a, b), "");
}

template <class... I> constexpr tn::tensor floats(I... extent) {
  return {tn::type::float32, tn::extents(extent...)};
}

/// A convolutional net for 28 x 28 images.
inline constexpr auto lenet = [](auto image) {
  constexpr tn::conv2d_options pad{.padding = {2, 2, 2, 2}};
  auto a = tn::relu(tn::conv2d<pad>(image, tn::weight<"conv1.weight", float, 8, 1, 5, 5>,
                                    tn::weight<"conv1.bias", float, 8>));
  auto b = tn::maxPool2d<tn::pool2d_options{.windowDimensions = {2, 2}, .strides = {2, 2}}>(a);
  auto c = tn::relu(tn::conv2d<pad>(b, tn::weight<"conv2.weight", float, 16, 8, 5, 5>,
                                    tn::weight<"conv2.bias", float, 16>));
  auto d = tn::maxPool2d<tn::pool2d_options{.windowDimensions = {3, 3}, .strides = {3, 3}}>(c);
  return tn::softmax<1>(tn::gemm(tn::reshape<1, 256>(d), tn::weight<"fc.weight", float, 256, 10>,
                                 tn::weight<"fc.bias", float, 10>));
};
using lenet_graph = tn::graph<lenet, tn::input<"image", float, 1, 1, 28, 28>>;

}  // namespace tenon_test
