// ResNet-50, on images of 64 x 64.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/resnet50.hpp"
#include "network.hpp"

TEST_CASE("ResNet-50 gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::resnet50::graph<64>>(networks::resnet50::build(64));
}
