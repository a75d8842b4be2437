// float16: a storage type of two bytes. What computes widens it to float and rounds results.
// SPDX-License-Identifier: MIT
#pragma once
#include <bit>
#include <cstdint>

namespace tenon {

namespace halves {

/// The bits of the nearest float16, ties to even: beyond 65,520 an infinity, NaN a quiet NaN with
/// what fits of its payload, as F16C has it.
constexpr std::uint16_t from_float(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
  std::uint32_t r = 0x7c00u;
  if (size > 0x7f800000u) {
    r = 0x7e00u | (size >> 13 & 0x3ffu);
  } else if (size >= 0x38800000u && size < 0x477ff000u) {  // normal: from 2^-14 up to 65,520
    r = (size + 0xfffu + (size >> 13 & 1u) - (112u << 23)) >> 13;
  } else if (size < 0x38800000u) {  // a multiple of 2^-24
    const std::uint32_t exponent = size >> 23;
    if (exponent < 102) return static_cast<std::uint16_t>(sign);
    const std::uint32_t digits = (size & 0x7fffffu) | 0x800000u, shift = 126 - exponent,
                        tie = 1u << (shift - 1), rest = digits & (2 * tie - 1);
    r = digits >> shift;
    r += rest > tie || (rest == tie && (r & 1u) != 0);
  }
  return static_cast<std::uint16_t>(sign | r);
}
/// Exact; a NaN becomes quiet.
constexpr float to_float(std::uint16_t half) noexcept {
  const std::uint32_t sign = (half & 0x8000u) << 16, size = half & 0x7fffu;
  if (size < 0x400u) {
    const float x = static_cast<float>(size) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(x));
  }
  const std::uint32_t quiet = size > 0x7c00u ? 0x400000u : 0u,
                      up = size >= 0x7c00u ? 224u << 23 : 112u << 23;
  return std::bit_cast<float>(sign | ((size << 13) + up) | quiet);
}

}  // namespace halves

/// An element of IEEE binary16. Conversions round to nearest, ties to even; there is no arithmetic.
struct float16 {
  std::uint16_t bits = 0;

  constexpr float16() = default;
  constexpr explicit float16(float x) : bits(halves::from_float(x)) {}
  static constexpr float16 of_bits(std::uint16_t b) {
    float16 h;
    h.bits = b;
    return h;
  }
  constexpr explicit operator float() const { return halves::to_float(bits); }
  constexpr explicit operator double() const { return static_cast<double>(halves::to_float(bits)); }
  /// As numbers: zeros are equal, NaN is not.
  friend constexpr bool operator==(float16 a, float16 b) {
    return static_cast<float>(a) == static_cast<float>(b);
  }
};
static_assert(sizeof(float16) == 2);

namespace halves {
/// A float rounded to what a float16 holds.
constexpr float rounded(float x) noexcept { return to_float(from_float(x)); }
}  // namespace halves

}  // namespace tenon
