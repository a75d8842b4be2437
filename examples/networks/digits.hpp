// The reader of handwritten digits that examples/digits/train.py trains.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace networks::digits {
namespace tn = tenon;

inline constexpr auto model = [](auto pixels) {
  constexpr tn::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};
  constexpr tn::gemm_options rows{.bTranspose = true};  // weights are stored [out, in]
  auto a = tn::relu(tn::conv2d<tn::conv2d_options{.padding = {2, 2, 2, 2}}>(
      pixels, tn::weight<"conv1.weight", float, 8, 1, 5, 5>, tn::weight<"conv1.bias", float, 8>));
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
using graph = tn::graph<model, tn::input<"image", float, 1, 1, 28, 28>>;

}  // namespace networks::digits
