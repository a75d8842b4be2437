// Memory: offsets of toy and of random lifetimes, checked by brute force, and the arenas of known
// nets.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "toy.hpp"
#include <cstdio>
#include <random>

namespace tn = tenon;
using namespace tenon_test;
using tn::plans::lifetime, tn::sequence;

namespace {

constexpr sequence<lifetime> lifetimes(std::initializer_list<lifetime> all) {
  sequence<lifetime> r;
  for (const lifetime& l : all) r.push(l);
  return r;
}
constexpr tn::i64 arena(std::initializer_list<lifetime> all) {
  sequence<lifetime> s = lifetimes(all);
  return tn::plans::reserve(s);
}
constexpr tn::i64 bound(std::initializer_list<lifetime> all) {
  return tn::plans::least_bytes(lifetimes(all));
}

static_assert(arena({}) == 0 && bound({}) == 0);
static_assert(arena({{64, 0, 0}}) == 64);
static_assert(arena({{64, 0, 1}, {64, 2, 3}}) == 64, "one after the other share");
static_assert(arena({{64, 0, 1}, {64, 1, 3}}) == 128, "both ends are included");
static_assert(arena({{64, 0, 1}, {128, 1, 2}, {64, 2, 3}}) == 192 &&
              bound({{64, 0, 1}, {128, 1, 2}, {64, 2, 3}}) == 192);
static_assert(arena({{256, 0, 9}, {64, 0, 0}, {64, 1, 1}, {64, 2, 2}}) == 320);
static_assert(arena({{0, 0, 9}, {64, 0, 9}}) == 64, "empty buffers take no room");
static_assert(bound({{64, 0, 4}, {64, 1, 2}, {64, 3, 4}}) == 128);
// The smallest gap that fits: 960..1216, not the first one, 320..640.
static_assert([] {
  sequence<lifetime> s =
      lifetimes({{64, 1, 1}, {320, 0, 1}, {128, 0, 1}, {320, 0, 0}, {256, 0, 0}, {320, 0, 1}});
  return tn::plans::reserve(s) == 1344 && s[0].offset == 960;
}());
// What is dead leaves room in front.
static_assert([] {
  sequence<lifetime> s = lifetimes({{256, 0, 1}, {128, 1, 3}, {64, 2, 3}});
  return tn::plans::reserve(s) == 384 && s[0].offset == 0 && s[1].offset == 256 && s[2].offset == 0;
}());

/// Independent of `reserve`: paints every byte range step by step.
bool any_overlap(const sequence<lifetime>& all, tn::i64 bytes) {
  for (int step = 0; step < 64; ++step)
    for (int i = 0; i < all.size(); ++i) {
      if (all[i].first > step || all[i].last < step) continue;
      if (all[i].offset < 0 || all[i].offset + all[i].bytes > bytes) return true;
      for (int k = 0; k < i; ++k) {
        if (all[k].first > step || all[k].last < step) continue;
        const bool apart = all[i].offset + all[i].bytes <= all[k].offset ||
                           all[k].offset + all[k].bytes <= all[i].offset;
        if (!apart) return true;
      }
    }
  return false;
}
tn::i64 most_live(const sequence<lifetime>& all) {
  tn::i64 most = 0;
  for (int step = 0; step < 64; ++step) {
    tn::i64 sum = 0;
    for (const lifetime& l : all) sum += l.first <= step && step <= l.last ? l.bytes : 0;
    most = std::max(most, sum);
  }
  return most;
}

// Known nets meet the bound exactly.
template <class Graph> constexpr bool meets_bound(const tn::policy_facts& f) {
  const tn::owned_plan p = planned<Graph>(f).value();
  return p.shared_bytes == p.live_bytes && p.shared_bytes > 0;
}
static_assert(meets_bound<lenet_graph>(fusing) && meets_bound<lenet_graph>(plain));
static_assert(planned<lenet_graph>(fusing)->shared_bytes == (8 * 28 * 28 + 8 * 14 * 14) * 4,
              "the first image and its pool");

template <int C> inline constexpr auto block = [](auto x, int i) {
  constexpr tn::conv2d_options pad{.padding = {1, 1, 1, 1}};
  (void)i;
  auto y =
      tn::relu(tn::conv2d<pad>(x, tn::weight<"a", float, C, C, 3, 3>, tn::weight<"ab", float, C>));
  return tn::relu(
      tn::conv2d<pad>(y, tn::weight<"b", float, C, C, 3, 3>, tn::weight<"bb", float, C>) + x);
};
constexpr auto residual = [](auto x) {
  constexpr tn::conv2d_options pad{.padding = {1, 1, 1, 1}},
      down{.padding = {1, 1, 1, 1}, .strides = {2, 2}};
  auto y = tn::relu(tn::conv2d<pad>(x, tn::weight<"stem", float, 8, 3, 3, 3>));
  for (int i = 0; i < 3; ++i) y = block<8>(y, i);
  auto s =
      tn::conv2d<tn::conv2d_options{.strides = {2, 2}}>(y, tn::weight<"skip", float, 16, 8, 1, 1>);
  auto z = tn::relu(tn::conv2d<down>(y, tn::weight<"d1", float, 16, 8, 3, 3>));
  z = tn::relu(tn::conv2d<pad>(z, tn::weight<"d2", float, 16, 16, 3, 3>) + s);
  auto p = tn::averagePool2d<tn::pool2d_options{}>(z);
  return tn::softmax<1>(tn::gemm(tn::reshape<1, 16>(p), tn::weight<"fc", float, 16, 10>));
};
using residual_graph = tn::graph<residual, tn::input<"x", float, 1, 3, 16, 16>>;
static_assert(meets_bound<residual_graph>(fusing) && meets_bound<residual_graph>(plain));

constexpr auto attention = [](auto x) {  // two heads of 8 over 12 tokens of 16
  auto q =
      tn::transpose<1, 0, 2>(tn::reshape<12, 2, 8>(tn::matmul(x, tn::weight<"q", float, 16, 16>)));
  auto k =
      tn::transpose<1, 2, 0>(tn::reshape<12, 2, 8>(tn::matmul(x, tn::weight<"k", float, 16, 16>)));
  auto v =
      tn::transpose<1, 0, 2>(tn::reshape<12, 2, 8>(tn::matmul(x, tn::weight<"v", float, 16, 16>)));
  auto y = tn::matmul(tn::softmax<2>(tn::matmul(q, k) * 0.35f), v);
  auto o =
      tn::matmul(tn::reshape<12, 16>(tn::transpose<1, 0, 2>(y)), tn::weight<"o", float, 16, 16>);
  return tn::relu(o + x);
};
using attention_graph = tn::graph<attention, tn::input<"x", float, 12, 16>>;
static_assert(meets_bound<attention_graph>(fusing) && meets_bound<attention_graph>(plain));

}  // namespace

TEST_CASE("random lifetimes never overlap and the bound is what is live") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  int above = 0;
  double worst = 1;
  constexpr int rounds = 400;
  for (int round = 0; round < rounds; ++round) {
    sequence<lifetime> all;
    const int n = 1 + below(40);
    for (int i = 0; i < n; ++i) {
      const int first = below(64),
                last = std::min(63, first + (below(4) == 0 ? below(40) : below(4)));
      all.push({64 * tn::i64{below(20)}, first, last});
    }
    const tn::i64 bytes = tn::plans::reserve(all), least = tn::plans::least_bytes(all);
    CHECK_FALSE(any_overlap(all, bytes));
    CHECK(least == most_live(all));
    CHECK(bytes >= least);
    above += bytes > least;
    if (least > 0) worst = std::max(worst, static_cast<double>(bytes) / static_cast<double>(least));
  }
  std::printf("reserve: above the lower bound in %d of %d random cases, at worst %.2f times it\n",
              above, rounds, worst);
  CHECK(worst < 2.0);
}
