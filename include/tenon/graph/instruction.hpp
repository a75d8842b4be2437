// The instructions of scalar programs: their names, a table of facts about them, and how one is
// stored.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/type.hpp>
#include <bit>
#include <cstdint>

namespace tenon {

/// The instructions of scalar programs: first the primitives, a closed set; then the elementary
/// functions, which are themselves programs over the primitives (`language/elementary.hpp`); then
/// the rare ones, integer division and powers and all on 64-bit integers. A new instruction also
/// gets a row in the table below.
// clang-format off
enum class sop : std::uint8_t {
  arg, literal, literal_int,                                  // leaves
  add, sub, mul, div, fma, neg, abs, min, max, sqrt, floor, round_even,
  less, less_equal, equal, mask_and, mask_or, mask_not, select,  // masks
  to_int, to_float, as_int, as_float,                            // conversions and bit casts
  int_add, int_sub, int_mul, int_and, int_or, int_xor, shift_left, shift_right,  // 32 bits; shifts are logical
  int_less, int_less_equal, int_equal, int_less_unsigned, mask_to_int,
  to_byte, to_int8, to_half,  // the low byte as uint8 or int8; rounded to float16
  typed_float32, typed_int32, typed_uint32,  // nothing: they say the element type of a result
  exp, log, tanh, erf, sigmoid, sin, cos, tan, log1p, expm1, erfc, pow,  // elementary functions
  int_div, int_div_unsigned, int_pow, int_pow_unsigned,
  to_wide, to_wide_unsigned, wide_join, narrow,                  // 32 bits to 64, two words to 64, the low word
  real_to_wide, real_to_wide_unsigned, wide_to_real, wide_to_real_unsigned,
  wide_add, wide_sub, wide_mul, wide_div, wide_div_unsigned, wide_pow, wide_pow_unsigned,
  wide_and, wide_or, wide_xor, wide_shift_left, wide_shift_right,
  wide_less, wide_less_unsigned, wide_equal, wide_select, typed_int64, typed_uint64,
};
// clang-format on

/// What a slot of a program holds: a float, 32 bits, 64 bits, or a truth value.
enum class slot_kind : std::uint8_t { real, integer, wide, mask };
/// The kind of slot in which elements of a type are computed.
constexpr slot_kind slot_kind_of(type t) {
  if (is_real(t)) return slot_kind::real;
  return size_bytes(t) == 8 ? slot_kind::wide : slot_kind::integer;
}

/// How an instruction is written as text, in the order of C++'s precedence: infix operators, the
/// one that binds least first; shifts by a number; prefixes; calls; atoms, which are arguments and
/// numbers. A silent instruction is not written: it only says the element type of a result.
enum class syntax : std::uint8_t {
  or_,
  xor_,
  and_,
  equality,
  comparison,
  shift,
  sum,
  product,
  prefix,
  call,
  atom,
  silent
};

/// How policies implement an instruction. All have the primitives. Elementary functions are
/// replaced by their programs over the primitives. For the rare ones a policy may use plain loops.
enum class instruction_kind : std::uint8_t { primitive, elementary, rare };

/// The facts about an instruction on which passes and descriptions rely.
struct instruction_facts {
  sop op;
  const char* text;  ///< the operator with its blanks, or the function's name
  syntax written;
  int sources;    ///< registers that it reads; an `arg`'s operand and a shift's count are none
  slot_kind in;   ///< of the first source; the branches of a select have the kind of `out`
  slot_kind out;  ///< of the result
  instruction_kind kind;
  int flops;                 ///< of an elementary function those of its program, as a test checks
  bool is_unsigned = false;  ///< another form, for signed integers, is written the same
};

namespace instructions {

using enum slot_kind;
using enum syntax;
using enum instruction_kind;

// clang-format off
inline constexpr instruction_facts table[] = {
    {sop::arg, "", atom, 0, real, real, primitive, 0},
    {sop::literal, "", atom, 0, real, real, primitive, 0},
    {sop::literal_int, "", atom, 0, integer, integer, primitive, 0},

    {sop::add, " + ", sum, 2, real, real, primitive, 1},
    {sop::sub, " - ", sum, 2, real, real, primitive, 1},
    {sop::mul, " * ", product, 2, real, real, primitive, 1},
    {sop::div, " / ", product, 2, real, real, primitive, 1},
    {sop::fma, "fma", call, 3, real, real, primitive, 2},
    {sop::neg, "-", prefix, 1, real, real, primitive, 1},
    {sop::abs, "abs", call, 1, real, real, primitive, 1},
    {sop::min, "min", call, 2, real, real, primitive, 1},
    {sop::max, "max", call, 2, real, real, primitive, 1},
    {sop::sqrt, "sqrt", call, 1, real, real, primitive, 1},
    {sop::floor, "floor", call, 1, real, real, primitive, 1},
    {sop::round_even, "round_even", call, 1, real, real, primitive, 1},

    {sop::less, " < ", comparison, 2, real, mask, primitive, 1},
    {sop::less_equal, " <= ", comparison, 2, real, mask, primitive, 1},
    {sop::equal, " == ", equality, 2, real, mask, primitive, 1},
    {sop::mask_and, " & ", and_, 2, mask, mask, primitive, 1},
    {sop::mask_or, " | ", or_, 2, mask, mask, primitive, 1},
    {sop::mask_not, "!", prefix, 1, mask, mask, primitive, 1},
    {sop::select, "select", call, 3, mask, real, primitive, 1},

    {sop::to_int, "cast<int32>", call, 1, real, integer, primitive, 1},
    {sop::to_float, "cast<float>", call, 1, integer, real, primitive, 1},
    {sop::as_int, "bitcast<int32>", call, 1, real, integer, primitive, 1},
    {sop::as_float, "bitcast<float>", call, 1, integer, real, primitive, 1},

    {sop::int_add, " + ", sum, 2, integer, integer, primitive, 1},
    {sop::int_sub, " - ", sum, 2, integer, integer, primitive, 1},
    {sop::int_mul, " * ", product, 2, integer, integer, primitive, 1},
    {sop::int_and, " & ", and_, 2, integer, integer, primitive, 1},
    {sop::int_or, " | ", or_, 2, integer, integer, primitive, 1},
    {sop::int_xor, " ^ ", xor_, 2, integer, integer, primitive, 1},
    {sop::shift_left, " << ", shift, 1, integer, integer, primitive, 1},
    {sop::shift_right, " >> ", shift, 1, integer, integer, primitive, 1},
    {sop::int_less, " < ", comparison, 2, integer, mask, primitive, 1},
    {sop::int_less_equal, " <= ", comparison, 2, integer, mask, primitive, 1},
    {sop::int_equal, " == ", equality, 2, integer, mask, primitive, 1},
    {sop::int_less_unsigned, " < ", comparison, 2, integer, mask, primitive, 1, true},
    {sop::mask_to_int, "cast<int32>", call, 1, mask, integer, primitive, 1},

    {sop::to_byte, "cast<uint8>", call, 1, integer, integer, primitive, 1},
    {sop::to_int8, "cast<int8>", call, 1, integer, integer, primitive, 1},
    {sop::to_half, "cast<float16>", call, 1, real, real, primitive, 1},
    {sop::typed_float32, "", silent, 1, real, real, primitive, 0},
    {sop::typed_int32, "", silent, 1, integer, integer, primitive, 0},
    {sop::typed_uint32, "", silent, 1, integer, integer, primitive, 0},

    {sop::exp, "exp", call, 1, real, real, elementary, 32},
    {sop::log, "log", call, 1, real, real, elementary, 40},
    {sop::tanh, "tanh", call, 1, real, real, elementary, 43},
    {sop::erf, "erf", call, 1, real, real, elementary, 52},
    {sop::sigmoid, "sigmoid", call, 1, real, real, elementary, 31},
    {sop::sin, "sin", call, 1, real, real, elementary, 39},
    {sop::cos, "cos", call, 1, real, real, elementary, 38},
    {sop::tan, "tan", call, 1, real, real, elementary, 31},
    {sop::log1p, "log1p", call, 1, real, real, elementary, 49},
    {sop::expm1, "expm1", call, 1, real, real, elementary, 32},
    {sop::erfc, "erfc", call, 1, real, real, elementary, 84},
    {sop::pow, "pow", call, 2, real, real, elementary, 144},

    {sop::int_div, " / ", product, 2, integer, integer, rare, 1},
    {sop::int_div_unsigned, " / ", product, 2, integer, integer, rare, 1, true},
    {sop::int_pow, "pow", call, 2, integer, integer, rare, 1},
    {sop::int_pow_unsigned, "pow", call, 2, integer, integer, rare, 1, true},

    {sop::to_wide, "cast<int64>", call, 1, integer, wide, rare, 1},
    {sop::to_wide_unsigned, "cast<uint64>", call, 1, integer, wide, rare, 1, true},
    {sop::wide_join, "join", call, 2, integer, wide, rare, 1},
    {sop::narrow, "cast<int32>", call, 1, wide, integer, rare, 1},
    {sop::real_to_wide, "cast<int64>", call, 1, real, wide, rare, 1},
    {sop::real_to_wide_unsigned, "cast<uint64>", call, 1, real, wide, rare, 1, true},
    {sop::wide_to_real, "cast<float>", call, 1, wide, real, rare, 1},
    {sop::wide_to_real_unsigned, "cast<float>", call, 1, wide, real, rare, 1, true},

    {sop::wide_add, " + ", sum, 2, wide, wide, rare, 1},
    {sop::wide_sub, " - ", sum, 2, wide, wide, rare, 1},
    {sop::wide_mul, " * ", product, 2, wide, wide, rare, 1},
    {sop::wide_div, " / ", product, 2, wide, wide, rare, 1},
    {sop::wide_div_unsigned, " / ", product, 2, wide, wide, rare, 1, true},
    {sop::wide_pow, "pow", call, 2, wide, wide, rare, 1},
    {sop::wide_pow_unsigned, "pow", call, 2, wide, wide, rare, 1, true},
    {sop::wide_and, " & ", and_, 2, wide, wide, rare, 1},
    {sop::wide_or, " | ", or_, 2, wide, wide, rare, 1},
    {sop::wide_xor, " ^ ", xor_, 2, wide, wide, rare, 1},
    {sop::wide_shift_left, " << ", shift, 1, wide, wide, rare, 1},
    {sop::wide_shift_right, " >> ", shift, 1, wide, wide, rare, 1},
    {sop::wide_less, " < ", comparison, 2, wide, mask, rare, 1},
    {sop::wide_less_unsigned, " < ", comparison, 2, wide, mask, rare, 1, true},
    {sop::wide_equal, " == ", equality, 2, wide, mask, rare, 1},
    {sop::wide_select, "select", call, 3, mask, wide, rare, 1},
    {sop::typed_int64, "", silent, 1, wide, wide, rare, 0},
    {sop::typed_uint64, "", silent, 1, wide, wide, rare, 0},
};
// clang-format on
inline constexpr int count = sizeof(table) / sizeof(table[0]);

consteval bool in_order() {
  for (int i = 0; i < count; ++i)
    if (static_cast<int>(table[i].op) != i || (i > 0 && table[i].kind < table[i - 1].kind))
      return false;
  return table[count - 1].op == sop::typed_uint64;
}
static_assert(in_order(),
              "instructions: the rows must stand in the order of `sop`, rare ones last");

constexpr int first_of(instruction_kind kind) {
  int i = 0;
  while (table[i].kind != kind) ++i;
  return i;
}
inline constexpr int first_elementary = first_of(elementary), first_rare = first_of(rare),
                     elementary_count = first_rare - first_elementary;

}  // namespace instructions

constexpr const instruction_facts& facts_of(sop o) {
  return instructions::table[static_cast<int>(o)];
}
constexpr bool is_elementary(sop o) { return facts_of(o).kind == instruction_kind::elementary; }
constexpr bool is_rare(sop o) { return facts_of(o).kind == instruction_kind::rare; }
/// True for an instruction that only says the element type of a result and computes nothing.
constexpr bool is_typed(sop o) { return facts_of(o).written == syntax::silent; }
/// How many registers an instruction reads.
constexpr int sources_of(sop o) { return facts_of(o).sources; }
/// The kind of slot that an instruction writes.
constexpr slot_kind slot_kind_of(sop o) { return facts_of(o).out; }

/// One instruction in a 64-bit word, so that programs are short template arguments. From the low
/// end, a byte each: operation, destination register, up to three source registers; a literal has
/// its 32 bits in the upper half instead.
struct instruction {
  // No initialiser: an array of a trivial type costs a constant expression no steps.
  std::uint64_t word;
  constexpr bool operator==(const instruction&) const = default;
  static constexpr instruction make(sop o, int d, int a = 0, int b = 0, int c = 0) {
    const auto u = [](int v) { return static_cast<std::uint64_t>(static_cast<std::uint8_t>(v)); };
    return {static_cast<std::uint64_t>(o) | u(d) << 8 | u(a) << 16 | u(b) << 24 | u(c) << 32};
  }
  static constexpr instruction make_literal(sop o, int d, std::uint32_t bits) {
    return {static_cast<std::uint64_t>(o) |
            static_cast<std::uint64_t>(static_cast<std::uint8_t>(d)) << 8 |
            static_cast<std::uint64_t>(bits) << 32};
  }
  constexpr sop op() const { return static_cast<sop>(word & 255); }
  constexpr int dst() const { return static_cast<int>(word >> 8 & 255); }
  constexpr int a() const { return static_cast<int>(word >> 16 & 255); }
  constexpr int b() const { return static_cast<int>(word >> 24 & 255); }
  constexpr int c() const { return static_cast<int>(word >> 32 & 255); }
  constexpr std::uint32_t bits() const { return static_cast<std::uint32_t>(word >> 32); }
  constexpr float real() const { return std::bit_cast<float>(bits()); }
  constexpr bool is_literal() const { return op() == sop::literal || op() == sop::literal_int; }
  /// The element type of an `arg`'s operand; float16 is widened to a float, int8 and uint8 to
  /// int32.
  constexpr tenon::type type() const { return static_cast<tenon::type>(b()); }
};

/// The kind of slot that this instruction writes; for an `arg` it depends on the operand's type.
constexpr slot_kind slot_kind_of(instruction i) {
  return i.op() == sop::arg ? slot_kind_of(i.type()) : slot_kind_of(i.op());
}

/// The element type of an instruction's value as a program's result; that of a mask is uint8.
constexpr type type_at(instruction x) {
  switch (x.op()) {
    case sop::arg: return x.type();
    case sop::to_half: return type::float16;
    case sop::to_int8: return type::int8;
    case sop::to_byte: return type::uint8;
    case sop::typed_uint32: return type::uint32;
    case sop::typed_uint64: return type::uint64;
    default: break;
  }
  const slot_kind l = slot_kind_of(x);
  return l == slot_kind::real      ? type::float32
         : l == slot_kind::integer ? type::int32
         : l == slot_kind::wide    ? type::int64
                                   : type::uint8;
}

}  // namespace tenon
