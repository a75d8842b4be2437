// Scalar programs: what an element-wise operator computes for one element, written down by calling
// a lambda once with symbols (`tenon::scalar`). Every policy runs the written program.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <bit>
#include <concepts>
#include <cstdint>

namespace tenon {

/// The instructions of scalar programs. The closed primitive set; then the elementary functions,
/// which are themselves programs over the primitives (`expr/elementary.hpp`).
// clang-format off
enum class sop : std::uint8_t {
  arg, literal, literal_int,                                  // leaves
  add, sub, mul, div, fma, neg, abs, min, max, sqrt, floor, round_even,
  less, less_equal, equal, mask_and, mask_or, mask_not, select,  // masks
  to_int, to_float, as_int, as_float,                            // conversions and bit casts
  int_add, int_sub, int_mul, int_and, int_or, int_xor, shift_left, shift_right,  // int32; shifts are logical
  int_less, int_less_equal, int_equal, mask_to_int, to_byte,  // int32; the low byte as uint8
  exp, log, tanh, erf, sigmoid, sin, cos, tan, pow,              // elementary functions
};
// clang-format on

inline constexpr bool is_elementary(sop o) { return o >= sop::exp; }

/// What a slot of a program holds.
enum class lane : std::uint8_t { real, integer, mask };

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
  /// Of `arg`: the operand's element type; uint8 is widened to int32.
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
    case sop::pow: return 2;
    case sop::fma: case sop::select: return 3;
    default: return 1;  // shifts carry their count in b
  }
}
// clang-format on

/// What an instruction leaves in its register. (The branches of `select` are real; others are bit
/// casts around it.)
// clang-format off
constexpr lane lane_of(sop o) {
  switch (o) {
    case sop::less: case sop::less_equal: case sop::equal: case sop::mask_and: case sop::mask_or:
    case sop::mask_not: case sop::int_less: case sop::int_less_equal: case sop::int_equal:
      return lane::mask;
    case sop::literal_int: case sop::to_int: case sop::as_int: case sop::int_add: case sop::int_sub:
    case sop::int_mul: case sop::int_and: case sop::int_or: case sop::int_xor: case sop::shift_left:
    case sop::shift_right: case sop::mask_to_int: case sop::to_byte: return lane::integer;
    default: return lane::real;
  }
}
// clang-format on
constexpr lane lane_of(instruction i) {
  return i.op() == sop::arg && i.type() != type::float32 ? lane::integer : lane_of(i.op());
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
    if (o == sop::mask_not && is(a, sop::mask_not)) return code[a].a();
    // A mask that became a uint8 and is asked whether it is zero.
    if (o == sop::int_equal && is(a, sop::mask_to_int) && is(b, sop::literal_int) &&
        code[b].bits() == 0)
      return emit(sop::mask_not, code[a].a());
    return put(instruction::make(o, 0, a, b, c));
  }
  constexpr int literal(float v) {
    return put(instruction::make_literal(sop::literal, 0, std::bit_cast<std::uint32_t>(v)));
  }
  constexpr int literal_int(std::int32_t v) {
    return put(instruction::make_literal(sop::literal_int, 0, static_cast<std::uint32_t>(v)));
  }
  constexpr int argument(int operand, tenon::type t) {
    return emit(sop::arg, operand, static_cast<int>(t));
  }
  constexpr lane lane_at(int slot) const { return lane_of(code[slot]); }
  constexpr void refuse() {
    if (fault == tenon::code::ok) fault = tenon::code::program;
  }

 private:
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
  constexpr scalar(tape* t, int slot) : tape_(t), slot_(slot) {}
  constexpr int slot() const { return slot_; }
  constexpr tape* where() const { return tape_; }
  constexpr lane is() const { return tape_->lane_at(slot_); }

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

  template <class T> constexpr scalar lift(T v) const {
    if constexpr (std::same_as<T, scalar>)
      return v;
    else if (is() == lane::integer)
      return {tape_, tape_->literal_int(static_cast<std::int32_t>(v))};
    else
      return {tape_, tape_->literal(static_cast<float>(v))};
  }
  constexpr scalar apply(sop o, lane wants) const {
    expect(wants);
    return {tape_, tape_->emit(o, slot_)};
  }
  constexpr scalar apply(sop o, lane wants, scalar y) const {
    expect(wants);
    y.expect(wants);
    return {tape_, tape_->emit(o, slot_, y.slot_)};
  }
  constexpr void expect(lane wants) const {
    if (is() != wants) tape_->refuse();
  }

 private:
  tape* tape_ = nullptr;
  int slot_ = 0;
};

template <class A, class B>
concept symbolic = (std::same_as<A, scalar> && (std::same_as<B, scalar> || number<B>)) ||
                   (std::same_as<B, scalar> && number<A>);

namespace symbols {
template <class A, class B> constexpr scalar both(sop real, A a, B b) {
  if constexpr (std::same_as<A, scalar>)
    return a.apply(real, lane::real, a.lift(b));
  else
    return b.lift(a).apply(real, lane::real, b);
}
template <class A, class B> constexpr scalar first_of(A a, B b) {
  if constexpr (std::same_as<A, scalar>)
    return a;
  else
    return b.lift(a);
}
template <class A, class B> constexpr scalar arith(sop real, sop integer, A a, B b) {
  const scalar x = first_of(a, b), y = x.lift(b);
  return x.is() == lane::integer ? x.apply(integer, lane::integer, y)
                                 : x.apply(real, lane::real, y);
}
constexpr sop integer_form(sop comparison) {
  return comparison == sop::less         ? sop::int_less
         : comparison == sop::less_equal ? sop::int_less_equal
                                         : sop::int_equal;
}
template <class A, class B> constexpr scalar compare(sop real, A a, B b) {
  return arith(real, integer_form(real), a, b);
}
}  // namespace symbols

template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator+(A a, B b) { return symbols::arith(sop::add, sop::int_add, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator-(A a, B b) { return symbols::arith(sop::sub, sop::int_sub, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator*(A a, B b) { return symbols::arith(sop::mul, sop::int_mul, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator/(A a, B b) { return symbols::both(sop::div, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator<(A a, B b) { return symbols::compare(sop::less, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator<=(A a, B b) { return symbols::compare(sop::less_equal, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator>(A a, B b) { return symbols::compare(sop::less, b, a); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator>=(A a, B b) { return symbols::compare(sop::less_equal, b, a); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator==(A a, B b) { return symbols::compare(sop::equal, a, b); }
template <class A, class B>
requires symbolic<A, B>
constexpr scalar operator!=(A a, B b) {
  return symbols::compare(sop::equal, a, b).apply(sop::mask_not, lane::mask);
}
constexpr scalar operator-(scalar a) {
  return a.is() == lane::integer ? a.lift(0) - a : a.apply(sop::neg, lane::real);
}
/// Logic on comparisons (masks) and on int32 bits.
constexpr scalar operator&(scalar a, scalar b) {
  return a.is() == lane::mask ? a.apply(sop::mask_and, lane::mask, b)
                              : a.apply(sop::int_and, lane::integer, b);
}
constexpr scalar operator|(scalar a, scalar b) {
  return a.is() == lane::mask ? a.apply(sop::mask_or, lane::mask, b)
                              : a.apply(sop::int_or, lane::integer, b);
}
constexpr scalar operator&(scalar a, std::int32_t b) { return a & a.lift(b); }
constexpr scalar operator|(scalar a, std::int32_t b) { return a | a.lift(b); }
constexpr scalar operator^(scalar a, scalar b) { return a.apply(sop::int_xor, lane::integer, b); }
constexpr scalar operator!(scalar a) { return a.apply(sop::mask_not, lane::mask); }
/// Logical shifts of the 32 bits, by 0 to 31.
constexpr scalar shift_by(sop o, scalar a, int count) {
  a.expect(lane::integer);
  if (count < 0 || count > 31) a.where()->refuse();
  return {a.where(), a.where()->emit(o, a.slot(), count & 31)};
}
constexpr scalar operator<<(scalar a, int count) { return shift_by(sop::shift_left, a, count); }
constexpr scalar operator>>(scalar a, int count) { return shift_by(sop::shift_right, a, count); }

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
  if (x.is() != lane::integer || y.is() != lane::integer) return chosen(x, y);
  return chosen(x.apply(sop::as_float, lane::integer), y.apply(sop::as_float, lane::integer))
      .apply(sop::as_int, lane::real);
}
/// Minimum and maximum; NaN propagates.
template <class A, class B>
requires symbolic<A, B>
constexpr scalar min(A a, B b) {
  const scalar x = symbols::first_of(a, b), y = x.lift(b);
  return x.is() == lane::integer ? select(y < x, y, x) : x.apply(sop::min, lane::real, y);
}
template <class A, class B>
requires symbolic<A, B>
constexpr scalar max(A a, B b) {
  const scalar x = symbols::first_of(a, b), y = x.lift(b);
  return x.is() == lane::integer ? select(x < y, y, x) : x.apply(sop::max, lane::real, y);
}
constexpr scalar abs(scalar a) {
  return a.is() == lane::integer ? select(a < 0, -a, a) : a.apply(sop::abs, lane::real);
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
constexpr scalar pow(A a, B b) { return symbols::both(sop::pow, a, b); }
/// Conversion: `cast<std::int32_t>(x)` truncates, `cast<float>(i)` rounds, a mask becomes 1 or 0;
/// `cast<std::uint8_t>(i)` keeps the low byte, and computes on as int32.
template <class T> constexpr scalar cast(scalar a) {
  static_assert(
      std::same_as<T, float> || std::same_as<T, std::int32_t> || std::same_as<T, std::uint8_t>,
      "map: cast<T> knows float, std::int32_t and std::uint8_t");
  const scalar whole = a.is() == lane::mask ? a.apply(sop::mask_to_int, lane::mask) : a;
  if constexpr (std::same_as<T, float>)
    return whole.is() == lane::real ? a : whole.apply(sop::to_float, lane::integer);
  else if constexpr (std::same_as<T, std::int32_t>)
    return whole.is() == lane::integer ? whole : whole.apply(sop::to_int, lane::real);
  else if constexpr (std::same_as<T, std::uint8_t>)
    return cast<std::int32_t>(a).apply(sop::to_byte, lane::integer);
  else
    return a;
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
constexpr type result_type(program_view p) {
  const instruction last = p.code[p.size - 1];
  if (last.op() == sop::arg) return last.type();
  if (last.op() == sop::to_byte || lane_of(last) == lane::mask) return type::uint8;
  return lane_of(last) == lane::integer ? type::int32 : type::float32;
}
/// The element types that programs read and write.
constexpr bool computes(type t) {
  return t == type::float32 || t == type::int32 || t == type::uint8;
}

/// A program's result as an element of type `wanted`.
constexpr scalar stored_as(scalar root, type wanted) {
  const bool byte = result_type({root.where()->code, root.slot() + 1}) == type::uint8;
  if (wanted == type::float32) return root.is() == lane::mask ? select(root, 1.0f, 0.0f) : root;
  if (wanted == type::uint8) return byte ? root : root.apply(sop::to_byte, lane::integer);
  if (byte && root.is() == lane::integer)  // else the program's result would be the byte
    return root.apply(sop::int_or, lane::integer, root);
  return root.is() == lane::mask ? root.apply(sop::mask_to_int, lane::mask) : root;
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
  for (int i = 0; i < Arity; ++i) x[i] = scalar{&t, t.argument(i, types.operand[i])};
  const auto y = [&]<int... I>(std::integer_sequence<int, I...>) { return f(x[I]...); }
  (std::make_integer_sequence<int, Arity>{});
  scalar root;
  if constexpr (std::same_as<std::remove_cv_t<decltype(y)>, scalar>) {
    root = y;
    if (types.fixed)
      root = stored_as(root, types.result);
    else if (root.is() == lane::mask)
      root = select(root, 1.0f, 0.0f);
  } else {
    root = scalar{&t, t.literal(static_cast<float>(y))};
  }
  const bool real = root.is() == lane::real;
  if (types.fixed && (types.result == type::float32) != real) t.refuse();
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
