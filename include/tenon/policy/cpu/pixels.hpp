// Masked loads of pixel rows: lanes outside of the image read 0. And every other element of two
// registers, for stride 2.
//
// A convolution with an edge (padding) reads pixels that do not exist. What copies an image, or
// reads it in place, builds one `between` for a column of the image and loads all lines through it:
// which lanes lie inside depends on the column alone.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/tile_transpose.hpp>

namespace tenon::simd {

/// Whether a load can leave out elements at no cost: AVX-512 masks suppress faults. Elsewhere a
/// load of a part goes through memory, and callers rather copy.
#if defined(__AVX512F__)
inline constexpr bool masks_loads = true;
#else
inline constexpr bool masks_loads = false;
#endif
/// Elements [at, at + width) of rows of `n` elements; `at` may be negative, what lies outside of
/// the row reads as 0.
struct between {
  i64 at = 0, first = 0, end = 0;  ///< lanes [first, end) lie inside
#if defined(__AVX512F__)
  __mmask16 inside = 0;
#endif
  between() = default;
  between(i64 position, i64 n) noexcept
      : at(position), first(at < 0 ? -at : 0), end(n - at < width ? n - at : i64{width}) {
    if (first > end) first = end = 0;
#if defined(__AVX512F__)
    inside = static_cast<__mmask16>((1u << end) - (1u << first));
#endif
  }
  /// `p` is the address of the element `at`, even where there is none.
  [[gnu::always_inline]] real load_at(const float* p) const noexcept {
#if defined(__AVX512F__)
    return _mm512_maskz_loadu_ps(inside, p);
#else
    return load_at(p, real(0.0f));
#endif
  }
  /// Elements that lie outside are the lanes of `outside`.
  [[gnu::always_inline]] real load_at(const float* p, real outside) const noexcept {
#if defined(__AVX512F__)
    return _mm512_mask_loadu_ps(outside, inside, p);
#else
    if (end - first == width) return load(p);  // the usual case; edges go through memory
    float padded[width];
    store(outside, padded);
    std::memcpy(padded + first, p + first, static_cast<std::size_t>(end - first) * sizeof(float));
    return load(padded);
#endif
  }
  [[gnu::always_inline]] real load_from(const float* row) const noexcept {
    return load_at(row + at);
  }
};
// Which lane of two registers, one behind the other, a lane of the result takes: see `shuffled`.
struct evens_of {
  static constexpr int of(int i) { return 2 * i; }
};
struct odds_of {
  static constexpr int of(int i) { return 2 * i + 1; }
};
struct next_of {
  static constexpr int of(int i) { return i + 1; }
};
/// Lane i of the result is lane `From::of(i)` of `a` and `b`, whose lanes count from `width` on.
template <class From, int... I>
[[gnu::always_inline]] inline real shuffled(real a, real b, From,
                                            std::integer_sequence<int, I...>) noexcept {
  lanes_of_register x, y;
  __builtin_memcpy(&x, &a, sizeof x);
  __builtin_memcpy(&y, &b, sizeof y);
  const lanes_of_register z = __builtin_shufflevector(x, y, From::of(I)...);
  real r;
  __builtin_memcpy(&r, &z, sizeof r);
  return r;
}
template <class From> [[gnu::always_inline]] inline real shuffled(real a, real b, From f) noexcept {
  return shuffled(a, b, f, std::make_integer_sequence<int, width>{});
}

}  // namespace tenon::simd
