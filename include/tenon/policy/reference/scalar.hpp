// The value of a scalar program for one element: the definition that every policy is tested
// against.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/base/half.hpp>
#include <tenon/language/elementary.hpp>
#include <bit>
#include <cstdint>

namespace tenon {

/// A value of any slot kind; a mask is the word 1 or 0. A constant expression refuses to read a
/// member that was not written last, so that a program which mixes kinds up does not compile.
union scalar_register {
  float real;
  std::uint32_t word;
  std::uint64_t wide;
};

constexpr float evaluate(program_view p, const float* args);

/// One instruction on 64 bits, or one of the other rare ones. Integers wrap around; what C++ leaves
/// undefined (division by zero, of the least integer by -1, conversions of numbers out of range) is
/// defined in base/arithmetic.hpp.
constexpr void evaluate_rare(instruction i, scalar_register& d, const scalar_register& a,
                             const scalar_register& b, const scalar_register& c) {
  namespace m = arithmetic;
  switch (i.op()) {
    case sop::int_div: d.word = m::signed_quotient(a.word, b.word); break;
    case sop::int_div_unsigned: d.word = m::quotient(a.word, b.word); break;
    case sop::int_pow: d.word = m::signed_power(a.word, b.word); break;
    case sop::int_pow_unsigned: d.word = m::power(a.word, b.word); break;
    case sop::to_wide: d.wide = m::word(std::int64_t{m::wrap(a.word)}); break;
    case sop::to_wide_unsigned: d.wide = a.word; break;
    case sop::wide_join: d.wide = std::uint64_t{b.word} << 32 | a.word; break;
    case sop::narrow: d.word = static_cast<std::uint32_t>(a.wide); break;
    case sop::real_to_wide: d.wide = m::word(m::to_wide(a.real)); break;
    case sop::real_to_wide_unsigned: d.wide = m::to_wide_unsigned(a.real); break;
    case sop::wide_to_real: d.real = static_cast<float>(m::wrap(a.wide)); break;
    case sop::wide_to_real_unsigned: d.real = static_cast<float>(a.wide); break;
    case sop::wide_add: d.wide = a.wide + b.wide; break;
    case sop::wide_sub: d.wide = a.wide - b.wide; break;
    case sop::wide_mul: d.wide = a.wide * b.wide; break;
    case sop::wide_div: d.wide = m::signed_quotient(a.wide, b.wide); break;
    case sop::wide_div_unsigned: d.wide = m::quotient(a.wide, b.wide); break;
    case sop::wide_pow: d.wide = m::signed_power(a.wide, b.wide); break;
    case sop::wide_pow_unsigned: d.wide = m::power(a.wide, b.wide); break;
    case sop::wide_and: d.wide = a.wide & b.wide; break;
    case sop::wide_or: d.wide = a.wide | b.wide; break;
    case sop::wide_xor: d.wide = a.wide ^ b.wide; break;
    case sop::wide_shift_left: d.wide = a.wide << (i.b() & 63); break;
    case sop::wide_shift_right: d.wide = a.wide >> (i.b() & 63); break;
    case sop::wide_less: d.word = m::wrap(a.wide) < m::wrap(b.wide); break;
    case sop::wide_less_unsigned: d.word = a.wide < b.wide; break;
    case sop::wide_equal: d.word = a.wide == b.wide; break;
    case sop::wide_select: d.wide = a.word != 0 ? b.wide : c.wide; break;
    default: d.wide = a.wide; break;  // typed_int64, typed_uint64
  }
}

/// Runs one instruction; `args` holds real and integer operands. clang counts the cases that a
/// switch passes on its way as steps of a constant expression: the frequent ones come first.
constexpr void evaluate_step(instruction i, scalar_register* r, const scalar_register* args) {
  namespace m = arithmetic;
  const auto w = i.word;
  scalar_register &d = r[w >> 8 & 255], &a = r[w >> 16 & 255], &b = r[w >> 24 & 255],
                  &c = r[w >> 32 & 255];
  // elementary functions are programs themselves: every policy can run the same instructions
  const auto function = [&](float x, float y) {
    const float xy[] = {x, y};
    return evaluate(elementary_view(i.op()), xy);
  };
  switch (static_cast<sop>(w & 255)) {
    case sop::fma: d.real = m::fma(a.real, b.real, c.real); break;
    case sop::literal: d.real = i.real(); break;
    case sop::mul: d.real = m::mul(a.real, b.real); break;
    case sop::add: d.real = m::add(a.real, b.real); break;
    case sop::sub: d.real = m::sub(a.real, b.real); break;
    case sop::select: d.real = a.word != 0 ? b.real : c.real; break;
    case sop::as_int: d.word = std::bit_cast<std::uint32_t>(a.real); break;
    case sop::as_float: d.real = std::bit_cast<float>(a.word); break;
    case sop::less: d.word = a.real < b.real; break;
    case sop::arg: d = args[w >> 16 & 255]; break;
    case sop::literal_int: d.word = i.bits(); break;
    case sop::min: d.real = m::min(a.real, b.real); break;
    case sop::max: d.real = m::max(a.real, b.real); break;
    case sop::shift_left: d.word = a.word << (w >> 24 & 31); break;
    case sop::shift_right: d.word = a.word >> (w >> 24 & 31); break;
    case sop::int_add: d.word = a.word + b.word; break;
    case sop::int_sub: d.word = a.word - b.word; break;
    case sop::int_mul: d.word = a.word * b.word; break;
    case sop::int_less: d.word = m::wrap(a.word) < m::wrap(b.word); break;
    case sop::int_less_equal: d.word = m::wrap(a.word) <= m::wrap(b.word); break;
    case sop::int_equal: d.word = a.word == b.word; break;
    case sop::mask_to_int: d.word = a.word; break;
    case sop::to_byte: d.word = a.word & 255u; break;
    case sop::to_int8: d.word = m::word(std::int32_t{static_cast<std::int8_t>(a.word)}); break;
    case sop::to_half: d.real = halves::rounded(a.real); break;
    case sop::typed_float32: d.real = a.real; break;
    case sop::typed_int32:
    case sop::typed_uint32: d.word = a.word; break;
    case sop::int_less_unsigned: d.word = a.word < b.word; break;
    case sop::int_and: d.word = a.word & b.word; break;
    case sop::int_or: d.word = a.word | b.word; break;
    case sop::int_xor: d.word = a.word ^ b.word; break;
    case sop::neg: d.real = m::neg(a.real); break;
    case sop::abs: d.real = m::abs(a.real); break;
    case sop::div: d.real = m::div(a.real, b.real); break;
    case sop::equal: d.word = a.real == b.real; break;
    case sop::less_equal: d.word = a.real <= b.real; break;
    case sop::mask_and: d.word = a.word & b.word; break;
    case sop::mask_or: d.word = a.word | b.word; break;
    case sop::mask_not: d.word = a.word ^ 1u; break;
    case sop::to_int: d.word = m::word(m::to_int(a.real)); break;
    case sop::to_float: d.real = static_cast<float>(m::wrap(a.word)); break;
    case sop::floor: d.real = m::floor(a.real); break;
    case sop::round_even: d.real = m::round_even(a.real); break;
    case sop::sqrt: d.real = m::sqrt(a.real); break;
    default:
      if (is_rare(static_cast<sop>(w & 255))) return evaluate_rare(i, d, a, b, c);
      if (!is_elementary(i.op())) __builtin_unreachable();  // a primitive without its case above
      // what an instruction of one source does not read may not have been written
      d.real = function(a.real, sources_of(i.op()) > 1 ? b.real : 0.0f);
      break;
  }
}

// g++ 12 does not see that a program writes its registers before it reads them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// Runs the instructions in order; the last one's register is the value.
/// Misuse: an empty program, or one that reads a register before writing it.
/// Cost: in a constant expression 25 to 40 of clang's steps an instruction; 1,000 for an exp.
constexpr scalar_register evaluate(program_view p, const scalar_register* args) {
  scalar_register r[256];  // not cleared: a program writes before it reads
  for (const instruction* i = p.code; i != p.code + p.size; ++i) evaluate_step(*i, r, args);
  return r[p.code[p.size - 1].dst()];
}
/// A program whose operands and result are float32.
constexpr float evaluate(program_view p, const float* args) {
  scalar_register arguments[max_operands]{};
  int operands = 0;
  for (int i = 0; i < p.size; ++i)
    if (p.code[i].op() == sop::arg && p.code[i].a() >= operands) operands = p.code[i].a() + 1;
  for (int i = 0; i < operands; ++i) arguments[i].real = args[i];
  return evaluate(p, arguments).real;
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace tenon
