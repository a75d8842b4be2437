// Scalar programs: what an element-wise operator computes for one element, written down by calling
// a lambda once with symbols (`tenon::scalar`). Every policy runs the written program.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <tenon/base/type.hpp>
#include <bit>
#include <concepts>
#include <cstdint>

namespace tenon {

/// The instructions of scalar programs. The closed primitive set; then the elementary functions,
/// which are themselves programs over the primitives (`expr/elementary.hpp`); then integer division
/// and powers, and the 64-bit lane.
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
  exp, log, tanh, erf, sigmoid, sin, cos, tan, pow,              // elementary functions
  int_div, int_div_unsigned, int_pow, int_pow_unsigned,
  to_wide, to_wide_unsigned, wide_join, narrow,                  // 32 bits to 64, two words to 64, the low word
  real_to_wide, real_to_wide_unsigned, wide_to_real, wide_to_real_unsigned,
  wide_add, wide_sub, wide_mul, wide_div, wide_div_unsigned, wide_pow, wide_pow_unsigned,
  wide_and, wide_or, wide_xor, wide_shift_left, wide_shift_right,
  wide_less, wide_less_unsigned, wide_equal, wide_select, typed_int64, typed_uint64,
};
// clang-format on

inline constexpr bool is_elementary(sop o) { return o >= sop::exp && o <= sop::pow; }
/// Instructions that stand behind the elementary functions: rare ones, for which a policy may have
/// plain loops.
inline constexpr bool is_rare(sop o) { return o > sop::pow; }
/// Instructions that do nothing but say the element type of a result.
inline constexpr bool is_typed(sop o) {
  return (o >= sop::typed_float32 && o <= sop::typed_uint32) || o >= sop::typed_int64;
}

/// What a slot of a program holds: a float, 32 bits, 64 bits, or a truth value.
enum class lane : std::uint8_t { real, integer, wide, mask };
/// The lane in which elements of a type are computed.
constexpr lane lane_of(type t) {
  if (is_real(t)) return lane::real;
  return size_bytes(t) == 8 ? lane::wide : lane::integer;
}

/// One instruction in a 64-bit word, so that programs are short template arguments: operation,
/// destination register, up to three source registers (or a 32-bit literal in the upper half).
struct instruction {
  std::uint64_t
      word;  // no initialiser: arrays of a trivial type cost a constant expression nothing
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
  /// Of `arg`: the operand's element type; float16 is widened to a float, int8 and uint8 to int32.
  constexpr tenon::type type() const { return static_cast<tenon::type>(b()); }
};

/// How many registers an instruction reads: 0 (leaves; `arg`'s `a` is an operand), 1, 2 or 3.
// clang-format off
constexpr int sources_of(sop o) {
  switch (o) {
    case sop::arg: case sop::literal: case sop::literal_int: return 0;
    case sop::add: case sop::sub: case sop::mul: case sop::div: case sop::min: case sop::max:
    case sop::less: case sop::less_equal: case sop::equal: case sop::mask_and: case sop::mask_or:
    case sop::int_add: case sop::int_sub: case sop::int_mul: case sop::int_and: case sop::int_or:
    case sop::int_xor: case sop::int_less: case sop::int_less_equal: case sop::int_equal:
    case sop::int_less_unsigned: case sop::pow: case sop::int_div: case sop::int_div_unsigned:
    case sop::int_pow: case sop::int_pow_unsigned: case sop::wide_join: case sop::wide_add:
    case sop::wide_sub: case sop::wide_mul: case sop::wide_div: case sop::wide_div_unsigned:
    case sop::wide_pow: case sop::wide_pow_unsigned: case sop::wide_and: case sop::wide_or:
    case sop::wide_xor: case sop::wide_less: case sop::wide_less_unsigned: case sop::wide_equal:
      return 2;
    case sop::fma: case sop::select: case sop::wide_select: return 3;
    default: return 1;  // shifts carry their count in b
  }
}

/// What an instruction leaves in its register. (The branches of `select` are real; integers are bit
/// casts around it.)
constexpr lane lane_of(sop o) {
  switch (o) {
    case sop::less: case sop::less_equal: case sop::equal: case sop::mask_and: case sop::mask_or:
    case sop::mask_not: case sop::int_less: case sop::int_less_equal: case sop::int_equal:
    case sop::int_less_unsigned: case sop::wide_less: case sop::wide_less_unsigned:
    case sop::wide_equal: return lane::mask;
    case sop::literal_int: case sop::to_int: case sop::as_int: case sop::int_add: case sop::int_sub:
    case sop::int_mul: case sop::int_and: case sop::int_or: case sop::int_xor: case sop::shift_left:
    case sop::shift_right: case sop::mask_to_int: case sop::to_byte: case sop::to_int8:
    case sop::typed_int32: case sop::typed_uint32: case sop::int_div: case sop::int_div_unsigned:
    case sop::int_pow: case sop::int_pow_unsigned: case sop::narrow: return lane::integer;
    case sop::wide_to_real: case sop::wide_to_real_unsigned: return lane::real;
    default: return is_rare(o) ? lane::wide : lane::real;
  }
}
// clang-format on
constexpr lane lane_of(instruction i) {
  return i.op() == sop::arg ? lane_of(i.type()) : lane_of(i.op());
}

/// The element type that an instruction computes as a result: masks are uint8.
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
  const lane l = lane_of(x);
  return l == lane::real      ? type::float32
         : l == lane::integer ? type::int32
         : l == lane::wide    ? type::int64
                              : type::uint8;
}
/// Longest program (registers are bytes).
inline constexpr int max_program = 240;
/// Most operands of a program.
inline constexpr int max_operands = 8;

/// A finished program as a template argument. Instruction i writes register `dst`; the last
/// instruction's register is the result.
template <int N> struct program {
  instruction code[N]{};
  static constexpr int size = N;
  constexpr bool operator==(const program&) const = default;
};

/// A program as data.
struct program_view {
  const instruction* code = nullptr;
  int size = 0;
};

/// The recorder behind the symbols: instructions in SSA form, equal ones shared.
struct tape {
  instruction code[max_program]{};
  int size = 0;
  tenon::code fault = tenon::code::ok;  ///< the first misuse: mixed lanes or too long

  constexpr int emit(sop o, int a = 0, int b = 0, int c = 0) {
    const auto is = [&](int slot, sop what) { return code[slot].op() == what; };
    if (typed_ && o != sop::arg) {  // what computes on does not care for a result's type
      const int n = sources_of(o);
      a = n > 0 ? untyped(a) : a;
      b = n > 1 ? untyped(b) : b;
      c = n > 2 ? untyped(c) : c;
    }
    if (o == sop::mask_not && is(a, sop::mask_not)) return code[a].a();
    // A mask that became a uint8 and is asked whether it is zero.
    if (o == sop::int_equal && is(a, sop::mask_to_int) && is(b, sop::literal_int) &&
        code[b].bits() == 0)
      return emit(sop::mask_not, code[a].a());
    if (o == sop::to_half && is_half(a)) return a;
    typed_ = typed_ || is_typed(o);
    return put(instruction::make(o, 0, a, b, c));
  }
  constexpr int literal(float v) {
    return put(instruction::make_literal(sop::literal, 0, std::bit_cast<std::uint32_t>(v)));
  }
  constexpr int literal_int(std::int32_t v) {
    return put(instruction::make_literal(sop::literal_int, 0, static_cast<std::uint32_t>(v)));
  }
  /// 64 bits are two words, of which the high one says nothing where it repeats the sign.
  constexpr int literal_wide(std::uint64_t v) {
    const auto low = static_cast<std::int32_t>(static_cast<std::uint32_t>(v)),
               high = static_cast<std::int32_t>(static_cast<std::uint32_t>(v >> 32));
    const int word = literal_int(low);
    return high == (low < 0 ? -1 : 0) ? emit(sop::to_wide, word)
                                      : emit(sop::wide_join, word, literal_int(high));
  }
  constexpr int argument(int operand, tenon::type t) {
    return emit(sop::arg, operand, static_cast<int>(t));
  }
  constexpr lane lane_at(int slot) const { return lane_of(code[slot]); }
  constexpr void refuse() {
    if (fault == tenon::code::ok) fault = tenon::code::program;
  }

 private:
  bool typed_ = false;  ///< an instruction says the element type of a result

  constexpr int untyped(int slot) const {
    return is_typed(code[slot].op()) ? code[slot].a() : slot;
  }
  constexpr bool is_half(int slot) const {
    const instruction x = code[slot];
    return x.op() == sop::to_half || (x.op() == sop::arg && x.type() == type::float16);
  }
  constexpr int put(instruction i) {
    for (int j = 0; j < size; ++j)
      if ((code[j].word & ~std::uint64_t{0xff00}) == i.word) return j;
    if (size == max_program) {
      refuse();
      return 0;
    }
    code[size] = {i.word | static_cast<std::uint64_t>(size) << 8};
    return size++;
  }
};

template <class T>
concept number = std::integral<T> || std::floating_point<T>;

/// The symbol a scalar program is written with. Arithmetic `+ - * /`, comparisons, and the functions
/// below are its whole vocabulary; a literal takes the type of its partner.
/// Misuse: `?:`, `&&` and `if` on a symbol do not compile; use `select`, `&`, `|`.
class scalar {
 public:
  constexpr scalar() = default;
  /// `is_unsigned`: of integers, that they are uint32 or uint64.
  constexpr scalar(tape* t, int slot, bool is_unsigned = false)
      : tape_(t), slot_(slot), unsigned_(is_unsigned) {}
  constexpr int slot() const { return slot_; }
  constexpr tape* where() const { return tape_; }
  constexpr lane is() const { return tape_->lane_at(slot_); }
  /// Of integers: they are computed as uint32 or uint64.
  constexpr bool is_unsigned() const { return unsigned_; }
  constexpr bool is_integer() const { return is() == lane::integer || is() == lane::wide; }
  /// The type that it is computed in; uint8 for a truth value.
  constexpr tenon::type type() const {
    switch (is()) {
      case lane::real: return type::float32;
      case lane::integer: return unsigned_ ? type::uint32 : type::int32;
      case lane::wide: return unsigned_ ? type::uint64 : type::int64;
      default: return type::uint8;
    }
  }

  /// The element type that it would be as a result.
  constexpr tenon::type element() const { return type_at(tape_->code[slot_]); }

  template <std::same_as<bool> B> constexpr explicit operator B() const {
    static_assert(!sizeof(B),
                  "map: a scalar program cannot branch on a symbol; use select(condition, a, b)");
    return false;
  }
  template <number T>
  requires(!std::same_as<T, bool>) constexpr explicit operator T() const {
    static_assert(!sizeof(T),
                  "map: a symbol has no value while the program is written; use cast<T>(x)");
    return {};
  }

  /// A literal of this symbol's type.
  template <class T> constexpr scalar lift(T v) const {
    if constexpr (std::same_as<T, scalar>)
      return v;
    else if (is() == lane::integer)
      return {tape_, tape_->literal_int(static_cast<std::int32_t>(word_of(v))), unsigned_};
    else if (is() == lane::wide)
      return {tape_, tape_->literal_wide(word_of(v)), unsigned_};
    else if constexpr (std::same_as<T, any_number>)
      return {tape_, tape_->literal(v.to_float())};
    else
      return {tape_, tape_->literal(static_cast<float>(v))};
  }
  constexpr scalar apply(sop o, lane wants) const {
    expect(wants);
    return made(o, tape_->emit(o, slot_));
  }
  constexpr scalar apply(sop o, lane wants, scalar y) const {
    expect(wants);
    y.expect(wants);
    if (y.unsigned_ != unsigned_) tape_->refuse();
    return made(o, tape_->emit(o, slot_, y.slot_));
  }
  constexpr void expect(lane wants) const {
    if (is() != wants) tape_->refuse();
  }
  constexpr scalar as_unsigned(bool yes) const { return {tape_, slot_, yes}; }

 private:
  tape* tape_ = nullptr;
  int slot_ = 0;
  bool unsigned_ = false;

  /// Integers of one width keep their sign through arithmetic.
  constexpr scalar made(sop o, int slot) const {
    return {tape_, slot, unsigned_ && lane_of(o) == is()};
  }
  template <class T> constexpr std::uint64_t word_of(T v) const {
    if constexpr (std::integral<T>)
      return static_cast<std::uint64_t>(v);
    else
      return integer_of(type(), v);
  }
};

template <class A, class B>
concept symbolic = (std::same_as<A, scalar> && (std::same_as<B, scalar> || number<B>)) ||
                   (std::same_as<B, scalar> && number<A>);

namespace symbols {
template <class A, class B> constexpr scalar first_of(A a, B b) {
  if constexpr (std::same_as<A, scalar>)
    return a;
  else
    return b.lift(a);
}
/// One operation in all lanes.
struct forms {
  sop real, integer, unsigned_integer, wide, unsigned_wide;
  constexpr sop of(scalar x) const {
    switch (x.is()) {
      case lane::integer: return x.is_unsigned() ? unsigned_integer : integer;
      case lane::wide: return x.is_unsigned() ? unsigned_wide : wide;
      default: return real;
    }
  }
};
inline constexpr forms addition{sop::add, sop::int_add, sop::int_add, sop::wide_add, sop::wide_add};
inline constexpr forms subtraction{sop::sub, sop::int_sub, sop::int_sub, sop::wide_sub,
                                   sop::wide_sub};
inline constexpr forms multiplication{sop::mul, sop::int_mul, sop::int_mul, sop::wide_mul,
                                      sop::wide_mul};
inline constexpr forms division{sop::div, sop::int_div, sop::int_div_unsigned, sop::wide_div,
                                sop::wide_div_unsigned};
inline constexpr forms powers{sop::pow, sop::int_pow, sop::int_pow_unsigned, sop::wide_pow,
                              sop::wide_pow_unsigned};
inline constexpr forms smaller{sop::less, sop::int_less, sop::int_less_unsigned, sop::wide_less,
                               sop::wide_less_unsigned};
inline constexpr forms same{sop::equal, sop::int_equal, sop::int_equal, sop::wide_equal,
                            sop::wide_equal};

template <class A, class B> constexpr scalar arith(const forms& f, A a, B b) {
  const scalar x = first_of(a, b), y = x.lift(b);
  return x.apply(f.of(x), x.is_integer() ? x.is() : lane::real, y);
}
template <class A, class B> constexpr scalar at_most(A a, B b) {
  const scalar x = first_of(a, b), y = x.lift(b);
  if (x.is() == lane::wide || (x.is() == lane::integer && x.is_unsigned()))
    return arith(smaller, y, x).apply(sop::mask_not, lane::mask);
  return arith(forms{sop::less_equal, sop::int_less_equal, {}, {}, {}}, x, y);
}
}  // namespace symbols

template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator+(A a, B b) { return symbols::arith(symbols::addition, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator-(A a, B b) { return symbols::arith(symbols::subtraction, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator*(A a, B b) { return symbols::arith(symbols::multiplication, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator/(A a, B b) { return symbols::arith(symbols::division, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator<(A a, B b) { return symbols::arith(symbols::smaller, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator<=(A a, B b) { return symbols::at_most(a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator>(A a, B b) { return symbols::arith(symbols::smaller, b, a); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator>=(A a, B b) { return symbols::at_most(b, a); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator==(A a, B b) { return symbols::arith(symbols::same, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator!=(A a, B b) { return (a == b).apply(sop::mask_not, lane::mask); }
constexpr scalar operator-(scalar a) {
  return a.is_integer() ? a.lift(0) - a : a.apply(sop::neg, lane::real);
}
/// Logic on comparisons (masks) and on the bits of integers.
constexpr scalar operator&(scalar a, scalar b) {
  if (a.is() == lane::mask) return a.apply(sop::mask_and, lane::mask, b);
  return a.is() == lane::wide ? a.apply(sop::wide_and, lane::wide, b)
                              : a.apply(sop::int_and, lane::integer, b);
}
constexpr scalar operator|(scalar a, scalar b) {
  if (a.is() == lane::mask) return a.apply(sop::mask_or, lane::mask, b);
  return a.is() == lane::wide ? a.apply(sop::wide_or, lane::wide, b)
                              : a.apply(sop::int_or, lane::integer, b);
}
constexpr scalar operator^(scalar a, scalar b) {
  return a.is() == lane::wide ? a.apply(sop::wide_xor, lane::wide, b)
                              : a.apply(sop::int_xor, lane::integer, b);
}
template <std::integral T> constexpr scalar operator&(scalar a, T b) { return a & a.lift(b); }
template <std::integral T> constexpr scalar operator|(scalar a, T b) { return a | a.lift(b); }
template <std::integral T> constexpr scalar operator^(scalar a, T b) { return a ^ a.lift(b); }
constexpr scalar operator!(scalar a) { return a.apply(sop::mask_not, lane::mask); }
/// Logical shifts, by 0 to 31 for 32 bits, by 0 to 63 for 64.
constexpr scalar shift_by(sop word, sop wide, scalar a, int count) {
  const bool is_wide = a.is() == lane::wide;
  const int last = is_wide ? 63 : 31;
  if (!is_wide) a.expect(lane::integer);
  if (count < 0 || count > last) a.where()->refuse();
  return {a.where(), a.where()->emit(is_wide ? wide : word, a.slot(), count & last),
          a.is_unsigned()};
}
constexpr scalar operator<<(scalar a, int count) {
  return shift_by(sop::shift_left, sop::wide_shift_left, a, count);
}
constexpr scalar operator>>(scalar a, int count) {
  return shift_by(sop::shift_right, sop::wide_shift_right, a, count);
}

/// `a * b + c`, rounded once.
template <class B, class C> constexpr scalar fma(scalar a, B b, C c) {
  const scalar y = a.lift(b), z = a.lift(c);
  a.expect(lane::real);
  y.expect(lane::real);
  z.expect(lane::real);
  return {a.where(), a.where()->emit(sop::fma, a.slot(), y.slot(), z.slot())};
}
/// `condition ? a : b` for every element; both sides are evaluated.
template <class A, class B> constexpr scalar select(scalar condition, A a, B b) {
  condition.expect(lane::mask);
  constexpr bool numbers = !std::same_as<A, scalar> && !std::same_as<B, scalar>;
  const auto branch = [&](auto v, auto other) -> scalar {
    if constexpr (numbers)
      return {condition.where(), condition.where()->literal(static_cast<float>(v))};
    else
      return symbols::first_of(v, other);
  };
  const scalar x = branch(a, b), y = branch(b, a);
  const auto chosen = [&](scalar u, scalar v) -> scalar {
    u.expect(lane::real);
    v.expect(lane::real);
    return {condition.where(),
            condition.where()->emit(sop::select, condition.slot(), u.slot(), v.slot())};
  };
  if (x.is() == lane::wide) {
    y.expect(lane::wide);
    if (x.is_unsigned() != y.is_unsigned()) x.where()->refuse();
    return {x.where(), x.where()->emit(sop::wide_select, condition.slot(), x.slot(), y.slot()),
            x.is_unsigned()};
  }
  if (x.is() != lane::integer || y.is() != lane::integer) return chosen(x, y);
  if (x.is_unsigned() != y.is_unsigned()) x.where()->refuse();
  return chosen(x.apply(sop::as_float, lane::integer), y.apply(sop::as_float, lane::integer))
      .apply(sop::as_int, lane::real)
      .as_unsigned(x.is_unsigned());
}
/// Minimum and maximum; NaN propagates.
template <class A, class B>
requires symbolic<A, B>
constexpr scalar min(A a, B b) {
  const scalar x = symbols::first_of(a, b), y = x.lift(b);
  return x.is_integer() ? select(y < x, y, x) : x.apply(sop::min, lane::real, y);
}
template <class A, class B>
requires symbolic<A, B>
constexpr scalar max(A a, B b) {
  const scalar x = symbols::first_of(a, b), y = x.lift(b);
  return x.is_integer() ? select(x < y, y, x) : x.apply(sop::max, lane::real, y);
}
constexpr scalar abs(scalar a) {
  if (a.is_integer()) return a.is_unsigned() ? a : select(a < 0, -a, a);
  return a.apply(sop::abs, lane::real);
}
constexpr scalar sqrt(scalar a) { return a.apply(sop::sqrt, lane::real); }
constexpr scalar floor(scalar a) { return a.apply(sop::floor, lane::real); }
/// Nearest integral value, ties to even.
constexpr scalar round_even(scalar a) { return a.apply(sop::round_even, lane::real); }
constexpr scalar exp(scalar a) { return a.apply(sop::exp, lane::real); }
constexpr scalar log(scalar a) { return a.apply(sop::log, lane::real); }
constexpr scalar tanh(scalar a) { return a.apply(sop::tanh, lane::real); }
constexpr scalar erf(scalar a) { return a.apply(sop::erf, lane::real); }
constexpr scalar sigmoid(scalar a) { return a.apply(sop::sigmoid, lane::real); }
constexpr scalar sin(scalar a) { return a.apply(sop::sin, lane::real); }
constexpr scalar cos(scalar a) { return a.apply(sop::cos, lane::real); }
constexpr scalar tan(scalar a) { return a.apply(sop::tan, lane::real); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar pow(A a, B b) { return symbols::arith(symbols::powers, a, b); }
namespace symbols {
/// A number of any lane in another one.
constexpr scalar to_real(scalar a) {
  if (a.is() == lane::integer && !a.is_unsigned()) return a.apply(sop::to_float, lane::integer);
  if (a.is() == lane::integer)
    return a.apply(sop::to_wide_unsigned, lane::integer).apply(sop::wide_to_real, lane::wide);
  return a.apply(a.is_unsigned() ? sop::wide_to_real_unsigned : sop::wide_to_real, lane::wide);
}
constexpr scalar to_wide(scalar a, bool is_unsigned) {
  if (a.is() == lane::real)
    return a.apply(is_unsigned ? sop::real_to_wide_unsigned : sop::real_to_wide, lane::real);
  return a.apply(a.is_unsigned() ? sop::to_wide_unsigned : sop::to_wide, lane::integer);
}
constexpr scalar to_word(scalar a, bool is_unsigned) {
  if (a.is() == lane::real && !is_unsigned) return a.apply(sop::to_int, lane::real);
  return (a.is() == lane::real ? to_wide(a, false) : a).apply(sop::narrow, lane::wide);
}
constexpr scalar in_lane(scalar a, type t) {
  const bool is_unsigned = !is_real(t) && !is_signed(t);
  scalar r = a;
  if (a.is() != lane_of(t))
    r = lane_of(t) == lane::real   ? to_real(a)
        : lane_of(t) == lane::wide ? to_wide(a, is_unsigned)
                                   : to_word(a, is_unsigned);
  return r.as_unsigned(is_unsigned);
}
/// The instruction that makes an element of a type from a value of its lane.
constexpr sop element(type t) {
  constexpr sop all[] = {sop::typed_float32, sop::to_half,      sop::typed_int32, sop::typed_uint32,
                         sop::typed_int64,   sop::typed_uint64, sop::to_int8,     sop::to_byte,
                         sop::to_int8,       sop::to_byte};
  return all[static_cast<int>(t)];
}
/// A result of the type's lane as an element of the type.
constexpr scalar as_element(scalar a, type t) {
  if (type_at(a.where()->code[a.slot()]) == t) return a;
  return a.apply(element(t), lane_of(t)).as_unsigned(a.is_unsigned());
}
}  // namespace symbols

/// Conversion to an element type; a mask becomes 1 or 0. Floats are truncated: outside of int32 or
/// int64, NaN included, they become the most negative one (uint64: numbers below 2^64 stay). Other
/// integers are the low bits of these. Integers become the nearest float. `cast<tenon::float16>(x)`
/// rounds and computes on as a float; int8 and uint8 keep the low byte and compute on as int32.
template <class T> constexpr scalar cast(scalar a) {
  static_assert(is_element<T>, "map: cast<T> knows the element types of tensors");
  if constexpr (!is_element<T>) return a;
  constexpr type t = type_of<T>;
  const scalar whole = a.is() == lane::mask ? a.apply(sop::mask_to_int, lane::mask) : a;
  return symbols::as_element(symbols::in_lane(whole, computed_in(t)), t);
}
/// The bits of a float as int32 and back.
template <class T> constexpr scalar bitcast(scalar a) {
  static_assert(std::same_as<T, float> || std::same_as<T, std::int32_t>,
                "map: bitcast<T> knows float and std::int32_t");
  if constexpr (std::same_as<T, float>)
    return a.apply(sop::as_float, lane::integer);
  else if constexpr (std::same_as<T, std::int32_t>)
    return a.apply(sop::as_int, lane::real);
  else
    return a;
}

/// A recorded program of up to `max_program` instructions: dead code removed, operands before users.
struct recorded {
  instruction code[max_program]{};
  int size = 0;
  tenon::code fault = tenon::code::ok;
  constexpr program_view view() const { return {code, size}; }
};

/// Keeps what the slot `root` of a tape needs; `root` becomes the last instruction. Operands stand
/// before their users in the order in which the result names them: g++ evaluates arguments in one order
/// in constant expressions and in another at run time, and that must not show in the table.
constexpr recorded finish(const tape& t, int root) {
  recorded r;
  r.fault = t.fault;
  if (t.fault != tenon::code::ok) return r;
  int to[max_program]{}, path[max_program],
      depth = 0;  // to: 1 + the new position; path: root to leaf
  path[depth++] = root;
  while (depth > 0) {
    const int at = path[depth - 1];
    const instruction x = t.code[at];
    const int n = sources_of(x.op());
    const int missing = n > 0 && to[x.a()] == 0   ? x.a()
                        : n > 1 && to[x.b()] == 0 ? x.b()
                        : n > 2 && to[x.c()] == 0 ? x.c()
                                                  : -1;
    if (missing >= 0) {
      path[depth++] = missing;
      continue;
    }
    --depth;
    r.code[r.size] =
        x.is_literal()
            ? instruction::make_literal(x.op(), r.size, x.bits())
            : instruction::make(x.op(), r.size, n > 0 ? to[x.a()] - 1 : x.a(),
                                n > 1 ? to[x.b()] - 1 : x.b(), n > 2 ? to[x.c()] - 1 : x.c());
    to[at] = ++r.size;
  }
  return r;
}

/// The element type that a finished program computes: masks are uint8.
constexpr type result_type(program_view p) { return type_at(p.code[p.size - 1]); }

/// A program's result as an element of type `wanted`, of the same lane.
constexpr scalar stored_as(scalar root, type wanted) {
  if (root.is() == lane::mask) {
    if (wanted == type::uint8) return root;
    if (lane_of(wanted) == lane::real)
      root = select(root, 1.0f, 0.0f);
    else
      root = symbols::in_lane(root.apply(sop::mask_to_int, lane::mask), computed_in(wanted));
  }
  return symbols::as_element(root, wanted);
}

/// The element types of a program's operands and, if it is fixed, of its result.
struct program_types {
  type operand[max_operands]{};
  bool fixed = false;
  type result = type::float32;
};

/// Calls `f` with `arity` symbols for operands of these types (float32 if none are given) and writes
/// its program down. A result that is a plain number becomes a literal. Where the result's type is not
/// fixed, a mask becomes 1 or 0 in float32, and other results keep their type.
template <int Arity, class F>
constexpr recorded record_program(const F& f, const program_types& types = {}) {
  static_assert(Arity <= max_operands, "map: a scalar program takes at most 8 operands");
  tape t;
  scalar x[Arity > 0 ? Arity : 1];
  for (int i = 0; i < Arity; ++i) {
    const type own = types.operand[i];
    x[i] = {&t, t.argument(i, own), own == type::uint32 || own == type::uint64};
  }
  const auto y = [&]<int... I>(std::integer_sequence<int, I...>) { return f(x[I]...); }
  (std::make_integer_sequence<int, Arity>{});
  scalar root;
  if constexpr (std::same_as<std::remove_cv_t<decltype(y)>, scalar>) {
    root = y;
    if (types.fixed)
      root = stored_as(root, types.result);
    else if (root.is() == lane::mask)
      root = select(root, 1.0f, 0.0f);
    else if (root.is_unsigned())
      root = stored_as(root, root.type());
  } else {
    root = scalar{&t, t.literal(static_cast<float>(y))};
  }
  if (types.fixed && t.fault == code::ok && type_at(t.code[root.slot()]) != types.result)
    t.refuse();
  return finish(t, root.slot());
}

template <class F, int Arity>
inline constexpr recorded written_program = record_program<Arity>(F{});
/// The same for a captureless lambda of the library: written once, however often it is recorded.
template <int Arity, class F> constexpr const recorded& constant_program(F) {
  static_assert(std::is_empty_v<F>, "constant_program: the lambda must not capture");
  return written_program<F, Arity>;
}

/// The program of a captureless lambda as a constant: `trace<f, 2>()`.
template <auto F, int Arity> consteval auto trace_program() {
  constexpr int size = record_program<Arity>(F).size;
  const recorded r = record_program<Arity>(F);
  program<size> p;
  for (int i = 0; i < size; ++i) p.code[i] = r.code[i];
  return p;
}

}  // namespace tenon
