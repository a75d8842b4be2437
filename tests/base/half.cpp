// float16 storage and numbers for all element types.
// SPDX-License-Identifier: MIT
#include <tenon/base/half.hpp>
#include <tenon/base/type.hpp>
#include "../catch.hpp"
#include <bit>
#include <cmath>
#include <limits>
#include <random>

using tenon::any_number, tenon::can_hold, tenon::float16, tenon::integer_of, tenon::type;

namespace {

constexpr float value(unsigned bits) {
  return static_cast<float>(float16::of_bits(static_cast<std::uint16_t>(bits)));
}
constexpr unsigned bits(float x) { return float16(x).bits; }

static_assert(tenon::is_element<float16> && tenon::type_of<float16> == type::float16);
static_assert(value(0x3c00) == 1 && value(0xc000) == -2 && value(0x7bff) == 65504 &&
              value(0x0001) == 0x1p-24f);
static_assert(value(0x7c00) == std::numeric_limits<float>::infinity() &&
              value(0x7e00) != value(0x7e00));
static_assert(bits(65504) == 0x7bff && bits(65519.996f) == 0x7bff && bits(65520) == 0x7c00 &&
              bits(-1e9f) == 0xfc00);
static_assert(bits(0x1p-25f) == 0 && bits(0x1.000002p-25f) == 1 && bits(0x1.8p-24f) == 2 &&
              bits(-0.0f) == 0x8000);
static_assert(bits(1 + 0x1p-11f) == 0x3c00 && bits(1 + 0x1.8p-10f) == 0x3c02, "ties to even");
static_assert(bits(0x1.ff8p-15f) == 0x3ff && bits(0x1.ffcp-15f) == 0x400,
              "the largest subnormal, and beyond it");

static_assert(can_hold(type::float16, 65519.9) && !can_hold(type::float16, 65520) &&
              !can_hold(type::float16, -65520.0));
static_assert(can_hold(type::float16, 0.1) &&
              can_hold(type::float16, std::numeric_limits<double>::infinity()));
static_assert(can_hold(type::int64, std::numeric_limits<std::int64_t>::min()) &&
              !can_hold(type::int64, 0x8000000000000000u));
static_assert(can_hold(type::uint64, 0xffffffffffffffffu) && !can_hold(type::uint64, -1) &&
              !can_hold(type::uint32, 4294967296));
static_assert(can_hold(type::int8, -128) && !can_hold(type::int8, -129) &&
              !can_hold(type::int8, 1.5));
static_assert(integer_of(type::int64, 9007199254740993) == 9007199254740993u, "all digits");
static_assert(integer_of(type::int64, 1e300) == 0x7fffffffffffffffu &&
              integer_of(type::int64, -1e300) == 0x8000000000000000u);
static_assert(integer_of(type::uint64, 1e300) == 0xffffffffffffffffu &&
              integer_of(type::uint64, -3.5) == 0);
static_assert(integer_of(type::int8, 300) == 127 &&
              integer_of(type::int8, -300) == ~std::uint64_t{127} &&
              integer_of(type::uint8, 3.9) == 3);
static_assert(integer_of(type::int32, std::numeric_limits<double>::quiet_NaN()) == 0);

}  // namespace

TEST_CASE("every float16 survives a round trip") {
  for (unsigned b = 0; b < 0x10000; ++b) {
    INFO(b);
    const float x = value(b);
    if (x != x)
      REQUIRE((bits(x) & 0x7fffu) > 0x7c00u);
    else
      REQUIRE(bits(x) == b);
  }
}
TEST_CASE("rounding to float16 gives the nearest one, ties to even") {
  std::mt19937 random(std::random_device{}());
  for (int i = 0; i < 200000; ++i) {
    const auto word = static_cast<std::uint32_t>(random());
    const float x = i % 2 == 0 ? std::bit_cast<float>(word)
                               : std::ldexp(static_cast<float>(static_cast<std::int32_t>(word)),
                                            -31 - static_cast<int>(random() % 26) + 16);
    INFO(x);
    if (x != x) {
      REQUIRE((bits(x) & 0x7fffu) > 0x7c00u);
      continue;
    }
    const unsigned sign = std::signbit(x) ? 0x8000 : 0;
    const double size = std::abs(static_cast<double>(x));
    unsigned low = 0,
             high = 0x7c00;  // bisection over the finite float16, infinity standing for 65,536
    const auto at = [](unsigned b) {
      return b == 0x7c00 ? 65536.0 : static_cast<double>(value(b));
    };
    while (high - low > 1) (at((low + high) / 2) <= size ? low : high) = (low + high) / 2;
    unsigned nearest = low;
    if (size >= 65536.0)
      nearest = 0x7c00;
    else if (const double down = size - at(low), up = at(high) - size;
             up < down || (up == down && low % 2 == 1))
      nearest = high;
    REQUIRE(bits(x) == (sign | nearest));
  }
}
