// One layer of the encoder, on a sequence of 24.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/encoder.hpp"
#include "network.hpp"

TEST_CASE("the encoder gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::encoder::graph<1, 24>>(networks::encoder::build(1, 24));
}
