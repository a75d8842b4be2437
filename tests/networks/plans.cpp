// The networks at the size that they are known for: the arena of every plan is the least that can
// do, and nothing in it overlaps.
// SPDX-License-Identifier: MIT
#include "../../examples/networks/conv100.hpp"
#include "../../examples/networks/dscnn.hpp"
#include "../../examples/networks/encoder.hpp"
#include "../../examples/networks/mobilenetv2.hpp"
#include "../../examples/networks/resnet50.hpp"
#include "../../examples/networks/squeezenet11.hpp"
#include "network.hpp"

using namespace tenon_test;

namespace {

template <class Graph> void check_plan() {
  using plan = tn::plan<Graph, tn::cpu>;
  static_assert(plan::arena_bytes == plan::live_bytes);
  CHECK(overlap_in(plan::view()) == "");
}

}  // namespace

TEST_CASE("plans of known networks need the least memory, and share none at one time") {
  check_plan<networks::conv100::graph<2>>();
  check_plan<networks::dscnn::graph>();
  check_plan<networks::encoder::graph<1>>();
  check_plan<networks::encoder::graph<12>>();
  check_plan<networks::mobilenetv2::graph<>>();
  check_plan<networks::resnet50::graph<>>();
  check_plan<networks::squeezenet11::graph<>>();
}
