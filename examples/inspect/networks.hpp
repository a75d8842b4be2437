// The networks that `inspect` knows.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>
#include "../networks/encoder.hpp"

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
/// One layer of examples/networks/encoder.hpp, on a sequence of 128: attention of 12 heads and a
/// feed-forward part, each with a residual sum and a normalization of its rows.
struct encoder_layer {
  static constexpr const char* name = "encoder";
  using graph = tn::graph<encoder::model<1>, tn::input<"x", float, 1, 128, encoder::hidden>>;
};
template <class Visit> void each(Visit&& visit) {
  visit.template operator()<lenet>();
  visit.template operator()<digits>();
  visit.template operator()<mlp>();
  visit.template operator()<encoder_layer>();
}

}  // namespace networks
