// What holds every value's elements and how long: in place, as a copy at the end, or in the arena
// from the first group that writes to the last one that reads.
// SPDX-License-Identifier: MIT
#include <tenon/language/scan.hpp>
#include <tenon/plan/storage.hpp>
#include "../catch.hpp"
#include "toy.hpp"

namespace tn = tenon;
using namespace tenon_test;
using tn::plans::buffer, tn::owned_plan, tn::i64;
using storage = buffer::storage;

namespace {

template <auto Model> using on_square = tn::graph<Model, tn::input<"x", float, 4, 4>>;
template <auto Model> constexpr owned_plan plan_of() {
  return planned<on_square<Model>>(plain).value();
}
constexpr bool is(const buffer& b, storage in, int index) { return b.in == in && b.index == index; }
constexpr bool lives(const buffer& b, int first, int last) {
  return b.in == storage::arena && b.first == first && b.last == last;
}

// ---- leaves, and a result that is written where the caller wants it
constexpr auto chain = [](auto x) {
  auto a = tn::matmul(x, tn::weight<"v", float, 4, 4>);
  auto b = tn::matmul(a, tn::weight<"w", float, 4, 4>);
  return tn::matmul(b, a);
};  // x 0, v 1, a 2, w 3, b 4, the result 5
static_assert([] {
  const owned_plan p = plan_of<chain>();
  return is(p.buffers[0], storage::input, 0) && is(p.buffers[1], storage::weight, 0) &&
         is(p.buffers[3], storage::weight, 1) && is(p.buffers[5], storage::output, 0) &&
         p.copies_out.size() == 0 && p.buffers[0].bytes == 64;
}());
static_assert(
    [] {
      const owned_plan p = plan_of<chain>();
      return lives(p.buffers[2], 0, 2) && lives(p.buffers[4], 1, 2);
    }(),
    "a lives until the last product reads it, b from the second one on");

// ---- what cannot be written in place is copied
constexpr auto same_twice = [](auto x) {
  auto y = tn::exp(x);
  return tn::outputs(y, y);
};
static_assert(
    [] {
      const owned_plan p = plan_of<same_twice>();
      return is(p.buffers[1], storage::output, 0) && p.copies_out.size() == 1 &&
             p.copies_out[0].node == 1 && p.copies_out[0].output == 1;
    }(),
    "one output holds it, the other is a copy");
constexpr auto passed = [](auto x) { return tn::outputs(x, tn::exp(x)); };
static_assert(
    [] {
      const owned_plan p = plan_of<passed>();
      return is(p.buffers[0], storage::input, 0) && p.copies_out.size() == 1 &&
             p.copies_out[0].node == 0;
    }(),
    "an input stays an input");

// ---- views
constexpr auto turned = [](auto x) { return tn::transpose<>(tn::matmul(x, x)); };
static_assert(
    [] {
      const owned_plan p = plan_of<turned>();
      return lives(p.buffers[1], 0, 1) && is(p.buffers[2], storage::output, 0);
    }(),
    "another order is written by a group of its own, until which the product lives");
constexpr auto reshaped = [](auto x) { return tn::reshape<16>(tn::exp(x)); };
static_assert(
    [] {
      const owned_plan p = plan_of<reshaped>();
      return is(p.buffers[1], storage::output, 0) && p.copies_out.size() == 0;
    }(),
    "another shape of the same elements is no copy");

// ---- nothing holds what lives inside of a group
constexpr auto activated = [](auto x) { return tn::relu(tn::exp(x) + x); };
static_assert(
    [] {
      const owned_plan p = planned<on_square<activated>>(fusing).value();
      int holders = 0;
      for (const buffer& b : p.buffers) holders += b.in != storage::none;
      return holders == 2 && p.grouped.groups.size() == 1;
    }(),
    "the input and the output");

// ---- scans: what a body reads from outside lives as long as the body
constexpr auto sums = [](auto x) {
  auto a = tn::exp(x);
  return tn::tanh(tn::cumulativeSum<tn::cumulativeSum_options{.axis = 0}>(a));
};
constexpr tn::plans::body_groups body_of(const owned_plan& p) {
  const tn::table_view t = p.table.view();
  return tn::plans::bodies_of(t, {p.grouped.of.data(), p.grouped.of.size()})[0];
}
static_assert(
    [] {
      const owned_plan p = plan_of<sums>();
      const tn::plans::body_groups body = body_of(p);
      const buffer& a = p.buffers[1];
      return a.in == storage::arena && a.first == 0 && a.last == body.last && body.first > 0;
    }(),
    "every step reads a part of it");
static_assert(
    [] {
      const owned_plan p = plan_of<sums>();
      int moving = 0;
      for (const tn::scanning& s : p.table.view().scans)
        if (s.enters() || p.table.nodes[s.node].operands > 0) {
          const int moved = s.enters() ? s.node : p.table.nodes[s.node].in[0];
          moving += p.buffers[moved].in == storage::step;
        }
      return moving >= 2;
    }(),
    "what a step reads or writes at moving addresses has no memory of its own");

}  // namespace

TEST_CASE("an arena buffer lives from the group that writes it to the last one that touches it") {
  const auto check = [](const owned_plan& p) {
    for (int i = 0; i < p.table.nodes.size(); ++i) {
      const int g = p.grouped.of[i];
      if (g < 0) continue;
      const tn::node& n = p.table.nodes[i];
      for (int k = 0; k < n.operands; ++k) {
        const buffer& b = p.buffers[p.locations[n.in[k]].holder];
        if (b.in == storage::arena) CHECK((b.first <= g && g <= b.last));
      }
      const buffer& b = p.buffers[p.locations[i].holder];
      if (p.locations[i].materialised && b.in == storage::arena)
        CHECK((b.first <= g && g <= b.last));
    }
  };
  check(plan_of<chain>());
  check(plan_of<turned>());
  check(plan_of<sums>());
  check(planned<lenet_graph>(plain).value());
  check(planned<lenet_graph>(fusing).value());
}

TEST_CASE("every output is written by one buffer or by one copy") {
  const auto check = [](const owned_plan& p) {
    for (int o = 0; o < p.table.outputs.size(); ++o) {
      int writers = 0;
      for (const buffer& b : p.buffers) writers += is(b, storage::output, o);
      for (const tn::plans::output_copy& c : p.copies_out) writers += c.output == o;
      CHECK(writers == 1);
    }
  };
  check(plan_of<same_twice>());
  check(plan_of<passed>());
  check(plan_of<turned>());
  check(planned<lenet_graph>(fusing).value());
}
