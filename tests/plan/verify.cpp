// The verifier: sound plans pass, every kind of corruption is refused by its name.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "toy.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::plans::buffer, tn::plans::defect, tn::owned_plan;

namespace {

constexpr auto model = [](auto x) {
  auto a = tn::matmul(x, tn::weight<"v", float, 16, 16>);
  auto b = tn::matmul(a, tn::weight<"w", float, 16, 16>);
  auto c = tn::matmul(b, a);
  return tn::outputs(tn::softmax<1>(c), tn::reshape<256>(b));
};
using net = tn::graph<model, tn::input<"x", float, 16, 16>>;
// x 0, v 1, a 2, w 3, b 4, c 5, softmax 6..9, reshape 10

constexpr tn::footprint needs_scratch(const tn::plan_view& p, int g) {
  return {0, p.groups[g].kind == tn::family::contract ? 100 : 0, 0};
}
constexpr tn::policy_facts with_scratch{"scratch", tn::sharing::same, true, &anything,
                                        &needs_scratch};

owned_plan sound() { return planned<net>(with_scratch).value(); }
/// The defect that the verifier finds after `corrupt` has changed the plan.
template <class F> defect found(F corrupt) {
  owned_plan p = sound();
  corrupt(p);
  return tn::plans::verify(p.view()).what;
}
constexpr int none_of_them = 99;

static_assert(tn::plans::verify(planned<net>(fusing)->view()).ok());
static_assert(tn::plans::verify(planned<net>(plain)->view()).ok());
static_assert(tn::plans::verify(planned<lenet_graph>(with_scratch)->view()).ok());

}  // namespace

TEST_CASE("a plan as it was made passes") {
  CHECK(found([](owned_plan&) {}) == defect::none);
  const owned_plan p = sound();
  CHECK(p.buffers[2].in == buffer::storage::arena);  // what the mutations below rely on
  CHECK(p.buffers[4].in == buffer::storage::output);
  CHECK(p.buffers[5].in == buffer::storage::arena);
  CHECK_FALSE(p.locations[7].materialised);
  CHECK(p.needs[0].scratch == 100);
}

TEST_CASE("order: a node before its operand, a group before one that it reads") {
  CHECK(found([](owned_plan& p) { p.table.nodes[4].in[0] = 5; }) == defect::order);
  CHECK(found([](owned_plan& p) { p.table.nodes[4].in[0] = 4; }) == defect::order);
  CHECK(found([](owned_plan& p) {
          tn::plans::group swapped = p.grouped.groups[0];
          p.grouped.groups[0] = p.grouped.groups[1];
          p.grouped.groups[1] = swapped;
          p.grouped.of[2] = 1;
          p.grouped.of[4] = 0;
        }) == defect::order);
}

TEST_CASE(
    "membership: a node in no group, in two, in another policy's, in a group that is not its own") {
  CHECK(found([](owned_plan& p) { p.grouped.of[2] = -1; }) == defect::membership);
  CHECK(found([](owned_plan& p) { p.grouped.of[5] = 0; }) == defect::membership);
  CHECK(found([](owned_plan& p) { p.grouped.members[1] = p.grouped.members[0]; }) ==
        defect::membership);
  CHECK(found([](owned_plan& p) { p.grouped.groups[0].policy = 1; }) == defect::membership);
  CHECK(found([](owned_plan& p) { p.table.nodes[2].policy = 1; }) == defect::membership);
  CHECK(found([](owned_plan& p) { p.grouped.groups[0].size = 0; }) == defect::membership);
}

TEST_CASE("hidden: a value inside a group that another group reads") {
  CHECK(found([](owned_plan& p) { p.locations[2].materialised = false; }) == defect::hidden);
}

TEST_CASE("holder: a value whose holder holds nothing") {
  CHECK(found([](owned_plan& p) { p.buffers[2].in = buffer::storage::none; }) == defect::holder);
  CHECK(found([](owned_plan& p) { p.locations[10].holder = 10; }) == defect::holder);
  CHECK(found([](owned_plan& p) { p.locations[10].holder = -1; }) == defect::holder);
}

TEST_CASE("a value beyond its buffer, and a buffer or scratch beyond the arena, are found") {
  CHECK(found([](owned_plan& p) { p.locations[10].offset = 1; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.locations[10].offset = -1; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.locations[10].step.step[0] = -1; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.locations[10].step.step[0] = 2; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.buffers[0].bytes -= 4; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.buffers[2].offset = p.shared_bytes; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.buffers[2].offset = -64; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.shared_bytes = 64; }) == defect::outside);
  CHECK(found([](owned_plan& p) { p.scratch_offset[0] = p.shared_bytes; }) == defect::outside);
}

TEST_CASE("alignment: an offset that is no multiple of 64") {
  CHECK(found([](owned_plan& p) { p.buffers[2].offset += 4; }) == defect::alignment);
  CHECK(found([](owned_plan& p) { p.scratch_offset[0] += 4; }) == defect::alignment);
}

TEST_CASE("overlap: two buffers, a buffer and scratch, a buffer used before or after its life") {
  CHECK(found([](owned_plan& p) { p.buffers[5].offset = p.buffers[2].offset; }) == defect::overlap);
  CHECK(found([](owned_plan& p) { p.scratch_offset[0] = p.buffers[2].offset; }) == defect::overlap);
  CHECK(found([](owned_plan& p) { p.buffers[2].last = 1; }) ==
        defect::overlap);  // c reads a at step 2
  CHECK(found([](owned_plan& p) { p.buffers[2].first = 1; }) ==
        defect::overlap);  // a is written at step 0
}

TEST_CASE("overlap: a buffer that is copied out after its life") {
  constexpr auto again = [](auto x) {
    auto a = tn::transpose<>(x);
    auto b = tn::matmul(a, x);
    return tn::outputs(tn::reshape<256>(b), b, tn::matmul(b, b));
  };
  owned_plan p = planned<tn::graph<again, tn::input<"x", float, 16, 16>>>(fusing).value();
  REQUIRE(p.copies_out.size() == 1);
  REQUIRE(tn::plans::verify(p.view()).ok());
  const int holder = p.locations[p.copies_out[0].node].holder;
  p.buffers[holder].in = buffer::storage::arena;  // as if the first output were copied too
  p.buffers[holder].first = 0;
  p.buffers[holder].last = p.grouped.groups.size();
  p.shared_bytes = 2048;
  CHECK(tn::plans::verify(p.view()).what == defect::output);  // all that is left to complain about
  p.buffers[holder].last = p.grouped.groups.size() - 1;
  CHECK(tn::plans::verify(p.view()).what == defect::overlap);
}

TEST_CASE("an output that nothing writes, or two nodes, is found") {
  CHECK(found([](owned_plan& p) { p.copies_out.push({9, 0}); }) == defect::output);
  CHECK(found([](owned_plan& p) { p.buffers[4].index = 0; }) == defect::output);
  CHECK(found([](owned_plan& p) { p.buffers[9].index = none_of_them; }) == defect::output);
}
