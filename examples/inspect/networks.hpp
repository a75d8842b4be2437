// The networks that `inspect` knows.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace networks {
namespace tn = tenon;

inline constexpr tn::gemm_options rows{.bTranspose = true};  // weights are stored [out, in]
inline constexpr tn::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};

/// The network of examples/lenet.
inline constexpr auto lenet_model = [](auto image) {
  auto a = tn::maxPool2d<half>(tn::conv2d(image, tn::weight<"conv1.weight", float, 20, 1, 5, 5>,
                                          tn::weight<"conv1.bias", float, 20>));
  auto b = tn::maxPool2d<half>(tn::conv2d(a, tn::weight<"conv2.weight", float, 50, 20, 5, 5>,
                                          tn::weight<"conv2.bias", float, 50>));
  auto c =
      tn::relu(tn::gemm<rows>(tn::reshape<1, 800>(b), tn::weight<"fc1.weight", float, 500, 800>,
                              tn::weight<"fc1.bias", float, 500>));
  auto logits = tn::gemm<rows>(c, tn::weight<"fc2.weight", float, 10, 500>,
                               tn::weight<"fc2.bias", float, 10>);
  return tn::outputs(logits, tn::softmax<1>(logits));
};

/// The network of examples/digits.
inline constexpr auto digits_model = [](auto image) {
  auto a = tn::relu(tn::conv2d<tn::conv2d_options{.padding = {2, 2, 2, 2}}>(
      image, tn::weight<"conv1.weight", float, 8, 1, 5, 5>, tn::weight<"conv1.bias", float, 8>));
  auto b = tn::relu(tn::conv2d<tn::conv2d_options{.padding = {1, 1, 1, 1}}>(
      tn::maxPool2d<half>(a), tn::weight<"conv2.weight", float, 16, 8, 3, 3>,
      tn::weight<"conv2.bias", float, 16>));
  auto c = tn::relu(tn::gemm<rows>(tn::reshape<1, 784>(tn::maxPool2d<half>(b)),
                                   tn::weight<"fc1.weight", float, 48, 784>,
                                   tn::weight<"fc1.bias", float, 48>));
  auto logits =
      tn::gemm<rows>(c, tn::weight<"fc2.weight", float, 10, 48>, tn::weight<"fc2.bias", float, 10>);
  return tn::outputs(logits, tn::softmax<1>(logits));
};

/// Three layers and a softmax, for 8 rows at a time.
inline constexpr auto mlp_model = [](auto x) {
  auto a = tn::relu(
      tn::gemm(x, tn::weight<"fc1.weight", float, 64, 128>, tn::weight<"fc1.bias", float, 128>));
  auto b = tn::relu(
      tn::gemm(a, tn::weight<"fc2.weight", float, 128, 128>, tn::weight<"fc2.bias", float, 128>));
  return tn::softmax<1>(
      tn::gemm(b, tn::weight<"fc3.weight", float, 128, 10>, tn::weight<"fc3.bias", float, 10>));
};

/// One block of an encoder: attention of 4 heads and a feed-forward part, each with a residual sum
/// and a normalisation of its rows.
inline constexpr auto normalized = [](auto x, auto scale, auto shift) {
  constexpr tn::reduce_options last{.axes = {1}, .keepDimensions = true};
  auto centred = x - tn::reduceSum<last>(x) * (1.0f / 64);
  auto variance = tn::reduceSum<last>(centred * centred) * (1.0f / 64);
  auto by = tn::map([](auto v) { return 1.0f / sqrt(v + 1e-5f); })(variance);
  return centred * by * scale + shift;
};
inline constexpr auto heads = [](auto x, auto weight, auto bias) {
  return tn::transpose<1, 0, 2>(tn::reshape<32, 4, 16>(tn::gemm(x, weight, bias)));
};
inline constexpr auto encoder_model = [](auto x) {
  auto q = heads(x, tn::weight<"query.weight", float, 64, 64>, tn::weight<"query.bias", float, 64>);
  auto k = heads(x, tn::weight<"key.weight", float, 64, 64>, tn::weight<"key.bias", float, 64>);
  auto v = heads(x, tn::weight<"value.weight", float, 64, 64>, tn::weight<"value.bias", float, 64>);
  auto scores = tn::softmax<2>(tn::matmul(q, tn::transpose<0, 2, 1>(k)) * 0.25f);
  auto mixed = tn::reshape<32, 64>(tn::transpose<1, 0, 2>(tn::matmul(scores, v)));
  auto a = normalized(x + tn::gemm(mixed, tn::weight<"output.weight", float, 64, 64>,
                                   tn::weight<"output.bias", float, 64>),
                      tn::weight<"norm1.scale", float, 64>, tn::weight<"norm1.shift", float, 64>);
  auto wide = tn::relu(
      tn::gemm(a, tn::weight<"wide.weight", float, 64, 256>, tn::weight<"wide.bias", float, 256>));
  return normalized(a + tn::gemm(wide, tn::weight<"narrow.weight", float, 256, 64>,
                                 tn::weight<"narrow.bias", float, 64>),
                    tn::weight<"norm2.scale", float, 64>, tn::weight<"norm2.shift", float, 64>);
};

/// Networks with their names: `each` visits one after the other.
struct lenet {
  static constexpr const char* name = "lenet";
  using graph = tn::graph<lenet_model, tn::input<"image", float, 1, 1, 28, 28>>;
};
struct digits {
  static constexpr const char* name = "digits";
  using graph = tn::graph<digits_model, tn::input<"image", float, 1, 1, 28, 28>>;
};
struct mlp {
  static constexpr const char* name = "mlp";
  using graph = tn::graph<mlp_model, tn::input<"rows", float, 8, 64>>;
};
struct encoder {
  static constexpr const char* name = "encoder";
  using graph = tn::graph<encoder_model, tn::input<"tokens", float, 32, 64>>;
};
template <class Visit> void each(Visit&& visit) {
  visit.template operator()<lenet>();
  visit.template operator()<digits>();
  visit.template operator()<mlp>();
  visit.template operator()<encoder>();
}

}  // namespace networks
