// One convolution of 100 channels, and two, as static graphs on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/conv100.hpp"
#include "../nets.hpp"

network nets::conv100(int layers) {
  using namespace networks;
  if (layers == 1)
    return describe<conv100::graph<1>>("conv100", "conv100", "t2", conv100::build(1));
  return describe<conv100::graph<2>>("conv100x2", "conv100x2", "t4", conv100::build(2));
}
