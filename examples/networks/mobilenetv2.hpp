// MobileNetV2 of width 1.0 (Sandler et al., 2018), once as an expression and once for the run-time
// builder. Weights are named in the order of their first use.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"
#include <iterator>

namespace networks::mobilenetv2 {
namespace layer = tn::layer;

/// Blocks of one width; the first of them has the stride.
struct stage {
  int expansion, channels, blocks, stride;
};
inline constexpr stage stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                                   {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
inline constexpr int stem = 32, head = 1280, classes = 1000;
inline constexpr tn::clamp_options six{.minValue = 0, .maxValue = 6};
/// A window of 3 x 3 that halves the image, or keeps its size.
constexpr tn::conv2d_options around(int stride) {
  return {.padding = {1, 1, 1, 1}, .strides = {stride, stride}};
}

constexpr auto relu6(auto x) { return tn::clamp<six>(x); }

template <int Expansion, class X> constexpr auto expand(X x, const tn::name& label) {
  if constexpr (Expansion == 1)
    return x;
  else
    return relu6(layer::conv2d<Expansion * X::type.shape[1], 1>(x, label));
}
/// Widens the image, filters every channel, and projects to `Channels`.
template <int Expansion, int Channels, int Stride, class X>
constexpr auto block(X x, const tn::name& label) {
  auto wide = expand<Expansion>(x, label + ".expand");
  auto filtered = relu6(layer::depthwise<3, around(Stride)>(wide, label + ".filter"));
  auto y = layer::conv2d<Channels, 1>(filtered, label + ".project");
  if constexpr (std::is_same_v<decltype(y), X>)
    return y + x;
  else
    return y;
}
template <int S = 0> constexpr auto body(auto x) {
  if constexpr (S == std::size(stages)) {
    return x;
  } else {
    constexpr stage s = stages[S];
    const tn::name label = tn::name("stage") + S + ".block";
    auto y = block<s.expansion, s.channels, s.stride>(x, label + 0);
    for (int i = 1; i < s.blocks; ++i) y = block<s.expansion, s.channels, 1>(y, label + i);
    return body<S + 1>(y);
  }
}
inline constexpr auto model = [](auto image) {
  auto x = body(relu6(layer::conv2d<stem, 3, around(2)>(image, "stem")));
  auto y = relu6(layer::conv2d<head, 1>(x, "head"));
  return layer::dense<classes>(layer::flatten(tn::averagePool2d(y)), "classifier");
};
template <int Side = 224> using graph = tn::graph<model, tn::input<"in", float, 1, 3, Side, Side>>;

inline value relu6(layers& b, value x) { return b.add<tn::clamp_t>(six, {x}); }

inline value block(layers& b, value x, const stage& s, int stride, const tn::name& label) {
  const tn::i64 channels = b.shape_of(x)[1];
  value y = x;
  if (s.expansion > 1) y = relu6(b, b.conv2d(y, label + ".expand", s.expansion * channels, 1));
  y = relu6(b, b.depthwise(y, label + ".filter", 3, around(stride)));
  y = b.conv2d(y, label + ".project", s.channels, 1);
  return stride == 1 && channels == s.channels ? b.plus(y, x) : y;
}
inline tn::result<tn::table> build(int side = 224) {
  layers b;
  value x = relu6(b, b.conv2d(b.input("in", floats(1, 3, side, side)), "stem", stem, 3, around(2)));
  for (int s = 0; const stage& every : stages) {
    const tn::name label = tn::name("stage") + s++ + ".block";
    for (int i = 0; i < every.blocks; ++i)
      x = block(b, x, every, i == 0 ? every.stride : 1, label + i);
  }
  x = relu6(b, b.conv2d(x, "head", head, 1));
  return b.finish({b.dense(b.flatten(b.average(x)), "classifier", classes)});
}

}  // namespace networks::mobilenetv2
