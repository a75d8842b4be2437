// Operators on handles: what an operator says about itself, and the function that applies all of
// them, the library's and those of users.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/handle.hpp>

namespace tenon {

/// What an operator says about itself. `infer` is the shape rule, `record` the meaning.
template <class Op>
concept operator_like = requires(const typename Op::options& o, list<tensor> in, recorder& r,
                                 list<int> ids, const tensor& t) {
  { Op::name } -> std::convertible_to<const char*>;
  { Op::infer(o, in) } -> std::same_as<result<tensor>>;
  { Op::record(r, o, ids, t) } -> std::same_as<int>;
};

/// Operators of one form. A family says at its end which are of each of its forms. Random graphs
/// and the tables of tests and documentation are made of these lists: another operator of such a
/// form is added in one header.
template <class... Op> struct operator_list {};

/// Type and shape of an operator's result for these operands. An operator that does not say
/// `takes_four_bits` gets no operands and gives no results with elements of 4 bits.
/// Error: what `Op::infer` refuses; element_type.
template <class Op>
constexpr result<tensor> infer_of(const typename Op::options& o, list<tensor> in) {
  constexpr bool takes_four_bits = requires { Op::takes_four_bits; };
  for (int i = 0; !takes_four_bits && i < in.size; ++i)
    if (const type t = in[i].type; is_four_bit(t))
      return error{code::element_type, Op::name, "input", unpacked(t), t};
  const result<tensor> out = Op::infer(o, in);
  if (!takes_four_bits && out.ok() && is_four_bit(out->type))
    return error{code::element_type, Op::name, "result", unpacked(out->type), out->type};
  return out;
}

/// Records an operator again for operands whose extents have changed, with a new result of `infer`.
/// Error: what `Op::infer` refuses; capacity, beyond 64 operands.
template <class Op>
constexpr error record_again(recorder& r, const typename Op::options& o, list<int> ids) {
  constexpr int room = 64;  // no heap: this runs in calls of a model
  if (ids.size > room) return {code::capacity, Op::name, "operands", room, ids.size};
  tensor types[room]{};
  for (int i = 0; i < ids.size; ++i) types[i] = r.at(ids[i]);
  const result<tensor> out = infer_of<Op>(o, {types, ids.size});
  if (out.ok()) (void)Op::record(r, o, ids, *out);
  return out.error();
}
template <class Op, auto Options> constexpr error again(recorder& r, const recipe&, list<int> ids) {
  return record_again<Op>(r, Options, ids);
}

/// An operator on operands of these types: the type of its result, and how it is recorded. `note`
/// keeps what it takes to record it again for other extents.
template <class Op, auto Options, class... H> struct application {
  static constexpr tensor type = [] {
    const tensor in[] = {H::type...};
    return infer_of<Op>(Options, {in, sizeof...(H)}).value();
  }();
  static constexpr int record(recorder& r, const H&... h) {
    const int ids[] = {h.bind(r)...};
    const list<int> operands{ids, sizeof...(H)};
    const int first = r.out.nodes.size(), id = Op::record(r, Options, operands, type);
    r.note(first, operands, &again<Op, Options>);
    return id;
  }
};
/// An operator on weights alone. Weights know no table, so it is recorded only when its result
/// meets a handle.
template <class Op, auto Options, class... H> struct deferred {
  using is_tenon_leaf = void;
  using applied = application<Op, Options, H...>;
  static constexpr tensor type = applied::type;
  std::tuple<H...> operands;
  constexpr int bind(recorder& r) const {
    return std::apply([&](const H&... h) { return applied::record(r, h...); }, operands);
  }
};

namespace front {

/// The recorder of the first handle among the operands; null if all are weights.
template <class... H> constexpr recorder* recorder_of(const H&... h) {
  recorder* found = nullptr;
  const auto look = [&](const auto& x) {
    if constexpr (is_handle<std::remove_cvref_t<decltype(x)>>) found = found ? found : x.where;
  };
  (look(h), ...);
  return found;
}
template <class H> constexpr mode mode_of() {
  if constexpr (is_handle<H>)
    return H::probing;
  else
    return mode::build;
}
template <class First, class... Rest> constexpr auto first_broken(First, Rest... rest) {
  if constexpr (is_broken<First>)
    return First{};
  else
    return first_broken(rest...);
}
/// Turns an error into a message of the compiler. Every operator explains its own refusals in
/// `Op::explain` (and those of element types, if it says `explains_types`); the messages here are
/// for what all operators have in common.
template <class Op, error E> consteval void explain() {
  constexpr bool explained = requires { Op::template explain<E>(); };
  constexpr bool weight = E.op == name("weight"), large = E.operand == name("result");
  constexpr bool four_bits =
      E.found.is == fact::kind::type && is_four_bit(E.found.type) && !requires {
    Op::takes_four_bits;
  };
  if constexpr (explained && !weight && !large && !four_bits) Op::template explain<E>();
  static_assert(!weight, "weight: every extent must be at least 1, and there may be 2^40 elements");
  static_assert(!large || four_bits,
                "operator: the result would have more than 2^40 elements; check the options");
  static_assert(!(four_bits && E.found.type == type::int4),
                "operator: only dequantizeLinear and reshape take int4, only quantizeLinear makes "
                "it; dequantizeLinear() the operand first");
  static_assert(!(four_bits && E.found.type == type::uint4),
                "operator: only dequantizeLinear and reshape take uint4, only quantizeLinear makes "
                "it; dequantizeLinear() the operand first");
  static_assert(explained || E.what == code::element_type || E.what == code::capacity ||
                    E.what == code::operand_count,
                "operator: its infer() refuses these operands; check<> of the graph says why");
  constexpr bool typed = requires { requires Op::explains_types; };
  static_assert(four_bits || E.what != code::element_type || typed,
                "operator: an operand's element type is not accepted, or operands differ in type; "
                "cast<T>() them");
  static_assert(
      E.what != code::capacity,
      "operator: an option or extent is beyond a limit of the library; docs/errors.md lists them");
  static_assert(E.what != code::operand_count,
                "operator: the number of operands is wrong; see the operator's documentation");
}

/// The error of an operator on operands of these types; the builder finds the same one.
template <class Op, auto Options, class... H> constexpr error fault_of_operands() {
  const tensor in[] = {H::type...};
  for (const tensor& t : in)  // handles were checked before, weights were not
    if (const error e = check_extents("weight", "", t.shape); !e.ok()) return e;
  const result<tensor> out = infer_of<Op>(Options, {in, sizeof...(H)});
  return out.ok() ? check_result(Op::name, out->shape) : out.error();
}
}  // namespace front

/// Applies an operator to handles: checks with `Op::infer`, records with `Op::record`. The
/// library's own operators and those of users are applied by this function alike.
/// Error: a message of the compiler on the user's line, or, where a graph is checked, a `broken`
/// that carries the error.
template <class Op, auto Options = typename Op::options{}, operand_like... H>
constexpr auto apply(H... h) {
  if constexpr (sizeof...(H) == 0) {
    constexpr error fault{code::operand_count, Op::name, "", 1, 0};
    front::explain<Op, fault>();
    return broken<fault>{};
  } else if constexpr ((is_broken<H> || ...)) {
    return front::first_broken(h...);
  } else {
    constexpr error fault = front::fault_of_operands<Op, Options, H...>();
    constexpr bool probing = ((front::mode_of<H>() == mode::probe) || ...);
    if constexpr (!fault.ok()) {
      if constexpr (!probing) front::explain<Op, fault>();
      return broken<fault>{};
    } else if constexpr ((leaf_like<H> && ...)) {
      return deferred<Op, Options, H...>{{h...}};
    } else {
      using applied = application<Op, Options, H...>;
      constexpr mode how = probing ? mode::probe : mode::build;
      recorder& r = *front::recorder_of(h...);
      return handle<applied::type, how>{&r, applied::record(r, h...)};
    }
  }
}

/// An operator with several results. `results(o)` is their number, `infer_result(o, in, k)` the
/// type and shape of result k; `infer` gives those of the first. `record` leaves the results in
/// nodes with consecutive numbers and returns the first one.
template <class Op>
concept multiple_operator = operator_like<Op> &&
    requires(const typename Op::options& o, list<tensor> in) {
  { Op::results(o) } -> std::same_as<int>;
  { Op::infer_result(o, in, 0) } -> std::same_as<result<tensor>>;
};
/// Applies an operator with several results to handles and weights. Returns a tuple of its results.
template <class Op, auto Options = typename Op::options{}, operand_like... H>
requires multiple_operator<Op>
constexpr auto apply_all(H... h) {
  static_assert((is_handle<H> || ...) || (is_broken<H> || ...),
                "operator: one with several results needs an operand that is no weight");
  const auto first = apply<Op, Options>(h...);
  return [&]<int... K>(std::integer_sequence<int, K...>) {
    if constexpr (is_handle<std::remove_const_t<decltype(first)>>) {
      constexpr auto type_at = [](int k) {
        const tensor in[] = {H::type...};
        return Op::infer_result(Options, {in, sizeof...(H)}, k).value();
      };
      constexpr mode how = decltype(first)::probing;
      return std::tuple{handle<type_at(K), how>{first.where, first.id + K}...};
    } else {
      return std::tuple{((void)K, first)...};
    }
  }
  (std::make_integer_sequence<int, Op::results(Options)>{});
}

}  // namespace tenon
