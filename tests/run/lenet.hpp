// LeNet on handwritten digits, as several tests run it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace tenon_test {

inline constexpr auto lenet_model = [](auto image) {
  constexpr tenon::pool2d_options half{.windowDimensions = {2, 2}, .strides = {2, 2}};
  constexpr tenon::gemm_options rows{.bTranspose = true};  // weights are stored [out, in]
  auto a =
      tenon::maxPool2d<half>(tenon::conv2d(image, tenon::weight<"conv1.weight", float, 20, 1, 5, 5>,
                                           tenon::weight<"conv1.bias", float, 20>));
  auto b =
      tenon::maxPool2d<half>(tenon::conv2d(a, tenon::weight<"conv2.weight", float, 50, 20, 5, 5>,
                                           tenon::weight<"conv2.bias", float, 50>));
  auto c = tenon::relu(tenon::gemm<rows>(tenon::reshape<1, 800>(b),
                                         tenon::weight<"fc1.weight", float, 500, 800>,
                                         tenon::weight<"fc1.bias", float, 500>));
  auto logits = tenon::gemm<rows>(c, tenon::weight<"fc2.weight", float, 10, 500>,
                                  tenon::weight<"fc2.bias", float, 10>);
  return tenon::outputs(logits, tenon::softmax<1>(logits));
};
using lenet = tenon::graph<lenet_model, tenon::input<"image", float, 1, 1, 28, 28>>;

}  // namespace tenon_test
