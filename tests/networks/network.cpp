// The checker of arenas finds what overlaps, and the measures of results tell good from bad.
// SPDX-License-Identifier: MIT
#include "network.hpp"
#include "../../examples/networks/mobilenetv2.hpp"

namespace tn = tenon;
using namespace tenon_test;

namespace {

/// The checker's word on MobileNetV2's plan after `corrupt` has changed it.
template <class F> std::string found(F corrupt) {
  const tn::result<tn::table> built = networks::mobilenetv2::build(32);
  const tn::policy_facts cpu[] = {tn::facts_of<tn::cpu>()};
  tn::result<tn::owned_plan> p = tn::make_plan(built->view(), {cpu, 1});
  REQUIRE(p.ok());
  corrupt(*p);
  return overlap_in(p->view());
}
/// Two parts that live at the same time.
std::pair<arena_part, arena_part> neighbours(const tn::owned_plan& p, bool with_scratch) {
  const std::vector<arena_part> all = arena_parts_of(p.view());
  for (const arena_part& a : all)
    for (const arena_part& b : all)
      if (&a != &b && a.node >= 0 && (b.node < 0) == with_scratch && a.first <= b.last &&
          b.first <= a.last)
        return {a, b};
  FAIL("no two parts live at the same time");
  return {};
}

}  // namespace

TEST_CASE("a sound plan has no overlap, and parts to look at") {
  CHECK(found([](tn::owned_plan& p) { CHECK(arena_parts_of(p.view()).size() > 50); }) == "");
}

TEST_CASE("two values that share bytes are found, wherever one begins") {
  for (const i64 shift : {0, 64, -64})
    CHECK(found([&](tn::owned_plan& p) {
            const auto [a, b] = neighbours(p, false);
            p.buffers[p.locations[a.node].holder].offset += b.begin - a.begin + shift;
          }) != "");
}

TEST_CASE("scratch memory that shares bytes is found") {
  CHECK(found([](tn::owned_plan& p) {
          const auto [a, scratch] = neighbours(p, true);
          p.scratch_offset[scratch.first] = a.begin;
        }) != "");
}

TEST_CASE("what lies outside of the arena is found") {
  CHECK(found([](tn::owned_plan& p) { p.shared_bytes -= 64; }) != "");
  CHECK(found([](tn::owned_plan& p) {
          p.buffers[p.locations[neighbours(p, false).first.node].holder].offset = -64;
        }) != "");
}

TEST_CASE("lifetimes do not come from the plan: a shortened one does not hide an overlap") {
  CHECK(found([](tn::owned_plan& p) {
          for (int i = 0; i < p.buffers.size(); ++i) p.buffers[i].first = p.buffers[i].last = -1;
          const auto [a, b] = neighbours(p, false);
          p.buffers[p.locations[a.node].holder].offset += b.begin - a.begin;
        }) != "");
}

TEST_CASE("distance and spread know what is wrong") {
  CHECK(relative_distance({1, 2}, {1, 2}) == 0);
  CHECK(relative_distance({1, 2.1f}, {1, 2}) > 0.04);
  CHECK(relative_distance({1, std::numeric_limits<float>::quiet_NaN()}, {1, 2}) ==
        std::numeric_limits<double>::infinity());
  CHECK(relative_distance({std::numeric_limits<float>::infinity(), 1},
                          {std::numeric_limits<float>::infinity(), 1}) ==
        std::numeric_limits<double>::infinity());
  CHECK(relative_distance({1}, {1, 2}) == std::numeric_limits<double>::infinity());
  CHECK(spread({3, 3, 3}) == 0);
  CHECK(spread({1, 3}) == 1);
}

TEST_CASE("random weights fit the sums that they go into") {
  const tn::result<tn::table> built = networks::mobilenetv2::build(32);
  const tn::table_view t = built->view();
  CHECK(networks::fan_in(t, t.weights[0]) == 27);  // stem: 3 channels of 3 x 3
  CHECK(networks::fan_in(t, t.weights[1]) == 0);   // a bias
  CHECK(networks::fan_in(t, t.weights[2]) == 9);   // depthwise
  const std::vector<float> all = networks::random_weights(t, 7);
  CHECK(static_cast<i64>(all.size()) == networks::weights_in_order{t, all}.count());
  const std::vector<float> stem(all.begin(), all.begin() + 864);
  CHECK(std::abs(spread(stem) - std::sqrt(2.0 / 27)) < 0.02);
  CHECK(networks::weights_in_order{t, all}.find("stem.bias").data == all.data() + 864);
  CHECK(networks::weights_in_order{t, all}.find("stem").data == nullptr);
}
