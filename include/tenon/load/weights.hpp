// Where a model finds its weights: any object that has views by name; and `weights`, a fixed set of
// views that needs neither heap nor files.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/span.hpp>
#include <tenon/base/view.hpp>
#include <concepts>
#include <type_traits>

namespace tenon {

/// A source of weights.
/// Required: `find(name)` gives the view; its data is null when there is none of this name.
/// Optional: `get(name)` gives a result<const_view>, which says why there is none; see look_up.
// clang-format off
template <class S>
concept weight_source = requires(const S& source, const name& label) {
  { source.find(label) } noexcept -> std::same_as<const_view>;
};
// clang-format on

/// A source that says why it has no view of a name.
// clang-format off
template <class S>
concept explaining_source = weight_source<S> && requires(const S& source, const name& label) {
  { source.get(label) } noexcept -> std::same_as<result<const_view>>;
};
// clang-format on

/// The view of that name, or why there is none.
/// Error: missing; with a source that has get(), that source's own errors.
template <weight_source S>
constexpr result<const_view> look_up(const S& source, const name& label) noexcept {
  if constexpr (explaining_source<S>) {
    return source.get(label);
  } else {
    const const_view view = source.find(label);
    if (view.data == nullptr) return error{code::missing, "weights", label, {}, {}};
    return view;
  }
}

/// A name and the view that it stands for.
struct named_view {
  name text{};
  const_view view{};
};

/// Names an object: `named("conv.weight", w)` with any viewable `w`.
template <viewable T> constexpr named_view named(const name& text, const T& object) noexcept {
  return {text, view_of(object)};
}

/// Names an object with dense elements and gives it a shape: `named("w", span, extents(8, 1, 5,
/// 5))`.
/// Misuse: an object that is not dense, or has another number of elements, keeps its own shape and
/// strides, so that binding refuses it with code::size, rank or stride.
template <viewable T>
constexpr named_view named(const name& text, const T& object, const shape& s) noexcept {
  const const_view view = view_of(object);
  strides contiguous = dense(view.shape);
  bool is_dense = view.shape.count() == s.count();
  for (int i = 0; i < view.shape.rank; ++i)
    is_dense = is_dense && (view.shape[i] <= 1 || view.strides[i] == contiguous[i]);
  if (!is_dense) return {text, view};
  return {text, {view.data, view.type, s, dense(s), true}};
}

/// A fixed set of named views: `weights set{named("w", w), named("b", b)};`. It may be a constexpr
/// object over static arrays; then it lies in read-only memory.
template <int N> class weights {
 public:
  template <std::same_as<named_view>... V>
  requires(sizeof...(V) == N) constexpr explicit weights(const V&... views) noexcept
      : entries_{views...} {}

  /// The view of that name; a null view when get() gives an error.
  constexpr const_view find(const name& label) const noexcept { return look(label).value(); }

  /// The view of that name.
  /// Error: missing; duplicate, when two entries have it; name_length, when it was cut.
  constexpr result<const_view> get(const name& label) const noexcept { return look(label); }

  constexpr int size() const noexcept { return N; }
  constexpr const name& name_at(int i) const noexcept { return entries_[i].text; }

  /// Checks the names: `static_assert(set.check().ok());`. `operand` is the entry's position.
  /// Error: name_length, for an empty or cut name; duplicate, for the second of two equal ones.
  constexpr status check() const noexcept {
    for (int i = 0; i < N; ++i) {
      const name& label = entries_[i].text;
      if (label.empty() || label.cut) return {code::name_length, i, name::capacity, label.size()};
      if (first(label) != i) return {code::duplicate, i, first(label), i};
    }
    return {};
  }

 private:
  /// Position of the first entry of that name from `from` on, or N.
  constexpr int first(const name& label, int from = 0) const noexcept {
    while (from < N && !(entries_[from].text == label)) ++from;
    return from;
  }
  constexpr result<const_view> look(const name& label) const noexcept {
    const int entry = first(label);
    // Two long names may be equal only because both were cut.
    if (label.cut || (entry < N && entries_[entry].text.cut))
      return error{code::name_length, "weights", label, name::capacity, {}};
    if (entry == N) return error{code::missing, "weights", label, {}, {}};
    if (first(label, entry + 1) != N) return error{code::duplicate, "weights", label, {}, {}};
    return entries_[entry].view;
  }
  named_view entries_[N > 0 ? N : 1]{};
};
template <class... V> weights(const V&...) -> weights<static_cast<int>(sizeof...(V))>;

static_assert(explaining_source<weights<1>>);

}  // namespace tenon
