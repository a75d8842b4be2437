// SqueezeNet 1.1, on images of 96 x 96.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/squeezenet11.hpp"
#include "network.hpp"

TEST_CASE("SqueezeNet gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::squeezenet11::graph<96>>(networks::squeezenet11::build(96));
}
