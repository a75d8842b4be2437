// Views over std::mdspan, Kokkos' mdspan and their likes, known by their members: <mdspan> is not
// included, since the standard libraries we support do not all have it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <concepts>
#include <type_traits>

namespace tenon {

/// The address of a multidimensional span: `data_handle()`, or `data()` before C++23's last draft.
template <class T> constexpr auto address_of_span(const T& span) noexcept {
  if constexpr (requires { span.data_handle(); })
    return span.data_handle();
  else
    return span.data();
}

/// True when reading through the object is reading memory: an accessor that computes what it
/// returns (std::linalg::scaled, say) has an address too, but other values.
template <class T> inline constexpr bool reads_memory = true;
template <class T>
requires requires { typename T::reference; }
inline constexpr bool reads_memory<T> = std::is_lvalue_reference_v<typename T::reference>;

/// True when every index has a fixed distance from the next.
template <class T> inline constexpr bool is_strided_span = true;
template <class T>
requires requires { T::is_always_strided(); }
inline constexpr bool is_strided_span<T> = T::is_always_strided();

/// Required: static rank() of at most 8, extent(i), stride(i), and an address of elements.
// clang-format off
template <class T>
concept mdspan_like = requires(const T& span) {
  requires static_cast<int>(T::rank()) <= max_rank;
  { span.extent(0) } -> std::convertible_to<i64>;
  requires std::is_pointer_v<decltype(address_of_span(span))>;
  requires is_element<
      std::remove_const_t<std::remove_pointer_t<decltype(address_of_span(span))>>>;
} && (T::rank() == 0 || requires(const T& span) {
  { span.stride(0) } -> std::convertible_to<i64>;
}) && reads_memory<T> && is_strided_span<T>;
// clang-format on

/// Multidimensional spans become shaped views with their own strides.
/// Misuse: layout_left of rank 2 and more, and padded layouts, are refused by a call with
/// code::stride; use layout_right.
template <mdspan_like T> struct view_traits<T> {
  static constexpr auto make(const T& span) noexcept {
    auto* data = address_of_span(span);
    using element = std::remove_pointer_t<decltype(data)>;
    view_for<std::is_const_v<element>> v{data, type_of<std::remove_const_t<element>>, {}, {}, true};
    v.shape.rank = static_cast<int>(T::rank());
    if constexpr (T::rank() > 0) {
      int axis = 0;
      for (decltype(T::rank()) i = 0; i < T::rank(); ++i, ++axis) {
        v.shape.extent[axis] = static_cast<i64>(span.extent(i));
        v.strides.step[axis] = static_cast<i64>(span.stride(i));
      }
    }
    return v;
  }
};

}  // namespace tenon
