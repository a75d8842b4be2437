// Handles: what a model's lambda works with. A handle is two words and carries its tensor in its
// type, so that the compiler checks every edge; the operator behind it is a row of the table.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/recorder.hpp>
#include <tuple>

namespace tenon {

/// A list of axes or extents as an option: `{.axes = {1, 2}}`. Default: not given; so is `{}`, and
/// the empty list is `axis_list({})`.
struct axis_list {
  int count = -1;
  i64 item[max_rank]{};
  constexpr axis_list() = default;
  constexpr axis_list(std::initializer_list<i64> items) : count(0) {
    for (const i64 i : items) {
      if (count < max_rank) item[count] = i;
      ++count;
    }
  }
  constexpr bool given() const { return count >= 0; }
  /// 0 where it is not given: what operators need that have no default.
  constexpr int size() const { return count < 0 ? 0 : count; }
  constexpr i64 operator[](int i) const { return item[i]; }
  constexpr bool operator==(const axis_list&) const = default;
};

/// The options of an operator that has none.
struct no_options {
  constexpr bool operator==(const no_options&) const = default;
};

/// Whether errors stop the compilation (`tenon::graph`) or become a value (`tenon::check`).
enum class mode : bool { build, probe };

/// What an operator gives when its operands do not fit. It passes through all further operators, so
/// that one mistake gives one message.
template <error E> struct broken { static constexpr error fault = E; };

/// A value in a graph: the result of an operator or an input. Copy it freely; assign it to a
/// variable of the same tensor, so that loops over layers are loops: `x = layer(x, i)`.
template <tensor T, mode M = mode::build> struct handle {
  static constexpr tensor type = T;
  static constexpr mode probing = M;
  recorder* where = nullptr;
  int id = -1;
  constexpr int bind(recorder&) const { return id; }

  /// A mistake inside a loop passes on like one outside.
  template <error E> constexpr handle& operator=(const broken<E>&) {
    where->refuse(E);
    return *this;
  }
  template <tensor Other>
  requires(Other != T) constexpr handle& operator=(const handle<Other, M>&) {
    if constexpr (M == mode::build)
      static_assert(
          Other == T,
          "assign: a variable keeps the shape that it began with; give a value of another "
          "shape a name of its own");
    where->refuse({code::extent, "assign", "", T.shape, Other.shape});
    return *this;
  }
};

template <class H> inline constexpr bool is_handle = false;
template <tensor T, mode M> inline constexpr bool is_handle<handle<T, M>> = true;
template <class H> inline constexpr bool is_broken = false;
template <error E> inline constexpr bool is_broken<broken<E>> = true;

/// A value that has no table yet: a weight, or operators on weights alone. It is recorded where it
/// meets a handle.
template <class H>
concept leaf_like = requires(const H& h, recorder& r) {
  { H::type } -> std::convertible_to<tensor>;
  { h.bind(r) } -> std::same_as<int>;
  typename H::is_tenon_leaf;
};
template <class H>
concept operand_like = is_handle<H> || is_broken<H> || leaf_like<H>;

/// A weight: its tensor is in its type, its name is a value.
template <tensor T> struct weight_leaf {
  using is_tenon_leaf = void;
  static constexpr tensor type = T;
  name called;
  constexpr int bind(recorder& r) const { return r.weight(called, T); }
};

/// A weight by name, element type and extents: `weight<"conv.bias", float, 32>`. The same name
/// twice is the same weight.
template <fixed_string Name, class T, i64... Extent>
inline constexpr weight_leaf<tensor{type_of<T>, extents(Extent...)}> weight{name(Name)};
/// The same with a name that was put together, in a loop for example:
/// `weight_of<float, 32>(name("block") + i + ".bias")`.
template <class T, i64... Extent> constexpr auto weight_of(const name& called) {
  return weight_leaf<tensor{type_of<T>, extents(Extent...)}>{called};
}

/// What an operator says about itself. `infer` is the shape rule, `record` the meaning.
template <class Op>
concept operator_like = requires(const typename Op::options& o, list<tensor> in, recorder& r,
                                 list<int> ids, const tensor& t) {
  { Op::name } -> std::convertible_to<const char*>;
  { Op::infer(o, in) } -> std::same_as<result<tensor>>;
  { Op::record(r, o, ids, t) } -> std::same_as<int>;
};

/// What an operator gives for these operands. Elements of 4 bits are refused for all those that do
/// not say `takes_packed`, and so are results of them. Error: what `Op::infer` refuses;
/// element_type.
template <class Op>
constexpr result<tensor> infer_of(const typename Op::options& o, list<tensor> in) {
  constexpr bool any = requires { Op::takes_packed; };
  for (int i = 0; !any && i < in.size; ++i)
    if (const type t = in[i].type; is_packed(t))
      return error{code::element_type, Op::name, "input", unpacked(t), t};
  const result<tensor> out = Op::infer(o, in);
  if (!any && out.ok() && is_packed(out->type))
    return error{code::element_type, Op::name, "result", unpacked(out->type), out->type};
  return out;
}

/// Infers an operator again from what its operands are now, and records it.
/// Error: what `Op::infer` refuses.
template <class Op>
constexpr error record_again(recorder& r, const typename Op::options& o, list<int> ids) {
  constexpr int most = 64;  // no heap: this runs in calls
  if (ids.size > most) return {code::capacity, Op::name, "operands", most, ids.size};
  tensor types[most]{};
  for (int i = 0; i < ids.size; ++i) types[i] = r.at(ids[i]);
  const result<tensor> out = infer_of<Op>(o, {types, ids.size});
  if (out.ok()) (void)Op::record(r, o, ids, *out);
  return out.error();
}
template <class Op, auto Options> constexpr error again(recorder& r, const recipe&, list<int> ids) {
  return record_again<Op>(r, Options, ids);
}

/// An operator on operands of these types.
template <class Op, auto Options, class... H> struct application {
  static constexpr tensor type = [] {
    const tensor in[] = {H::type...};
    return infer_of<Op>(Options, {in, sizeof...(H)}).value();
  }();
  static constexpr int record(recorder& r, const H&... h) {
    const int ids[] = {h.bind(r)...};
    const list<int> all{ids, sizeof...(H)};
    const int first = r.out.nodes.size(), id = Op::record(r, Options, all, type);
    r.note(first, all, &again<Op, Options>);
    return id;
  }
};
/// An operator on weights alone: it waits for a table.
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
/// Every operator explains the refusals that are its own (`Op::explain`, with `explains_types`
/// those of element types, too); this is what is left.
template <class Op, error E> consteval void explain() {
  constexpr bool own = requires { Op::template explain<E>(); };
  constexpr bool weight = E.op == name("weight"), large = E.operand == name("result");
  constexpr bool packed = E.found.is == fact::kind::type && is_packed(E.found.type) && !requires {
    Op::takes_packed;
  };
  if constexpr (own && !weight && !large && !packed) Op::template explain<E>();
  static_assert(!weight, "weight: every extent must be at least 1, and there may be 2^40 elements");
  static_assert(!large || packed,
                "operator: the result would have more than 2^40 elements; check the options");
  static_assert(!(packed && E.found.type == type::int4),
                "operator: only dequantizeLinear and reshape take int4, only quantizeLinear makes "
                "it; dequantizeLinear() the operand first");
  static_assert(!(packed && E.found.type == type::uint4),
                "operator: only dequantizeLinear and reshape take uint4, only quantizeLinear makes "
                "it; dequantizeLinear() the operand first");
  static_assert(own || E.what == code::element_type || E.what == code::capacity ||
                    E.what == code::operand_count,
                "operator: its infer() refuses these operands; check<> of the graph says why");
  constexpr bool typed = requires { requires Op::explains_types; };
  static_assert(packed || E.what != code::element_type || typed,
                "operator: an operand's element type is not accepted, or operands differ in type; "
                "cast<T>() them");
  static_assert(
      E.what != code::capacity,
      "operator: an option or extent is beyond a limit of the library; docs/errors.md lists them");
  static_assert(E.what != code::operand_count,
                "operator: the number of operands is wrong; see the operator's documentation");
}

}  // namespace front

namespace front {
/// The error of an operator on operands of these types: what the builder says, too.
template <class Op, auto Options, class... H> constexpr error fault_of_operands() {
  const tensor in[] = {H::type...};
  for (const tensor& t : in)  // handles were checked before, weights were not
    if (const error e = check_extents("weight", "", t.shape); !e.ok()) return e;
  const result<tensor> out = infer_of<Op>(Options, {in, sizeof...(H)});
  return out.ok() ? check_result(Op::name, out->shape) : out.error();
}
}  // namespace front

/// Applies an operator to handles: checks with `Op::infer`, records with `Op::record`. Operators of
/// users are used through this function as ours are.
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

/// An operator with several results: `results(o)` of them, each with a tensor (`infer` gives the
/// first one's). `record` leaves them in nodes side by side and returns the first one.
template <class Op>
concept multiple_operator = operator_like<Op> &&
    requires(const typename Op::options& o, list<tensor> in) {
  { Op::results(o) } -> std::same_as<int>;
  { Op::infer_result(o, in, 0) } -> std::same_as<result<tensor>>;
};
/// Applies an operator with several results to handles and weights: a tuple of its results.
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

/// Several results of a model: `return tn::outputs(a, b);`
template <class... H> struct output_pack;
template <> struct output_pack<> {};
template <class H, class... Rest> struct output_pack<H, Rest...> {
  H first;
  output_pack<Rest...> rest;
};
template <operand_like... H> constexpr output_pack<H...> outputs(H... h) {
  if constexpr (sizeof...(H) == 0)
    return {};
  else
    return [](auto first, auto... rest) {
      return output_pack<H...>{first, outputs(rest...)};
    }(h...);
}

/// Says what a state of the graph (`state<"h", float, 8>`) is in the next call:
/// `next(h, tn::tanh(h + x));`
/// Error: output, on the line of the graph, when `h` is no state or has a next value already.
template <operand_like S, operand_like H> constexpr void next(S state, H value) {
  if constexpr (is_broken<H> && is_handle<S>) {
    state.where->refuse(H::fault);
  } else if constexpr (!is_broken<S>) {
    static_assert(is_handle<S>, "next: the first operand must be a state of the graph");
    static_assert(S::type == H::type,
                  "next: the next value must have the state's type and extents; reshape() it");
    if constexpr (is_handle<S> && S::type == H::type)
      state.where->next(state.id, value.bind(*state.where));
  }
}

/// Asks for policy `Place` (position in the model's list of policies) for the operator that made
/// this handle, composite operators included.
template <int Place, operand_like H> constexpr auto on(H h) {
  static_assert(Place >= 0 && Place < 8, "on: a place is the position of a policy, 0 to 7");
  static_assert(
      !leaf_like<H>,
      "on: a weight and operators on weights alone have no place; tag the operator that uses them");
  if constexpr (is_handle<H>) h.where->put(h.id, Place);
  return h;
}

namespace front {
/// The recorder behind the result of a callable: of its first handle.
template <tensor T, mode M> constexpr recorder* recorder_behind(const handle<T, M>& h) {
  return h.where;
}
template <class Other> constexpr recorder* recorder_behind(const Other&) { return nullptr; }
template <class H, class... Rest>
constexpr recorder* recorder_behind(const output_pack<H, Rest...>& p) {
  if (recorder* const r = recorder_behind(p.first)) return r;
  if constexpr (sizeof...(Rest) > 0)
    return recorder_behind(p.rest);
  else
    return nullptr;
}
template <class... H> constexpr recorder* recorder_behind(const std::tuple<H...>& all) {
  recorder* found = nullptr;
  std::apply([&](const H&... h) { ((found = found ? found : recorder_behind(h)), ...); }, all);
  return found;
}
}  // namespace front

/// The same for all operators that a callable records: `on<1>([&] { return relu(conv(x)); })`. It
/// returns a handle, `outputs(...)` or a tuple. Tags inside come first. The callable runs twice: it
/// must record the same again.
template <int Place, class F>
requires std::invocable<const F&>
constexpr auto on(const F& record) {
  static_assert(Place >= 0 && Place < 8, "on: a place is the position of a policy, 0 to 7");
  const auto made = record();
  if (recorder* const r = front::recorder_behind(made))
    r->put_last(Place, [&] { static_cast<void>(record()); });
  return made;
}

}  // namespace tenon
