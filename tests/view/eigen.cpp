// Eigen's objects as views: shapes, strides by storage order, and which of them a call refuses.
// SPDX-License-Identifier: MIT
#include <tenon/base/span.hpp>
#include <tenon/view/eigen.hpp>
#include "../catch.hpp"

namespace tn = tenon;

namespace {

using row_major = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

static_assert(tn::viewable<Eigen::MatrixXf> && tn::viewable<Eigen::VectorXf&>);
static_assert(tn::viewable<Eigen::Array<float, 2, 3>> && tn::viewable<Eigen::Map<row_major>>);
static_assert(tn::viewable<Eigen::Ref<const row_major>>);
static_assert(!tn::viewable<Eigen::MatrixXd>, "double is not one of the element types");
static_assert(!tn::viewable<decltype(Eigen::MatrixXf() + Eigen::MatrixXf())>,
              "an expression has no address");

template <class T> using view_type = decltype(tn::view_of(std::declval<T>()));
static_assert(std::same_as<view_type<row_major&>, tn::mutable_view>);
static_assert(std::same_as<view_type<const row_major&>, tn::const_view>);
static_assert(std::same_as<view_type<Eigen::Map<const row_major>&>, tn::const_view>);
static_assert(std::same_as<view_type<Eigen::Ref<const row_major>&>, tn::const_view>);

constexpr tn::tensor wanted{tn::type::float32, tn::extents(3, 4)};

}  // namespace

TEST_CASE("a row-major matrix is a dense view of its own memory") {
  row_major m(3, 4);
  const auto v = tn::view_of(m);
  CHECK(v.data == m.data());
  CHECK(v.shape == tn::extents(3, 4));
  CHECK(v.strides == tn::dense(v.shape));
  CHECK(v.shaped);
  CHECK(tn::fits(v, wanted, 0).ok());
}

TEST_CASE("a column-major matrix is refused for its strides, its transpose is not") {
  Eigen::MatrixXf m(3, 4);
  CHECK(tn::view_of(m).strides[0] == 1);
  CHECK(tn::view_of(m).strides[1] == 3);
  CHECK(tn::fits(tn::view_of(m), wanted, 2) == tn::status{tn::code::stride, 2, 4, 1});
  Eigen::MatrixXf other(4, 3);
  CHECK(tn::view_of(other.transpose()).data == other.data());
  CHECK(tn::fits(tn::view_of(other.transpose()), wanted, 0).ok());
}

TEST_CASE("vectors have one axis, in either direction") {
  Eigen::VectorXf column(5);
  Eigen::RowVectorXf row(5);
  Eigen::Array<float, 5, 1> array;
  CHECK(tn::view_of(column).shape == tn::extents(5));
  CHECK(tn::view_of(row).shape == tn::extents(5));
  CHECK(tn::view_of(array).shape == tn::extents(5));
  CHECK(tn::fits(tn::view_of(column), {tn::type::float32, tn::extents(5)}, 0).ok());
}

TEST_CASE("a map over foreign memory keeps its strides") {
  float memory[24] = {};
  Eigen::Map<row_major> packed(memory, 3, 4);
  CHECK(tn::view_of(packed).data == &memory[0]);
  CHECK(tn::fits(tn::view_of(packed), wanted, 0).ok());
  Eigen::Map<row_major, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> sparse(
      memory, 3, 4, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(8, 2));
  CHECK(tn::view_of(sparse).strides[0] == 8);
  CHECK(tn::view_of(sparse).strides[1] == 2);
  CHECK(tn::fits(tn::view_of(sparse), wanted, 0).what == tn::code::stride);
}

TEST_CASE("blocks and rows of a matrix are views into it") {
  row_major m(6, 4);
  CHECK(tn::fits(tn::view_of(m.middleRows(2, 3)), wanted, 0).ok());
  CHECK(tn::view_of(m.middleRows(2, 3)).data == &m(2, 0));
  CHECK(tn::fits(tn::view_of(m.leftCols(2)), {tn::type::float32, tn::extents(6, 2)}, 0).what ==
        tn::code::stride);
  CHECK(tn::view_of(m.col(1)).strides[0] == 4);
}

TEST_CASE("one row or one column is dense in either storage order") {
  Eigen::MatrixXf row(1, 4), column(4, 1);
  CHECK(tn::fits(tn::view_of(row), {tn::type::float32, tn::extents(1, 4)}, 0).ok());
  CHECK(tn::fits(tn::view_of(column), {tn::type::float32, tn::extents(4, 1)}, 0).ok());
}

TEST_CASE("an Eigen object of another type or shape is refused by its code") {
  Eigen::Matrix<int, 3, 4, Eigen::RowMajor> numbers;
  CHECK(tn::fits(tn::view_of(numbers), wanted, 0).what == tn::code::element_type);
  row_major other(4, 3);
  CHECK(tn::fits(tn::view_of(other), wanted, 0).what == tn::code::extent);
}
