// The hazard checker sees every pair of steps that a barrier does not separate. Needs no device.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/hazard.hpp>
#include "../../catch.hpp"
#include <random>

namespace tn = tenon;

namespace {
tn::byte_range reads(std::uint64_t at, tn::i64 bytes) { return {at, bytes, false}; }
tn::byte_range writes(std::uint64_t at, tn::i64 bytes) { return {at, bytes, true}; }
}  // namespace

TEST_CASE("reads of the same bytes need no barrier; every other pair does") {
  const tn::byte_range both[] = {reads(100, 50), writes(100, 50)};
  for (const auto& first : both)
    for (const auto& second : both) {
      tn::hazard_list list;
      REQUIRE(list.step({&first, 1}).ok());
      const bool harmless = !first.writes && !second.writes;
      CHECK(list.conflicts({&second, 1}) == !harmless);
      const tn::error e = list.step({&second, 1});
      CHECK(e.ok() == harmless);
      CHECK(list.fault() == e);
      if (!harmless) {
        CHECK(e.is(tn::code::hazard, "vulkan"));
        CHECK(e.expected == 0);
        CHECK(e.found == 1);
      }
    }
}

TEST_CASE("the error says which kind of hazard it is") {
  const auto kind = [](tn::byte_range a, tn::byte_range b) {
    tn::hazard_list list;
    (void)list.step({&a, 1});
    return list.step({&b, 1}).operand;
  };
  CHECK(kind(writes(0, 4), reads(0, 4)) == tn::name("read after write"));
  CHECK(kind(reads(0, 4), writes(0, 4)) == tn::name("write after read"));
  CHECK(kind(writes(0, 4), writes(3, 4)) == tn::name("write after write"));
}

TEST_CASE("neighbours do not touch, one byte of overlap does, a barrier separates") {
  tn::hazard_list list;
  const auto step = [&](tn::byte_range r) { return list.step({&r, 1}); };
  CHECK(step(writes(0, 16)).ok());
  CHECK(step(writes(16, 16)).ok());
  CHECK(step(writes(31, 1)).what == tn::code::hazard);
  list.clear();
  CHECK(step(writes(0, 16)).ok());
  list.barrier();
  CHECK(step(reads(0, 16)).ok());
  CHECK(step(writes(15, 4)).what == tn::code::hazard);
  CHECK(list.fault().expected == 1);
}

TEST_CASE("one step may read and write the same bytes") {
  tn::hazard_list list;
  const tn::byte_range in_place[] = {reads(0, 64), writes(0, 64)};
  CHECK(list.step(in_place).ok());
}

TEST_CASE("random lists: the same as comparing every pair of steps") {
  std::mt19937 random(7);
  const auto below = [&](unsigned n) { return random() % n; };
  int hazards = 0;
  for (int round = 0; round < 500; ++round) {
    struct entry {
      tn::byte_range range;
      int epoch;
    };
    std::vector<entry> all;
    tn::hazard_list list;
    int epoch = 0;
    bool bad = false;
    for (int i = 0; i < 8; ++i) {
      const tn::byte_range r{below(64), 1 + static_cast<tn::i64>(below(12)), below(3) == 0};
      for (const entry& e : all) {  // byte by byte
        bool touch = false;
        for (std::uint64_t b = r.address; b < r.address + static_cast<std::uint64_t>(r.bytes); ++b)
          touch = touch || (b >= e.range.address &&
                            b < e.range.address + static_cast<std::uint64_t>(e.range.bytes));
        bad = bad || (touch && (r.writes || e.range.writes) && e.epoch == epoch);
      }
      all.push_back({r, epoch});
      (void)list.step({&r, 1});
      if (below(2) == 0) list.barrier(), ++epoch;
    }
    CHECK(list.fault().ok() == !bad);
    hazards += bad;
  }
  CHECK(hazards > 50);
  CHECK(hazards < 450);
}
