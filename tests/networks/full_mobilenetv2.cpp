// MobileNetV2 at its full size.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/mobilenetv2.hpp"
#include "network.hpp"

TEST_CASE("MobileNetV2 of 224 x 224 gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::mobilenetv2::graph<>>(networks::mobilenetv2::build());
}
