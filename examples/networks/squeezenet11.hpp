// SqueezeNet 1.1 (Iandola et al., 2016), once as an expression and once for the run-time builder.
// Weights are named in the order of their first use.
// SPDX-License-Identifier: MIT
#pragma once
#include "layers.hpp"
#include <iterator>

namespace networks::squeezenet11 {
namespace layer = tn::layer;

/// A fire module, and whether the image is halved behind it.
struct fire {
  int squeeze, expand;
  bool halve;
};
inline constexpr fire modules[] = {{16, 64, false},  {16, 64, true},   {32, 128, false},
                                   {32, 128, true},  {48, 192, false}, {48, 192, false},
                                   {64, 256, false}, {64, 256, false}};
inline constexpr int stem = 64, classes = 1000;
inline constexpr tn::conv2d_options stem_window{.strides = {2, 2}};
inline constexpr tn::conv2d_options same{.padding = {1, 1, 1, 1}};
inline constexpr tn::pool2d_options half{.windowDimensions = {3, 3}, .strides = {2, 2}};

/// Few channels, from which pixels and their neighbourhoods make many again.
template <int Squeeze, int Expand> constexpr auto burn(auto x, const tn::name& label) {
  auto few = tn::relu(layer::conv2d<Squeeze, 1>(x, label + ".squeeze"));
  auto pixels = tn::relu(layer::conv2d<Expand, 1>(few, label + ".pixels"));
  auto around = tn::relu(layer::conv2d<Expand, 3, same>(few, label + ".around"));
  return tn::concat<1>(pixels, around);
}
template <int I = 0> constexpr auto body(auto x) {
  if constexpr (I == std::size(modules)) {
    return x;
  } else {
    auto y = burn<modules[I].squeeze, modules[I].expand>(x, tn::name("fire") + I);
    if constexpr (modules[I].halve)
      return body<I + 1>(tn::maxPool2d<half>(y));
    else
      return body<I + 1>(y);
  }
}
inline constexpr auto model = [](auto image) {
  auto x = tn::relu(layer::conv2d<stem, 3, stem_window>(image, "stem"));
  auto y = body(tn::maxPool2d<half>(x));
  return tn::averagePool2d(tn::relu(layer::conv2d<classes, 1>(y, "classifier")));
};
template <int Side = 224> using graph = tn::graph<model, tn::input<"in", float, 1, 3, Side, Side>>;

inline tn::result<tn::table> build(int side = 224) {
  layers b;
  const auto convolve = [&](value x, const tn::name& label, int filters, int window,
                            const tn::conv2d_options& o) {
    return b.relu(b.conv2d(x, label, filters, window, o));
  };
  const auto halved = [&](value x) { return b.add<tn::maxPool2d_t>(half, {x}); };

  value x = halved(convolve(b.input("in", floats(1, 3, side, side)), "stem", stem, 3, stem_window));
  for (int i = 0; const fire& f : modules) {
    const tn::name label = tn::name("fire") + i++;
    const value few = convolve(x, label + ".squeeze", f.squeeze, 1, {});
    const value pixels = convolve(few, label + ".pixels", f.expand, 1, {});
    const value around = convolve(few, label + ".around", f.expand, 3, same);
    x = b.add<tn::concat_t>({.axis = 1}, {pixels, around});
    if (f.halve) x = halved(x);
  }
  return b.finish({b.average(convolve(x, "classifier", classes, 1, {}))});
}

}  // namespace networks::squeezenet11
