// SIMD registers: loads, stores, fma, extremes and masks. xsimd carries the instructions.
//
// A register is as wide as the widest one of the target for which the translation unit is compiled:
// 4 floats (SSE, NEON), 8 (AVX) or 16 (AVX-512). Nothing is chosen at run time. All #if of the cpu
// kernels that concern single instructions are here, in simd_operations.hpp and in pixels.hpp;
// kernels say `load_part` or `fma` and are the same for all targets.
//
// All kernels depend on rounding: a product is either fused into a sum by `fma` or kept apart from
// it by `hidden`, never as a compiler likes. That is what makes results the same bits everywhere.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/scalar.hpp>
#include <bit>
#include <cstring>
#include <limits>
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
using mask = xsimd::batch_bool<float>;  // of comparisons, a bit or a word for each element

/// Elements of a register: 4, 8 or 16.
inline constexpr int width = static_cast<int>(real::size);
static_assert(16 % width == 0, "cpu: registers of 4, 8 or 16 floats are known");

/// Stops g++ from contracting a product into a following sum, which it does across intrinsics too:
/// the empty assembly takes the register and gives it back, so that nothing is known of it.
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
/// The first n < width elements; memory behind them is not touched.
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
/// Stores the lanes in `lanes`; memory between them is not touched.
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
/// b where that is NaN, else a. One instruction, with a table of 4 bits for each kind of number in
/// b: kinds 0 and 1 are the NaNs, for which 1 takes b; 0 keeps a.
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
/// `min` and `max` for a b that cannot be NaN: one instruction.
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
/// Toward minus infinity; -0 stays -0.
[[gnu::always_inline]] inline real floor(real a) noexcept {
#if defined(__SSE4_1__) || defined(__aarch64__)
  return xsimd::floor(a);
#else  // without an instruction xsimd makes 0 of -0
  return as_real(as_integer(xsimd::floor(a)) |
                 (as_integer(a) & integer(std::numeric_limits<std::int32_t>::min())));
#endif
}

}  // namespace tenon::simd

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
