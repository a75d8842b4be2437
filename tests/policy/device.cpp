// Policies with a memory of their own: what is copied, shared and resolved, and that results do not
// depend on where nodes run. The devices are played by the host.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/trial.hpp>
#include "../catch.hpp"
#include "cpu/testing.hpp"
#include "emulated.hpp"

namespace tn = tenon;
using namespace tenon_test;

namespace {

constexpr auto sandwich = [](auto x) {
  auto a = tn::tanh(x);
  auto b = tn::on<1>(tn::matmul(a, tn::weight<"w", float, 4, 4>));
  return tn::exp(tn::on<1>(tn::relu(b)));
};
using net = tn::graph<sandwich, tn::input<"x", float, 4, 4>>;

// Across: tanh's result, back: relu's. The product stays on the device; weights are uploaded once.
using staged_plan = tn::plan<net, tn::cpu, far_away>;
static_assert(staged_plan::crossings == 2 && staged_plan::copies == 2 &&
              staged_plan::bytes_moved == 2 * 64);
static_assert(staged_plan::upload_bytes == 64);
static_assert(staged_plan::device_bytes<0> == 0 && staged_plan::device_bytes<1> == 2 * 64,
              "tanh's copy and the product; relu's copy where tanh's was");
using shared_plan = tn::plan<net, tn::cpu, importing>;
static_assert(shared_plan::crossings == 2 && shared_plan::copies == 0 &&
              shared_plan::bytes_moved == 0);
static_assert(shared_plan::device_bytes<1> == 64, "the product alone");
static_assert(tn::plan<net, tn::cpu, tn::reference>::upload_bytes == 0);
// What crosses through a view crosses once, as its buffer.
constexpr auto viewed = [](auto x) {
  auto a = tn::tanh(x);
  return tn::on<1>(tn::exp(tn::reshape<16>(a))) +
         tn::on<1>(tn::reshape<16>(tn::exp(tn::transpose<>(a))));
};
static_assert(tn::plan<tn::graph<viewed, tn::input<"x", float, 4, 4>>, tn::cpu, far_away>::copies <=
              3);

struct numbers {
  auto weights() const { return tn::weights{tn::named("w", w)}; }
  float x[4][4], w[4][4], y[4][4]{}, wanted[4][4]{};
  numbers() {
    dice d{77};
    for (auto& row : x)
      for (float& e : row) e = d.real();
    for (auto& row : w)
      for (float& e : row) e = d.real();
    tn::model<net, tn::reference, tn::reference> plain{weights()};
    tn::instance own{plain};
    REQUIRE(own(x, wanted).ok());
  }
  bool right() const { return std::memcmp(y, wanted, sizeof y) == 0; }
};

}  // namespace

TEST_CASE("a device in a memory of its own: copies are what the plan says") {
  numbers n;
  emulated_context device;
  tn::model<net, tn::cpu, far_away> model{n.weights(), device};
  REQUIRE(model.fault().ok());
  CHECK(device.bytes_uploaded == staged_plan::upload_bytes);
  tn::instance own{model};
  for (int call = 1; call <= 3; ++call) {
    REQUIRE(own(n.x, n.y).ok());
    CHECK(n.right());
    CHECK(device.copies == call * staged_plan::copies);
    CHECK(device.bytes_moved == call * staged_plan::bytes_moved);
    CHECK(device.runs == call);
  }
}

TEST_CASE("a device that imports: nothing is copied, and addresses are resolved when they change") {
  numbers n;
  emulated_context device;
  tn::model<net, tn::cpu, importing> model{n.weights(), device};
  tn::instance own{model};
  for (int call = 0; call < 3; ++call) REQUIRE(own(n.x, n.y).ok());
  CHECK(n.right());
  CHECK((device.copies == 0 && device.runs == 3 && device.resolved == 1));
  // The graph alone on the device reads and writes the caller's buffers themselves.
  tn::model<net, importing, tn::cpu> first{n.weights(), device};
  tn::instance there{first};
  numbers other;
  REQUIRE(there(n.x, n.y).ok());
  REQUIRE(there(n.x, n.y).ok());
  REQUIRE(there(other.x, other.y).ok());
  CHECK((n.right() && other.right()));
}

TEST_CASE("what a device refuses is an error of the model, of the instance, or of the call") {
  numbers n;
  emulated_context device;
  device.refuses_models = true;
  const tn::model<net, tn::cpu, far_away> unbound{n.weights(), device};
  CHECK(unbound.fault() == tn::error{tn::code::memory, "emulated_separate", "weights"});
  device.refuses_models = false;
  const tn::model<net, tn::cpu, far_away> model{n.weights(), device};
  device.refuses_instances = true;
  tn::instance refused{model};
  CHECK(refused(n.x, n.y).what == tn::code::memory);
  device.refuses_instances = false;
  tn::instance own{model};
  device.is_lost = true;
  CHECK(own(n.x, n.y).what == tn::code::memory);
  CHECK(!n.right());
  device.is_lost = false;
  CHECK(own(n.x, n.y).ok());
  CHECK(n.right());
}

TEST_CASE("without a context a model takes the standard one") {
  numbers n;
  const tn::i64 before = far_away::standard().runs;
  tn::model<net, tn::cpu, far_away> model{n.weights()};
  tn::instance own{model};
  REQUIRE(own(n.x, n.y).ok());
  CHECK(n.right());
  CHECK(far_away::standard().runs == before + 1);
}

TEST_CASE("the verifier finds buffers out of reach and copies that are not made") {
  const tn::policy_facts facts[] = {tn::facts_of<tn::cpu>(), tn::facts_of<far_away>()};
  const tn::owned_plan good = tn::make_plan(net::view(), {facts, 2}).value();
  const auto found = [&](auto&& spoil) {
    tn::owned_plan p = good;
    spoil(p);
    return tn::plans::verify(p.view()).what;
  };
  REQUIRE(good.mirrors.size() == 2);
  CHECK(found([](tn::owned_plan&) {}) == tn::plans::defect::none);
  for (int k = 0; k < 2; ++k) {
    CHECK(found([&](tn::owned_plan& p) {
            p.mirrors[k].copied_before = p.mirrors[k].copied_after = -1;
          }) == tn::plans::defect::home);
    CHECK(found([&](tn::owned_plan& p) { p.mirrors[k].policy = 0; }) == tn::plans::defect::home);
    CHECK(found([&](tn::owned_plan& p) { p.mirrors[k].bytes -= 4; }) == tn::plans::defect::home);
    CHECK(found([&](tn::owned_plan& p) { p.mirrors[k].offset = p.device_bytes[1]; }) ==
          tn::plans::defect::outside);
    CHECK(found([&](tn::owned_plan& p) { p.mirrors[k].offset += 4; }) ==
          tn::plans::defect::alignment);
  }
  for (int i = 0; i < good.buffers.size(); ++i)
    if (good.buffers[i].home == 1)
      CHECK(found([&](tn::owned_plan& p) { p.buffers[i].home = -1; }) == tn::plans::defect::home);
  CHECK(found([](tn::owned_plan& p) { p.mirrors[0].first = 2; }) == tn::plans::defect::home);
}

TEST_CASE("random graphs on devices and host policies have the bits of reference", "[long]") {
  tn::differential_options o;
  o.graphs = 300;
  o.seed = 515;
  o.rounding = 0;
  const auto staged = tn::differential<tn::dynamic, tn::cpu, far_away>(o);
  CHECK(staged.text == "");
  o.seed = 516;
  const auto mixed = tn::differential<tn::dynamic, importing, tn::cpu, far_away, tn::reference>(o);
  CHECK(mixed.text == "");
  o.seed = 517;
  const auto alone = tn::differential<tn::dynamic, far_away>(o);
  CHECK(alone.text == "");
  CHECK(staged.graphs + mixed.graphs + alone.graphs > 600);
}
