// SqueezeNet 1.1 as a static graph on cpu.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/squeezenet11.hpp"
#include "../nets.hpp"

network nets::squeezenet11() {
  using namespace networks;
  return describe<squeezenet11::graph<>>("squeezenet11", "squeezenet11", "t64",
                                         squeezenet11::build());
}
