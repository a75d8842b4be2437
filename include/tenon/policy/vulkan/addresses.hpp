// Which buffer an address lies in: the 64-bit address space of one context.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/platform.hpp>
#include <tenon/policy/vulkan/loader.hpp>
#include <cstddef>
#include <map>
#include <mutex>

namespace tenon {

/// What an address means: a byte in a buffer.
struct vulkan_range {
  vk::Buffer buffer{};
  i64 offset = 0;             ///< of the address, in the buffer
  i64 bytes = 0;              ///< of the whole buffer
  std::byte* host = nullptr;  ///< the same byte for the host, where it can see it
  bool addressable = false;   ///< the device gave the address; false: a name that we gave
};

/// Live buffers by address. A buffer with a device address has that one. One without gets a range
/// of names of its own, above every address that a device gives out, and never used again, so that
/// a stale address is found out. Safe to use from several threads.
class vulkan_addresses {
 public:
  struct range {
    vk::Buffer buffer{};
    i64 bytes = 0;
    std::byte* host = nullptr;
    bool addressable = false;
  };

  /// Enters a buffer at the address that the device gave it, or (0) under a new name.
  /// Gives the address, or 0 when there is no memory for the entry.
  std::uint64_t enter(std::uint64_t address, const range& r) noexcept {
    const std::lock_guard lock(mutex_);
    const std::uint64_t at = address != 0 ? address : next_;
    const bool entered = platform::guarded(
        [&] {
          ranges_.emplace(at, r);
          return true;
        },
        [] { return false; });
    if (!entered) return 0;
    if (address == 0) next_ += (static_cast<std::uint64_t>(r.bytes) + 2 * gap - 1) / gap * gap;
    if (r.bytes > longest_) longest_ = r.bytes;
    return at;
  }
  void leave(std::uint64_t address, vk::Buffer buffer) noexcept {
    const std::lock_guard lock(mutex_);
    for (auto [at, end] = ranges_.equal_range(address); at != end; ++at)
      if (at->second.buffer == buffer) {
        ranges_.erase(at);
        return;
      }
  }

  /// The buffer in which [address, address + bytes) lies. Two imports of one page overlap: any of
  /// them is right.
  /// Error: freed, with the address found; size, when a buffer holds the first byte but not all.
  result<vulkan_range> find(std::uint64_t address, i64 bytes = 1) const noexcept {
    const std::lock_guard lock(mutex_);
    i64 left = -1;
    for (auto at = ranges_.upper_bound(address); at != ranges_.begin();) {
      --at;
      const range& r = at->second;
      const std::uint64_t offset = address - at->first;
      if (offset >= static_cast<std::uint64_t>(longest_)) break;
      const i64 rest = r.bytes - static_cast<i64>(offset);
      if (rest >= bytes && rest > 0)
        return vulkan_range{r.buffer, static_cast<i64>(offset), r.bytes,
                            r.host ? r.host + offset : nullptr, r.addressable};
      if (rest > left) left = rest;
    }
    if (left > 0) return error{code::size, "vulkan", "buffer", bytes, left};
    return error{code::freed, "vulkan", "address", {}, static_cast<i64>(address)};
  }

  /// True of names that are no device addresses.
  static constexpr bool is_name(std::uint64_t address) noexcept { return address >= first_name; }

 private:
  static constexpr std::uint64_t first_name = std::uint64_t{1} << 62;
  /// Between names: a multiple of every page, so that offsets in imported pages keep their
  /// alignment.
  static constexpr std::uint64_t gap = 1 << 16;

  mutable std::mutex mutex_;
  std::multimap<std::uint64_t, range> ranges_;
  std::uint64_t next_ = first_name;
  i64 longest_ = 0;
};

}  // namespace tenon
