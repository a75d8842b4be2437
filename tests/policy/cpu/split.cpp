// Blocks, pieces and tiles: they cover everything once, none is larger than its limit, and few are
// small.
// SPDX-License-Identifier: MIT
#include <tenon/policy/cpu/split.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon::simd;
using tenon::i64;

// ---- one size, the last one smaller
static_assert(fixed_split(10, 4).count == 3 && fixed_split(12, 4).count == 3);
static_assert(fixed_split(10, 4).begin(2) == 8 && fixed_split(10, 4).size(2) == 2);
static_assert(fixed_split(12, 4).size(2) == 4, "no rest: the last one is whole");
static_assert(fixed_split(3, 4).count == 1 && fixed_split(3, 4).size(0) == 3);
static_assert(fixed_split(0, 4).count == 0);

// ---- a block size without a small block at the end
static_assert(even_size(100, 64, 1) == 50, "two of 50, not 64 and 36");
static_assert(even_size(100, 64, 16) == 64, "a multiple of the unit: 64 and 36 after all");
static_assert(even_size(130, 64, 16) == 48, "three of at most 64");
static_assert(even_size(64, 64, 16) == 64 && even_size(0, 64, 16) == 64);

// ---- sizes that differ by one at most
static_assert(even_split(7, 3).count == 3 && even_split(7, 3).size(0) == 3 &&
                  even_split(7, 3).size(1) == 2 && even_split(7, 3).size(2) == 2,
              "not 3, 3 and 1");
static_assert(even_split(7, 3).begin(1) == 3 && even_split(7, 3).begin(2) == 5);
static_assert(even_split(6, 3).count == 2 && even_split(6, 3).larger == 0);

static_assert(registers_of(0) == 0 && registers_of(1) == 1 && registers_of(width) == 1 &&
              registers_of(width + 1) == 2);

/// The blocks lie one behind the other from 0 to `n`, each of them with 1 to `limit` things.
template <class Split> constexpr bool covers(const Split& s, i64 n, i64 limit) {
  i64 end = 0;
  for (i64 i = 0; i < s.count; ++i) {
    if (s.begin(i) != end || s.size(i) < 1 || s.size(i) > limit) return false;
    end += s.size(i);
  }
  return end == n;
}

}  // namespace

TEST_CASE("every split covers everything once, in blocks within the limit") {
  for (i64 n = 1; n < 70; ++n)
    for (i64 limit = 1; limit < 20; ++limit) {
      CAPTURE(n, limit);
      CHECK(covers(fixed_split(n, limit), n, limit));
      CHECK(covers(even_split(n, limit), n, limit));
      CHECK(even_split(n, limit).count == (n + limit - 1) / limit);
      for (const i64 unit : {1, 4}) {
        const i64 whole = limit * unit, size = even_size(n, whole, unit);
        CHECK((size % unit == 0 && size <= whole));
        CHECK(fixed_split(n, size).count == fixed_split(n, whole).count);
      }
    }
}

TEST_CASE("by size: the larger blocks in one call, the others in a second one") {
  for (i64 n = 1; n < 70; ++n)
    for (i64 limit = 1; limit < 20; ++limit) {
      CAPTURE(n, limit);
      const even_split s(n, limit);
      i64 next = 0;
      int calls = 0, before = 0;
      s.by_size([&](i64 first, i64 count, int size) {
        CHECK(first == next);
        CHECK(count > 0);
        for (i64 i = first; i < first + count; ++i) CHECK(s.size(i) == size);
        CHECK((calls == 0 || size == before - 1));
        next = first + count;
        before = size;
        ++calls;
      });
      CHECK(next == s.count);
      CHECK(calls <= 2);
    }
}
