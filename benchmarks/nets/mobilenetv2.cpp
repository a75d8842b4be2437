// MobileNetV2 as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/mobilenetv2.hpp"
#include "../nets.hpp"

network nets::mobilenetv2() {
  using namespace networks;
  return describe<mobilenetv2::graph<>>("mobilenetv2", "mobilenetv2", "t100", mobilenetv2::build());
}
