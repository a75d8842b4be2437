// LeNet-5 with ReLU and maximum pooling (LeCun et al., 1998), once as an expression and once for
// the run-time builder. Weights are named in the order of their first use.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"

namespace networks::lenet5 {
namespace layer = tn::layer;

inline constexpr tn::conv2d_options same{.padding = {2, 2, 2, 2}};
inline constexpr tn::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};

inline constexpr auto model = [](auto image) {
  auto a = tn::maxPool2d<half>(tn::relu(layer::conv2d<6, 5, same>(image, "conv1")));
  auto b = tn::maxPool2d<half>(tn::relu(layer::conv2d<16, 5>(a, "conv2")));
  auto c = tn::relu(layer::dense<120>(layer::flatten(b), "fc1"));
  auto d = tn::relu(layer::dense<84>(c, "fc2"));
  return layer::dense<10>(d, "fc3");
};
using graph = tn::graph<model, tn::input<"in", float, 1, 1, 28, 28>>;

inline tn::result<tn::table> build() {
  layers b;
  const auto pool = [&](value x) { return b.add<tn::maxPool2d_t>(half, {b.relu(x)}); };
  const value first = pool(b.conv2d(b.input("in", floats(1, 1, 28, 28)), "conv1", 6, 5, same));
  value x = b.flatten(pool(b.conv2d(first, "conv2", 16, 5)));
  x = b.relu(b.dense(x, "fc1", 120));
  x = b.relu(b.dense(x, "fc2", 84));
  return b.finish({b.dense(x, "fc3", 10)});
}

}  // namespace networks::lenet5
