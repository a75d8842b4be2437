// In whose memory buffers lie: what a policy keeps to itself, what it has copies of, and when those
// are renewed.
// SPDX-License-Identifier: MIT
#include <tenon/plan/homes.hpp>
#include "../catch.hpp"
#include "toy.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::plans::buffer, tn::plans::mirror, tn::owned_plan;

namespace {

constexpr tn::policy_facts apart{"apart", tn::sharing::separate, false, &anything, &nothing},
    importing{"importing", tn::sharing::importable, false, &anything, &nothing};

constexpr auto sandwich = [](auto x) {
  auto a = tn::tanh(x);
  auto b = tn::on<1>(tn::matmul(a, tn::weight<"w", float, 4, 4>));
  return tn::exp(tn::on<1>(tn::relu(b)));
};
using net = tn::graph<sandwich, tn::input<"x", float, 4, 4>>;
// Each node is a group: tanh, the product, relu, exp.

/// What a test reads of a plan: buffers and mirrors by the operator that makes the value.
struct homes {
  owned_plan p;
  constexpr int node_of(const char* op) const {
    for (int i = 0; i < p.table.nodes.size(); ++i)
      if (tn::name(p.table.nodes[i].op) == tn::name(op)) return i;
    return -1;
  }
  constexpr const buffer& of(const char* op) const {
    return p.buffers[p.locations[node_of(op)].holder];
  }
  constexpr mirror mirror_of(const char* op, int policy) const {
    for (const mirror& m : p.mirrors)
      if (m.holder == p.locations[node_of(op)].holder && m.policy == policy) return m;
    return {};
  }
  constexpr int group(const char* op) const { return p.grouped.of[node_of(op)]; }
};
template <class Net, class... Facts> constexpr homes homes_of(const Facts&... facts) {
  return {planned<Net>(facts...).value()};
}

// ---- beside a device with memory of its own
static_assert(
    [] {
      const homes h = homes_of<net>(plain, apart);
      return h.of("matmul").home == 1 && h.of("tanh").home == -1 && h.of("relu").home == -1;
    }(),
    "only the product stays on the device: the others are touched from both sides");
static_assert(
    [] {
      const homes h = homes_of<net>(plain, apart);
      const mirror m = h.mirror_of("tanh", 1);
      return m.copied_before == h.group("matmul") && m.copied_after == -1 && m.bytes == 64 &&
             m.first == h.group("matmul") && m.last == h.group("matmul");
    }(),
    "tanh's result is copied before the product that reads it");
static_assert(
    [] {
      const homes h = homes_of<net>(plain, apart);
      const mirror m = h.mirror_of("relu", 1);
      return m.copied_before == -1 && m.copied_after == h.group("relu");
    }(),
    "relu's result is copied back after it was written, and nothing is copied there before");
static_assert([] {
  const owned_plan p = homes_of<net>(plain, apart).p;
  return p.mirrors.size() == 2 && p.moved.copies == 2 && p.moved.bytes_moved == 2 * 64 &&
         p.moved.crossings == 2 && p.moved.upload_bytes == 64;
}());

// ---- beside a device that can use the host's memory, and without any device
static_assert(
    [] {
      const homes h = homes_of<net>(plain, importing);
      return h.of("matmul").home == 1 && h.p.mirrors.size() == 0 && h.p.moved.copies == 0 &&
             h.p.moved.crossings == 2;
    }(),
    "nothing is copied where memory is imported");
static_assert(
    [] {
      const homes h = homes_of<net>(plain, plain);
      return h.of("matmul").home == -1 && h.p.mirrors.size() == 0 && h.p.moved.crossings == 2 &&
             h.p.moved.upload_bytes == 0;
    }(),
    "two policies in the host's memory");
static_assert(
    [] {
      const owned_plan p = homes_of<net>(apart, plain).p;
      return p.moved.crossings == 4;
    }(),
    "the caller's side counts too: x goes to the device, and the result comes back");

// ---- a value that is read on a device more than once is copied once, before the first reader
constexpr auto twice = [](auto x) {
  auto a = tn::tanh(x);
  return tn::on<1>(tn::matmul(tn::on<1>(tn::exp(a)), a));
};
using twice_net = tn::graph<twice, tn::input<"x", float, 4, 4>>;
static_assert([] {
  const homes h = homes_of<twice_net>(plain, apart);
  const mirror m = h.mirror_of("tanh", 1);
  return m.copied_before == h.group("exp") && m.first == h.group("exp") && m.last > m.first;
}());

// ---- each weight goes once to each policy that reads it
constexpr auto tied = [](auto x) {
  auto w = tn::weight<"w", float, 4, 4>;
  auto a = tn::on<1>(tn::matmul(tn::on<1>(tn::matmul(x, w)), w));
  return tn::on<2>(tn::matmul(a, w));
};
using tied_net = tn::graph<tied, tn::input<"x", float, 4, 4>>;
struct uploads {
  int count = 0, policies = 0;
  tn::i64 bytes = 0;
};
constexpr uploads uploads_of(const owned_plan& p) {
  uploads u;
  tn::plans::each_upload(p.view(), [&](int, int policy, tn::i64 bytes) {
    ++u.count;
    u.policies |= 1 << policy;
    u.bytes += bytes;
  });
  return u;
}
static_assert([] {
  const uploads u = uploads_of(planned<tied_net>(plain, apart, importing).value());
  return u.count == 2 && u.policies == 6 && u.bytes == 128;
}());
static_assert(uploads_of(planned<tied_net>(plain, apart, plain).value()).count == 1);

}  // namespace

TEST_CASE("a group touches memory that its policy reaches, and nothing else") {
  for (const tn::policy_facts& device : {apart, importing, plain}) {
    CAPTURE(device.name);
    const owned_plan p = homes_of<net>(plain, device).p;
    const tn::plan_view v = p.view();
    int uses = 0;
    tn::plans::each_use(v, [&](int holder, int policy, int first, int last, bool) {
      ++uses;
      CHECK(first == last);  // no scans
      const buffer& b = p.buffers[holder];
      const int home = tn::plans::home_of(v.policies, policy);
      if (b.home >= 0) CHECK(b.home == home);
      if (device.memory != tn::sharing::separate || policy == 0 || b.home == policy ||
          b.in == buffer::storage::weight)
        return;
      bool mirrored = false;
      for (const mirror& m : p.mirrors)
        mirrored = mirrored ||
                   (m.holder == holder && m.policy == policy && m.first <= first && m.last >= last);
      CHECK(mirrored);
    });
    CHECK(uses == 9);  // four results, and x, tanh, w, the product and relu as operands
  }
}
