// Arrays, std::array, std::span and std::vector as views, and what `fits` says of them.
// SPDX-License-Identifier: MIT
#include <tenon/base/span.hpp>
#include "../catch.hpp"
#include <list>
#include <string>
#include <vector>

namespace tn = tenon;

namespace {

constexpr float table[2][3][4] = {{{1, 2, 3, 4}}};
constexpr std::array<std::array<float, 5>, 2> nested{};
constexpr float three[3] = {1, 2, 3};

// What is a view, and of which kind.
static_assert(tn::viewable<float[3]> && tn::viewable<const float (&)[3]>);
static_assert(tn::viewable<float[1][1][1][1][1][1][1][1]>);
static_assert(!tn::viewable<float[1][1][1][1][1][1][1][1][1]>, "nine axes are one too many");
static_assert(!tn::viewable<double[3]> && !tn::viewable<std::span<double>>);
static_assert(!tn::viewable<std::vector<double>> && !tn::viewable<std::vector<bool>>);
static_assert(!tn::viewable<std::array<double, 3>> && !tn::viewable<float*> &&
              !tn::viewable<float>);
static_assert(!tn::viewable<std::string> && !tn::viewable<std::list<float>>);
static_assert(tn::viewable<std::vector<std::int8_t>&> && tn::viewable<std::span<const float, 4>>);

// Constant expressions.
static_assert(tn::view_of(table).shape == tn::extents(2, 3, 4));
static_assert(tn::view_of(table).strides == tn::dense(tn::extents(2, 3, 4)));
static_assert(tn::view_of(table).data == static_cast<const void*>(table));
static_assert(tn::view_of(nested).shape == tn::extents(2, 5) && tn::view_of(nested).shaped);
static_assert(tn::view_of(std::span(three)).shape == tn::extents(3));
static_assert(!tn::view_of(std::span(three)).shaped);

// Constness of the elements decides, for a span; of the object too, for an owner.
template <class T> using view_type = decltype(tn::view_of(std::declval<T>()));
static_assert(std::same_as<view_type<float (&)[3]>, tn::mutable_view>);
static_assert(std::same_as<view_type<const float (&)[3]>, tn::const_view>);
static_assert(std::same_as<view_type<const std::span<float>&>, tn::mutable_view>);
static_assert(std::same_as<view_type<std::span<const float>>, tn::const_view>);
static_assert(std::same_as<view_type<std::vector<float>&>, tn::mutable_view>);
static_assert(std::same_as<view_type<const std::vector<float>&>, tn::const_view>);
static_assert(std::same_as<view_type<const std::array<float, 2>&>, tn::const_view>);
static_assert(std::same_as<view_type<std::array<const float, 2>&>, tn::const_view>);

struct matrix_of_somebody {
  std::vector<float> elements;
  auto data() { return elements.data(); }
  auto size() const { return elements.size(); }
  auto begin() { return elements.begin(); }
  auto end() { return elements.end(); }
  int rows() const { return 2; }
};
static_assert(!tn::viewable<matrix_of_somebody>, "its shape would be lost");

tn::tensor floats(tn::shape s) { return {tn::type::float32, s}; }

}  // namespace

TEST_CASE("a view points at the elements of what it views") {
  float plain[2][3] = {{0, 1, 2}, {3, 4, 5}};
  std::array<std::array<float, 3>, 2> array{};
  std::vector<float> vector(6);
  std::span<float> span(vector);
  CHECK(tn::view_of(plain).data == &plain[0][0]);
  CHECK(tn::view_of(array).data == array[0].data());
  CHECK(tn::view_of(vector).data == vector.data());
  CHECK(tn::view_of(span).data == vector.data());
  CHECK(tn::view_of(std::span<float, 6>(span)).shape == tn::extents(6));
}

TEST_CASE("element types are carried over") {
  CHECK(tn::view_of(std::vector<std::int32_t>(1)).type == tn::type::int32);
  CHECK(tn::view_of(std::array<std::uint8_t, 2>{}).type == tn::type::uint8);
  const std::int64_t longs[2] = {};
  CHECK(tn::view_of(longs).type == tn::type::int64);
}

TEST_CASE("a flat view takes any shape with its number of elements, an array only its own") {
  std::vector<float> flat(6);
  CHECK(tn::fits(tn::view_of(flat), floats(tn::extents(6)), 0).ok());
  CHECK(tn::fits(tn::view_of(flat), floats(tn::extents(1, 2, 3)), 0).ok());
  float array[2][3] = {};
  CHECK(tn::fits(tn::view_of(array), floats(tn::extents(2, 3)), 0).ok());
  CHECK(tn::fits(tn::view_of(array), floats(tn::extents(3, 2)), 4) ==
        tn::status{tn::code::extent, 4, 3, 2});
  CHECK(tn::fits(tn::view_of(array), floats(tn::extents(6)), 4) ==
        tn::status{tn::code::rank, 4, 1, 2});
}

TEST_CASE("fits refuses a wrong size, type, address or alignment by its code") {
  std::vector<float> flat(6);
  CHECK(tn::fits(tn::view_of(flat), floats(tn::extents(7)), 1) ==
        tn::status{tn::code::size, 1, 7, 6});
  CHECK(tn::fits(tn::view_of(flat), {tn::type::int32, tn::extents(6)}, 1).what ==
        tn::code::element_type);
  CHECK(tn::fits(tn::view_of(std::span<float>()), floats(tn::extents(1)), 0).what ==
        tn::code::null);
  tn::const_view odd = tn::view_of(flat);
  odd.data = static_cast<const std::byte*>(odd.data) + 1;
  odd.shape = tn::extents(5);
  CHECK(tn::fits(odd, floats(tn::extents(5)), 0) == tn::status{tn::code::alignment, 0, 4, 1});
}

TEST_CASE("empty arrays and spans are views of no elements") {
  std::vector<float> none;
  std::array<float, 0> empty{};
  std::array<std::array<float, 3>, 0> empty_rows{};
  CHECK(tn::view_of(none).shape.count() == 0);
  CHECK(tn::view_of(empty).shape == tn::extents(0));
  CHECK(tn::view_of(empty_rows).shape == tn::extents(0, 3));
  CHECK(tn::fits(tn::view_of(none), floats(tn::extents(0)), 0).ok());
}

TEST_CASE("arrays and std::array mix") {
  std::array<float[3], 2> mixed{};
  std::array<float, 3> other[4] = {};
  CHECK(tn::view_of(mixed).shape == tn::extents(2, 3));
  CHECK(tn::view_of(other).shape == tn::extents(4, 3));
}
