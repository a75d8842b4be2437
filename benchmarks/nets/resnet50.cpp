// ResNet-50 as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/resnet50.hpp"
#include "../nets.hpp"

network nets::resnet50() {
  using namespace networks;
  return describe<resnet50::graph<>>("resnet50", "resnet50", "t138", resnet50::build());
}
