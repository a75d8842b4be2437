// The primitives of scalar programs on SIMD registers: arithmetic, comparisons, integers, halves.
//
// Each gives the bits of its scalar definition in base/arithmetic.hpp, so that programs have the
// same results on `cpu` and `reference`, and with registers of any width. Comments say where xsimd
// or an instruction differs from the definition: NaN, ties, the sign of zero, conversions out of
// range.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/half.hpp>
#include <tenon/policy/cpu/simd.hpp>

// g++ 12 warns of undefined operands in its own intrinsics wherever they are inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace tenon::simd {

/// One primitive on real registers. A product is hidden from the compiler, which would otherwise
/// contract it with a following sum to an fma and so skip a rounding. neg and abs work on the sign
/// bit: NaN and zeros keep their other bits.
template <sop O> [[gnu::always_inline]] inline real apply_real(real a, real b, real c) noexcept {
  if constexpr (O == sop::add)
    return a + b;
  else if constexpr (O == sop::sub)
    return a - b;
  else if constexpr (O == sop::mul)
    return hidden(a * b);
  else if constexpr (O == sop::div)
    return a / b;
  else if constexpr (O == sop::fma)
    return fma(a, b, c);
  else if constexpr (O == sop::neg)
    return as_real(as_integer(a) ^ integer(std::numeric_limits<std::int32_t>::min()));
  else if constexpr (O == sop::abs)
    return as_real(as_integer(a) & integer(std::numeric_limits<std::int32_t>::max()));
  else if constexpr (O == sop::min)
    return min(a, b);
  else if constexpr (O == sop::max)
    return max(a, b);
  else if constexpr (O == sop::sqrt)
    return xsimd::sqrt(a);
  else if constexpr (O == sop::floor)
    return floor(a);
  else if constexpr (O == sop::round_even)
    return xsimd::nearbyint(a);
  else
    static_assert(O == sop::add, "cpu: not a primitive on real registers");
}
/// Ordered comparisons: false where an operand is NaN.
template <sop O> [[gnu::always_inline]] inline mask compare(real a, real b) noexcept {
  if constexpr (O == sop::less)
    return a < b;
  else if constexpr (O == sop::less_equal)
    return a <= b;
  else
    return a == b;
}
/// Comparisons of integers, as masks of real registers. xsimd 8 has no cast between the two kinds
/// of masks. So without AVX-512 the result is computed as a word whose sign bit is the truth value:
/// x < y where x is negative and y is not, or where the signs agree and x - y is negative.
template <sop O> [[gnu::always_inline]] inline mask compare(integer a, integer b) noexcept {
#if defined(__AVX512F__)
  if constexpr (O == sop::int_less)
    return mask(_mm512_cmplt_epi32_mask(a, b));
  else if constexpr (O == sop::int_less_equal)
    return mask(_mm512_cmple_epi32_mask(a, b));
  else
    return mask(_mm512_cmpeq_epi32_mask(a, b));
#else
  const integer differ = a ^ b, ones(-1);
  const auto less = [&](integer x, integer y) {
    return to_mask(as_real((x & (y ^ ones)) | ((differ ^ ones) & (x - y))));
  };
  if constexpr (O == sop::int_less)
    return less(a, b);
  else if constexpr (O == sop::int_less_equal)
    return !less(b, a);
  else
    return !to_mask(as_real(differ | (integer(0) - differ)));
#endif
}
/// Comparison of uint32: flipping the highest bit maps their order to that of int32.
[[gnu::always_inline]] inline mask less_unsigned(integer a, integer b) noexcept {
  const integer sign(std::numeric_limits<std::int32_t>::min());
  return compare<sop::int_less>(a ^ sign, b ^ sign);
}
/// The low byte as an int8, its sign extended to the word: bit 7 is flipped and 128 subtracted.
[[gnu::always_inline]] inline integer low_int8(integer a) noexcept {
  return ((a & integer(255)) ^ integer(128)) - integer(128);
}

/// Loads a register of float16 and widens it, which is exact. The zero-masked intrinsics have their
/// reason at the shifts below. Without F16C each element is converted by itself.
[[gnu::always_inline]] inline real load_halves(const void* p) noexcept {
#if defined(__AVX512F__)
  __m256i x;
  std::memcpy(&x, p, sizeof(x));
  return _mm512_maskz_cvtph_ps(0xffff, x);
#elif defined(__F16C__)
  __m128i x;
  std::memcpy(&x, p, sizeof(x));
  return _mm256_cvtph_ps(x);
#else
  std::uint16_t x[width];
  alignas(64) float wide[width];
  std::memcpy(x, p, sizeof(x));
  for (int i = 0; i < width; ++i) wide[i] = halves::to_float(x[i]);
  return real::load_aligned(wide);
#endif
}
/// Rounds to float16, ties to even, and stores.
[[gnu::always_inline]] inline void store_halves(real x, void* p) noexcept {
#if defined(__AVX512F__)
  const __m256i y = _mm512_maskz_cvtps_ph(0xffff, x, _MM_FROUND_TO_NEAREST_INT);
  std::memcpy(p, &y, sizeof(y));
#elif defined(__F16C__)
  const __m128i y = _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
  std::memcpy(p, &y, sizeof(y));
#else
  std::uint16_t y[width];
  alignas(64) float wide[width];
  x.store_aligned(wide);
  for (int i = 0; i < width; ++i) y[i] = halves::from_float(wide[i]);
  std::memcpy(p, y, sizeof(y));
#endif
}
/// Rounds to float16 and widens again: the value that a stored float16 would have.
[[gnu::always_inline]] inline real rounded_to_half(real x) noexcept {
#if defined(__AVX512F__)
  return _mm512_maskz_cvtph_ps(0xffff, _mm512_maskz_cvtps_ph(0xffff, x, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  return _mm256_cvtph_ps(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#else
  std::uint16_t half[width];
  store_halves(x, half);
  return load_halves(half);
#endif
}

/// One primitive on integer registers. Integers wrap around.
template <sop O>
[[gnu::always_inline]] inline integer apply_integer(integer a, integer b) noexcept {
  if constexpr (O == sop::int_add)
    return a + b;
  else if constexpr (O == sop::int_mul)
    return a * b;
  else if constexpr (O == sop::int_sub)
    return a - b;
  else if constexpr (O == sop::int_and)
    return a & b;
  else if constexpr (O == sop::int_or)
    return a | b;
  else
    return a ^ b;
}
/// Shifts by a number of bits that is constant in the program; zeros come in. The intrinsics are
/// the zero-masked ones with a full mask: g++ 12 warns of an undefined operand inside of the plain
/// ones.
[[gnu::always_inline]] inline integer shift_left(integer a, int count) noexcept {
#if defined(__AVX512F__)
  return _mm512_maskz_slli_epi32(0xffff, a, static_cast<unsigned>(count));
#else
  return a << count;
#endif
}
[[gnu::always_inline]] inline integer shift_right(integer a, int count) noexcept {
#if defined(__AVX512F__)
  return _mm512_maskz_srli_epi32(0xffff, a, static_cast<unsigned>(count));
#else
  using word = xsimd::batch<std::uint32_t>;
  return xsimd::bitwise_cast<integer>(xsimd::bitwise_cast<word>(a) >> count);
#endif
}
/// int32 to float, rounded to nearest.
[[gnu::always_inline]] inline real converted(integer a) noexcept { return xsimd::to_float(a); }
/// Float to int32, truncated. NaN and values outside of int32 give the most negative int32, as in
/// `arithmetic::to_int`. x86's instruction does just that; elsewhere such lanes are replaced.
[[gnu::always_inline]] inline integer truncated(real a) noexcept {
#if defined(__x86_64__) || defined(__i386__)
  return xsimd::to_int(a);
#else
  const real limit(2147483648.0f), floor_value(-2147483648.0f);
  const mask fits = (a < limit) & (a > floor_value);
  const integer inside = xsimd::to_int(xsimd::select(fits, a, real(0.0f)));
  const integer fallback(std::numeric_limits<std::int32_t>::min());
  return as_integer(xsimd::select(fits, as_real(inside), as_real(fallback)));
#endif
}

/// One primitive on registers of the kinds that it reads; the result has the kind that it writes.
/// This is what a primitive means on `cpu`: constant programs and links both call it. `x` has the
/// count of a shift; of sources that `O` does not have, any register is given.
template <sop O, class A, class B, class C>
[[gnu::always_inline]] inline auto compute(instruction x, A a, B b, C c) noexcept {
  constexpr slot_kind in = facts_of(O).in, out = slot_kind_of(O);
  if constexpr (O == sop::select)
    return xsimd::select(a, b, c);
  else if constexpr (O == sop::int_less_unsigned)
    return less_unsigned(a, b);
  else if constexpr (out == slot_kind::mask && in != slot_kind::mask)
    return compare<O>(a, b);
  else if constexpr (O == sop::mask_to_int)
    return as_integer(from_mask(a)) & integer(1);
  else if constexpr (O == sop::mask_and)
    return a & b;
  else if constexpr (O == sop::mask_or)
    return a | b;
  else if constexpr (O == sop::mask_not)
    return !a;
  else if constexpr (O == sop::to_byte)
    return a & integer(255);
  else if constexpr (O == sop::to_int8)
    return low_int8(a);
  else if constexpr (O == sop::to_half)
    return rounded_to_half(a);
  else if constexpr (is_typed(O))
    return a;
  else if constexpr (O == sop::to_int)
    return truncated(a);
  else if constexpr (O == sop::to_float)
    return converted(a);
  else if constexpr (O == sop::as_int)
    return as_integer(a);
  else if constexpr (O == sop::as_float)
    return as_real(a);
  else if constexpr (O == sop::shift_left)
    return shift_left(a, x.b());
  else if constexpr (O == sop::shift_right)
    return shift_right(a, x.b());
  else if constexpr (out == slot_kind::integer)
    return apply_integer<O>(a, b);
  else
    return apply_real<O>(a, b, c);
}

}  // namespace tenon::simd

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
