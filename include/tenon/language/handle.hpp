// Handles: the values that a model's lambda works with. A handle is two words, and its type carries
// its tensor, so that the compiler checks every edge. The operator that made it is a row of the
// table.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/recorder.hpp>
#include <tuple>

namespace tenon {

/// A list of axes or extents as an option: `{.axes = {1, 2}}`. By default, and as `{}`, it is not
/// given; the empty list is `axis_list({})`. Entries beyond `max_rank` are counted but not kept, so
/// that operators can refuse them.
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
  /// The number of entries, 0 if not given; for operators without a default.
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

/// The result of an operator whose operands do not fit. All further operators pass it on, so that
/// one mistake gives one message.
template <error E> struct broken { static constexpr error fault = E; };

/// A value in a graph: the result of an operator or an input. Copy it freely; assign it to a
/// variable of the same tensor, so that loops over layers are loops: `x = layer(x, i)`.
template <tensor T, mode M = mode::build> struct handle {
  static constexpr tensor type = T;
  static constexpr mode probing = M;
  recorder* where = nullptr;
  int id = -1;
  constexpr int bind(recorder&) const { return id; }

  /// In a loop a variable of a valid handle's type may be assigned a broken result: the error then
  /// goes to the recorder.
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

/// A value that belongs to no table yet: a weight, or operators on weights alone. It is recorded
/// when it meets a handle, which knows its table.
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
  name label;
  constexpr int bind(recorder& r) const { return r.weight(label, T); }
};

/// A weight by name, element type and extents: `weight<"conv.bias", float, 32>`. The same name
/// twice is the same weight.
template <fixed_string Name, class T, i64... Extent>
inline constexpr weight_leaf<tensor{type_of<T>, extents(Extent...)}> weight{name(Name)};
/// A weight whose name is put together, in a loop for example:
/// `weight_of<float, 32>(name("block") + i + ".bias")`.
template <class T, i64... Extent> constexpr auto weight_of(const name& label) {
  return weight_leaf<tensor{type_of<T>, extents(Extent...)}>{label};
}

/// Several results of a model: `return tn::outputs(a, b);` Their order is that of a call's outputs.
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

/// Asks for policy `Policy`, a position in the model's list of policies, for the operator that made
/// this handle. Of a composite operator all nodes are asked for.
/// Misuse: on a weight, or operators on weights alone, it does not compile.
template <int Policy, operand_like H> constexpr auto on(H h) {
  static_assert(Policy >= 0 && Policy < 8, "on: a policy is named by its position, 0 to 7");
  static_assert(!leaf_like<H>,
                "on: a weight and operators on weights alone run on no policy of their own; tag "
                "the operator that uses them");
  if constexpr (is_handle<H>) h.where->put(h.id, Policy);
  return h;
}

namespace front {
/// The recorder of the first handle in the result of a callable; null if there is none.
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
template <class... H> constexpr recorder* recorder_behind(const std::tuple<H...>& results) {
  recorder* r = nullptr;
  std::apply([&](const H&... h) { ((r = r ? r : recorder_behind(h)), ...); }, results);
  return r;
}
}  // namespace front

/// Asks for a policy for all operators that a callable records:
/// `on<1>([&] { return relu(conv(x)); })`. The
/// callable returns a handle, `outputs(...)` or a tuple. An `on` inside it has precedence.
/// Misuse: the callable is called twice, so it must record the same both times.
template <int Policy, class F>
requires std::invocable<const F&>
constexpr auto on(const F& record) {
  static_assert(Policy >= 0 && Policy < 8, "on: a policy is named by its position, 0 to 7");
  const auto results = record();
  if (recorder* const r = front::recorder_behind(results))
    r->put_last(Policy, [&] { static_cast<void>(record()); });
  return results;
}

}  // namespace tenon
