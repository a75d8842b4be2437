// Where random graphs get their decisions from: a seed, a list of decisions to repeat, or bytes of
// a fuzzer. What was decided is written down, so that a failure can be repeated and shrunk.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/type.hpp>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tenon::trial {

/// splitmix64 (Steele, Lea and Flood 2014): the same numbers on every machine.
struct generator {
  std::uint64_t state = 0;
  constexpr std::uint64_t next() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  constexpr std::uint64_t below(std::uint64_t n) { return next() % n; }
  constexpr bool one_in(std::uint64_t n) { return below(n) == 0; }
  /// Between -1 and 1.
  constexpr float real() {
    return static_cast<float>(static_cast<std::int64_t>(next() >> 40) - (1 << 23)) / (1 << 23);
  }
};
/// A seed for part `number` of what `seed` stands for.
constexpr std::uint64_t seed_of(std::uint64_t seed, std::uint64_t number) {
  return generator{generator{seed}.next() ^ (number + 1) * 0xd1342543de82ef95ull}.next();
}

/// A stream of small decisions. 0 is always the simplest one: whoever shrinks a list of decisions
/// makes it shorter or its numbers smaller, and a list that has ended goes on with zeros.
class choices {
 public:
  using list = std::vector<std::uint32_t>;

  static choices from_seed(std::uint64_t seed) {
    choices c;
    c.source_ = source::seed;
    c.random_.state = seed;
    return c;
  }
  static choices from_list(list given) {
    choices c;
    c.given_ = std::move(given);
    return c;
  }
  /// The bytes must outlive the stream.
  static choices from_bytes(std::span<const std::uint8_t> bytes) {
    choices c;
    c.source_ = source::bytes;
    c.bytes_ = bytes;
    return c;
  }

  /// A number below `n`, which is below 2^32; 0 where there is none.
  int below(i64 n) {
    if (n < 1) n = 1;
    const auto v = static_cast<std::uint32_t>(raw(n) % static_cast<std::uint64_t>(n));
    decided_.push_back(v);
    return static_cast<int>(v);
  }
  int in(i64 low, i64 high) { return static_cast<int>(low) + below(high - low + 1); }
  /// True once in `n` times; false is the simpler answer.
  bool one_in(int n) { return below(n) == n - 1; }
  template <class T, std::size_t N> const T& pick(const T (&from)[N]) {
    return from[below(static_cast<i64>(N))];
  }
  /// What was decided so far.
  const list& taken() const { return decided_; }
  /// True when nothing but zeros is left.
  bool ended() const {
    return source_ == source::list ? at_ >= given_.size()
                                   : source_ == source::bytes && at_ >= bytes_.size();
  }

 private:
  enum class source { seed, list, bytes };
  std::uint64_t raw(i64 n) {
    if (source_ == source::seed) return random_.next() >> 32;
    if (ended()) return 0;
    if (source_ == source::list) return given_[at_++];
    std::uint64_t v = 0;
    for (i64 room = 1; room < n && at_ < bytes_.size(); room *= 256) v = v << 8 | bytes_[at_++];
    return v;
  }
  source source_ = source::list;
  generator random_{};
  list given_, decided_;
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

}  // namespace tenon::trial
