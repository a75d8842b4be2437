// Whether sums of integer products have the bits of float32: judged from a model's weights when it
// is bound.
//
// The graph says: dequantize both operands, then sum float32 products. With integers the sum is
// exact and one multiplication by both scales follows. Both are equal if no float32 operation ever
// rounds. Every dequantized number is (integer - zero) * scale. As multiples of the product of both
// scales all partial sums are integers; float32 holds them while they have 24 bits. `judge` finds
// the largest partial sum that any image could make and compares.
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
  float real(int holder, i64 at) const noexcept {
    return reinterpret_cast<const float*>(weights[holder])[at];
  }
  i64 zero_of_image(const dot_plan& plan) const noexcept {
    return byte(weights[plan.image_zero] + plan.image_zero_at, plan.is_signed);
  }
};
/// A filter of one of the matrices of weights: offsets of its elements, its scale, its zero point.
struct dot_filter {
  i64 weight, scale, zero;
  dot_filter(const dot_plan& plan, i64 matrix, i64 filter) noexcept
      : weight(plan.weight.offset + filter * plan.weight.filter),
        scale(plan.scale.offset + filter * plan.scale.filter),
        zero(plan.zero.offset + filter * plan.zero.filter) {
    for (int k = plan.item_axes - 1; k >= 0; --k) {
      if (plan.item[k].lanes == 0) continue;
      const i64 at = matrix % plan.item[k].extent;
      matrix /= plan.item[k].extent;
      weight += at * plan.weight.item[k];
      scale += at * plan.scale.item[k];
      zero += at * plan.zero.item[k];
    }
  }
  /// Calls `f(word, byte, weight - zero)` for every term: where it goes, and its number.
  template <class F>
  void each(const dot_plan& plan, const dot_source& s, const F& f) const noexcept {
    const std::byte* from = s.weights[plan.weight.holder] + weight;
    const i64 z = dot_source::byte(s.weights[plan.zero.holder] + zero, plan.signed_weights);
    for (i64 c = 0; c < plan.channels; ++c)
      for (i64 y = 0; y < plan.y.taps; ++y)
        for (i64 x = 0; x < plan.x.taps; ++x) {
          const i64 tap = y * plan.x.taps + x, taps = plan.y.taps * plan.x.taps;
          const i64 word =
              plan.by_rows ? tap * plan.words + c / word_terms : c / word_terms * taps + tap;
          const std::byte* w = from + c * plan.weight_channel + y * plan.y.tap + x * plan.x.tap;
          f(word, c % word_terms, dot_source::byte(w, plan.signed_weights) - z);
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
/// sees the same numbers then. The answer names the first thing that stands against it.
inline multiplied judge(const dot_plan& plan, const dot_source& s) noexcept {
  constexpr i64 limit = i64{1} << 24;  // the integers that float32 has
  const significand a(s.real(plan.image_scale, plan.image_scale_at));
  const i64 zero = s.zero_of_image(plan), low = plan.is_signed ? -128 : 0,
            reach = zero - low > low + 255 - zero ? zero - low : low + 255 - zero;
  // `reach` is the largest number of an image; dequantizing it must not round.
  if (a.odd == 0 || reach * a.odd > limit) return multiplied::scales;
  for (i64 m = 0; m < plan.matrices; ++m)
    for (i64 i = 0; i < plan.filter.extent; ++i) {
      const dot_filter f(plan, m, i);
      const significand b(s.real(plan.scale.holder, f.scale));
      if (b.odd == 0 || 255 * b.odd > limit || a.odd * b.odd > limit) return multiplied::scales;
      // The smallest multiple must not be below the subnormals, nor the largest overflow.
      const int power = a.power + b.power;
      if (power < -149 || a.power + 24 > 127 || b.power + 24 > 127 || power + 24 > 127)
        return multiplied::scales;
      i64 sum = 0, least = 0, largest = 0;
      f.each(plan, s, [&](i64, i64, i64 w) {
        sum += w < 0 ? -w : w;
        least = w < least ? w : least;
        largest = w > largest ? w : largest;
      });
      if (least < -128 || largest > 127) return multiplied::weights;  // they are packed as int8
      if (sum * reach > limit) return multiplied::sums;
      if (sum * reach > limit / (a.odd * b.odd)) return multiplied::scales;
    }
  return multiplied::integers;
}

}  // namespace tenon::simd
