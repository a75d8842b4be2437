// The map family: element-wise operators. One operator is one struct: a name and the lambda over
// symbols that it means.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/handle.hpp>
#include <limits>

namespace tenon {

namespace maps {

/// The broadcast shape of all operands, or the error with both shapes.
constexpr result<tensor> broadcast_all(const char* op, list<tensor> in) {
  tensor r = in[0];
  for (const tensor& t : in) {
    if (t.type != type::float32)
      return error{code::element_type, op, "input", type::float32, t.type};
    const shape &small = t.shape.rank < r.shape.rank ? t.shape : r.shape,
                &large = t.shape.rank < r.shape.rank ? r.shape : t.shape;
    shape both = large;
    for (int i = 1; i <= small.rank; ++i) {
      const i64 a = small[small.rank - i], b = large[large.rank - i];
      if (a != b && a != 1 && b != 1) return error{code::broadcast, op, "b", r.shape, t.shape};
      both.extent[large.rank - i] = b == 1 ? a : b;
    }
    r.shape = both;
  }
  return r;
}

/// Records a program over all `Arity` operands.
template <int Arity> constexpr int push(recorder& r, const char* op, const recorded& p,
                                        list<int> in, const tensor& out) {
  return [&]<int... I>(std::integer_sequence<int, I...>) { return r.map(op, p, {in[I]...}, out); }
  (std::make_integer_sequence<int, Arity>{});
}
/// Records the program that `f` writes for `Arity` operands.
template <int Arity, class F>
constexpr int record(recorder& r, const char* op, const F& f, list<int> in, const tensor& out) {
  return push<Arity>(r, op, record_program<Arity>(f), in, out);
}

}  // namespace maps

/// What all element-wise operators share. `Op` has `name`, `options`, and
/// `static constexpr auto meaning(options, scalar...)`.
/// Shape: the operands broadcast (right-aligned; an extent of 1 repeats). Type: float32.
template <class Op, int Arity, class Options = no_options> struct map_operator {
  using options = Options;
  static constexpr result<tensor> infer(const Options& o, list<tensor> in) {
    if (in.size != Arity) return error{code::operand_count, Op::name, "", Arity, in.size};
    if constexpr (requires { Op::check(o); })
      if (const error e = Op::check(o); !e.ok()) return e;
    return maps::broadcast_all(Op::name, in);
  }
  static constexpr int record(recorder& r, const Options& o, list<int> in, const tensor& out) {
    if constexpr (std::is_empty_v<Options>)
      return maps::push<Arity>(
          r, Op::name, constant_program<Arity>([](auto... x) { return Op::meaning({}, x...); }), in,
          out);
    else
      return maps::record<Arity>(
          r, Op::name, [&](auto... x) { return Op::meaning(o, x...); }, in, out);
  }
};

struct add_t : map_operator<add_t, 2> {
  static constexpr const char* name = "add";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a + b; }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "add: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};
struct sub_t : map_operator<sub_t, 2> {
  static constexpr const char* name = "sub";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a - b; }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "sub: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};
struct mul_t : map_operator<mul_t, 2> {
  static constexpr const char* name = "mul";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a * b; }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::broadcast,
                  "mul: shapes must broadcast, every pair of extents equal or 1; for a matrix "
                  "product use matmul()");
  }
};
struct div_t : map_operator<div_t, 2> {
  static constexpr const char* name = "div";
  static constexpr auto meaning(no_options, scalar a, scalar b) { return a / b; }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "div: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};
struct relu_t : map_operator<relu_t, 1> {
  static constexpr const char* name = "relu";
  static constexpr auto meaning(no_options, scalar x) { return max(x, 0.0f); }
};
struct sigmoid_t : map_operator<sigmoid_t, 1> {
  static constexpr const char* name = "sigmoid";
  static constexpr auto meaning(no_options, scalar x) { return sigmoid(x); }
};
struct tanh_t : map_operator<tanh_t, 1> {
  static constexpr const char* name = "tanh";
  static constexpr auto meaning(no_options, scalar x) { return tanh(x); }
};
struct exp_t : map_operator<exp_t, 1> {
  static constexpr const char* name = "exp";
  static constexpr auto meaning(no_options, scalar x) { return exp(x); }
};
/// WebNN clamp: minValue and maxValue bound the result; an infinite bound bounds nothing.
struct clamp_options {
  float minValue = -std::numeric_limits<float>::infinity();
  float maxValue = std::numeric_limits<float>::infinity();
  constexpr bool operator==(const clamp_options&) const = default;
};
struct clamp_t : map_operator<clamp_t, 1, clamp_options> {
  static constexpr const char* name = "clamp";
  static constexpr error check(const clamp_options& o) {
    if (o.minValue > o.maxValue)
      return {code::option, name, "minValue", "at most maxValue", "more"};
    return {};
  }
  /// A NaN bound bounds nothing.
  static constexpr auto meaning(const clamp_options& o, scalar x) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    if (o.minValue > -infinity) x = max(x, o.minValue);
    if (o.maxValue < infinity) x = min(x, o.maxValue);
    return x;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::option, "clamp: minValue must not exceed maxValue; swap them");
  }
};

/// Element-wise WebNN operators on handles; see `map_operator` for shapes.
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
template <operand_like X> constexpr auto relu(X x) { return apply<relu_t>(x); }
template <operand_like X> constexpr auto sigmoid(X x) { return apply<sigmoid_t>(x); }
template <operand_like X> constexpr auto tanh(X x) { return apply<tanh_t>(x); }
template <operand_like X> constexpr auto exp(X x) { return apply<exp_t>(x); }
template <clamp_options O = clamp_options{}, operand_like X> constexpr auto clamp(X x) {
  return apply<clamp_t, O>(x);
}

/// The operator that a user's lambda means: see `map`.
template <class F, int Arity> struct lambda_map {
  static constexpr const char* name = "map";
  using options = no_options;
  static constexpr recorded program = record_program<Arity>(F{});
  static constexpr bool valid = program.fault == code::ok;
  static constexpr int registers = valid ? allocate(program.view()).registers : 0;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    return maps::broadcast_all(name, in);
  }
  static constexpr int record(recorder& r, no_options, list<int> in, const tensor& out) {
    return maps::push<Arity>(r, name, program, in, out);
  }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::broadcast,
        "map: shapes must broadcast, every pair of extents equal or 1; reshape() an operand");
  }
};

template <class F> struct mapped {
  template <operand_like... H> constexpr auto operator()(H... h) const {
    constexpr int count = static_cast<int>(sizeof...(H));
    static_assert(count >= 1 && count <= max_operands,
                  "map: a lambda takes 1 to 8 operands; split it");
    if constexpr (count >= 1 && count <= max_operands)
      return checked<lambda_map<F, count>>(h...);
    else
      return broken<error{code::operand_count, "map", "", max_operands, count}>{};
  }

 private:
  template <class Op, class... H> static constexpr auto checked(H... h) {
    static_assert(Op::valid,
                  "map: the lambda mixes float, int32 and boolean symbols, or is too long; "
                  "cast<T>() between them, or split it");
    static_assert(Op::registers <= max_registers,
                  "map: the lambda keeps more than 32 values alive at once; split it");
    if constexpr (Op::valid && Op::registers <= max_registers)
      return apply<Op>(h...);
    else
      return broken<error{code::program, "map", "program", max_program, Op::program.size}>{};
  }
};
/// What `map` gives after its error about a capture: one mistake gives one message.
struct not_mapped {
  template <operand_like... H> constexpr auto operator()(H...) const {
    return broken<error{code::program, "map", "", {}, {}}>{};
  }
};

/// A custom element-wise operator from a captureless lambda over symbols:
/// `map([](auto x, auto y) { return max(x, 0.1f * y); })(a, b)`. The lambda is called once, with
/// `tenon::scalar`, and what it writes down runs on every policy and fuses like a built-in operator.
template <class F> constexpr auto map(F) {
  constexpr bool captureless = std::is_empty_v<F> && std::is_default_constructible_v<F>;
  static_assert(
      captureless,
      "map: the lambda must not capture; pass the value as an operand or write it as a literal");
  if constexpr (captureless)
    return mapped<F>{};
  else
    return not_mapped{};
}

namespace maps {
/// An operator between a handle and a number: the number becomes a literal of the program.
template <class Op, bool NumberFirst> struct with_number {
  static constexpr const char* name = Op::name;
  struct options {
    float value = 0;
    constexpr bool operator==(const options&) const = default;
  };
  static constexpr result<tensor> infer(const options&, list<tensor> in) {
    return broadcast_all(name, in);
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    recorded p = constant_program<1>([](scalar x) {  // with any number; then with this one
      const scalar v = x.lift(1.0f);
      if constexpr (NumberFirst)
        return Op::meaning({}, v, x);
      else
        return Op::meaning({}, x, v);
    });
    const auto bits = std::bit_cast<std::uint32_t>(o.value);
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].is_literal())
        p.code[i] = instruction::make_literal(sop::literal, p.code[i].dst(), bits);
    return push<1>(r, name, p, in, out);
  }
};
/// The number of `x + 2.0f` is a function argument, so this records by value what `apply` records
/// from a template argument.
template <class Op, bool NumberFirst, class H> constexpr auto number(H h, float value) {
  if constexpr (is_broken<H>) {
    return h;
  } else if constexpr (!is_handle<H>) {
    static_assert(is_handle<H>,
                  "operator: a weight and a number meet only behind an input; write x * (w + 1) as "
                  "x * w + x");
    return broken<error{code::program, Op::name, "", {}, {}}>{};
  } else {
    constexpr error fault = [] {
      const tensor in[] = {H::type};
      return with_number<Op, NumberFirst>::infer({}, {in, 1}).error();
    }();
    if constexpr (!fault.ok()) {
      if constexpr (H::probing == mode::build) front::explain<Op, fault>();
      return broken<fault>{};
    } else {
      return H{h.where,
               with_number<Op, NumberFirst>::record(*h.where, {value}, {&h.id, 1}, H::type)};
    }
  }
}
}  // namespace maps

template <operand_like A, operand_like B> constexpr auto operator+(A a, B b) { return add(a, b); }
template <operand_like A, operand_like B> constexpr auto operator-(A a, B b) { return sub(a, b); }
template <operand_like A, operand_like B> constexpr auto operator*(A a, B b) { return mul(a, b); }
template <operand_like A, operand_like B> constexpr auto operator/(A a, B b) { return div(a, b); }
template <operand_like A, number N> constexpr auto operator+(A a, N b) {
  return maps::number<add_t, false>(a, static_cast<float>(b));
}
template <operand_like A, number N> constexpr auto operator-(A a, N b) {
  return maps::number<sub_t, false>(a, static_cast<float>(b));
}
template <operand_like A, number N> constexpr auto operator*(A a, N b) {
  return maps::number<mul_t, false>(a, static_cast<float>(b));
}
template <operand_like A, number N> constexpr auto operator/(A a, N b) {
  return maps::number<div_t, false>(a, static_cast<float>(b));
}
template <number N, operand_like A> constexpr auto operator+(N a, A b) {
  return maps::number<add_t, true>(b, static_cast<float>(a));
}
template <number N, operand_like A> constexpr auto operator-(N a, A b) {
  return maps::number<sub_t, true>(b, static_cast<float>(a));
}
template <number N, operand_like A> constexpr auto operator*(N a, A b) {
  return maps::number<mul_t, true>(b, static_cast<float>(a));
}
template <number N, operand_like A> constexpr auto operator/(N a, A b) {
  return maps::number<div_t, true>(b, static_cast<float>(a));
}

}  // namespace tenon
