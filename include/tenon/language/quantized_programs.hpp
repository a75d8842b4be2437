// The scalar programs that quantize and dequantize. Operators record them; the planner recognizes
// them in a table by comparing.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/record.hpp>

namespace tenon::quantized {

/// Dequantizes: `(x - zero) * scale` in float32. Where the result is float16, it is rounded once at
/// the end.
constexpr scalar widened(scalar x, scalar scale, scalar zero) {
  return (cast<float>(x) - cast<float>(zero)) * scale;
}
/// Quantizes to integers of at most 16 bits: `round(x / scale) + zero`, clamped to `low` and
/// `high`; NaN becomes `low`. The quotient is computed in float32, for float16 as well. float32 has
/// all integers of 24 bits, so the sum is exact where it is not clamped.
constexpr scalar narrowed(scalar x, scalar scale, scalar zero, int low, int high) {
  const scalar y = round_even(x / scale) + cast<float>(zero);
  const scalar clamped = select(y > low, select(y < high, y, y.lift(high)), y.lift(low));
  return clamped.apply(sop::to_int);
}
/// Quantizes to 32 bits. float32 cannot hold all of these integers, so the zero point is added in
/// 64 bits.
constexpr scalar narrowed(scalar x, scalar scale, scalar zero, type t) {
  constexpr float far = 0x1p40f;  // beyond it, no zero point of 32 bits brings the sum into range
  const scalar y = round_even(x / scale);
  const scalar clamped = select(y > -far, select(y < far, y, y.lift(far)), y.lift(-far));
  const scalar sum =
      symbols::to_wide(clamped, false) + symbols::to_wide(zero, false).as_unsigned(false);
  const auto low = static_cast<i64>(numbers::begin_of(t)),
             high = static_cast<i64>(numbers::end_of(t)) - 1;
  return min(max(sum, low), high).apply(sop::narrow).as_unsigned(!is_signed(t));
}

/// The programs as constants, with operands x, scale, zero. `From` and `To` are the quantized
/// types, `Real` is the other one. Elements of 4 bits have been unpacked to whole bytes here.
template <type From, type Real> inline constexpr recorded widening =
    record_program<3>([](scalar x, scalar scale, scalar zero) { return widened(x, scale, zero); },
                      {{From, Real, From}, true, Real});
template <type Real, type To> inline constexpr recorded narrowing = record_program<3>(
    [](scalar x, scalar scale, scalar zero) {
      if constexpr (size_bytes(To) == 4)
        return narrowed(x, scale, zero, To);
      else
        return narrowed(x, scale, zero, static_cast<int>(numbers::begin_of(To)),
                        static_cast<int>(numbers::end_of(To)) - 1);
    },
    {{Real, Real, unpacked(To)}, true, unpacked(To)});

/// The programs by the quantized type, unpacked to whole bytes.
template <type Real> constexpr const recorded& widening_to(type from) {
  return from == type::int8    ? widening<type::int8, Real>
         : from == type::uint8 ? widening<type::uint8, Real>
         : from == type::int32 ? widening<type::int32, Real>
                               : widening<type::uint32, Real>;
}
template <type Real> constexpr const recorded& narrowing_from(type to) {
  return to == type::int8    ? narrowing<Real, type::int8>
         : to == type::uint8 ? narrowing<Real, type::uint8>
         : to == type::int4  ? narrowing<Real, type::int4>
         : to == type::uint4 ? narrowing<Real, type::uint4>
         : to == type::int32 ? narrowing<Real, type::int32>
                             : narrowing<Real, type::uint32>;
}

}  // namespace tenon::quantized
