// Element-wise arithmetic of two operands, with WebNN's names and as C++ operators.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/map.hpp>

namespace tenon {

/// Arithmetic in all element types. Integers wrap around, signed ones as well.
template <class Op> struct arithmetic_operator : map_operator<Op, 2> {
  static constexpr bool accepts(int, type) { return true; }
};

struct add_t : arithmetic_operator<add_t> {
  static constexpr const char* name = "add";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a + b; }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "add: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};
struct sub_t : arithmetic_operator<sub_t> {
  static constexpr const char* name = "sub";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a - b; }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "sub: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};
struct mul_t : arithmetic_operator<mul_t> {
  static constexpr const char* name = "mul";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a * b; }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::broadcast,
                  "mul: shapes must broadcast, every pair of extents equal or 1; for a matrix "
                  "product use matmul()");
  }
};
/// The quotient of integers is truncated. An integer divided by zero gives 0 and does not trap.
struct div_t : arithmetic_operator<div_t> {
  static constexpr const char* name = "div";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a / b; }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "div: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};
struct max_t : arithmetic_operator<max_t> {
  static constexpr const char* name = "max";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return max(a, b); }
};
struct min_t : arithmetic_operator<min_t> {
  static constexpr const char* name = "min";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return min(a, b); }
};
/// An integer to a negative power is 1 divided by the positive power, truncated.
struct pow_t : arithmetic_operator<pow_t> {
  static constexpr const char* name = "pow";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return pow(a, b); }
};
/// x where it is not negative, slope * x elsewhere.
struct prelu_t : map_operator<prelu_t, 2> {
  static constexpr const char* name = "prelu";
  static constexpr const char* names[] = {"input", "slope"};
  static constexpr bool accepts(int, type t) { return is_signed(t); }
  static constexpr auto meaning(no_options, scalar x, scalar slope) {
    return select(x < 0, x * slope, x);
  }
};

/// Element-wise arithmetic of two operands.
/// Shape: the operands broadcast, right-aligned; an extent of 1 repeats.
/// Type: any, the same for both; prelu: floats and signed integers.
/// Error: element_type, broadcast.
/// Source: WebNN, element-wise binary operations; prelu.
template <operand_like A, operand_like B> constexpr auto add(A a, B b) {
  return apply<add_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto sub(A a, B b) {
  return apply<sub_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto mul(A a, B b) {
  return apply<mul_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto div(A a, B b) {
  return apply<div_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto max(A a, B b) {
  return apply<max_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto min(A a, B b) {
  return apply<min_t>(a, b);
}
template <operand_like A, operand_like B> constexpr auto pow(A a, B b) {
  return apply<pow_t>(a, b);
}
template <operand_like X, operand_like S> constexpr auto prelu(X x, S slope) {
  return apply<prelu_t>(x, slope);
}

/// These as C++ operators, between handles and between a handle and a number. A number becomes a
/// literal of the program and takes the handle's element type.
/// Error: option, when the element type cannot hold the number.
/// Misuse: a number beside a weight that has not met a handle does not compile.
template <operand_like A, operand_like B> constexpr auto operator+(A a, B b) { return add(a, b); }
template <operand_like A, operand_like B> constexpr auto operator-(A a, B b) { return sub(a, b); }
template <operand_like A, operand_like B> constexpr auto operator*(A a, B b) { return mul(a, b); }
template <operand_like A, operand_like B> constexpr auto operator/(A a, B b) { return div(a, b); }
template <operand_like A, number N> constexpr auto operator+(A a, N b) {
  return maps::number_operator<add_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator-(A a, N b) {
  return maps::number_operator<sub_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator*(A a, N b) {
  return maps::number_operator<mul_t>(a, b);
}
template <operand_like A, number N> constexpr auto operator/(A a, N b) {
  return maps::number_operator<div_t>(a, b);
}
template <number N, operand_like A> constexpr auto operator+(N a, A b) {
  return maps::number_operator<add_t, true>(b, a);
}
template <number N, operand_like A> constexpr auto operator-(N a, A b) {
  return maps::number_operator<sub_t, true>(b, a);
}
template <number N, operand_like A> constexpr auto operator*(N a, A b) {
  return maps::number_operator<mul_t, true>(b, a);
}
template <number N, operand_like A> constexpr auto operator/(N a, A b) {
  return maps::number_operator<div_t, true>(b, a);
}
template <operand_like A, number N> constexpr auto max(A a, N b) {
  return maps::number_operator<max_t>(a, b);
}
template <operand_like A, number N> constexpr auto min(A a, N b) {
  return maps::number_operator<min_t>(a, b);
}
template <operand_like A, number N> constexpr auto pow(A a, N b) {
  return maps::number_operator<pow_t>(a, b);
}

/// The operators above: two operands that broadcast, no options.
using binary_operators = operator_list<add_t, sub_t, mul_t, div_t, max_t, min_t, pow_t, prelu_t>;

}  // namespace tenon
