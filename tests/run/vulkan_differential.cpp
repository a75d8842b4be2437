// Random graphs, with bounds and states among them, on lists of policies with a Vulkan device.
//   TENON_GRAPHS=10000 TENON_SEED=7 run_vulkan_differential
// SPDX-License-Identifier: MIT
#include "cpu_testing.hpp"
#include "vulkan_policies.hpp"
#include <tenon/run/differential.hpp>

namespace tn = tenon;
using namespace tenon_test;

namespace {

int graphs() { return number_of_graphs(200); }

/// Random graphs on one list of policies, the last of which has a device.
template <class Device, class... Policies> void check_random(std::uint64_t more) {
  need_device<Device>();
  const auto r = tn::differential<tn::dynamic, Policies...>({.seed = seed() + more, .graphs = graphs()});
  INFO(r.text);
  CHECK(r.ok());
  CHECK(r.graphs == graphs());
  CHECK(r.skipped == 0);
  CHECK(r.unchecked < r.elements / 2);
  if (graphs() >= 200) {
    CHECK(r.calls.graphs > graphs() / 4);
    CHECK(r.calls.with_states > 0);
    CHECK(r.calls.accepted > 0);
  }
  CHECK(Device::standard().live() == 0);
  std::printf("%d graphs, %lld elements, %d kernels\n", r.graphs, static_cast<long long>(r.elements), Device::standard().kernels());
}

}  // namespace

TEST_CASE("random graphs run on vulkan as on reference", "[long]") { check_random<tn::vulkan, tn::vulkan>(0); }
TEST_CASE("random graphs run on cpu and vulkan side by side", "[long]") { check_random<tn::vulkan, tn::cpu, tn::vulkan>(1); }
TEST_CASE("random graphs run on cpu and vulkan_staged side by side", "[long]") {
  check_random<tn::vulkan_staged, tn::cpu, tn::vulkan_staged>(2);
}
