// Writes scalar programs down: calls a lambda once with symbols. Every policy runs the written
// program.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/scalar.hpp>

namespace tenon {

/// A program's result as an element of type `wanted`, of the same lane.
constexpr scalar stored_as(scalar root, type wanted) {
  if (root.is() == slot_kind::mask) {
    if (wanted == type::uint8) return root;
    if (slot_kind_of(wanted) == slot_kind::real)
      root = select(root, 1.0f, 0.0f);
    else
      root = symbols::in_lane(root.apply(sop::mask_to_int), computed_in(wanted));
  }
  return symbols::as_element(root, wanted);
}

/// Calls `f` with `arity` symbols for operands of these types (float32 if none are given) and
/// writes its program down. A result that is a plain number becomes a literal. Where the result's
/// type is not fixed, a mask becomes 1 or 0 in float32, and other results keep their type.
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
/// The same for a captureless lambda of the library: written once, however often it is recorded.
template <int Arity, class F> constexpr const recorded& constant_program(F) {
  static_assert(std::is_empty_v<F>, "constant_program: the lambda must not capture");
  return written_program<F, Arity>;
}

/// The program of a captureless lambda as a constant: `trace<f, 2>()`.
template <auto F, int Arity> consteval auto trace_program() {
  constexpr recorded written = record_program<Arity>(F);
  program<written.size> p;
  for (int i = 0; i < written.size; ++i) p.code[i] = written.code[i];
  return p;
}

}  // namespace tenon
