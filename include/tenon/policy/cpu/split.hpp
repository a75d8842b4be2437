// How many things are cut into blocks for the cache, pieces for threads, tiles for registers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/simd.hpp>

namespace tenon::simd {

/// `n` things in blocks of one size, the last one smaller. For sizes that a layout dictates, such
/// as whole panels.
struct fixed_split {
  i64 n = 0, block = 1, count = 1;
  constexpr fixed_split(i64 things, i64 size)
      : n(things), block(size), count((things + size - 1) / size) {}
  constexpr i64 begin(i64 i) const { return i * block; }
  constexpr i64 size(i64 i) const { return i + 1 < count ? block : n - i * block; }
};
/// A block size, a multiple of `unit` and at most `limit`, that leaves no small block at the end.
constexpr i64 even_size(i64 n, i64 limit, i64 unit) {
  const i64 count = (n + limit - 1) / limit, each = count > 0 ? (n + count - 1) / count : limit;
  return (each + unit - 1) / unit * unit;
}
/// `n` things in as few blocks of at most `limit` as possible, whose sizes differ by one at most: 7
/// registers become tiles of 3, 2 and 2. A tile of 1 would load as much as one of 3, for a third of
/// the work.
struct even_split {
  i64 count = 1, least = 0, larger = 0;  ///< the first `larger` blocks have one more than `least`
  constexpr even_split(i64 n, i64 limit) : count((n + limit - 1) / limit) {
    least = n / count;
    larger = n % count;
  }
  constexpr i64 begin(i64 i) const { return i * least + (i < larger ? i : larger); }
  constexpr i64 size(i64 i) const { return least + (i < larger); }
  /// Calls `go(first, count, size)` for the larger blocks, then for the others.
  template <class Go> constexpr void by_size(const Go& go) const {
    if (larger > 0) go(i64{0}, larger, static_cast<int>(least + 1));
    if (larger < count) go(larger, count - larger, static_cast<int>(least));
  }
};
constexpr i64 registers_of(i64 n) { return (n + width - 1) / width; }

}  // namespace tenon::simd
