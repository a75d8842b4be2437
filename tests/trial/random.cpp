// Decisions for random graphs: the same from a seed, as a list again and from bytes, and zeros at
// the end.
// SPDX-License-Identifier: MIT
#include <tenon/trial/random.hpp>
#include "../catch.hpp"

namespace {

using tenon::trial::choices, tenon::trial::generator, tenon::trial::seed_of;

/// Number `n` of the generator, from 0 on.
constexpr std::uint64_t number(std::uint64_t seed, int n) {
  generator g{seed};
  while (n-- > 0) g.next();
  return g.next();
}
// Of splitmix64 as others publish it.
static_assert(number(0, 0) == 0xe220a8397b1dcdafull && number(0, 1) == 0x6e789e6aa1b965f4ull);
static_assert(number(1234567, 0) == 6457827717110365317ull &&
              number(1234567, 2) == 9817491932198370423ull);

static_assert(seed_of(1, 0) == seed_of(1, 0));
static_assert(seed_of(1, 0) != seed_of(1, 1) && seed_of(1, 0) != seed_of(2, 0) &&
                  seed_of(0, 0) != 0,
              "parts of one seed, and the same part of two");

static_assert([] {
  generator g{5};
  float least = 0, greatest = 0;
  for (int i = 0; i < 1000; ++i) {
    const float x = g.real();
    least = x < least ? x : least;
    greatest = x > greatest ? x : greatest;
  }
  return least >= -1 && least < -0.9f && greatest <= 1 && greatest > 0.9f;
}());

}  // namespace

TEST_CASE("what a seed decided, repeated as a list, decides the same") {
  const auto draw = [](choices& d) {
    choices::list all;
    for (int i = 1; i < 100; ++i) all.push_back(static_cast<std::uint32_t>(d.below(i * i)));
    for (int i = 0; i < 20; ++i) all.push_back(d.one_in(3));
    return all;
  };
  choices first = choices::from_seed(7);
  const choices::list drawn = draw(first);
  choices again = choices::from_list(first.taken());
  CHECK(draw(again) == drawn);
  CHECK(again.taken() == first.taken());
  CHECK(again.ended());
  CHECK_FALSE(first.ended());
  choices other = choices::from_seed(8);
  CHECK(draw(other) != drawn);
}

TEST_CASE("a list that has ended goes on with zeros, the simplest answers") {
  choices d = choices::from_list({5, 9});
  CHECK(d.below(10) == 5);
  CHECK_FALSE(d.ended());
  CHECK(d.below(4) == 1);  // 9 is too large, as after a change by a shrinker
  CHECK(d.ended());
  CHECK(d.below(10) == 0);
  CHECK(d.in(4, 8) == 4);
  CHECK_FALSE(d.one_in(3));
  CHECK(d.taken() == choices::list{5, 1, 0, 0, 0});
}

TEST_CASE("a range of numbers holds both ends, and nothing to choose from is 0") {
  choices d = choices::from_list({4, 0, 2, 7, 7});
  CHECK(d.in(4, 8) == 8);
  CHECK(d.in(-3, 8) == -3);
  CHECK(d.one_in(3));
  CHECK(d.below(0) == 0);
  CHECK(d.below(-1) == 0);
  constexpr int primes[] = {2, 3, 5};
  CHECK(d.pick(primes) == 2);
}

TEST_CASE("a decision takes as many bytes as it needs") {
  constexpr std::uint8_t bytes[] = {3, 2, 1, 9};
  choices d = choices::from_bytes(bytes);
  CHECK(d.below(1) == 0);  // none
  CHECK(d.below(256) == 3);
  CHECK(d.below(65536) == 0x201);
  CHECK_FALSE(d.ended());
  CHECK(d.below(65536) == 9);  // one is left
  CHECK(d.ended());
  CHECK(d.below(256) == 0);
}
