// Executing a deep network calls nothing of the system, takes no lock and touches no heap.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/encoder.hpp"
#include "../../examples/networks/mobilenetv2.hpp"
#include "../support/strict_child.hpp"
#include "network.hpp"

using namespace tenon_test;

namespace {

template <class Graph> void check_quiet_network() {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  const contents c = scaled_contents(Graph::view());
  check_static_graph<tenon::cpu, Graph>(c);
  check_dynamic_graph<tenon::cpu, Graph>(c);
}

}  // namespace

TEST_CASE("MobileNetV2 allocates, locks and calls nothing, wherever its arena lies") {
  check_quiet_network<networks::mobilenetv2::graph<96>>();
}

TEST_CASE("the encoder allocates, locks and calls nothing, wherever its arena lies") {
  check_quiet_network<networks::encoder::graph<1, 24>>();
}
