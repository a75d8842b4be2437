// DS-CNN for keyword spotting.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/dscnn.hpp"
#include "network.hpp"

TEST_CASE("DS-CNN gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::dscnn::graph>(networks::dscnn::build());
}
