// LeNet with 20 and 50 channels and one ReLU, as Caffe's examples have it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace networks::lenet {
namespace tn = tenon;

inline constexpr auto model = [](auto image) {
  constexpr tn::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};
  constexpr tn::gemm_options rows{.bTranspose = true};  // weights are stored [out, in]
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
using graph = tn::graph<model, tn::input<"image", float, 1, 1, 28, 28>>;

}  // namespace networks::lenet
