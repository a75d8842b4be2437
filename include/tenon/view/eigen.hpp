// Views over Eigen's objects that own or map memory: Matrix, Array, Map, Ref and blocks of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <Eigen/Core>
#include <concepts>
#include <type_traits>

namespace tenon {

/// An Eigen object with an address, and not an expression still to be computed.
// clang-format off
template <class T>
concept eigen_dense = std::derived_from<T, Eigen::DenseBase<T>> &&
                      (unsigned(T::Flags) & unsigned(Eigen::DirectAccessBit)) != 0 &&
                      is_element<typename T::Scalar>;
// clang-format on

/// Eigen objects become shaped views with the strides that Eigen gives.
/// Shape: {rows, columns}; {size} when the type says that it is a vector.
/// Misuse: a column-major matrix (Eigen's default) has strides that are not dense, so a call
/// refuses it with code::stride. Use Eigen::RowMajor, or describe the transposed shape to the graph
/// and pass `matrix.transpose()`, which is row-major and copies nothing.
template <eigen_dense T> struct view_traits<T> {
  static auto make(T& object) noexcept { return shaped(object.data(), object); }
  static auto make(const T& object) noexcept { return shaped(object.data(), object); }

 private:
  template <class E> static auto shaped(E* data, const T& object) noexcept {
    view_for<std::is_const_v<E>> v{data, type_of<std::remove_const_t<E>>, {}, {}, true};
    if constexpr (T::IsVectorAtCompileTime) {
      v.shape = extents(object.size());
      v.strides.step[0] = static_cast<i64>(object.innerStride());
    } else {
      const auto inner = static_cast<i64>(object.innerStride());
      const auto outer = static_cast<i64>(object.outerStride());
      v.shape = extents(object.rows(), object.cols());
      v.strides = {{T::IsRowMajor ? outer : inner, T::IsRowMajor ? inner : outer}};
    }
    return v;
  }
};

}  // namespace tenon
