// Multidimensional spans as views. The toy has std::mdspan's members; where the standard library
// has the real one, that is tested too.
// SPDX-License-Identifier: MIT
#include <tenon/base/span.hpp>
#include <tenon/view/mdspan.hpp>
#include "../catch.hpp"
#include <version>
#if defined(__cpp_lib_mdspan)
#include <mdspan>
#endif

namespace tn = tenon;

namespace {

template <class E, std::size_t Rank> struct toy {
  using reference = E&;
  E* address;
  std::array<unsigned, Rank> extents, strides;
  static constexpr std::size_t rank() { return Rank; }
  static constexpr bool is_always_strided() { return true; }
  constexpr unsigned extent(std::size_t i) const { return extents[i]; }
  constexpr unsigned stride(std::size_t i) const { return strides[i]; }
  constexpr E* data_handle() const { return address; }
};
struct older : toy<float, 1> {
  float* data() const { return address; }
  float* data_handle() const = delete;
};
struct scaled : toy<float, 2> {
  using reference = float;
};
struct tiled : toy<float, 2> {
  static constexpr bool is_always_strided() { return false; }
};

static_assert(tn::viewable<toy<float, 2>> && tn::viewable<const toy<const float, 8>&>);
static_assert(tn::viewable<older>, "data() where there is no data_handle()");
static_assert(!tn::viewable<toy<double, 2>>);
static_assert(!tn::viewable<toy<float, 9>>, "nine axes are one too many");
static_assert(!tn::viewable<scaled>, "an accessor that computes is not memory");
static_assert(!tn::viewable<tiled>, "a layout without strides");

constexpr float memory[12] = {};
constexpr toy<const float, 2> constant{memory, {3, 4}, {4, 1}};
static_assert(tn::view_of(constant).shape == tn::extents(3, 4));
static_assert(std::same_as<decltype(tn::view_of(constant)), tn::const_view>);

constexpr tn::tensor wanted{tn::type::float32, tn::extents(3, 4)};

}  // namespace

TEST_CASE("a multidimensional span is a shaped view of its memory") {
  float elements[12] = {};
  const toy<float, 2> right{elements, {3, 4}, {4, 1}};
  const auto v = tn::view_of(right);
  CHECK(std::same_as<decltype(v), const tn::mutable_view>);
  CHECK(v.data == &elements[0]);
  CHECK(v.shaped);
  CHECK(tn::fits(v, wanted, 0).ok());
}

TEST_CASE("a left or padded layout is refused for its strides") {
  float elements[24] = {};
  CHECK(tn::fits(tn::view_of(toy<float, 2>{elements, {3, 4}, {1, 3}}), wanted, 1) ==
        tn::status{tn::code::stride, 1, 4, 1});
  CHECK(tn::fits(tn::view_of(toy<float, 2>{elements, {3, 4}, {8, 1}}), wanted, 1) ==
        tn::status{tn::code::stride, 1, 4, 8});
}

TEST_CASE("a span of rank 0 is a scalar") {
  float one = 1;
  const auto v = tn::view_of(toy<float, 0>{&one, {}, {}});
  CHECK(v.shape == tn::extents());
  CHECK(tn::fits(v, {tn::type::float32, {}}, 0).ok());
}

TEST_CASE("std::mdspan is such a span") {
#if defined(__cpp_lib_mdspan)
  float elements[12] = {};
  CHECK(tn::fits(tn::view_of(std::mdspan(elements, 3, 4)), wanted, 0).ok());
  std::mdspan<float, std::dextents<int, 2>, std::layout_left> left(elements, 3, 4);
  CHECK(tn::fits(tn::view_of(left), wanted, 0).what == tn::code::stride);
#else
  tenon_test::skip("the standard library has no <mdspan>");
#endif
}
