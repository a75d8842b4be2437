// Networks at their full size on `vulkan`.
// SPDX-License-Identifier: MIT
#include "network.hpp"
#include "../run/vulkan_policies.hpp"
#include "../../examples/networks/encoder.hpp"
#include "../../examples/networks/mobilenetv2.hpp"
#include "../../examples/networks/resnet50.hpp"
#include "../../examples/networks/squeezenet11.hpp"

namespace tn = tenon;
using namespace tenon_test;

namespace {

void check_device(const tn::result<tn::table>& built) {
  need_device<tn::vulkan>();
  REQUIRE(built.ok());
  const contents c = scaled_contents(built->view());
  std::string problem;
  const results wanted = run_table<tn::reference>(built->view(), c, wall::behind, problem);
  REQUIRE(problem == "");
  const results found = run_dynamic<tn::vulkan>(built->view(), c);
  REQUIRE(found.size() == wanted.size());
  for (std::size_t o = 0; o < wanted.size(); ++o) {
    CHECK(spread(wanted[o]) > 1e-2);
    const double apart = relative_distance(found[o], wanted[o]);
    CHECK(apart <= 1e-4);
    std::printf("relative distance %.1e\n", apart);
  }
  CHECK(tn::vulkan::standard().live() == 0);
}

}  // namespace

TEST_CASE("MobileNetV2 of 224 x 224 on Vulkan gives the results of the reference") { check_device(networks::mobilenetv2::build()); }
TEST_CASE("SqueezeNet of 224 x 224 on Vulkan gives the results of the reference") { check_device(networks::squeezenet11::build()); }
TEST_CASE("ResNet-50 of 224 x 224 on Vulkan gives the results of the reference") { check_device(networks::resnet50::build()); }
TEST_CASE("one layer of the encoder on Vulkan gives the results of the reference") { check_device(networks::encoder::build(1)); }
