// Whether products of integers have the bits of float32: what a model's weights say when it is
// bound.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/prepare.hpp>
#include <tenon/policy/cpu/dot_plan.hpp>
#include <bit>
#include <cstddef>

namespace tenon::simd {

/// True for a program, as policies run it, that dequantizes 8 bits.
constexpr bool is_widening(program_view p) {
  using namespace quantized;
  using plans::finished, plans::same_program;
  return p.size == widening<type::int8, type::float32>.view().size &&
         (same_program(p, finished(widening<type::int8, type::float32>.view()).view()) ||
          same_program(p, finished(widening<type::uint8, type::float32>.view()).view()));
}
/// A weight's numbers while a model is bound.
struct dot_source {
  const std::byte* const* weights;
  static i64 byte(const std::byte* p, bool is_signed) noexcept {
    const auto low = std::to_integer<std::uint8_t>(*p);
    return is_signed ? static_cast<std::int8_t>(low) : low;
  }
  float real(int root, i64 at) const noexcept {
    return reinterpret_cast<const float*>(weights[root])[at];
  }
  i64 zero_of_image(const dot_plan& t) const noexcept {
    return byte(weights[t.image_zero] + t.image_zero_at, t.is_signed);
  }
};
/// A filter of one of the matrices of weights.
struct dot_filter {
  i64 weight, scale, zero;
  dot_filter(const dot_plan& t, i64 matrix, i64 filter) noexcept
      : weight(t.weight.offset + filter * t.weight.filter),
        scale(t.scale.offset + filter * t.scale.filter),
        zero(t.zero.offset + filter * t.zero.filter) {
    for (int k = t.items_axes - 1; k >= 0; --k) {
      if (t.item[k].p == 0) continue;
      const i64 at = matrix % t.item[k].extent;
      matrix /= t.item[k].extent;
      weight += at * t.weight.item[k];
      scale += at * t.scale.item[k];
      zero += at * t.zero.item[k];
    }
  }
  /// Calls `f(word, byte, weight - zero)` for every term.
  template <class F> void each(const dot_plan& t, const dot_source& s, const F& f) const noexcept {
    const std::byte* from = s.weights[t.weight.root] + weight;
    const i64 z = dot_source::byte(s.weights[t.zero.root] + zero, t.signed_weights);
    for (i64 c = 0; c < t.channels; ++c)
      for (i64 y = 0; y < t.y.taps; ++y)
        for (i64 x = 0; x < t.x.taps; ++x) {
          const i64 tap = y * t.x.taps + x, taps = t.y.taps * t.x.taps;
          const i64 word = t.by_rows ? tap * t.words + c / word_terms : c / word_terms * taps + tap;
          const std::byte* w = from + c * t.weight_channel + y * t.y.tap + x * t.x.tap;
          f(word, c % word_terms, dot_source::byte(w, t.signed_weights) - z);
        }
  }
};

/// A positive number as an odd integer times a power of two; 0 where it is none, or next to the
/// limits of float32.
struct significand {
  i64 odd = 0;
  int power = 0;
  explicit significand(float x) noexcept {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const int exponent = static_cast<int>(bits >> 23);
    if (exponent < 1 || exponent > 254) return;
    odd = static_cast<i64>(bits & 0x7fffff) | 0x800000;
    for (power = exponent - 150; odd % 2 == 0; odd /= 2) ++power;
  }
};

/// Whether sums of integers have the bits of float32. They do where no partial sum rounds: all are
/// multiples of the product of both scales, and below 2^24 times that. Whatever follows the sums
/// sees the same numbers then.
inline multiplied judge(const dot_plan& t, const dot_source& s) noexcept {
  constexpr i64 most = i64{1} << 24;
  const significand a(s.real(t.image_scale, t.image_scale_at));
  const i64 zero = s.zero_of_image(t), low = t.is_signed ? -128 : 0,
            reach = zero - low > low + 255 - zero ? zero - low : low + 255 - zero;
  if (a.odd == 0 || reach * a.odd > most) return multiplied::scales;
  for (i64 m = 0; m < t.matrices; ++m)
    for (i64 i = 0; i < t.filter.extent; ++i) {
      const dot_filter f(t, m, i);
      const significand b(s.real(t.scale.root, f.scale));
      if (b.odd == 0 || 255 * b.odd > most || a.odd * b.odd > most) return multiplied::scales;
      const int power = a.power + b.power;
      if (power < -149 || a.power + 24 > 127 || b.power + 24 > 127 || power + 24 > 127)
        return multiplied::scales;
      i64 sum = 0, least = 0, largest = 0;
      f.each(t, s, [&](i64, i64, i64 w) {
        sum += w < 0 ? -w : w;
        least = w < least ? w : least;
        largest = w > largest ? w : largest;
      });
      if (least < -128 || largest > 127) return multiplied::weights;
      if (sum * reach > most) return multiplied::sums;
      if (sum * reach > most / (a.odd * b.odd)) return multiplied::scales;
    }
  return multiplied::integers;
}

}  // namespace tenon::simd
