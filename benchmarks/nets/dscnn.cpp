// DS-CNN as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/dscnn.hpp"
#include "../nets.hpp"

network nets::dscnn() {
  using namespace networks;
  return describe<dscnn::graph>("dscnn", "dscnn", "t21", dscnn::build());
}
