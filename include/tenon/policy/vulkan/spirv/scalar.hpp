// Scalar programs as SPIR-V: the same instructions for one element and for four.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/rewrite.hpp>
#include <tenon/language/elementary.hpp>
#include <tenon/policy/vulkan/spirv/writer.hpp>

namespace tenon::spirv {

/// The SPIR-V type in which a program's value is held.
constexpr kind kind_of(slot_kind l) {
  constexpr kind kinds[] = {kind::float32, kind::int32, kind::int64, kind::boolean};
  return kinds[static_cast<int>(l)];
}

/// Writes a program for `width` elements. Every sum and product is rounded by itself; fma only
/// where the program has it. Elementary functions are functions of the module, written once.
class program_writer {
 public:
  constexpr program_writer(writer& to, int width, bool inside_function = false)
      : m_(to), width_(width), inside_function_(inside_function) {}

  /// The value of a program for these arguments, which have the slot kinds of the operands.
  constexpr id write(program_view p, const id* arguments) {
    sequence<id> r(registers_of(p));
    for (int i = 0; i < p.size; ++i) {
      const instruction x = p.code[i];
      r[x.dst()] = x.op() == sop::arg ? arguments[x.a()] : step(x, r);
    }
    return r[p.code[p.size - 1].dst()];
  }

 private:
  writer& m_;
  int width_;
  bool inside_function_;

  static constexpr int registers_of(program_view p) {
    int count = 0;
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].dst() >= count) count = p.code[i].dst() + 1;
    return count;
  }
  constexpr id number(kind k, std::uint64_t bits) { return m_.constant_like({0, k, width_}, bits); }
  constexpr id word_of(std::uint32_t x) { return number(kind::int32, x); }
  constexpr id wide_of(std::uint64_t x) { return number(kind::int64, x); }
  constexpr id real_of(float x) { return number(kind::float32, std::bit_cast<word>(x)); }

  /// The value of one instruction. Three functions share the switch over all opcodes.
  constexpr id step(instruction x, const sequence<id>& r) {
    const int n = sources_of(x.op());
    const id a = n > 0 ? r[x.a()] : id{}, b = n > 1 ? r[x.b()] : id{}, c = n > 2 ? r[x.c()] : id{};
    if (is_elementary(x.op())) return elementary(x.op(), a, b);
    if (is_rare(x.op())) return rare(x, a, b, c);
    return frequent(x, a, b, c);
  }
  /// A literal. lavapipe drops products with a zero that it knows, even those with infinity: there
  /// a zero is hidden from it.
  constexpr id real(word bits) {
    if (m_.device.fuses || bits << 1 != 0) return number(kind::float32, bits);
    const id zero = m_.bits_as(m_.hidden(m_.constant(kind::int32, bits)), kind::float32);
    return m_.splat(zero, width_);
  }
  /// An integer that becomes a real. lavapipe may find out that it is zero (x ^ x is), and then
  /// drop products with it: a hidden zero is added.
  constexpr id unknown(id x) {
    if (m_.device.fuses || inside_function_) return x;
    const id none = m_.hidden(m_.integer(0));
    const id zero = x.is == none.is ? none : m_.convert(op::UConvert, none, x.is);
    return m_.add(x, m_.splat(zero, width_));
  }
  /// Arithmetic, comparisons and masks of reals and of 32-bit integers.
  constexpr id frequent(instruction x, id a, id b, id c) {
    switch (x.op()) {
      case sop::literal: return real(x.bits());
      case sop::literal_int: return number(kind::int32, x.bits());
      case sop::add:
      case sop::int_add: return m_.add(a, b);
      case sop::sub:
      case sop::int_sub: return m_.sub(a, b);
      case sop::mul:
      case sop::int_mul: return m_.mul(a, b);
      case sop::div: return m_.div(a, b);
      case sop::fma: return fused(a, b, c);
      case sop::neg: return m_.unary(op::FNegate, a);
      case sop::abs: return m_.call(glsl::FAbs, a);
      case sop::min: return extreme(a, b, m_.less(b, a));
      case sop::max: return extreme(a, b, m_.less(a, b));
      case sop::sqrt: return m_.call(glsl::Sqrt, a);
      case sop::floor: return m_.call(glsl::Floor, a);
      case sop::round_even: return m_.call(glsl::RoundEven, a);
      case sop::less:
      case sop::int_less: return m_.less(a, b);
      case sop::less_equal: return m_.compare(op::FOrdLessThanEqual, a, b);
      case sop::int_less_equal: return m_.compare(op::SLessThanEqual, a, b);
      case sop::equal:
      case sop::int_equal: return m_.equal(a, b);
      case sop::int_less_unsigned: return m_.below(a, b);
      case sop::mask_and: return m_.both(a, b);
      case sop::mask_or: return m_.either(a, b);
      case sop::mask_not: return m_.negated(a);
      case sop::select: return m_.select(a, b, c);
      case sop::int_and: return m_.binary(op::BitwiseAnd, a, b);
      case sop::int_or: return m_.binary(op::BitwiseOr, a, b);
      case sop::int_xor: return m_.binary(op::BitwiseXor, a, b);
      default: return conversion(x, a);
    }
  }
  /// Conversions. Counts of shifts are taken modulo 32: SPIR-V does not define larger ones.
  constexpr id conversion(instruction x, id a) {
    switch (x.op()) {
      case sop::to_int: return truncated(a, kind::int32, 0x1p31f);
      case sop::to_float: return m_.convert(op::ConvertSToF, unknown(a), kind::float32);
      case sop::as_int: return m_.bits_as(a, kind::int32);
      case sop::as_float: return m_.bits_as(unknown(a), kind::float32);
      case sop::shift_left:
        return m_.binary(op::ShiftLeftLogical, a, word_of(static_cast<std::uint32_t>(x.b() & 31)));
      case sop::shift_right:
        return m_.binary(op::ShiftRightLogical, a, word_of(static_cast<std::uint32_t>(x.b() & 31)));
      case sop::mask_to_int: return m_.select(a, word_of(1), word_of(0));
      case sop::to_byte: return m_.binary(op::BitwiseAnd, a, word_of(255));
      case sop::to_int8:
        return m_.binary(op::ShiftRightArithmetic, m_.binary(op::ShiftLeftLogical, a, word_of(24)),
                         word_of(24));
      case sop::to_half: return m_.half_value(m_.half_bits(a));
      case sop::typed_float32:
      case sop::typed_int32:
      case sop::typed_uint32: return a;
      default: __builtin_unreachable();  // a primitive without its case above
    }
  }
  /// Divisions and powers of integers, and all of 64 bits.
  constexpr id rare(instruction x, id a, id b, id c) {
    switch (x.op()) {
      case sop::int_div:
      case sop::wide_div: return signed_quotient(a, b);
      case sop::int_div_unsigned:
      case sop::wide_div_unsigned: return quotient(a, b);
      case sop::int_pow:
      case sop::wide_pow: return signed_power(a, b);
      case sop::int_pow_unsigned:
      case sop::wide_pow_unsigned: return power(a, b);
      case sop::to_wide: return m_.convert(op::SConvert, a, kind::int64);
      case sop::to_wide_unsigned: return m_.convert(op::UConvert, a, kind::int64);
      case sop::wide_join: {
        const id high =
            m_.binary(op::ShiftLeftLogical, m_.convert(op::UConvert, b, kind::int64), wide_of(32));
        return m_.binary(op::BitwiseOr, high, m_.convert(op::UConvert, a, kind::int64));
      }
      case sop::narrow: return m_.convert(op::UConvert, a, kind::int32);
      case sop::real_to_wide: return truncated(a, kind::int64, 0x1p63f);
      case sop::real_to_wide_unsigned: return truncated_unsigned(a);
      case sop::wide_to_real: return m_.convert(op::ConvertSToF, unknown(a), kind::float32);
      case sop::wide_to_real_unsigned:
        return m_.convert(op::ConvertUToF, unknown(a), kind::float32);
      case sop::wide_add: return m_.add(a, b);
      case sop::wide_sub: return m_.sub(a, b);
      case sop::wide_mul: return m_.mul(a, b);
      case sop::wide_and: return m_.binary(op::BitwiseAnd, a, b);
      case sop::wide_or: return m_.binary(op::BitwiseOr, a, b);
      case sop::wide_xor: return m_.binary(op::BitwiseXor, a, b);
      case sop::wide_shift_left:
      case sop::wide_shift_right:
        return m_.binary(
            x.op() == sop::wide_shift_left ? op::ShiftLeftLogical : op::ShiftRightLogical, a,
            wide_of(static_cast<std::uint64_t>(x.b() & 63)));
      case sop::wide_less: return m_.less(a, b);
      case sop::wide_less_unsigned: return m_.below(a, b);
      case sop::wide_equal: return m_.equal(a, b);
      case sop::wide_select: return m_.select(a, b, c);
      case sop::typed_int64:
      case sop::typed_uint64: return a;
      default: __builtin_unreachable();  // a primitive without its case above
    }
  }

  /// b where it is beyond a or not a number, else a.
  constexpr id extreme(id a, id b, id beyond) {
    return m_.select(m_.either(beyond, m_.compare(op::FUnordNotEqual, b, b)), b, a);
  }
  /// Inside of elementary functions an fma must round once: they compute the error of a product
  /// with it. Where the device rounds twice, float64 helps: the product of two float32 is exact
  /// there, so that only the sum and the conversion round.
  constexpr id fused(id a, id b, id c) {
    if (m_.device.fuses || !m_.device.float64 || !inside_function_) return m_.fma(a, b, c);
    const auto wide = [&](id x) { return m_.convert(op::FConvert, x, kind::float64); };
    const id wide_a = wide(a), wide_b = wide(b);
    const id product = m_.mul(wide_a, wide_b);
    return m_.convert(op::FConvert, m_.add(product, wide(c)), kind::float32);
  }
  /// A call of an elementary function, which is written into the module at its first call, once for
  /// scalars and once for vectors.
  constexpr id elementary(sop o, id a, id b) {
    const int at = static_cast<int>(o) - instructions::first_elementary;
    function& written = m_.elementary[width_ > 1][at];
    const int operands = sources_of(o);
    if (written.number == 0) {
      written = m_.define(kind::float32, width_, operands, [&](const id* arguments) {
        return program_writer(m_, width_, true).write(elementary_view(o), arguments);
      });
    }
    return operands == 1 ? m_.call(written, a) : m_.call(written, a, b);
  }

  /// Truncates a real. SPIR-V does not define conversions of NaN and of numbers out of range: there
  /// the result is the least integer, as in base/arithmetic.hpp.
  constexpr id truncated(id x, kind to, float end) {
    const id above = m_.compare(to == kind::int32 ? op::FOrdGreaterThan : op::FOrdGreaterThanEqual,
                                x, real_of(-end)),
             inside = m_.both(above, m_.less(x, real_of(end)));
    const id whole = m_.convert(op::ConvertFToS, m_.select(inside, x, real_of(0)), to);
    return m_.select(inside, whole, number(to, std::uint64_t{1} << (to == kind::int32 ? 31 : 63)));
  }
  /// From 2^63 to 2^64 the conversion without a sign; elsewhere that with one.
  constexpr id truncated_unsigned(id x) {
    const id above = m_.compare(op::FOrdGreaterThanEqual, x, real_of(0x1p63f)),
             large = m_.both(above, m_.less(x, real_of(0x1p64f)));
    const id whole =
        m_.convert(op::ConvertFToU, m_.select(large, x, real_of(0x1p63f)), kind::int64);
    return m_.select(large, whole, truncated(x, kind::int64, 0x1p63f));
  }
  /// Division by zero gives 0.
  constexpr id quotient(id a, id b) {
    const id zero = number(a.is, 0), none = m_.equal(b, zero);
    return m_.select(none, zero, m_.div(a, m_.select(none, number(a.is, 1), b)));
  }
  /// By -1 the negative, which wraps around for the least integer, where SPIR-V defines nothing.
  constexpr id signed_quotient(id a, id b) {
    const id zero = number(a.is, 0), none = m_.equal(b, zero),
             minus = m_.equal(b, number(a.is, ~std::uint64_t{0}));
    const id safe = m_.select(m_.either(none, minus), number(a.is, 1), b);
    const id q = m_.binary(op::SDiv, a, safe);
    return m_.select(none, zero, m_.select(minus, m_.sub(zero, a), q));
  }
  /// By squaring, in as many iterations as the exponent has bits: no invocation leaves the loop
  /// earlier.
  constexpr id power(id base, id exponent) {
    const id one = number(base.is, 1), zero = number(base.is, 0);
    const variable result = m_.local(one), factor = m_.local(base), rest = m_.local(exponent);
    m_.loop(base.is == kind::int32 ? 32 : 64, [&](id) {
      const id f = m_.get(factor), e = m_.get(rest), all = m_.get(result);
      const id even = m_.equal(m_.binary(op::BitwiseAnd, e, one), zero);
      m_.set(result, m_.select(even, all, m_.mul(all, f)));
      m_.set(factor, m_.mul(f, f));
      m_.set(rest, m_.binary(op::ShiftRightLogical, e, one));
    });
    return m_.get(result);
  }
  /// A negative exponent leaves 0 but for the bases 1 and -1.
  constexpr id signed_power(id base, id exponent) {
    const id one = number(base.is, 1), zero = number(base.is, 0),
             minus = number(base.is, ~std::uint64_t{0});
    const id odd = m_.equal(m_.binary(op::BitwiseAnd, exponent, one), one);
    const id sign = m_.select(odd, minus, one);
    const id other = m_.select(m_.equal(base, minus), sign, zero);
    const id unit = m_.select(m_.equal(base, one), one, other), whole = power(base, exponent);
    return m_.select(m_.less(exponent, zero), unit, whole);
  }
};

}  // namespace tenon::spirv
