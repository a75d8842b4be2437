// Common to all readers of files: sizes that cannot overflow, little-endian numbers, alignment.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace tenon {

static_assert(std::endian::native == std::endian::little,
              "view: files are read in place and are little-endian; this machine is not");

/// The little-endian number in these bytes.
constexpr std::uint64_t little_endian(std::span<const std::byte> bytes) noexcept {
  std::uint64_t n = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    n = n << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return n;
}

/// The number of bytes of a dense tensor of this shape, with `bits` bits for each element.
/// Error: capacity, when the number of bits exceeds 63-bit numbers (an extent of zero counts as one
/// here, so that no stride overflows either); size, when the bits do not fill the last byte.
constexpr result<i64> dense_bytes(const shape& s, i64 bits, const name& op,
                                  const name& operand) noexcept {
  constexpr i64 limit = std::numeric_limits<i64>::max();
  i64 product = bits;
  for (int i = 0; i < s.rank; ++i) {
    const i64 extent = s.extent[i] > 0 ? s.extent[i] : 1;
    if (product > limit / extent) return error{code::capacity, op, operand, limit, s};
    product *= extent;
  }
  const i64 total = s.count() * bits;
  if (total % 8 != 0) return error{code::size, op, operand, "whole bytes", s};
  return total / 8;
}

/// How many bytes the address lies behind a multiple of the element's size; 0 when it is aligned.
inline i64 misalignment(const void* address, type element) noexcept {
  return static_cast<i64>(reinterpret_cast<std::uintptr_t>(address) %
                          static_cast<std::uintptr_t>(size_bytes(element)));
}

}  // namespace tenon
