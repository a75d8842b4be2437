// One layer of the encoder as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/encoder.hpp"
#include "../nets.hpp"

network nets::encoder1() {
  using namespace networks;
  return describe<encoder::graph<1>>("encoder1", "bert1", "l0_n2", encoder::build(1));
}
