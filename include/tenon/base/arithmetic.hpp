// The primitive arithmetic that defines results: operations on floats and integers with one meaning
// in constant expressions and at run time, on every compiler.
// SPDX-License-Identifier: MIT
#pragma once
#include <bit>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace tenon::arithmetic {

/// Hides a value from the optimiser: g++ contracts `a * b + c` into an fma by default, and a header
/// cannot set the user's flags. Costs nothing but the contraction.
inline void hide(float& x) noexcept {
#if defined(__SSE2__)
  asm("" : "+x"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#elif defined(__arm__) && defined(__ARM_FP)
  asm("" : "+t"(x));
#else
  asm("" : "+r"(x));
#endif
}

constexpr bool is_nan(float x) noexcept {
  return (std::bit_cast<std::uint32_t>(x) & 0x7fffffffu) > 0x7f800000u;
}
constexpr bool is_infinite(float x) noexcept {
  return (std::bit_cast<std::uint32_t>(x) & 0x7fffffffu) == 0x7f800000u;
}
constexpr float abs(float x) noexcept {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) & 0x7fffffffu);
}
constexpr float neg(float x) noexcept {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(x) ^ 0x80000000u);
}

/// The forms for constant expressions, where compilers have no fma or sqrt, and where a result that
/// overflows or is a new NaN is an error on one compiler or the other: sums, products and quotients
/// are formed in double, which cannot overflow and is wide enough that the second rounding does no
/// harm (Figueroa 1995); NaN is set by hand. At run time they give the same bits, slowly.
namespace constant {

// Written with few statements and calls: clang counts them (1,048,576 per constant expression).

inline constexpr float none = std::numeric_limits<float>::quiet_NaN();
inline constexpr float inf = std::numeric_limits<float>::infinity();

constexpr float add(float a, float b) noexcept {
  return a != a || b != b || (a == -b && (a == inf || a == -inf))
             ? none
             : static_cast<float>(static_cast<double>(a) + b);
}
constexpr float mul(float a, float b) noexcept {
  return a != a || b != b || (a == 0.0f && (b == inf || b == -inf)) ||
                 (b == 0.0f && (a == inf || a == -inf))
             ? none
             : static_cast<float>(static_cast<double>(a) * b);
}

constexpr float div(float a, float b) noexcept {
  if (is_nan(a) || is_nan(b) || (a == 0.0f && b == 0.0f) || (is_infinite(a) && is_infinite(b)))
    return none;
  if (b != 0.0f) return static_cast<float>(static_cast<double>(a) / b);
  const auto sign =
      (std::bit_cast<std::uint32_t>(a) ^ std::bit_cast<std::uint32_t>(b)) & 0x80000000u;
  return std::bit_cast<float>(sign | 0x7f800000u);
}

/// When the double sum lies on a tie between two floats or below the normal range: rounds the
/// double sum to odd first (Boldo and Melquiond 2008).
constexpr float fma_tie(float a, float b, float c) noexcept {
  const double p = static_cast<double>(a) * b, z = c, s = p + z;
  const double back = s - p, lost = (p - (s - back)) + (z - back);  // Knuth's two-sum
  if (lost == 0.0) return static_cast<float>(s);
  auto bits = std::bit_cast<std::int64_t>(s);
  if ((bits & 1) == 0) bits += (lost > 0) == (s > 0) ? 1 : -1;
  return static_cast<float>(std::bit_cast<double>(bits));
}
constexpr float fma(float a, float b, float c) noexcept {
  if (!(a > -inf && a < inf && b > -inf && b < inf && c > -inf && c < inf)) {
    const float p = mul(a, b);  // infinite or NaN, unless c is
    return is_infinite(c) && !is_nan(p) && !(is_infinite(a) || is_infinite(b)) ? c : add(p, c);
  }
  const double s = static_cast<double>(a) * b + c;
  const bool easy = (std::bit_cast<std::uint64_t>(s) & 0x1fffffff) != 0x10000000 &&
                    (s == 0.0 || s >= 1.2e-38 || s <= -1.2e-38);
  return easy ? static_cast<float>(s) : fma_tie(a, b, c);
}

constexpr float round_even(float x) noexcept {
  constexpr float big = 8388608.0f;  // 2^23: from here every float is integral
  const float m = arithmetic::abs(x);
  if (!(m < big)) return x;
  const float r = (m + big) - big;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(r) |
                              (std::bit_cast<std::uint32_t>(x) & 0x80000000u));
}
constexpr float floor(float x) noexcept {
  const float r = round_even(x);
  return r > x ? r - 1.0f : r;
}

/// Newton's iteration in double, whose 53 bits decide every float (a float square root is never
/// close enough to a tie to be misrounded from double).
constexpr float sqrt(float x) noexcept {
  if (!(x > 0.0f)) return x == 0.0f ? x : none;
  if (is_infinite(x)) return x;
  const double d = x;
  double r = std::bit_cast<double>((std::bit_cast<std::uint64_t>(d) >> 1) + 0x1ff8000000000000ull);
  for (int i = 0; i < 6; ++i) r = 0.5 * (r + d / r);
  return static_cast<float>(r);
}

}  // namespace constant

constexpr float add(float a, float b) noexcept {
  return std::is_constant_evaluated() ? constant::add(a, b) : a + b;
}
constexpr float sub(float a, float b) noexcept {
  return std::is_constant_evaluated() ? constant::add(a, neg(b)) : a - b;
}
/// The product, rounded once: never contracted into a following sum.
constexpr float mul(float a, float b) noexcept {
  if (std::is_constant_evaluated()) return constant::mul(a, b);
  float p = a * b;
  hide(p);
  return p;
}
/// The quotient; a division by zero gives an infinity or NaN.
constexpr float div(float a, float b) noexcept {
  return std::is_constant_evaluated() ? constant::div(a, b) : a / b;
}
/// Fused multiply-add, `a * b + c` rounded once.
constexpr float fma(float a, float b, float c) noexcept {
  return std::is_constant_evaluated() ? constant::fma(a, b, c) : __builtin_fmaf(a, b, c);
}

/// Minimum and maximum as WebNN has them: a NaN operand gives NaN. Of zeros with different signs
/// the first operand is returned.
constexpr float min(float a, float b) noexcept { return b < a || b != b ? b : a; }
constexpr float max(float a, float b) noexcept { return b > a || b != b ? b : a; }

/// Rounds to an integral value, ties to even.
constexpr float round_even(float x) noexcept {
  return std::is_constant_evaluated() ? constant::round_even(x) : __builtin_rintf(x);
}
constexpr float floor(float x) noexcept {
  return std::is_constant_evaluated() ? constant::floor(x) : __builtin_floorf(x);
}
/// Correctly rounded square root.
constexpr float sqrt(float x) noexcept {
  return std::is_constant_evaluated() ? constant::sqrt(x) : __builtin_sqrtf(x);
}
/// Truncation to int32; outside the range (and for NaN) the most negative value, as SSE has it.
constexpr std::int32_t to_int(float x) noexcept {
  return x > -2147483648.0f && x < 2147483648.0f ? static_cast<std::int32_t>(x)
                                                 : std::numeric_limits<std::int32_t>::min();
}
constexpr std::int32_t wrap(std::uint32_t x) noexcept { return static_cast<std::int32_t>(x); }
constexpr std::uint32_t word(std::int32_t x) noexcept { return static_cast<std::uint32_t>(x); }
constexpr std::int64_t wrap(std::uint64_t x) noexcept { return static_cast<std::int64_t>(x); }
constexpr std::uint64_t word(std::int64_t x) noexcept { return static_cast<std::uint64_t>(x); }

/// Truncation to int64; outside the range (and for NaN) the most negative value.
constexpr std::int64_t to_wide(float x) noexcept {
  return x >= -0x1p63f && x < 0x1p63f ? static_cast<std::int64_t>(x)
                                      : std::numeric_limits<std::int64_t>::min();
}
/// Truncation to uint64; what `to_wide` gives outside the range.
constexpr std::uint64_t to_wide_unsigned(float x) noexcept {
  return x >= 0x1p63f && x < 0x1p64f ? static_cast<std::uint64_t>(x) : word(to_wide(x));
}

/// The quotient of integers, truncated; it wraps around. Division by zero gives 0.
template <class Unsigned> constexpr Unsigned quotient(Unsigned a, Unsigned b) noexcept {
  return b == 0 ? 0 : a / b;
}
template <class Unsigned> constexpr Unsigned signed_quotient(Unsigned a, Unsigned b) noexcept {
  if (b == 0) return 0;
  return b == static_cast<Unsigned>(-1) ? static_cast<Unsigned>(0 - a) : word(wrap(a) / wrap(b));
}
/// The power of integers; it wraps around. A negative exponent means the truncated quotient of 1
/// and the power: 0 but for the bases 1 and -1.
template <class Unsigned> constexpr Unsigned power(Unsigned base, Unsigned exponent) noexcept {
  Unsigned r = 1;
  for (; exponent != 0; exponent >>= 1) {
    if ((exponent & 1) != 0) r *= base;
    base *= base;
  }
  return r;
}
template <class Unsigned>
constexpr Unsigned signed_power(Unsigned base, Unsigned exponent) noexcept {
  if (wrap(exponent) >= 0) return power(base, exponent);
  const bool odd = (exponent & 1) != 0, minus = base == static_cast<Unsigned>(-1);
  return base == 1 || (minus && !odd) ? 1 : minus ? base : 0;
}

}  // namespace tenon::arithmetic
