// ResNet-50 at its full size.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/resnet50.hpp"
#include "network.hpp"

TEST_CASE("ResNet-50 of 224 x 224 gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::resnet50::graph<>>(networks::resnet50::build());
}
