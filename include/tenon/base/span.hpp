// Views over the language's and the standard library's flat memory: arrays, std::array (nested
// too), std::span, std::vector and whatever else has data() and size().
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <array>
#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <type_traits>

namespace tenon {

/// The extents of nested arrays: `float[8][1][5]` and `std::array<std::array<float, 5>, 8>` alike.
/// Required of a level: `element`, `rank`, `write` (its extents from `axis` on) and `first`.
template <class T> struct nest {
  using element = T;
  static constexpr int rank = 0;
  static constexpr void write(tenon::shape&, int) noexcept {}
  template <class E> static constexpr E* first(E& e) noexcept { return &e; }
};

/// One level of `N` objects of type T that lie without gaps behind `operator[]`.
template <class T, std::size_t N> struct nest_level {
  using element = typename nest<T>::element;
  static constexpr int rank = nest<T>::rank + 1;
  static constexpr void write(tenon::shape& s, int axis) noexcept {
    s.extent[axis] = static_cast<i64>(N);
    nest<T>::write(s, axis + 1);
  }
  template <class A> static constexpr auto* first(A& array) noexcept {
    using pointer = decltype(nest<T>::first(array[0]));
    if constexpr (N == 0)
      return pointer{};
    else
      return nest<T>::first(array[0]);
  }
};
template <class T, std::size_t N> struct nest<T[N]> : nest_level<T, N> {};
template <class T, std::size_t N> struct nest<std::array<T, N>> : nest_level<T, N> {
  static_assert(N == 0 || sizeof(std::array<T, N>) == N * sizeof(T),
                "view: this library's std::array has gaps; use a C array or a std::span");
};

/// An array, at most 8 levels deep, of elements that tenon knows.
// clang-format off
template <class T>
concept nested_array = nest<T>::rank >= 1 && nest<T>::rank <= max_rank &&
                       is_element<std::remove_const_t<typename nest<T>::element>>;
// clang-format on

/// Arrays become shaped views, one axis per level.
/// Type: of the innermost element; arrays of const elements and const arrays give a const_view.
template <nested_array T> struct view_traits<T> {
  static constexpr auto make(T& array) noexcept { return shaped(nest<T>::first(array)); }
  static constexpr auto make(const T& array) noexcept { return shaped(nest<T>::first(array)); }

 private:
  template <class E> static constexpr auto shaped(E* data) noexcept {
    tenon::shape s{nest<T>::rank, {}};
    nest<T>::write(s, 0);
    return view_for<std::is_const_v<E>>{data, type_of<std::remove_const_t<E>>, s, dense(s), true};
  }
};

/// A std::span becomes a flat view: it has a number of elements and takes the shape that is asked
/// for.
template <class E, std::size_t N>
requires is_element<std::remove_const_t<E>>
struct view_traits<std::span<E, N>> {
  static constexpr auto make(std::span<E, N> span) noexcept {
    return flat_view_of(span.data(), static_cast<i64>(span.size()));
  }
};

/// An object that has more than a number of elements: as a flat view it would lose its shape.
// clang-format off
template <class T>
concept has_own_shape = requires(T& t) { t.rows(); } || requires(T& t) { t.extent(0); } ||
                        requires(T& t) { t.shape(); } || requires(T& t) { t.strides(); };
// clang-format on

/// A contiguous range by its members.
// clang-format off
template <class T>
concept contiguous_range = !nested_array<T> && !has_own_shape<T> && requires(T& range) {
  requires std::contiguous_iterator<decltype(range.begin())>;
  requires is_element<std::remove_const_t<std::remove_pointer_t<decltype(range.data())>>>;
  { range.size() } -> std::convertible_to<std::size_t>;
};
// clang-format on

/// std::vector and its likes become flat views. The view ends with the next reallocation.
template <contiguous_range T> struct view_traits<T> {
  static constexpr auto make(T& range) noexcept {
    return flat_view_of(range.data(), static_cast<i64>(range.size()));
  }
  static constexpr auto make(const T& range) noexcept {
    return flat_view_of(range.data(), static_cast<i64>(range.size()));
  }
};

}  // namespace tenon
