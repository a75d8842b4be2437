// Networks of real size for `tools/bench compile_time`: MobileNetV2, ResNet-50 and a transformer's
// encoder, with a name of its own for every weight.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace networks {
namespace tn = tenon;

/// A weight whose name is a value.
template <tn::tensor T> struct named_weight {
  using is_tenon_leaf = void;
  static constexpr tn::tensor type = T;
  tn::name called;
  constexpr int bind(tn::recorder& r) const { return r.weight(called, T); }
};
template <tn::i64... Extent> constexpr auto weight(const char* part, int i, const char* what) {
  return named_weight<tn::tensor{tn::type::float32, tn::extents(Extent...)}>{tn::name(part) + i +
                                                                             what};
}

enum class activation { none, relu, relu6 };

/// Convolution number `n`: C filters of K x K in G groups.
template <activation A, int C, int K, int S = 1, int G = 1, class X>
constexpr auto conv(X x, int& n) {
  constexpr int pad = K / 2;
  constexpr tn::i64 channels = X::type.shape[1];
  auto y = tn::conv2d<tn::conv2d_options{
      .padding = {pad, pad, pad, pad}, .strides = {S, S}, .groups = G}>(
      x, weight<C, channels / G, K, K>("features.", n, ".weight"),
      weight<C>("features.", n, ".bias"));
  ++n;
  if constexpr (A == activation::relu)
    return tn::relu(y);
  else if constexpr (A == activation::relu6)
    return tn::clamp<tn::clamp_options{0.0f, 6.0f}>(y);
  else
    return y;
}
/// A thousand classes from an image.
constexpr auto classify(auto image) {
  constexpr tn::i64 channels = decltype(image)::type.shape[1];
  return tn::gemm<tn::gemm_options{.bTranspose = true}>(
      tn::reshape<1, channels>(tn::averagePool2d(image)),
      weight<1000, channels>("classifier.", 0, ".weight"), weight<1000>("classifier.", 0, ".bias"));
}

struct mobilenetv2 {
  template <int Times, int C, int S, class X> static constexpr auto inverted(X x, int& n) {
    constexpr int wide = Times * static_cast<int>(X::type.shape[1]);
    const auto project = [&](auto y) {
      return conv<activation::none, C, 1>(conv<activation::relu6, wide, 3, S, wide>(y, n), n);
    };
    if constexpr (Times == 1)
      return project(x);
    else
      return project(conv<activation::relu6, wide, 1>(x, n));
  }
  template <int Times, int C, int Count, int S> static constexpr auto stage(auto x, int& n) {
    auto y = inverted<Times, C, S>(x, n);
    for (int i = 1; i < Count; ++i) y = inverted<Times, C, 1>(y, n) + y;
    return y;
  }
  static constexpr auto write = [](auto image) {
    int n = 0;
    auto a = stage<1, 16, 1, 1>(conv<activation::relu6, 32, 3, 2>(image, n), n);
    auto b = stage<6, 32, 3, 2>(stage<6, 24, 2, 2>(a, n), n);
    auto c = stage<6, 96, 3, 1>(stage<6, 64, 4, 2>(b, n), n);
    auto d = stage<6, 320, 1, 1>(stage<6, 160, 3, 2>(c, n), n);
    return classify(conv<activation::relu6, 1280, 1>(d, n));
  };
  using graph = tn::graph<write, tn::input<"in", float, 1, 3, 224, 224>>;
};

struct resnet50 {
  template <int C, int S> static constexpr auto narrow(auto x, int& n) {
    auto y = conv<activation::relu, C, 3, S>(conv<activation::relu, C, 1>(x, n), n);
    return conv<activation::none, 4 * C, 1>(y, n);
  }
  template <int C, int Count, int S> static constexpr auto stage(auto x, int& n) {
    auto shortcut = conv<activation::none, 4 * C, 1, S>(x, n);
    auto y = tn::relu(narrow<C, S>(x, n) + shortcut);
    for (int i = 1; i < Count; ++i) y = tn::relu(narrow<C, 1>(y, n) + y);
    return y;
  }
  static constexpr auto write = [](auto image) {
    int n = 0;
    auto a = tn::maxPool2d<tn::pool2d_options{
        .windowDimensions = {3, 3}, .padding = {1, 1, 1, 1}, .strides = {2, 2}}>(
        conv<activation::relu, 64, 7, 2>(image, n));
    auto b = stage<128, 4, 2>(stage<64, 3, 1>(a, n), n);
    return classify(stage<512, 3, 2>(stage<256, 6, 2>(b, n), n));
  };
  using graph = tn::graph<write, tn::input<"in", float, 1, 3, 224, 224>>;
};

/// Post-norm transformer layers: 128 tokens of 768, 12 heads.
template <int Layers> struct encoder {
  static constexpr int tokens = 128, width = 768, heads = 12, hidden = 3072;

  static constexpr auto norm(auto x, int layer, const char* scale, const char* shift) {
    constexpr tn::reduce_options rows{.axes = {2}, .keepDimensions = true};
    constexpr float share = 1.0f / width;
    auto centred = x - tn::reduceSum<rows>(x) * share;
    auto variance = tn::reduceSum<rows>(centred * centred) * share;
    return tn::map([](auto c, auto v, auto g, auto b) { return c / sqrt(v + 1e-12f) * g + b; })(
        centred, variance, weight<width>("layer.", layer, scale),
        weight<width>("layer.", layer, shift));
  }
  template <int Out> static constexpr auto dense(auto x, int layer, const char* w, const char* b) {
    constexpr tn::i64 in = decltype(x)::type.shape[2];
    return tn::matmul(x, weight<in, Out>("layer.", layer, w)) + weight<Out>("layer.", layer, b);
  }
  static constexpr auto split(auto x) { return tn::reshape<1, tokens, heads, width / heads>(x); }
  static constexpr auto attend(auto x, int i) {
    auto q = tn::transpose<0, 2, 1, 3>(split(dense<width>(x, i, ".query.weight", ".query.bias")));
    auto k = tn::transpose<0, 2, 3, 1>(split(dense<width>(x, i, ".key.weight", ".key.bias")));
    auto v = tn::transpose<0, 2, 1, 3>(split(dense<width>(x, i, ".value.weight", ".value.bias")));
    auto mixed = tn::matmul(tn::softmax<3>(tn::matmul(q, k) * 0.125f), v);
    auto joined = tn::reshape<1, tokens, width>(tn::transpose<0, 2, 1, 3>(mixed));
    return dense<width>(joined, i, ".output.weight", ".output.bias");
  }
  static constexpr auto layer(auto x, int i) {
    auto y = norm(attend(x, i) + x, i, ".attention.norm.weight", ".attention.norm.bias");
    auto h = tn::map([](auto v) { return 0.5f * v * (1.0f + erf(v * 0.70710678f)); })(
        dense<hidden>(y, i, ".intermediate.weight", ".intermediate.bias"));
    return norm(dense<width>(h, i, ".last.weight", ".last.bias") + y, i, ".last.norm.weight",
                ".last.norm.bias");
  }
  static constexpr auto write = [](auto x) {
    for (int i = 0; i < Layers; ++i) x = layer(x, i);
    return x;
  };
  using graph = tn::graph<write, tn::input<"x", float, 1, tokens, width>>;
};
using encoder12 = encoder<12>;
using encoder48 = encoder<48>;

}  // namespace networks
