// The encoder with the extents of BERT base, on a sequence of 128.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/encoder.hpp"
#include "network.hpp"

TEST_CASE("one layer of the encoder gives the results of the reference in the least memory") {
  tenon_test::check_network<networks::encoder::graph<1>>(networks::encoder::build(1));
}

TEST_CASE("twelve layers of the encoder give the results of the reference in the least memory") {
  tenon_test::check_network<networks::encoder::graph<12>>(networks::encoder::build(12));
}
