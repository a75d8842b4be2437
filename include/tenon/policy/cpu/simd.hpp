// SIMD registers and the primitives of scalar programs on them. xsimd carries the instructions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/half.hpp>
#include <tenon/language/scalar.hpp>
#include <bit>
#include <cstring>
#include <xsimd/xsimd.hpp>

#if defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
#error "tenon/cpu.hpp: xsimd supports no SIMD of this target; use tenon/reference.hpp"
#endif

// g++ 12 warns of undefined operands in its own intrinsics wherever they are inlined.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace tenon::simd {

using real = xsimd::batch<float>;
using integer = xsimd::batch<std::int32_t>;
using mask = xsimd::batch_bool<float>;

/// Elements of a register: 4, 8 or 16.
inline constexpr int width = static_cast<int>(real::size);
static_assert(16 % width == 0, "cpu: registers of 4, 8 or 16 floats are known");

/// Stops g++ from contracting a product into a following sum, across intrinsics too.
[[gnu::always_inline]] inline real hidden(real x) noexcept {
#if defined(__AVX512F__)
  asm("" : "+v"(x.data));
#elif defined(__x86_64__) || defined(__i386__)
  asm("" : "+x"(x.data));
#elif defined(__aarch64__)
  asm("" : "+w"(x.data));
#endif
  return x;
}
/// Whether the target has fma: then contractions and programs have the bits of `reference`.
#if defined(__AVX512F__) || defined(__FMA__) || defined(__aarch64__)
inline constexpr bool has_fma = true;
#else
inline constexpr bool has_fma = false;
#endif
/// `a * b + c`, rounded once where the target can. (xsimd 8 leaves AVX-512 to two roundings.)
[[gnu::always_inline]] inline real fma(real a, real b, real c) noexcept {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return xsimd::fma(a, b, c);
#else
  return hidden(a * b) + c;
#endif
}
[[gnu::always_inline]] inline real load(const float* p) noexcept { return real::load_unaligned(p); }
[[gnu::always_inline]] inline void store(real x, float* p) noexcept { x.store_unaligned(p); }
/// The first n < width elements; the others are 0.
inline real load_part(const float* p, i64 n) noexcept {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p);
#else
  float padded[width] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(n) * sizeof(float));
  return load(padded);
#endif
}
inline void store_part(real x, float* p, i64 n) noexcept {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), x);
#else
  float padded[width];
  store(x, padded);
  std::memcpy(p, padded, static_cast<std::size_t>(n) * sizeof(float));
#endif
}

/// Lanes of a register, the first one in the lowest bit.
using lanes_mask = std::uint32_t;
inline void store_lanes(real x, float* p, lanes_mask lanes) noexcept {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>(lanes), x);
#else
  float all[width];
  store(x, all);
  for (int i = 0; i < width; ++i)
    if ((lanes >> i & 1u) != 0) p[i] = all[i];
#endif
}

#if defined(__AVX512F__)
/// b where that is NaN, else a: one instruction, which looks up what to do with each kind of
/// number. Kinds 0 and 1 are the NaNs; 1 stands for the operand, 0 for what was there.
[[gnu::always_inline]] inline real unless_nan(real a, real b) noexcept {
  return _mm512_fixupimm_ps(a, b, _mm512_set1_epi32(0x11), 0);
}
#endif
/// `arithmetic::min` and `max`: NaN in either operand gives NaN, equal operands give the first.
/// (With AVX the operator != of xsimd 8 is an ordered comparison: false for NaN.)
[[gnu::always_inline]] inline real min(real a, real b) noexcept {
#if defined(__AVX512F__)  // the instruction gives the second where one is NaN or both are equal
  return unless_nan(_mm512_min_ps(b, a), b);
#else
  return xsimd::select((b < a) | xsimd::isnan(b), b, a);
#endif
}
[[gnu::always_inline]] inline real max(real a, real b) noexcept {
#if defined(__AVX512F__)  // the instruction gives the second where one is NaN or both are equal
  return unless_nan(_mm512_max_ps(b, a), b);
#else
  return xsimd::select((b > a) | xsimd::isnan(b), b, a);
#endif
}
/// The same where b cannot be NaN.
[[gnu::always_inline]] inline real min_with_number(real a, real b) noexcept {
#if defined(__AVX512F__)
  return _mm512_min_ps(b, a);  // the second where one is NaN or both are equal
#elif defined(__AVX__)
  return _mm256_min_ps(b, a);
#elif defined(__SSE__)
  return _mm_min_ps(b, a);
#else
  return xsimd::select(b < a, b, a);
#endif
}
[[gnu::always_inline]] inline real max_with_number(real a, real b) noexcept {
#if defined(__AVX512F__)
  return _mm512_max_ps(b, a);
#elif defined(__AVX__)
  return _mm256_max_ps(b, a);
#elif defined(__SSE__)
  return _mm_max_ps(b, a);
#else
  return xsimd::select(b > a, b, a);
#endif
}

/// The same bits. (Newer xsimd names the elements in `bitwise_cast`, older the batch.)
[[gnu::always_inline]] inline integer as_integer(real x) noexcept {
  return std::bit_cast<integer::register_type>(x.data);
}
[[gnu::always_inline]] inline real as_real(integer x) noexcept {
  return std::bit_cast<real::register_type>(x.data);
}

/// All ones, which is -1, or all zeros for every element, and back.
[[gnu::always_inline]] inline real from_mask(mask m) noexcept {
  return xsimd::select(m, as_real(integer(-1)), as_real(integer(0)));
}
[[gnu::always_inline]] inline mask to_mask(real x) noexcept {
  return xsimd::to_float(as_integer(x)) < real(0.0f);
}
[[gnu::always_inline]] inline real floor(real a) noexcept {
#if defined(__SSE4_1__) || defined(__aarch64__)
  return xsimd::floor(a);
#else  // without an instruction xsimd makes 0 of -0
  return as_real(as_integer(xsimd::floor(a)) |
                 (as_integer(a) & integer(std::numeric_limits<std::int32_t>::min())));
#endif
}

/// One primitive on real registers.
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
template <sop O> [[gnu::always_inline]] inline mask compare(real a, real b) noexcept {
  if constexpr (O == sop::less)
    return a < b;
  else if constexpr (O == sop::less_equal)
    return a <= b;
  else
    return a == b;
}
/// Comparisons of integers: a word whose sign says so (xsimd 8 has no cast between masks).
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
/// Of words without a sign.
[[gnu::always_inline]] inline mask less_unsigned(integer a, integer b) noexcept {
  const integer sign(std::numeric_limits<std::int32_t>::min());
  return compare<sop::int_less>(a ^ sign, b ^ sign);
}
/// The low byte with its sign.
[[gnu::always_inline]] inline integer low_int8(integer a) noexcept {
  return ((a & integer(255)) ^ integer(128)) - integer(128);
}

/// A register of float16, widened. (The zero-masked forms: see the shifts.)
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
/// Rounds to float16, ties to even.
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
/// Rounded to what a float16 holds.
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
/// Shifts. (The zero-masked forms: g++ 12 warns of its own undefined operand in the plain ones.)
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
[[gnu::always_inline]] inline real converted(integer a) noexcept { return xsimd::to_float(a); }
/// Truncation; NaN and values outside of int32 give the most negative int32, as
/// `arithmetic::to_int`.
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

}  // namespace tenon::simd

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
