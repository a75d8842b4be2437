// The primitive arithmetic: the forms for constant expressions against the machine's.
// SPDX-License-Identifier: MIT
#include <tenon/base/arithmetic.hpp>
#include "../catch.hpp"
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace m = tenon::arithmetic;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float most = std::numeric_limits<float>::max();
constexpr float least = std::numeric_limits<float>::denorm_min();

constexpr std::uint32_t bits(float x) {
  return m::is_nan(x) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(x);
}

// Compile-time checks: none of these may be refused by the compiler.
static_assert(m::add(most, most) == inf && m::sub(-most, most) == -inf);
static_assert(m::is_nan(m::sub(inf, inf)) && m::is_nan(m::add(nan, 1.0f)) &&
              m::add(inf, 1.0f) == inf);
static_assert(m::mul(most, most) == inf && m::is_nan(m::mul(inf, 0.0f)) &&
              m::mul(least, 0.5f) == 0.0f);
static_assert(m::div(1.0f, 0.0f) == inf && m::div(1.0f, -0.0f) == -inf &&
              m::is_nan(m::div(0.0f, 0.0f)));
static_assert(bits(m::div(-1.0f, inf)) == 0x80000000u && m::is_nan(m::div(inf, inf)));
static_assert(m::fma(most, 2.0f, -inf) == -inf && m::is_nan(m::fma(inf, 1.0f, -inf)) &&
              m::fma(most, 2.0f, 0) == inf);
static_assert(m::is_nan(m::fma(inf, 0.0f, 1.0f)) && m::is_nan(m::fma(1.0f, 1.0f, nan)));
static_assert(m::is_nan(m::min(nan, 1.0f)) && m::is_nan(m::min(1.0f, nan)) &&
              m::min(1.0f, 2.0f) == 1.0f);
static_assert(m::is_nan(m::max(nan, 1.0f)) && m::is_nan(m::max(1.0f, nan)) &&
              m::max(1.0f, 2.0f) == 2.0f);
static_assert(m::is_nan(m::sqrt(-1.0f)) && m::sqrt(inf) == inf &&
              bits(m::sqrt(-0.0f)) == 0x80000000u);
static_assert(m::round_even(0.5f) == 0.0f && m::round_even(1.5f) == 2.0f &&
              m::round_even(2.5f) == 2.0f);
static_assert(bits(m::round_even(-0.5f)) == 0x80000000u && m::floor(-0.5f) == -1.0f &&
              m::floor(-inf) == -inf);
static_assert(m::to_int(-1.9f) == -1 &&
              m::to_int(3e9f) == std::numeric_limits<std::int32_t>::min());
static_assert(m::to_int(nan) == std::numeric_limits<std::int32_t>::min());

struct generator {
  std::uint64_t state;
  constexpr std::uint32_t operator()() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 32);
  }
  constexpr float any() { return std::bit_cast<float>((*this)()); }
  /// Few significant bits, an exponent in [low, low + count): sums and products meet on ties.
  constexpr float coarse(std::uint32_t low, std::uint32_t count) {
    const std::uint32_t r = (*this)();
    const std::uint32_t keep = (r >> 8 & 1) != 0 ? 0x7ffff8u : 0x7c0001u;
    return std::bit_cast<float>((r & 0x80000000u) | (low + (r & 255) % count) << 23 |
                                ((*this)() & keep));
  }
};

constexpr float edges[] = {0.0f,
                           -0.0f,
                           1.0f,
                           -1.0f,
                           2.0f,
                           0.5f,
                           least,
                           -least,
                           3 * least,
                           0x1p-126f,
                           0x1.fffffcp-127f,
                           most,
                           -most,
                           inf,
                           -inf,
                           nan,
                           0x1p24f,
                           0x1.000002p0f,
                           0x1.fffffep-1f,
                           0x1p-149f,
                           1e-20f};

template <class Check> void for_edges(Check check) {
  for (const float a : edges)
    for (const float b : edges) check(a, b);
}

}  // namespace

TEST_CASE("the constant fma rounds once as std::fma does") {
  std::uint32_t wrong = 0;
  const auto check = [&](float a, float b, float c) {
    wrong += bits(m::constant::fma(a, b, c)) != bits(std::fmaf(a, b, c));
  };
  generator next{1};
  for (int i = 0; i < 300000; ++i) {
    check(next.any(), next.any(), next.any());
    check(next.coarse(120, 14), next.coarse(120, 14),
          next.coarse(100, 50));                                         // ties of normal results
    check(next.coarse(50, 14), next.coarse(50, 14), next.coarse(0, 3));  // subnormal results
    check(next.coarse(188, 4), next.coarse(188, 4), next.coarse(230, 24));  // overflow
    // product on a tie, the addend far below decides
    const float a = 1 + static_cast<float>(next() & 4095) * 0x1p-12f,
                b = 1 + static_cast<float>(next() & 8191) * 0x1p-13f;
    check(a, b, next.coarse(20, 100));
  }
  for_edges([&](float a, float b) {
    for (const float c : edges) check(a, b, c);
  });
  CHECK(wrong == 0);
}

TEST_CASE("the constant sum, product and quotient are the machine's") {
  std::uint32_t wrong = 0;
  const auto check = [&](float a, float b) {
    const volatile float x = a, y = b;
    wrong += bits(m::constant::add(a, b)) != bits(x + y);
    wrong += bits(m::constant::mul(a, b)) != bits(x * y);
    wrong += bits(m::constant::div(a, b)) != bits(x / y);
  };
  generator next{2};
  for (int i = 0; i < 300000; ++i) {
    check(next.any(), next.any());
    check(next.coarse(60, 10), next.coarse(50, 20));  // subnormal products
    check(next.coarse(1, 20), next.coarse(127, 24));  // subnormal quotients
    check(next.coarse(120, 20), next.coarse(120, 20));
  }
  for_edges(check);
  CHECK(wrong == 0);
}

TEST_CASE("the constant sqrt, round_even and floor are the machine's") {
  std::uint32_t wrong = 0;
  for (std::uint64_t pattern = 0; pattern < 1ull << 32; pattern += 4093) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(pattern));
    wrong += bits(m::constant::sqrt(x)) != bits(std::sqrt(x));
    wrong += bits(m::constant::round_even(x)) != bits(std::nearbyint(x));
    wrong += bits(m::constant::floor(x)) != bits(std::floor(x));
  }
  for (std::uint32_t pattern = 0; pattern < 1u << 20; ++pattern) {  // one octave in steps of 16
    const float x = std::bit_cast<float>(0x3f800000u + 16 * pattern + (pattern & 15));
    wrong += bits(m::constant::sqrt(x)) != bits(std::sqrt(x));
  }
  for (int i = -2000; i <= 2000; ++i) {  // every tie
    const float x = 0.5f * static_cast<float>(i);
    wrong += bits(m::constant::round_even(x)) != bits(std::nearbyint(x));
    wrong += bits(m::constant::floor(x)) != bits(std::floor(x));
  }
  CHECK(wrong == 0);
}

TEST_CASE("min and max give NaN for either NaN operand and the first of two zeros") {
  for_edges([](float a, float b) {
    const float low = m::min(a, b), high = m::max(a, b);
    if (m::is_nan(a) || m::is_nan(b)) {
      CHECK((m::is_nan(low) && m::is_nan(high)));
    } else if (a == 0.0f && b == 0.0f) {
      CHECK((bits(low) == bits(a) && bits(high) == bits(a)));
    } else {
      CHECK((low == std::fmin(a, b) && high == std::fmax(a, b)));
    }
  });
}

TEST_CASE("a product is not contracted into a sum") {
  // a * b is 1 - 2^-46 exactly and 1 rounded: a contracted sum would show the difference.
  const volatile float a = 1 + 0x1p-23f, b = 1 - 0x1p-23f;
  CHECK(m::mul(a, b) - 1.0f == 0.0f);
  CHECK(m::fma(a, b, -1.0f) == -0x1p-46f);
}

TEST_CASE("to_int truncates, and outside the range gives the most negative value") {
  constexpr std::int32_t outside = std::numeric_limits<std::int32_t>::min();
  CHECK(m::to_int(2147483520.0f) == 2147483520);
  CHECK(m::to_int(2147483648.0f) == outside);
  CHECK(m::to_int(-2147483648.0f) == outside);
  CHECK(m::to_int(inf) == outside);
  CHECK(m::to_int(-0.99f) == 0);
}
