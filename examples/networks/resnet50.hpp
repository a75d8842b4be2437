// ResNet-50 with the stride in its 3 x 3 convolutions (He et al., 2015; "1.5"), once as an
// expression and once for the run-time builder. Weights are named in the order of their first use.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"
#include <iterator>

namespace networks::resnet50 {
namespace layer = tn::layer;

/// Blocks of one width; the first of them has the stride.
struct stage {
  int channels, blocks, stride;
};
inline constexpr stage stages[] = {{64, 3, 1}, {128, 4, 2}, {256, 6, 2}, {512, 3, 2}};
inline constexpr int stem = 64, widening = 4, classes = 1000;
inline constexpr tn::conv2d_options stem_window{.padding = {3, 3, 3, 3}, .strides = {2, 2}};
inline constexpr tn::pool2d_options stem_pool{
    .windowDimensions = {3, 3}, .padding = {1, 1, 1, 1}, .strides = {2, 2}};
/// Convolutions of one pixel and of 3 x 3.
constexpr tn::conv2d_options skip(int stride) { return {.strides = {stride, stride}}; }
constexpr tn::conv2d_options around(int stride) {
  return {.padding = {1, 1, 1, 1}, .strides = {stride, stride}};
}

/// What a block adds to its result: its input, projected where the shapes differ.
template <int Channels, int Stride, class X> constexpr auto shortcut(X x, const tn::name& label) {
  if constexpr (X::type.shape[1] == Channels)
    return x;
  else
    return layer::conv2d<Channels, 1, skip(Stride)>(x, label);
}
template <int Channels, int Stride> constexpr auto block(auto x, const tn::name& label) {
  auto past = shortcut<widening * Channels, Stride>(x, label + ".shortcut");
  auto narrow = tn::relu(layer::conv2d<Channels, 1>(x, label + ".reduce"));
  auto filtered = tn::relu(layer::conv2d<Channels, 3, around(Stride)>(narrow, label + ".filter"));
  return tn::relu(layer::conv2d<widening * Channels, 1>(filtered, label + ".widen") + past);
}
template <int S = 0> constexpr auto body(auto x) {
  if constexpr (S == std::size(stages)) {
    return x;
  } else {
    constexpr stage s = stages[S];
    const tn::name label = tn::name("stage") + S + ".block";
    auto y = block<s.channels, s.stride>(x, label + 0);
    for (int i = 1; i < s.blocks; ++i) y = block<s.channels, 1>(y, label + i);
    return body<S + 1>(y);
  }
}
inline constexpr auto model = [](auto image) {
  auto x = tn::relu(layer::conv2d<stem, 7, stem_window>(image, "stem"));
  auto y = body(tn::maxPool2d<stem_pool>(x));
  return layer::dense<classes>(layer::flatten(tn::averagePool2d(y)), "classifier");
};
template <int Side = 224> using graph = tn::graph<model, tn::input<"in", float, 1, 3, Side, Side>>;

inline value block(layers& b, value x, int channels, int stride, const tn::name& label) {
  const int wide = widening * channels;
  const bool project = b.shape_of(x)[1] != wide;
  const value past = project ? b.conv2d(x, label + ".shortcut", wide, 1, skip(stride)) : x;
  value y = b.relu(b.conv2d(x, label + ".reduce", channels, 1));
  y = b.relu(b.conv2d(y, label + ".filter", channels, 3, around(stride)));
  return b.relu(b.plus(b.conv2d(y, label + ".widen", wide, 1), past));
}
inline tn::result<tn::table> build(int side = 224) {
  layers b;
  value x = b.relu(b.conv2d(b.input("in", floats(1, 3, side, side)), "stem", stem, 7, stem_window));
  x = b.add<tn::maxPool2d_t>(stem_pool, {x});
  for (int s = 0; const stage& every : stages) {
    const tn::name label = tn::name("stage") + s++ + ".block";
    for (int i = 0; i < every.blocks; ++i)
      x = block(b, x, every.channels, i == 0 ? every.stride : 1, label + i);
  }
  return b.finish({b.dense(b.flatten(b.average(x)), "classifier", classes)});
}

}  // namespace networks::resnet50
