// The instruction of integer contractions: four products of 8 bits are added to a sum of 32 bits.
//
// VNNI has it (vpdpbusd). One operand is unsigned, the other one signed, so images are written
// without a sign (dot_words.hpp) and weights with one. Other targets compute the same bits with
// more instructions, the last form with plain loops.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/dot_plan.hpp>
#include <tenon/policy/cpu/simd.hpp>

#if defined(__GNUC__) && !defined(__clang__)  // see simd.hpp
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

namespace tenon::simd {

[[gnu::always_inline]] inline integer load_words(const dot_word* p) noexcept {
  return integer::load_unaligned(p);
}
/// sum + the products of four bytes each of `a`, without a sign, and `b`, with one. Sums wrap
/// around; no product is limited on its way: vpmaddubsw, which limits sums of two products to 16
/// bits, must not be used. Without the instruction bytes are widened to 16 bits, the even and the
/// odd ones in turn, and multiplied by vpmaddwd.
[[gnu::always_inline]] inline integer dot(integer sum, integer a, integer b) noexcept {
#if defined(__AVX512VNNI__) && defined(__GNUC__) && !defined(__clang__)
  // With the intrinsic, g++ 12 copies every sum in front of the instruction, and spills half of
  // them to memory.
  asm("vpdpbusd {%2, %1, %0|%0, %1, %2}" : "+v"(sum.data) : "v"(a.data), "v"(b.data));
  return sum;
#elif defined(__AVX512VNNI__)
  return _mm512_dpbusd_epi32(sum, a, b);
#elif defined(__AVXVNNI__) && !defined(__AVX512F__)
  return _mm256_dpbusd_avx_epi32(sum, a, b);
#elif defined(__AVX512BW__)
  const __m512i low = _mm512_set1_epi16(255);
  const __m512i even = _mm512_madd_epi16(_mm512_and_si512(a, low),
                                         _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8)),
                odd = _mm512_madd_epi16(_mm512_srli_epi16(a, 8), _mm512_srai_epi16(b, 8));
  return sum + integer(even) + integer(odd);
#elif defined(__AVX2__)
  const __m256i low = _mm256_set1_epi16(255);
  const __m256i even = _mm256_madd_epi16(_mm256_and_si256(a, low),
                                         _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8)),
                odd = _mm256_madd_epi16(_mm256_srli_epi16(a, 8), _mm256_srai_epi16(b, 8));
  return sum + integer(even) + integer(odd);
#elif defined(__SSE2__) && !defined(__AVX512F__)
  const __m128i low = _mm_set1_epi16(255);
  const __m128i even =
                    _mm_madd_epi16(_mm_and_si128(a, low), _mm_srai_epi16(_mm_slli_epi16(b, 8), 8)),
                odd = _mm_madd_epi16(_mm_srli_epi16(a, 8), _mm_srai_epi16(b, 8));
  return sum + integer(even) + integer(odd);
#else
  alignas(64) dot_word x[width], y[width], z[width];
  a.store_aligned(x);
  b.store_aligned(y);
  sum.store_aligned(z);
  for (int i = 0; i < width; ++i)
    for (int k = 0; k < 32; k += 8)
      z[i] += (x[i] >> k & 255) * static_cast<std::int8_t>(y[i] >> k & 255);
  return integer::load_aligned(z);
#endif
}

}  // namespace tenon::simd

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
