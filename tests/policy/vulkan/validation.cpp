// Graphs with descriptors under the validation layer and its synchronization validation: no
// complaint.
//   TENON_GRAPHS=1000 TENON_SEED=7 policy_vulkan_validation
// SPDX-License-Identifier: MIT
#include <tenon/trial.hpp>
#include "../../../examples/networks/encoder.hpp"
#include "../../../examples/networks/mobilenetv2.hpp"
#include "../../networks/network.hpp"
#include "policies.hpp"

namespace tn = tenon;
using namespace tenon_test;

namespace {

int graphs() { return number_of_graphs(60); }

template <class Policy> void check_clean() {
  INFO(Policy::said());
  CHECK(Policy::standard().complaints() == 0);
  CHECK(Policy::standard().live() == 0);
}
template <class Device, class... Policies> void check_random(std::uint64_t more) {
  need_device<Device>();
  const auto r =
      tn::differential<tn::dynamic, Policies...>({.seed = seed() + more, .graphs = graphs()});
  INFO(r.text);
  CHECK(r.ok());
  CHECK(r.graphs == graphs());
  check_clean<Device>();
}
template <class Policy> void check_policy(const tn::result<tn::table>& built) {
  need_device<Policy>();
  REQUIRE(built.ok());
  const contents c = scaled_contents(built->view());
  const results wanted = run_dynamic<tn::cpu>(built->view(), c),
                found = run_dynamic<Policy>(built->view(), c);
  REQUIRE(found.size() == wanted.size());
  for (std::size_t o = 0; o < wanted.size(); ++o)
    CHECK(relative_distance(found[o], wanted[o]) <= 1e-4);
  check_clean<Policy>();
}

}  // namespace

TEST_CASE("random graphs are clean under the validation layer") {
  check_random<vulkan_validated, vulkan_validated>(0);
}
TEST_CASE("random graphs beside cpu, and with copies, are clean under the validation layer") {
  check_random<vulkan_validated_staged, tn::cpu, vulkan_validated_staged>(1);
}
TEST_CASE("networks are clean under the validation layer") {
  check_policy<vulkan_validated>(networks::mobilenetv2::build(32));
  check_policy<vulkan_validated_staged>(networks::encoder::build(1, 8));
}
