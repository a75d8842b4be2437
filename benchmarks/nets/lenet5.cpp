// LeNet-5 as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/lenet5.hpp"
#include "../nets.hpp"

network nets::lenet5() {
  using namespace networks;
  return describe<lenet5::graph>("lenet5", "lenet5", "t14", lenet5::build());
}
