// What crosses the library's interface: typed addresses of memory that somebody else owns.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <concepts>
#include <type_traits>

namespace tenon {

/// A read-only view: address, element type, shape and strides in elements. tenon never owns, frees
/// or copies what a view points to. `shaped` is false for flat memory (std::span), whose
/// only extent is its number of elements. `owner` says whose address `data` is: null for host
/// memory, otherwise the object that stands for a device's address space (a vulkan_context).
struct const_view {
  const void* data = nullptr;
  tenon::type type = tenon::type::float32;
  tenon::shape shape{};
  tenon::strides strides{};
  bool shaped = false;
  const void* owner = nullptr;
};

/// A writable view.
struct mutable_view {
  void* data = nullptr;
  tenon::type type = tenon::type::float32;
  tenon::shape shape{};
  tenon::strides strides{};
  bool shaped = false;
  const void* owner = nullptr;
  constexpr operator const_view() const { return {data, type, shape, strides, shaped, owner}; }
};

template <bool Const> using view_for = std::conditional_t<Const, const_view, mutable_view>;

/// How a foreign type becomes a view. Specialise with `static view_for<...> make(T&) noexcept` in a
/// header of `view/`, or in your own code for your own type.
template <class T> struct view_traits;

template <class T>
concept viewable = requires(T& t) {
  view_traits<std::remove_cvref_t<T>>::make(t);
}
|| std::same_as<std::remove_cvref_t<T>, const_view> ||
    std::same_as<std::remove_cvref_t<T>, mutable_view>;

/// The view of an object: `view_of(span)`, `view_of(eigen_map)`, `view_of(array)`.
template <viewable T> constexpr auto view_of(T&& object) noexcept {
  using U = std::remove_cvref_t<T>;
  if constexpr (std::same_as<U, const_view> || std::same_as<U, mutable_view>)
    return U(object);
  else
    return view_traits<U>::make(object);
}

/// A dense view of `count` elements without a shape of its own.
template <class E> constexpr auto flat_view_of(E* data, i64 count) noexcept {
  static_assert(is_element<std::remove_const_t<E>>, "view: the element type is not one of tenon's");
  return view_for<std::is_const_v<E>>{data, type_of<std::remove_const_t<E>>, extents(count),
                                      dense(extents(count)), false};
}

/// Checks a view against what a graph wants: type, number of elements or shape, dense row-major
/// strides, alignment to the element's size; and that it lies in the memory of `owner` (null: the
/// host's). `operand` is copied into the status.
inline status fits(const const_view& v, const tensor& wanted, int operand,
                   const void* owner = nullptr) noexcept {
  if (v.owner != owner) return {code::owner, operand, owner != nullptr, v.owner != nullptr};
  if (v.data == nullptr && wanted.shape.count() > 0) return {code::null, operand, 0, 0};
  if (v.type != wanted.type)
    return {code::element_type, operand, static_cast<i64>(wanted.type), static_cast<i64>(v.type)};
  if (v.shape.count() != wanted.shape.count())
    return {code::size, operand, wanted.shape.count(), v.shape.count()};
  if (v.shaped && v.shape.rank != wanted.shape.rank)
    return {code::rank, operand, wanted.shape.rank, v.shape.rank};
  for (int i = 0; v.shaped && i < v.shape.rank; ++i)
    if (v.shape[i] != wanted.shape[i]) return {code::extent, operand, wanted.shape[i], v.shape[i]};
  const strides contiguous = dense(v.shape);
  for (int i = 0; i < v.shape.rank; ++i)
    if (v.shape[i] > 1 && v.strides[i] != contiguous[i])
      return {code::stride, operand, contiguous[i], v.strides[i]};
  const auto address = reinterpret_cast<std::uintptr_t>(v.data);
  const auto align_bytes = static_cast<std::uintptr_t>(size_bytes(v.type));
  if (address % align_bytes != 0)
    return {code::alignment, operand, size_bytes(v.type), static_cast<i64>(address % align_bytes)};
  return {};
}

}  // namespace tenon
