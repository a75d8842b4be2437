// The map family: element-wise operators. One operator is one struct: its name, and its meaning as
// a function over symbols. The operators themselves are in unary.hpp, binary.hpp and logic.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>
#include <tenon/language/record.hpp>

namespace tenon {

namespace maps {

inline constexpr const char* letters[max_operands] = {"a", "b", "c", "d", "e", "f", "g", "h"};
/// The shape to which all operands broadcast. Error: broadcast, with the first operand that does
/// not fit, its shape, and the common shape of those before it.
constexpr result<shape> broadcast_shapes(const char* op, list<tensor> in,
                                         const char* const* names = letters) {
  shape r = in[0].shape;
  for (int operand = 1; operand < in.size; ++operand) {
    const tensor& t = in[operand];
    const shape &small = t.shape.rank < r.rank ? t.shape : r,
                &large = t.shape.rank < r.rank ? r : t.shape;
    shape both = large;
    for (int i = 1; i <= small.rank; ++i) {
      const i64 a = small[small.rank - i], b = large[large.rank - i];
      if (a != b && a != 1 && b != 1) return error{code::broadcast, op, names[operand], r, t.shape};
      both.extent[large.rank - i] = b == 1 ? a : b;
    }
    r = both;
  }
  return r;
}

/// The element types of a node's operands and result.
constexpr program_types types_of(const recorder& r, list<int> in, const tensor& out) {
  program_types t{{}, true, out.type};
  for (int i = 0; i < in.size; ++i) t.operand[i] = r.at(in[i]).type;
  return t;
}

/// True if all operands and the result are float32. Then the operator's program is a constant, and
/// need not be written again.
constexpr bool in_float32(const recorder& r, list<int> in, const tensor& out) {
  bool all = out.type == type::float32;
  for (const int id : in) all = all && r.out.nodes[id].out.type == type::float32;
  return all;
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
  return push<Arity>(r, op, record_program<Arity>(f, types_of(r, in, out)), in, out);
}

}  // namespace maps

/// What all element-wise operators share. `Op` has `name`, `options`, and
/// `static constexpr auto meaning(options, scalar...)`; it may have `accepts(operand, type)`,
/// `result_of(options, type)`, `check(options)` or `check(options, type)`, and `names` of its
/// operands. Shape: the operands broadcast (right-aligned; an extent of 1 repeats). Type: all
/// operands have the same one of those that the operator accepts; the result has it too, unless the
/// operator says otherwise.
template <class Op, int Arity, class Options = no_options> struct map_operator {
  using options = Options;
  static constexpr bool accepts(int, type t) { return is_real(t); }
  static constexpr type result_of(const Options&, type t) { return t; }
  static constexpr const char* names[max_operands] = {
      Arity == 1 ? "input" : "a", "b", "c", "d", "e", "f", "g", "h"};
  /// Operands from this one on have the same type; those before it may have others.
  static constexpr int first_of_type = 0;
  /// A type that an operand may have, for errors.
  static constexpr type expected_type(int operand) {
    return Op::accepts(operand, type::float32) ? type::float32 : type::uint8;
  }

  static constexpr result<tensor> infer(const Options& o, list<tensor> in) {
    if (in.size != Arity) return error{code::operand_count, Op::name, "", Arity, in.size};
    if constexpr (requires { Op::check(o); })
      if (const error e = Op::check(o); !e.ok()) return e;
    if constexpr (requires { Op::check(o, type{}); })
      if (const error e = Op::check(o, in[0].type); !e.ok()) return e;
    for (int i = 0; i < in.size; ++i) {
      const type same = i > Op::first_of_type ? in[Op::first_of_type].type : in[i].type;
      if (!Op::accepts(i, in[i].type) || in[i].type != same)
        return error{code::element_type, Op::name, Op::names[i],
                     same != in[i].type ? same : expected_type(i), in[i].type};
    }
    const result<shape> s = maps::broadcast_shapes(Op::name, in, Op::names);
    if (!s.ok()) return s.error();
    return tensor{Op::result_of(o, in[Arity - 1].type), *s};
  }
  static constexpr int record(recorder& r, const Options& o, list<int> in, const tensor& out) {
    if constexpr (std::is_empty_v<Options>)
      if (maps::in_float32(r, in, out))
        return maps::push<Arity>(
            r, Op::name, constant_program<Arity>([](auto... x) { return Op::meaning({}, x...); }),
            in, out);
    return maps::record<Arity>(
        r, Op::name, [&](auto... x) { return Op::meaning(o, x...); }, in, out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::broadcast,
                  "element-wise operator: shapes must broadcast, every pair of extents equal or 1; "
                  "reshape() an operand");
  }
};

/// The operator of a user's lambda, for operands of these element types; see `map`.
template <class F, type... Type> struct lambda_map {
  static constexpr const char* name = "map";
  static constexpr int arity = static_cast<int>(sizeof...(Type));
  using options = no_options;
  static constexpr program_types types{{Type...}};
  static constexpr recorded program = record_program<arity>(F{}, types);
  static constexpr bool valid = program.fault == code::ok;
  static constexpr int registers = valid ? allocate(program.view()).registers : 0;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    const result<shape> s = maps::broadcast_shapes(name, in);
    if (!s.ok()) return s.error();
    return tensor{result_type(program.view()), *s};
  }
  static constexpr int record(recorder& r, no_options, list<int> in, const tensor& out) {
    return maps::push<arity>(r, name, program, in, out);
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
    if constexpr ((is_broken<H> || ...)) {
      return front::first_broken(h...);
    } else if constexpr (count >= 1 && count <= max_operands) {
      return checked<lambda_map<F, H::type.type...>>(h...);
    } else {
      return broken<error{code::operand_count, "map", "", max_operands, count}>{};
    }
  }

 private:
  template <class Op, class... H> static constexpr auto checked(H... h) {
    static_assert(Op::valid,
                  "map: the lambda mixes symbols of different types, or is too long; "
                  "cast<T>() between them, or split it");
    static_assert(Op::registers <= max_registers,
                  "map: the lambda keeps more than 32 values alive at once; split it");
    if constexpr (Op::valid && Op::registers <= max_registers)
      return apply<Op>(h...);
    else
      return broken<error{code::program, "map", "program", max_program, Op::program.size}>{};
  }
};
/// What `map` gives after its error about a capture, so that one mistake gives one message.
struct not_mapped {
  template <operand_like... H> constexpr auto operator()(H...) const {
    return broken<error{code::program, "map", "", {}, {}}>{};
  }
};

/// A custom element-wise operator from a captureless lambda over symbols:
/// `map([](auto x, auto y) { return max(x, 0.1f * y); })(a, b)`.
/// The lambda is called once, with `tenon::scalar`. The program that it writes runs on every policy
/// and fuses like a built-in operator.
/// Shape: the operands, 1 to 8, broadcast.
/// Type: any; a mask as a result becomes 1 or 0 in float32.
/// Error: broadcast; program, when symbols of different types meet, or the program is too long.
/// Misuse: a lambda with captures does not compile.
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
/// Error: option, when the operand's element type cannot hold the number.
template <class Op, bool NumberFirst> struct with_number {
  static constexpr const char* name = Op::name;
  struct options {
    any_number value{};
    constexpr bool operator==(const options&) const = default;
  };
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (!Op::accepts(0, in[0].type) || is_four_bit(in[0].type))
      return error{code::element_type, name, Op::names[0], Op::expected_type(0), in[0].type};
    if (!can_hold(in[0].type, o.value))
      return error{code::option, name, "number", in[0].type, "a number that it cannot hold"};
    return tensor{Op::result_of({}, in[0].type), in[0].shape};
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    const auto write = [](scalar x, any_number number) {
      const scalar v = x.lift(number);
      if constexpr (NumberFirst)
        return Op::meaning({}, v, x);
      else
        return Op::meaning({}, x, v);
    };
    if (!in_float32(r, in, out)) {
      any_number held = o.value;
      if (r.at(in[0]).type == type::float16) held = halves::rounded(held.to_float());
      return maps::record<1>(
          r, name, [&](scalar x) { return write(x, held); }, in, out);
    }
    // The meaning of an arithmetic operator has no literals of its own. So its program is written
    // once, with some number, and only this literal is replaced.
    recorded p = constant_program<1>([](scalar x) { return decltype(write){}(x, 1.0); });
    const auto bits = std::bit_cast<std::uint32_t>(o.value.to_float());
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].is_literal())
        p.code[i] = instruction::make_literal(sop::literal, p.code[i].dst(), bits);
    return push<1>(r, name, p, in, out);
  }
};
/// Records an operator between a handle and a number. The number of `x + 2.0f` is a function
/// argument and no constant, so it cannot be an option in a template argument, as in `apply`; it is
/// checked again here by value.
template <class Op, bool NumberFirst = false, class H, number N>
constexpr auto number_operator(H h, N value) {
  if constexpr (is_broken<H>) {
    return h;
  } else if constexpr (!is_handle<H>) {
    static_assert(is_handle<H>,
                  "operator: a weight and a number meet only behind an input; write x * (w + 1) as "
                  "x * w + x");
    return broken<error{code::program, Op::name, "", {}, {}}>{};
  } else {
    constexpr bool whole = is_real(H::type.type) || std::integral<N>;
    static_assert(whole, "operator: an integer handle takes integer numbers; cast() the handle");
    using form = with_number<Op, NumberFirst>;
    constexpr result<tensor> out = [] {
      const tensor in[] = {H::type};
      return form::infer({}, {in, 1});
    }();
    if constexpr (!whole) {
      return broken<error{code::element_type, Op::name, "", type::float32, H::type.type}>{};
    } else if constexpr (!out.ok()) {
      if constexpr (H::probing == mode::build) front::explain<Op, out.error()>();
      return broken<out.error()>{};
    } else {
      const typename form::options o{value};
      const tensor in[] = {H::type};
      if (const auto checked = form::infer(o, {in, 1}); !checked.ok()) {
        h.where->refuse(checked.error());
        return handle<out.value(), H::probing>{h.where, h.id};
      }
      const int first = h.where->out.nodes.size();
      const int id = form::record(*h.where, o, {&h.id, 1}, out.value());
      h.where->note(first, {&h.id, 1}, nullptr);
      return handle<out.value(), H::probing>{h.where, id};
    }
  }
}
}  // namespace maps

}  // namespace tenon
