// DS-CNN for keyword spotting (Zhang et al., 2017), on 49 x 10 features of a second of speech; once
// as an expression and once for the run-time builder. Weights are named in the order of their first
// use.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"

namespace networks::dscnn {
namespace layer = tn::layer;

inline constexpr int channels = 64, blocks = 4, words = 12;
inline constexpr layer::kernel stem{10, 4};
inline constexpr tn::conv2d_options halved{.padding = {4, 5, 1, 1}, .strides = {2, 2}};
inline constexpr tn::conv2d_options same{.padding = {1, 1, 1, 1}};

inline constexpr auto model = [](auto speech) {
  auto x = tn::relu(layer::conv2d<channels, stem, halved>(speech, "stem"));
  for (int i = 0; i < blocks; ++i) {
    const tn::name label = tn::name("block") + i;
    auto filtered = tn::relu(layer::depthwise<3, same>(x, label + ".filter"));
    x = tn::relu(layer::conv2d<channels, 1>(filtered, label + ".mix"));
  }
  return layer::dense<words>(layer::flatten(tn::averagePool2d(x)), "classifier");
};
using graph = tn::graph<model, tn::input<"in", float, 1, 1, 49, 10>>;

inline tn::result<tn::table> build() {
  layers b;
  value x = b.relu(b.conv2d(b.input("in", floats(1, 1, 49, 10)), "stem", channels, stem, halved));
  for (int i = 0; i < blocks; ++i) {
    const tn::name label = tn::name("block") + i;
    x = b.relu(b.depthwise(x, label + ".filter", 3, same));
    x = b.relu(b.conv2d(x, label + ".mix", channels, 1));
  }
  return b.finish({b.dense(b.flatten(b.average(x)), "classifier", words)});
}

}  // namespace networks::dscnn
