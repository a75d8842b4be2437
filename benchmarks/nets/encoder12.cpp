// Twelve layers of the encoder as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/encoder.hpp"
#include "../nets.hpp"

network nets::encoder12() {
  using namespace networks;
  return describe<encoder::graph<12>>("encoder12", "bert12", "l11_n2", encoder::build(12));
}
