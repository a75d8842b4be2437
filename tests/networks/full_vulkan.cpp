// Networks at their full size on `vulkan`.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/encoder.hpp"
#include "../../examples/networks/mobilenetv2.hpp"
#include "../../examples/networks/resnet50.hpp"
#include "../../examples/networks/squeezenet11.hpp"
#include "devices.hpp"

namespace tn = tenon;
using namespace tenon_test;

TEST_CASE("MobileNetV2 of 224 x 224 on Vulkan gives the results of the reference") {
  check_devices<tn::vulkan>(networks::mobilenetv2::build());
}
TEST_CASE("SqueezeNet of 224 x 224 on Vulkan gives the results of the reference") {
  check_devices<tn::vulkan>(networks::squeezenet11::build());
}
TEST_CASE("ResNet-50 of 224 x 224 on Vulkan gives the results of the reference") {
  check_devices<tn::vulkan>(networks::resnet50::build());
}
TEST_CASE("one layer of the encoder on Vulkan gives the results of the reference") {
  check_devices<tn::vulkan>(networks::encoder::build(1));
}
