// Comparisons, logic on their results, selection and casts, with WebNN's names and as C++
// operators. A truth value is a uint8: comparisons give 1 or 0; logic reads 0 as false and every
// other value as true.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/map.hpp>

namespace tenon {

template <class Op> struct comparison_operator : map_operator<Op, 2> {
  static constexpr bool accepts(int, type) { return true; }
  static constexpr type result_of(no_options, type) { return type::uint8; }
};
struct equal_t : comparison_operator<equal_t> {
  static constexpr const char* name = "equal";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a == b; }
};
struct notEqual_t : comparison_operator<notEqual_t> {
  static constexpr const char* name = "notEqual";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a != b; }
};
struct greater_t : comparison_operator<greater_t> {
  static constexpr const char* name = "greater";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a > b; }
};
struct greaterOrEqual_t : comparison_operator<greaterOrEqual_t> {
  static constexpr const char* name = "greaterOrEqual";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a >= b; }
};
struct lesser_t : comparison_operator<lesser_t> {
  static constexpr const char* name = "lesser";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a < b; }
};
struct lesserOrEqual_t : comparison_operator<lesserOrEqual_t> {
  static constexpr const char* name = "lesserOrEqual";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a <= b; }
};

template <class Op, int Arity> struct logic_operator : map_operator<Op, Arity> {
  static constexpr bool accepts(int, type t) { return t == type::uint8; }
};
struct logicalAnd_t : logic_operator<logicalAnd_t, 2> {
  static constexpr const char* name = "logicalAnd";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return (a != 0) & (b != 0); }
};
struct logicalOr_t : logic_operator<logicalOr_t, 2> {
  static constexpr const char* name = "logicalOr";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return (a != 0) | (b != 0); }
};
struct logicalXor_t : logic_operator<logicalXor_t, 2> {
  static constexpr const char* name = "logicalXor";
  static constexpr auto meaning(no_options, scalar a, scalar b) {
    const scalar x = a != 0, y = b != 0;
    return (x | y) & !(x & y);
  }
};
struct logicalNot_t : logic_operator<logicalNot_t, 1> {
  static constexpr const char* name = "logicalNot";
  static constexpr const char* names[] = {"a"};
  static constexpr auto meaning(no_options, scalar a) { return a == 0; }
};
/// NaN is the one value that differs from itself.
struct isNaN_t : map_operator<isNaN_t, 1> {
  static constexpr const char* name = "isNaN";
  static constexpr const char* names[] = {"a"};
  static constexpr type result_of(no_options, type) { return type::uint8; }
  static constexpr auto meaning(no_options, scalar x) { return x != x; }
};
struct isInfinite_t : map_operator<isInfinite_t, 1> {
  static constexpr const char* name = "isInfinite";
  static constexpr const char* names[] = {"a"};
  static constexpr type result_of(no_options, type) { return type::uint8; }
  static constexpr auto meaning(no_options, scalar x) {
    return abs(x) == std::numeric_limits<float>::infinity();
  }
};
/// trueValue where the condition is not 0, falseValue elsewhere.
struct where_t : map_operator<where_t, 3> {
  static constexpr const char* name = "where";
  static constexpr bool explains_types = true;
  static constexpr const char* names[] = {"condition", "trueValue", "falseValue"};
  static constexpr int first_of_type = 1;
  static constexpr bool accepts(int operand, type t) { return operand > 0 || t == type::uint8; }
  static constexpr auto meaning(no_options, scalar condition, scalar a, scalar b) {
    return select(condition != 0, a, b);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::element_type,
                  "where: the condition must be uint8 and the values of one type; cast() them");
    static_assert(E.what != code::broadcast,
                  "where: condition and values must broadcast, every pair of extents equal or 1; "
                  "reshape() one of them");
  }
};
/// WebNN cast.
/// - Integer to float: the nearest float.
/// - Integer to integer: the low bits.
/// - Float to int32 or int64: truncated. What the type cannot hold, NaN included, becomes the
///   type's most negative number.
/// - Float to uint64: truncated as to int64, but numbers below 2^64 keep their value.
/// - Float to int8 or uint8: the low bits of the int32. Float to uint32: those of the int64.
struct cast_options {
  tenon::type type = tenon::type::float32;
  constexpr bool operator==(const cast_options&) const = default;
};
struct cast_t : map_operator<cast_t, 1, cast_options> {
  static constexpr const char* name = "cast";
  static constexpr bool accepts(int, type) { return true; }
  static constexpr type result_of(const cast_options& o, type) { return o.type; }
  static constexpr scalar meaning(const cast_options& o, scalar x) {
    return symbols::in_kind(x, computed_in(o.type));
  }
};

/// Comparisons, 1 where they hold and 0 elsewhere.
/// Shape: the operands broadcast, right-aligned.
/// Type: any, the same for both -> uint8.
/// Error: element_type, broadcast.
/// Source: WebNN, element-wise logical operations.
template <operand_like A, operand_like B> constexpr auto equal(A a, B b) {
  return apply<equal_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto notEqual(A a, B b) {
  return apply<notEqual_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto greater(A a, B b) {
  return apply<greater_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto greaterOrEqual(A a, B b) {
  return apply<greaterOrEqual_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto lesser(A a, B b) {
  return apply<lesser_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto lesserOrEqual(A a, B b) {
  return apply<lesserOrEqual_t>(a, b);
}
/// Logic on truth values, and the two tests that give some.
/// Shape: the operands broadcast, right-aligned.
/// Type: uint8; isNaN and isInfinite: float32 or float16 -> uint8.
/// Error: element_type, broadcast.
/// Source: WebNN, element-wise logical operations.
template <operand_like A, operand_like B> constexpr auto logicalAnd(A a, B b) {
  return apply<logicalAnd_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto logicalOr(A a, B b) {
  return apply<logicalOr_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto logicalXor(A a, B b) {
  return apply<logicalXor_t>(a, b);
}
template <operand_like X> constexpr auto logicalNot(X x) { return apply<logicalNot_t>(x); }
template <operand_like X> constexpr auto isNaN(X x) { return apply<isNaN_t>(x); }
template <operand_like X> constexpr auto isInfinite(X x) { return apply<isInfinite_t>(x); }
/// Selects element by element: `where(x > 0.0f, x, y)`. Both values are computed everywhere.
/// Shape: the operands broadcast, right-aligned.
/// Type: the condition uint8; the values any, the same for both.
/// Error: element_type, broadcast.
/// Source: WebNN where.
template <operand_like C, operand_like A, operand_like B> constexpr auto where(C c, A a, B b) {
  return apply<where_t>(c, a, b);
}
/// Converts to another element type: `cast<std::int32_t>(x)`. What does not fit: `cast_options`.
/// Shape: that of the operand.
/// Type: any -> the one that is named.
/// Source: WebNN cast.
template <class T, operand_like X> constexpr auto cast(X x) {
  static_assert(is_element<T>, "cast: the element type is not one of tenon's");
  return apply<cast_t, cast_options{type_of<T>}>(x);
}

/// Comparisons and logic as C++ operators. With the number on the left, the comparison is turned
/// around.
/// Misuse: `a == b` on handles gives a handle, no bool; it cannot stand in an `if`.
template <operand_like A, operand_like B> constexpr auto operator==(A a, B b) {
  return equal(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator!=(A a, B b) {
  return notEqual(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator<(A a, B b) {
  return lesser(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator<=(A a, B b) {
  return lesserOrEqual(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator>(A a, B b) {
  return greater(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator>=(A a, B b) {
  return greaterOrEqual(a, b);
}
template <operand_like A, number N> constexpr auto operator==(A a, N b) {
  return maps::number_operator<equal_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator!=(A a, N b) {
  return maps::number_operator<notEqual_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator<(A a, N b) {
  return maps::number_operator<lesser_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator<=(A a, N b) {
  return maps::number_operator<lesserOrEqual_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator>(A a, N b) {
  return maps::number_operator<greater_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator>=(A a, N b) {
  return maps::number_operator<greaterOrEqual_t>(a, b);
}
template <number N, operand_like A> constexpr auto operator==(N a, A b) {
  return maps::number_operator<equal_t>(b, a);
}
template <number N, operand_like A> constexpr auto operator!=(N a, A b) {
  return maps::number_operator<notEqual_t>(b, a);
}
template <number N, operand_like A> constexpr auto operator<(N a, A b) {
  return maps::number_operator<greater_t>(b, a);
}
template <number N, operand_like A> constexpr auto operator<=(N a, A b) {
  return maps::number_operator<greaterOrEqual_t>(b, a);
}
template <number N, operand_like A> constexpr auto operator>(N a, A b) {
  return maps::number_operator<lesser_t>(b, a);
}
template <number N, operand_like A> constexpr auto operator>=(N a, A b) {
  return maps::number_operator<lesserOrEqual_t>(b, a);
}
/// `&&` and `||` compute both sides for every element, exactly as `&` and `|` do.
template <operand_like A, operand_like B> constexpr auto operator&&(A a, B b) {
  return logicalAnd(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator||(A a, B b) {
  return logicalOr(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator&(A a, B b) {
  return logicalAnd(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator|(A a, B b) {
  return logicalOr(a, b);
}
template <operand_like A, operand_like B> constexpr auto operator^(A a, B b) {
  return logicalXor(a, b);
}
template <operand_like A> constexpr auto operator!(A a) { return logicalNot(a); }

/// The operators above by their forms, but for where and cast.
using comparison_operators =
    operator_list<equal_t, notEqual_t, greater_t, greaterOrEqual_t, lesser_t, lesserOrEqual_t>;
using binary_logic_operators = operator_list<logicalAnd_t, logicalOr_t, logicalXor_t>;
using unary_logic_operators = operator_list<logicalNot_t, isNaN_t, isInfinite_t>;

}  // namespace tenon
