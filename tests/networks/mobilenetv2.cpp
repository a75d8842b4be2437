// MobileNetV2, on images of 96 x 96.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/mobilenetv2.hpp"
#include "network.hpp"

TEST_CASE("MobileNetV2 gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::mobilenetv2::graph<96>>(networks::mobilenetv2::build(96));
}
