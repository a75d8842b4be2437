// The compile-time front end: calls a model's lambda in a constant expression and keeps the table
// of nodes that it records.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/replay.hpp>

namespace tenon {

namespace front {
constexpr i64 extent_of(i64 extent) { return extent; }
constexpr i64 extent_of(limit b) { return b.extent; }
template <class E> constexpr bool is_limit(E) { return std::is_same_v<E, limit>; }
}  // namespace front

/// A graph's input: `input<"image", float, 1, 3, 64, 64>`. With `upto` an extent is known only in
/// the call, and has a limit: `input<"tokens", float, upto<512>, 64>`.
template <fixed_string Name, class T, auto... Extent> struct input {
  static constexpr tensor type{type_of<T>, extents(front::extent_of(Extent)...)};
  static constexpr tenon::name name{Name};
  static constexpr std::uint32_t limited = [] {
    std::uint32_t bits = 0, axis = 1;
    ((bits |= front::is_limit(Extent) ? axis : 0u, axis <<= 1), ...);
    return bits;
  }();
  static constexpr int record(recorder& r) { return r.input(name, type, limited); }
};

/// A value that a model keeps between calls: zeros in the first call, then what `next` named in the
/// call before. It is listed among the graph's inputs, but calls do not pass it:
/// `graph<model, input<"x", float, 64>, state<"h", float, 8>>`.
template <fixed_string Name, class T, i64... Extent> struct state {
  static constexpr tensor type{type_of<T>, extents(Extent...)};
  static constexpr tenon::name name{Name};
  static constexpr bool kept = true;
  static constexpr int record(recorder& r) { return r.state(name, type); }
};

namespace front {

/// What a model may return: a handle, a weight, or several in `outputs`.
template <class Y> inline constexpr bool is_result = operand_like<Y>;
template <class... H> inline constexpr bool is_result<output_pack<H...>> = sizeof...(H) > 0;

template <class H> constexpr void declare_outputs(recorder& r, const H& h) {
  if constexpr (!is_broken<H>) r.out.outputs.push(h.bind(r));
}
template <class H, class... Rest>
constexpr void declare_outputs(recorder& r, const output_pack<H, Rest...>& p) {
  declare_outputs(r, p.first);
  if constexpr (sizeof...(Rest) > 0) declare_outputs(r, p.rest);
}
template <class H> constexpr error fault_of(const H&) {
  if constexpr (is_broken<H>)
    return H::fault;
  else
    return {};
}
template <class H, class... Rest> constexpr error fault_of(const output_pack<H, Rest...>& p) {
  const error e = fault_of(p.first);
  if constexpr (sizeof...(Rest) > 0)
    return e.ok() ? fault_of(p.rest) : e;
  else
    return e;
}
template <class In> constexpr error check_input() {
  constexpr bool kept = requires { In::kept; };
  return check_extents(kept ? "state" : "input", In::name, In::type.shape);
}
/// The error of the first input whose extents are refused. It is found before the model runs, so
/// that no operator sees such an input.
template <class... In> constexpr error first_unfit() {
  error first_error{};
  ((first_error = first_error.ok() ? check_input<In>() : first_error), ...);
  return first_error;
}
/// Calls the model and records its outputs. An input or a weight may be an output by itself.
template <class Model, mode M, class... In> constexpr error run(recorder& r) {
  if constexpr (!first_unfit<In...>().ok()) {
    return first_unfit<In...>();
  } else if constexpr (!is_result<decltype(Model{}(handle<In::type, M>{}...))>) {
    return {code::output, "graph", "outputs", 1, 0};
  } else {
    const auto y = Model{}(handle<In::type, M>{&r, In::record(r)}...);
    const error e = fault_of(y);
    if (e.ok()) declare_outputs(r, y);
    if (e.ok()) r.seal();
    return e.ok() ? r.fault : e;
  }
}
template <class Model, class... In> constexpr table record_table() {
  recorder r;
  (void)run<Model, mode::build, In...>(r);
  return static_cast<table&&>(r.out);
}
/// The first of two passes: the error, and the sizes that the constant table must have. The second
/// pass records the same again and is copied into the table.
struct outline {
  error fault;
  table_sizes sizes;
};
template <class Model, class... In> constexpr outline record_outline() {
  recorder r;
  const error fault = run<Model, mode::build, In...>(r);
  return {fault, sizes_of(r.out.view())};
}
/// The error of the operators when all extents with limits are `less` below them, but at least 1.
/// It finds operators that refuse, or record other nodes for, smaller extents.
constexpr error fault_below(table_view t, i64 less) {
  sequence<shape> inputs;
  for (const int i : t.inputs) inputs.push(t.nodes[i].out.shape);
  for (const varying& v : t.limits)
    for (int a = 0; a < max_rank; ++a)
      if ((v.axes >> a & 1u) != 0) {
        i64& extent = inputs[v.input].extent[a];
        extent = extent > less ? extent - less : 1;
      }
  recorder r;
  return replay(t, inputs.data(), r);
}
/// A closure without captures: it can be made from its type.
template <class Model> inline constexpr bool captureless =
    std::is_empty_v<Model>&& std::is_default_constructible_v<Model>;
/// Stands in for a model that has captures, after the error about them.
struct nothing {
  template <class... H>
  constexpr broken<error{code::output, "graph", "model", {}, {}}> operator()(H...) const {
    return {};
  }
};

}  // namespace front

/// A graph by the type of its model's closure; use `graph`.
template <class Model, class... In> struct basic_graph {
  static_assert(front::captureless<Model>,
                "graph: the model must be a captureless lambda; pass values as inputs or weights");
  using model_type = std::conditional_t<front::captureless<Model>, Model, front::nothing>;
  static constexpr front::outline outline = front::record_outline<model_type, In...>();
  static constexpr const error& fault = outline.fault;
  static_assert(fault.what != code::extent ||
                    (fault.op != name("input") && fault.op != name("state")),
                "input: every extent must be at least 1, and there may be 2^40 elements");
  static_assert(!(fault.what == code::output && fault.op == name("state")),
                "state: a state of the graph has no next value; say next(state, value)");
  static_assert(!(fault.what == code::output && fault.op == name("next")),
                "next: the first operand must be a state, and have one next value only");
  static_assert(!(fault.what == code::output && fault.operand == name("outputs")),
                "graph: the model must return its outputs: a handle, or several in outputs(a, b)");
  static_assert(
      !(fault.what == code::name_conflict),
      "graph: one name has two shapes or two meanings; rename one of the weights or inputs");
  static_assert(!(fault.what == code::program),
                "graph: an operator's scalar program is invalid or keeps more than 32 values "
                "alive; split it");
  static_assert(!(fault.what == code::option && fault.operand == name("number")),
                "operator: a number beside a handle must be one that its element type can hold; "
                "round it, or cast() the handle");
  static_assert(!(fault.what == code::name_length),
                "graph: a name must have 1 to 95 characters; shorten it");
  static constexpr table_sizes sizes = outline.sizes;
  static constexpr frozen<sizes> table{front::record_table<model_type, In...>().view()};
  static constexpr table_view view() { return table.view(); }
  /// With limits: the first error for smaller extents.
  static constexpr error fault_below = [] {
    if constexpr (sizes.limits > 0)
      return front::fault_below(table.view(), 1);
    else
      return error{};
  }();
  static_assert(fault_below.what != code::capacity,
                "graph: an operator of a graph with upto<> records other nodes or programs for "
                "other extents; take the extent from an input instead");
  static_assert(fault_below.ok() || fault_below.what == code::capacity,
                "graph: an operator refuses extents below a limit; a weight or an option has the "
                "limit itself as an extent: slice() it, or use upto<> for all of them");
};

/// The node table of a model: `using net = graph<model, input<"x", float, 4>>;` with
/// `inline constexpr auto model = [](auto x) { ... };`. Errors stop the compilation on the line of
/// the model that made them; `check` gives them as a value.
template <auto Model, class... In> using graph =
    basic_graph<std::remove_cvref_t<decltype(Model)>, In...>;

namespace front {
template <class G> struct checker;
template <class Model, class... In> struct checker<basic_graph<Model, In...>> {
  static constexpr error fault = [] {
    recorder r;
    return run<Model, mode::probe, In...>(r);
  }();
};
}  // namespace front

/// The first error of a static graph as a value, without stopping the compilation:
/// `static_assert(check<net>.is(code::inner_extent, "matmul"))`.
template <class Graph> inline constexpr error check = front::checker<Graph>::fault;

}  // namespace tenon
