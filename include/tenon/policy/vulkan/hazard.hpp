// Finds steps that touch the same bytes with no barrier between them. Validation layers see only
// descriptors, never what a shader does with a device address.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <tenon/base/platform.hpp>
#include <cstdint>
#include <span>
#include <vector>

namespace tenon {

/// Bytes that a step reads or writes, by address.
struct byte_range {
  std::uint64_t address = 0;
  i64 bytes = 0;
  bool writes = false;
  constexpr bool overlaps(const byte_range& other) const noexcept {
    return address < other.address + static_cast<std::uint64_t>(other.bytes) &&
           other.address < address + static_cast<std::uint64_t>(bytes);
  }
};

/// What ran since the last barrier. A memory barrier separates everything before it from everything
/// after it, so only steps of one stretch between two barriers are compared.
/// Cost: the product of a step's ranges and those of its stretch.
class hazard_list {
 public:
  /// Whether a step would have to wait for one since the last barrier: a read after a write, a
  /// write after a read, a write after a write.
  bool conflicts(std::span<const byte_range> step) const noexcept {
    for (const byte_range& mine : step)
      for (const entry& e : since_)
        if ((mine.writes || e.range.writes) && mine.overlaps(e.range)) return true;
    return false;
  }
  /// Enters a step. Its own ranges may overlap: an operator in place.
  /// Error: hazard, with the numbers of the first two steps that conflict (see `fault`); memory.
  error step(std::span<const byte_range> ranges) noexcept {
    const error bad = compare(ranges);
    if (fault_.ok()) fault_ = bad;
    const bool entered = platform::guarded(
        [&] {
          for (const byte_range& r : ranges) since_.push_back({r, steps_});
          return true;
        },
        [] { return false; });
    ++steps_;
    return entered ? bad : error{code::memory, "vulkan", "hazards"};
  }
  void barrier() noexcept { since_.clear(); }
  void clear() noexcept {
    since_.clear();
    steps_ = 0;
    fault_ = {};
  }
  int steps() const noexcept { return steps_; }
  /// The first hazard since `clear`: expected and found are the two steps.
  const error& fault() const noexcept { return fault_; }

 private:
  struct entry {
    byte_range range;
    int step;
  };
  error compare(std::span<const byte_range> ranges) const noexcept {
    for (const byte_range& mine : ranges)
      for (const entry& e : since_)
        if ((mine.writes || e.range.writes) && mine.overlaps(e.range))
          return {code::hazard, "vulkan", kind_of(e.range.writes, mine.writes), e.step, steps_};
    return {};
  }
  static constexpr const char* kind_of(bool first_writes, bool second_writes) noexcept {
    if (!first_writes) return "write after read";
    return second_writes ? "write after write" : "read after write";
  }

  std::vector<entry> since_;
  int steps_ = 0;
  error fault_{};
};

}  // namespace tenon
