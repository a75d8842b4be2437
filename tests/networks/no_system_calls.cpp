// Executing a deep network calls nothing of the system, takes no lock and touches no heap.
// SPDX-License-Identifier: MIT
#include "../run/strict_child.hpp"
#include "network.hpp"
#include "../../examples/networks/mobilenetv2.hpp"

using namespace tenon_test;

TEST_CASE("MobileNetV2 allocates, locks and calls nothing, wherever its arena lies") {
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  using graph = networks::mobilenetv2::graph<96>;
  const contents c = scaled_contents(graph::view());
  check_static_graph<tenon::cpu, graph>(c);
  check_dynamic_graph<tenon::cpu, graph>(c);
}
