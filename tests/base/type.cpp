// Element types and numbers: the table against itself, what a type can hold, and what becomes of a
// number that it cannot.
// SPDX-License-Identifier: MIT
#include <tenon/base/type.hpp>
#include "../catch.hpp"
#include <cmath>
#include <limits>

namespace {

using namespace tenon;
using std::uint64_t;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr uint64_t largest64 = std::numeric_limits<uint64_t>::max();

// ---- the rows of the table agree with each other
consteval bool consistent() {
  for (const type_facts& f : types::table) {
    const type_facts &whole = facts_of(f.unpacked), &computed = facts_of(f.computed_in);
    if (whole.bits < 8 || whole.is_signed != f.is_signed || whole.is_real != f.is_real)
      return false;
    if (f.bits >= 8 && f.unpacked != f.is) return false;
    if (computed.computed_in != f.computed_in || computed.bits < f.bits) return false;
    if (computed.is_real != f.is_real) return false;
    if (f.is_real != (f.end == 0)) return false;
    double end = 1;  // an integer type of n bits ends at 2^n, or half of it if it has a sign
    for (int i = f.is_signed ? 1 : 0; i < f.bits; ++i) end *= 2;
    if (!f.is_real && f.end != end) return false;
  }
  return true;
}
static_assert(consistent());

// ---- bytes
static_assert(size_bytes(type::float16) == 2 && size_bytes(type::uint64) == 8);
static_assert(is_four_bit(type::int4) && is_four_bit(type::uint4) && !is_four_bit(type::int8));
static_assert(bytes_of(type::int32, 5) == 20 && bytes_of(type::uint4, 4) == 2);
static_assert(bytes_of(type::int4, 5) == 3 && bytes_of(type::int4, 0) == 0);
static_assert(is_one_of(type::int8, type::uint8, type::int8) &&
              !is_one_of(type::int8, type::uint8));

// ---- what a type can hold
static_assert(can_hold(type::uint8, 255) && !can_hold(type::uint8, 256));
static_assert(!can_hold(type::uint8, -1) && !can_hold(type::uint64, -1));
static_assert(can_hold(type::int8, -128) && !can_hold(type::int8, -129));
static_assert(can_hold(type::int8, 127) && !can_hold(type::int8, 128));
static_assert(can_hold(type::int4, -8) && !can_hold(type::int4, 8) && can_hold(type::uint4, 15));
static_assert(can_hold(type::uint64, largest64) && !can_hold(type::int64, largest64));
static_assert(!can_hold(type::int64, uint64_t{1} << 63));
static_assert(can_hold(type::int64, std::numeric_limits<i64>::min()));
static_assert(can_hold(type::int32, 2.0) && !can_hold(type::int32, 2.5), "integers have no halves");
static_assert(can_hold(type::int64, -0x1p63) && !can_hold(type::int64, 0x1p63));
static_assert(can_hold(type::float16, 65519.0) && !can_hold(type::float16, 65520.0),
              "from 65520 on a number rounds to an infinity");
static_assert(can_hold(type::float32, 0x1.fffffep127) && !can_hold(type::float32, 0x1p128));
static_assert(can_hold(type::float16, infinity) && can_hold(type::float32, nan));
static_assert(!can_hold(type::int32, infinity) && !can_hold(type::int32, nan));

// ---- numbers as integers of a type: truncated, then clamped
static_assert(integer_of(type::int32, 2.9) == 2 && integer_of(type::uint8, 300) == 255);
static_assert(integer_of(type::int32, -2.9) == largest64 - 1, "-2, all 64 bits of it");
static_assert(integer_of(type::int8, -1000) == static_cast<uint64_t>(i64{-128}));
static_assert(integer_of(type::uint32, -3) == 0 && integer_of(type::uint32, -0.5) == 0);
static_assert(integer_of(type::int4, 100) == 7 && integer_of(type::uint4, infinity) == 15);
static_assert(integer_of(type::int64, infinity) == largest64 >> 1);
static_assert(integer_of(type::uint64, infinity) == largest64);
static_assert(integer_of(type::int32, nan) == 0);
static_assert(integer_of(type::uint64, largest64) == largest64, "a double would round it");

// ---- numbers against each other
static_assert(any_number(3).exceeds(2) && !any_number(2).exceeds(2) && any_number(2.5).exceeds(2));
static_assert(any_number(-1).exceeds(-2) && any_number(1).exceeds(-1) &&
              !any_number(-1).exceeds(1));
static_assert(any_number(largest64).exceeds(largest64 - 1), "as doubles they are equal");
static_assert(any_number(i64{-1}).exceeds(std::numeric_limits<i64>::min()));
static_assert(any_number(nan).is_nan() && !any_number(0).is_nan() && !any_number(nan).exceeds(0));

// ---- numbers as floats: rounded once
static_assert(any_number((i64{1} << 54) + (i64{1} << 30) + 1).to_float() == 0x1.000002p54f,
              "by a double it would be a tie, and round to 0x1p54");
static_assert(any_number(-3).to_float() == -3.0f && any_number(largest64).to_float() == 0x1p64f);
static_assert(any_number(0x1.fffffep127).to_float() == 0x1.fffffep127f);
static_assert(any_number(1e300).to_float() == std::numeric_limits<float>::infinity());
static_assert(any_number(-1e300).to_float() == -std::numeric_limits<float>::infinity());

// ---- the types of C++
static_assert(type_of<float> == type::float32 && type_of<std::int8_t> == type::int8);
static_assert(type_of<float16> == type::float16 && type_of<int4> == type::int4);
static_assert(is_element<uint64_t> && !is_element<double> && !is_element<int4>);
static_assert(sizeof(float16) == size_bytes(type::float16));

}  // namespace

TEST_CASE("a number that an integer type can hold is itself as an integer of that type") {
  for (const type_facts& f : types::table)
    for (int x = -300; x <= 300; ++x) {
      if (f.is_real || !can_hold(f.is, x)) continue;
      CAPTURE(f.name, x);
      CHECK(integer_of(f.is, x) == static_cast<uint64_t>(i64{x}));
      CHECK(integer_of(f.is, static_cast<double>(x)) == integer_of(f.is, x));
    }
}
