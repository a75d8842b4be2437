// Random graphs, with limits and states among them, on lists of policies with a Vulkan device.
//   TENON_GRAPHS=10000 TENON_SEED=7 policy_vulkan_differential
// SPDX-License-Identifier: MIT
#include <tenon/trial.hpp>
#include "../cpu/testing.hpp"
#include "policies.hpp"
#include <array>
#include <cmath>
#include <limits>

namespace tn = tenon;
using namespace tenon_test;

namespace {

int graphs() { return number_of_graphs(200); }

/// Random graphs on one list of policies, the last of which has a device.
template <class Device, class... Policies> void check_random(std::uint64_t more) {
  need_device<Device>();
  const auto r =
      tn::differential<tn::dynamic, Policies...>({.seed = seed() + more, .graphs = graphs()});
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
  std::printf("%d graphs, %lld elements, %d kernels\n", r.graphs,
              static_cast<long long>(r.elements), Device::standard().kernels());
}

/// x * 0, where 0 is a constant, and where it is k ^ k.
tn::result<tn::table> products_with_zero() {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(64)}),
             k = b.input("k", {tn::type::int32, tn::extents(64)});
  const auto found =
      b.map<2>([](auto a, auto c) { return fma(a, tn::cast<float>(c ^ c), a); }, {x, k});
  return b.finish({b.add<tn::leakyRelu_t>({.alpha = 0}, {x}), found});
}
template <class Policy> std::array<std::array<float, 64>, 2> run_products(const tn::table_view& t) {
  const tn::model<tn::dynamic, Policy> model(t, tn::weights<0>{});
  REQUIRE(model.fault().ok());
  tn::instance run(model);
  std::array<float, 64> x;
  std::array<std::int32_t, 64> k;
  for (std::size_t i = 0; i < 64; ++i)
    x[i] = static_cast<float>(i) - 30, k[i] = static_cast<std::int32_t>(i);
  x[3] = -std::numeric_limits<float>::infinity(), x[5] = std::numeric_limits<float>::quiet_NaN(),
  x[40] = -x[3];
  std::array<std::array<float, 64>, 2> y{};
  REQUIRE(run(std::span(x), std::span(k), std::span(y[0]), std::span(y[1])).ok());
  return y;
}

}  // namespace

TEST_CASE("infinity times a zero that a driver can find out is no number") {
  need_device<tn::vulkan>();
  const auto t = products_with_zero();
  REQUIRE(t.ok());
  const auto wanted = run_products<tn::reference>(t->view()),
             found = run_products<tn::vulkan>(t->view());
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t i = 0; i < 64; ++i) {
      INFO("output " << o << ", element " << i << ": " << found[o][i] << ", wanted "
                     << wanted[o][i]);
      CHECK((std::isnan(wanted[o][i]) ? std::isnan(found[o][i]) : found[o][i] == wanted[o][i]));
    }
  CHECK(std::isnan(wanted[0][3]));
  CHECK(std::isnan(wanted[1][40]));
}
TEST_CASE("random graphs run on vulkan as on reference", "[long]") {
  check_random<tn::vulkan, tn::vulkan>(0);
}
TEST_CASE("random graphs run on cpu and vulkan side by side", "[long]") {
  check_random<tn::vulkan, tn::cpu, tn::vulkan>(1);
}
TEST_CASE("random graphs run on cpu and vulkan_staged side by side", "[long]") {
  check_random<tn::vulkan_staged, tn::cpu, tn::vulkan_staged>(2);
}
