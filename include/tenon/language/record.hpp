// Writes scalar programs: calls a lambda once, with symbols, and keeps the instructions that it
// computes. Every policy runs the written program.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/cast.hpp>

namespace tenon {

/// A program's result as an element of type `element`. A mask becomes 1 or 0 in it; any other
/// result must be of the slot kind in which the type is computed.
constexpr scalar stored_as(scalar root, type element) {
  if (root.is() == slot_kind::mask) {
    if (element == type::uint8) return root;
    if (slot_kind_of(element) == slot_kind::real)
      root = select(root, 1.0f, 0.0f);
    else
      root = symbols::in_kind(root.apply(sop::mask_to_int), computed_in(element));
  }
  return symbols::as_element(root, element);
}

/// Calls `f` with `Arity` symbols for operands of these types (float32 if none are given) and
/// returns the program that it writes. A result that is a plain number becomes a literal. If
/// `types` does not fix the result's type, a mask becomes 1 or 0 in float32, and all other results
/// keep their type.
/// Error: in the program's `fault`.
template <int Arity, class F>
constexpr recorded record_program(const F& f, const program_types& types = {}) {
  static_assert(Arity <= max_operands, "map: a scalar program takes at most 8 operands");
  tape t;
  scalar x[Arity > 0 ? Arity : 1];
  for (int i = 0; i < Arity; ++i) {
    const type operand = types.operand[i];
    x[i] = {&t, t.argument(i, operand), operand == type::uint32 || operand == type::uint64};
  }
  const auto y = [&]<int... I>(std::integer_sequence<int, I...>) { return f(x[I]...); }
  (std::make_integer_sequence<int, Arity>{});
  scalar root;
  if constexpr (std::same_as<std::remove_cv_t<decltype(y)>, scalar>) {
    root = y;
    if (types.fixed)
      root = stored_as(root, types.result);
    else if (root.is() == slot_kind::mask)
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
/// The program of a captureless lambda of the library. It is a constant: written once per lambda by
/// the compiler, however often it is recorded.
template <int Arity, class F> constexpr const recorded& constant_program(F) {
  static_assert(std::is_empty_v<F>, "constant_program: the lambda must not capture");
  return written_program<F, Arity>;
}

/// The program of a captureless lambda as a constant of its exact size: `trace_program<f, 2>()`.
template <auto F, int Arity> consteval auto trace_program() {
  constexpr recorded written = record_program<Arity>(F);
  program<written.size> p;
  for (int i = 0; i < written.size; ++i) p.code[i] = written.code[i];
  return p;
}

}  // namespace tenon
