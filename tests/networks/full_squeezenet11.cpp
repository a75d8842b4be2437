// SqueezeNet 1.1 at its full size.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/squeezenet11.hpp"
#include "network.hpp"

TEST_CASE("SqueezeNet of 224 x 224 gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::squeezenet11::graph<>>(networks::squeezenet11::build());
}
