// Element-wise operators of one operand: functions and activations, with WebNN's names.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/map.hpp>
#include <limits>

namespace tenon {

struct identity_t : map_operator<identity_t, 1> {
  static constexpr const char* name = "identity";
  static constexpr bool accepts(int, type) { return true; }
  static constexpr auto meaning(no_options, scalar x) { return x; }
};
struct abs_t : map_operator<abs_t, 1> {
  static constexpr const char* name = "abs";
  static constexpr bool accepts(int, type t) { return is_signed(t); }
  static constexpr auto meaning(no_options, scalar x) { return abs(x); }
};
struct neg_t : map_operator<neg_t, 1> {
  static constexpr const char* name = "neg";
  static constexpr bool accepts(int, type t) { return is_signed(t); }
  static constexpr auto meaning(no_options, scalar x) { return -x; }
};
struct ceil_t : map_operator<ceil_t, 1> {
  static constexpr const char* name = "ceil";
  /// Instructions have a floor only; the two signs are exact.
  static constexpr auto meaning(no_options, scalar x) { return -floor(-x); }
};
struct floor_t : map_operator<floor_t, 1> {
  static constexpr const char* name = "floor";
  static constexpr auto meaning(no_options, scalar x) { return floor(x); }
};
struct roundEven_t : map_operator<roundEven_t, 1> {
  static constexpr const char* name = "roundEven";
  static constexpr auto meaning(no_options, scalar x) { return round_even(x); }
};
struct sign_t : map_operator<sign_t, 1> {
  static constexpr const char* name = "sign";
  static constexpr bool accepts(int, type t) { return is_signed(t); }
  static constexpr auto meaning(no_options, scalar x) {
    return select(x > 0.0f, 1.0f, select(x < 0.0f, -1.0f, x));  // NaN and zeros stay
  }
};
struct sqrt_t : map_operator<sqrt_t, 1> {
  static constexpr const char* name = "sqrt";
  static constexpr auto meaning(no_options, scalar x) { return sqrt(x); }
};
struct reciprocal_t : map_operator<reciprocal_t, 1> {
  static constexpr const char* name = "reciprocal";
  static constexpr auto meaning(no_options, scalar x) { return 1.0f / x; }
};
struct exp_t : map_operator<exp_t, 1> {
  static constexpr const char* name = "exp";
  static constexpr auto meaning(no_options, scalar x) { return exp(x); }
};
struct log_t : map_operator<log_t, 1> {
  static constexpr const char* name = "log";
  static constexpr auto meaning(no_options, scalar x) { return log(x); }
};
struct sin_t : map_operator<sin_t, 1> {
  static constexpr const char* name = "sin";
  static constexpr auto meaning(no_options, scalar x) { return sin(x); }
};
struct cos_t : map_operator<cos_t, 1> {
  static constexpr const char* name = "cos";
  static constexpr auto meaning(no_options, scalar x) { return cos(x); }
};
struct tan_t : map_operator<tan_t, 1> {
  static constexpr const char* name = "tan";
  static constexpr auto meaning(no_options, scalar x) { return tan(x); }
};
struct erf_t : map_operator<erf_t, 1> {
  static constexpr const char* name = "erf";
  static constexpr auto meaning(no_options, scalar x) { return erf(x); }
};
struct tanh_t : map_operator<tanh_t, 1> {
  static constexpr const char* name = "tanh";
  static constexpr auto meaning(no_options, scalar x) { return tanh(x); }
};
struct sigmoid_t : map_operator<sigmoid_t, 1> {
  static constexpr const char* name = "sigmoid";
  static constexpr auto meaning(no_options, scalar x) { return sigmoid(x); }
};
struct relu_t : map_operator<relu_t, 1> {
  static constexpr const char* name = "relu";
  static constexpr bool accepts(int, type t) { return is_signed(t); }
  static constexpr auto meaning(no_options, scalar x) { return max(x, 0); }
};
struct softplus_t : map_operator<softplus_t, 1> {
  static constexpr const char* name = "softplus";
  /// log(1 + exp(x)), written so that exp gets no positive argument and cannot overflow.
  static constexpr auto meaning(no_options, scalar x) {
    return max(x, 0.0f) + log(1.0f + exp(-abs(x)));
  }
};
struct softsign_t : map_operator<softsign_t, 1> {
  static constexpr const char* name = "softsign";
  static constexpr auto meaning(no_options, scalar x) { return x / (1.0f + abs(x)); }
};
struct hardSwish_t : map_operator<hardSwish_t, 1> {
  static constexpr const char* name = "hardSwish";
  static constexpr auto meaning(no_options, scalar x) {
    return x * max(min(x + 3.0f, 6.0f), 0.0f) / 6.0f;
  }
};
/// x (1 + erf(x / sqrt 2)) / 2.
struct gelu_t : map_operator<gelu_t, 1> {
  static constexpr const char* name = "gelu";
  static constexpr auto meaning(no_options, scalar x) {
    constexpr float half_root = 0x1.6a09e6p-1f;  // sqrt(1/2)
    return x * 0.5f * (1.0f + erf(x * half_root));
  }
};

/// WebNN's options with one or two numbers. The defaults are WebNN's.
template <int Default> struct alpha_options {
  float alpha = static_cast<float>(Default) / 100;
  constexpr bool operator==(const alpha_options&) const = default;
};
using elu_options = alpha_options<100>;
using leakyRelu_options = alpha_options<1>;
struct hardSigmoid_options {
  float alpha = 0.2f, beta = 0.5f;
  constexpr bool operator==(const hardSigmoid_options&) const = default;
};
struct linear_options {
  float alpha = 1.0f, beta = 0.0f;
  constexpr bool operator==(const linear_options&) const = default;
};
struct elu_t : map_operator<elu_t, 1, elu_options> {
  static constexpr const char* name = "elu";
  static constexpr auto meaning(const elu_options& o, scalar x) {
    return select(x < 0.0f, o.alpha * (exp(x) - 1.0f), x);
  }
};
struct leakyRelu_t : map_operator<leakyRelu_t, 1, leakyRelu_options> {
  static constexpr const char* name = "leakyRelu";
  static constexpr auto meaning(const leakyRelu_options& o, scalar x) {
    return select(x < 0.0f, x * o.alpha, x);
  }
};
struct hardSigmoid_t : map_operator<hardSigmoid_t, 1, hardSigmoid_options> {
  static constexpr const char* name = "hardSigmoid";
  static constexpr auto meaning(const hardSigmoid_options& o, scalar x) {
    return max(min(x * o.alpha + o.beta, 1.0f), 0.0f);
  }
};
struct linear_t : map_operator<linear_t, 1, linear_options> {
  static constexpr const char* name = "linear";
  static constexpr auto meaning(const linear_options& o, scalar x) { return x * o.alpha + o.beta; }
};
/// WebNN clamp: minValue and maxValue limit the result. A limit that is infinite or NaN has no
/// effect. Limits are rounded to a float element type. For an integer type they are truncated, and
/// a limit outside the type becomes the nearest number that the type has.
struct clamp_options {
  any_number minValue = -std::numeric_limits<float>::infinity();
  any_number maxValue = std::numeric_limits<float>::infinity();
  constexpr bool operator==(const clamp_options&) const = default;
};
struct clamp_t : map_operator<clamp_t, 1, clamp_options> {
  static constexpr const char* name = "clamp";
  static constexpr bool accepts(int, type) { return true; }
  /// A limit as the element type holds it. Limits are compared in this form, so that two limits
  /// that round to the same element are accepted.
  static constexpr any_number held(type t, const any_number& n) {
    if (t == type::float32) return n.to_float();
    if (t == type::float16) return halves::rounded(n.to_float());
    const std::uint64_t digits = integer_of(t, n);
    return is_signed(t) ? any_number(static_cast<std::int64_t>(digits)) : any_number(digits);
  }
  static constexpr error check(const clamp_options& o, type t) {
    if (!o.minValue.is_nan() && !o.maxValue.is_nan() &&
        held(t, o.minValue).exceeds(held(t, o.maxValue)))
      return {code::option, name, "minValue", "at most maxValue", "more"};
    return {};
  }
  static constexpr scalar limit(scalar x, const any_number& n) {
    return x.is_integer() ? x.lift(integer_of(x.element(), n)) : x.lift(n);
  }
  static constexpr auto meaning(const clamp_options& o, scalar x) {
    constexpr double infinity = std::numeric_limits<double>::infinity();
    const scalar whole = x;
    if (o.minValue.value > -infinity) x = max(x, limit(whole, o.minValue));
    if (o.maxValue.value < infinity) x = min(x, limit(whole, o.maxValue));
    return x;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::option, "clamp: minValue must not exceed maxValue; swap them");
  }
};

/// WebNN's element-wise operators of one operand.
/// Shape: that of the operand.
/// Type: float32 and float16; abs, neg, sign and relu also signed integers; identity any.
/// Error: element_type. Rounding errors of the functions: docs/scalar_programs.md.
/// Source: WebNN, element-wise unary operations; relu, sigmoid, softplus, softsign, tanh, hardSwish
/// and gelu have sections of their own.
template <operand_like X> constexpr auto identity(X x) { return apply<identity_t>(x); }
template <operand_like X> constexpr auto abs(X x) { return apply<abs_t>(x); }
template <operand_like X> constexpr auto neg(X x) { return apply<neg_t>(x); }
template <operand_like X> constexpr auto ceil(X x) { return apply<ceil_t>(x); }
template <operand_like X> constexpr auto floor(X x) { return apply<floor_t>(x); }
template <operand_like X> constexpr auto roundEven(X x) { return apply<roundEven_t>(x); }
template <operand_like X> constexpr auto sign(X x) { return apply<sign_t>(x); }
template <operand_like X> constexpr auto sqrt(X x) { return apply<sqrt_t>(x); }
template <operand_like X> constexpr auto reciprocal(X x) { return apply<reciprocal_t>(x); }
template <operand_like X> constexpr auto exp(X x) { return apply<exp_t>(x); }
template <operand_like X> constexpr auto log(X x) { return apply<log_t>(x); }
template <operand_like X> constexpr auto sin(X x) { return apply<sin_t>(x); }
template <operand_like X> constexpr auto cos(X x) { return apply<cos_t>(x); }
template <operand_like X> constexpr auto tan(X x) { return apply<tan_t>(x); }
template <operand_like X> constexpr auto erf(X x) { return apply<erf_t>(x); }
template <operand_like X> constexpr auto tanh(X x) { return apply<tanh_t>(x); }
template <operand_like X> constexpr auto sigmoid(X x) { return apply<sigmoid_t>(x); }
template <operand_like X> constexpr auto relu(X x) { return apply<relu_t>(x); }
template <operand_like X> constexpr auto softplus(X x) { return apply<softplus_t>(x); }
template <operand_like X> constexpr auto softsign(X x) { return apply<softsign_t>(x); }
template <operand_like X> constexpr auto hardSwish(X x) { return apply<hardSwish_t>(x); }
template <operand_like X> constexpr auto gelu(X x) { return apply<gelu_t>(x); }
/// Activations with numbers as options: `elu<elu_options{.alpha = 0.5f}>(x)`.
/// Shape: that of the operand.
/// Type: float32 and float16.
/// Error: element_type.
/// Source: WebNN elu, leakyRelu, hardSigmoid, linear.
template <elu_options O = elu_options{}, operand_like X> constexpr auto elu(X x) {
  return apply<elu_t, O>(x);
}
template <leakyRelu_options O = leakyRelu_options{}, operand_like X> constexpr auto leakyRelu(X x) {
  return apply<leakyRelu_t, O>(x);
}
template <hardSigmoid_options O = hardSigmoid_options{}, operand_like X>
constexpr auto hardSigmoid(X x) {
  return apply<hardSigmoid_t, O>(x);
}
template <linear_options O = linear_options{}, operand_like X> constexpr auto linear(X x) {
  return apply<linear_t, O>(x);
}
/// Limits every element: `clamp<clamp_options{.minValue = 0, .maxValue = 6}>(x)`.
/// Shape: that of the operand.
/// Type: any.
/// Error: option, when minValue exceeds maxValue.
/// Source: WebNN clamp.
template <clamp_options O = clamp_options{}, operand_like X> constexpr auto clamp(X x) {
  return apply<clamp_t, O>(x);
}
template <operand_like X> constexpr auto operator-(X x) { return neg(x); }

/// The operators above by their forms: without options, and with numbers as options.
using unary_operators =
    operator_list<identity_t, abs_t, neg_t, ceil_t, floor_t, roundEven_t, sign_t, sqrt_t,
                  reciprocal_t, exp_t, log_t, sin_t, cos_t, tan_t, erf_t, tanh_t, sigmoid_t, relu_t,
                  softplus_t, softsign_t, hardSwish_t, gelu_t>;
using activation_operators = operator_list<elu_t, leakyRelu_t, hardSigmoid_t, linear_t>;

}  // namespace tenon
