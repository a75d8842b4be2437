// float16 in arithmetic of words, for devices that have none; see base/half.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/assembler.hpp>

namespace tenon::spirv {

/// An assembler that converts between float32 and the bits of float16. All of it works on scalars
/// and on vectors.
class half_assembler : public assembler {
 public:
  /// float16 in the low bits of a word; see base/half.hpp.
  constexpr id half_bits(id x) {
    const id bits = bits_as(x, kind::int32);
    const auto n = [&](std::uint64_t v) { return integer_like(bits, v); };
    const id size = binary(op::BitwiseAnd, bits, n(0x7fffffffu)),
             sign = binary(op::BitwiseAnd, shifted_right(bits, 16), n(0x8000u)),
             digits = shifted_right(size, 13);
    const id odd = binary(op::BitwiseAnd, digits, n(1));
    const id normal = shifted_right(add(add(size, odd), n(0xfffu - (112u << 23))), 13);
    const id nan = binary(op::BitwiseOr, binary(op::BitwiseAnd, digits, n(0x3ffu)), n(0x7e00u));
    const id tiny = half_subnormal(size);
    id r = select(below(size, n(0x38800000u)), tiny, normal);
    r = select(below(n(0x477fefffu), size), n(0x7c00u), r);
    r = select(below(n(0x7f800000u), size), nan, r);
    return binary(op::BitwiseOr, r, sign);
  }
  /// The float32 of a float16 in the low bits. Subnormal ones are multiples of 2^-24; infinities
  /// and NaN get the larger exponent, NaN also the quiet bit.
  constexpr id half_value(id half) {
    const auto n = [&](std::uint64_t v) { return integer_like(half, v); };
    const id sign = shifted_left(binary(op::BitwiseAnd, half, n(0x8000u)), 16),
             size = binary(op::BitwiseAnd, half, n(0x7fffu));
    const id whole = convert(op::ConvertUToF, size, kind::float32);
    const id tiny = bits_as(mul(whole, real_like(whole, 0x1p-24f)), kind::int32);
    const id up = select(below(size, n(0x7c00u)), n(112u << 23), n(224u << 23)),
             quiet = select(below(n(0x7c00u), size), n(0x400000u), n(0));
    const id normal = binary(op::BitwiseOr, add(shifted_left(size, 13), up), quiet);
    return bits_as(binary(op::BitwiseOr, select(below(size, n(0x400u)), tiny, normal), sign),
                   kind::float32);
  }
  constexpr id shifted_right(id x, int by) {
    return binary(op::ShiftRightLogical, x, integer_like(as(x, kind::int32), shift_of(by)));
  }
  constexpr id shifted_left(id x, int by) {
    return binary(op::ShiftLeftLogical, x, integer_like(as(x, kind::int32), shift_of(by)));
  }
  /// A description of a value's type with another scalar.
  static constexpr id as(id x, kind k) { return {0, k, x.width}; }

 protected:
  constexpr id zero_like(id x) { return integer_like(as(x, kind::int32), 0); }

 private:
  static constexpr std::uint64_t shift_of(int by) { return static_cast<std::uint64_t>(by); }
  constexpr id half_subnormal(id size) {
    const auto n = [&](std::uint64_t v) { return integer_like(size, v); };
    const id distance = sub(n(126), shifted_right(size, 23)),
             shift = select(below(distance, n(31)), distance, n(31));
    const id digits =
                 binary(op::BitwiseOr, binary(op::BitwiseAnd, size, n(0x7fffffu)), n(0x800000u)),
             tie = binary(op::ShiftLeftLogical, n(1), sub(shift, n(1)));
    const id rest = binary(op::BitwiseAnd, digits, sub(add(tie, tie), n(1))),
             r = binary(op::ShiftRightLogical, digits, shift);
    const id odd = equal(binary(op::BitwiseAnd, r, n(1)), n(1));
    const id to_even = both(equal(rest, tie), odd);
    const id up = either(below(tie, rest), to_even);
    return add(r, select(up, n(1), n(0)));
  }
};

}  // namespace tenon::spirv
