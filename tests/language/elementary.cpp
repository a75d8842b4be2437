// The elementary functions: their error over the whole range, their special values, and the same
// bits in constant expressions as at run time.
// SPDX-License-Identifier: MIT
#include <tenon/language/elementary.hpp>
#include <tenon/policy/reference/scalar.hpp>
#include "../catch.hpp"
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

using tenon::evaluate, tenon::sop;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float most = std::numeric_limits<float>::max();
constexpr float least = std::numeric_limits<float>::denorm_min();

constexpr float at(sop o, float x, float y = 0) {
  const float args[] = {x, y};
  return evaluate(tenon::elementary_view(o), args);
}

constexpr bool primitive(sop o) {
  const auto p = tenon::elementary_view(o);
  for (int i = 0; i < p.size; ++i)
    if (tenon::is_elementary(p.code[i].op())) return false;
  return p.size > 0;
}
static_assert(primitive(sop::exp) && primitive(sop::log) && primitive(sop::tanh) &&
              primitive(sop::erf));
static_assert(primitive(sop::sigmoid) && primitive(sop::sin) && primitive(sop::cos) &&
              primitive(sop::tan));
static_assert(primitive(sop::log1p) && primitive(sop::expm1) && primitive(sop::erfc));
static_assert(primitive(sop::pow) && !primitive(sop::add));

/// The error of `got` in units of the last place that `exact` would have as a float.
double ulps(float got, double exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : 1e9;
  if (std::isnan(got)) return 1e9;
  if (std::isinf(static_cast<float>(exact)) && got == static_cast<float>(exact)) return 0;
  if (std::isinf(exact) || std::isinf(got)) return 1e9;
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::abs(got - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
}

/// The worst error over every 10007th float and densely in the interval, where |x| <= limit.
template <class F> double worst(sop o, F exact, float low, float high, float limit = inf) {
  double result = 0;
  const auto check = [&](float x) {
    if (std::abs(x) <= limit)
      result = std::max(result, ulps(at(o, x), exact(static_cast<double>(x))));
  };
  for (std::uint64_t pattern = 0; pattern < 1ull << 32; pattern += 10007)
    check(std::bit_cast<float>(static_cast<std::uint32_t>(pattern)));
  for (int i = 0; i <= 200000; ++i) check(low + (high - low) * static_cast<float>(i) / 200000.0f);
  return result;
}

constexpr auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };

}  // namespace

TEST_CASE("exp, log, tanh, erf and sigmoid keep their documented error") {
  CHECK(worst(
            sop::exp, [](double x) { return std::exp(x); }, -104, 89) <= 0.9);
  CHECK(worst(
            sop::log, [](double x) { return std::log(x); }, 0.3f, 3) <= 1.0);
  CHECK(worst(
            sop::tanh, [](double x) { return std::tanh(x); }, -1, 1) <= 1.4);
  CHECK(worst(
            sop::erf, [](double x) { return std::erf(x); }, -2, 2) <= 1.4);
  CHECK(worst(sop::sigmoid, sigmoid, -20, 20) <= 2.5);
}

TEST_CASE("log1p, expm1 and erfc keep their documented error") {
  const auto log1p = [](double x) { return std::log1p(x); };
  const auto expm1 = [](double x) { return std::expm1(x); };
  const auto erfc = [](double x) { return std::erfc(x); };
  CHECK(worst(sop::log1p, log1p, -1, 3) <= 1.6);
  CHECK(worst(sop::log1p, log1p, -1e-3f, 1e-3f) <= 1.6);
  CHECK(worst(sop::expm1, expm1, -20, 89) <= 1.5);
  CHECK(worst(sop::expm1, expm1, -1e-3f, 1e-3f) <= 1.5);
  CHECK(worst(sop::erfc, erfc, -4, 10.1f) <= 1.8);
  CHECK(worst(sop::erfc, erfc, 9, 10.1f) <= 1.8);  // down to underflow
}

TEST_CASE("log1p and expm1 of numbers near 0 are these numbers") {
  for (std::uint32_t pattern = 0; pattern < std::bit_cast<std::uint32_t>(0x1p-25f); pattern += 9973)
    for (const float x : {std::bit_cast<float>(pattern), -std::bit_cast<float>(pattern)}) {
      if (std::bit_cast<std::uint32_t>(at(sop::log1p, x)) != std::bit_cast<std::uint32_t>(x) ||
          std::bit_cast<std::uint32_t>(at(sop::expm1, x)) != std::bit_cast<std::uint32_t>(x))
        FAIL(x);
    }
}

TEST_CASE("sin, cos and tan keep their documented error") {
  const auto sin = [](double x) { return std::sin(x); };
  const auto cos = [](double x) { return std::cos(x); };
  const auto tan = [](double x) { return std::tan(x); };
  CHECK(worst(sop::sin, sin, -7, 7, 1e4f) <= 1.6);
  CHECK(worst(sop::cos, cos, -7, 7, 1e4f) <= 1.6);
  CHECK(worst(sop::tan, tan, -7, 7, 1e4f) <= 2.5);
  CHECK(worst(sop::sin, sin, -1e5f, 1e5f, 0x1p20f) <= 2.2);
  CHECK(worst(sop::cos, cos, -1e5f, 1e5f, 0x1p20f) <= 2.2);
  CHECK(worst(sop::tan, tan, -1e5f, 1e5f, 0x1p20f) <= 3.2);
}

TEST_CASE("the floats nearest to a multiple of pi/2 lose no digits") {
  for (int k = 1; k < 600000; k += 1 + k / 500) {
    const double x = k * 1.5707963267948966;
    const float near = static_cast<float>(x);
    for (const float v : {std::nextafter(near, 0.0f), near, std::nextafter(near, inf)}) {
      CHECK(ulps(at(sop::sin, v), std::sin(static_cast<double>(v))) <= 2.2);
      CHECK(ulps(at(sop::cos, -v), std::cos(static_cast<double>(-v))) <= 2.2);
    }
  }
}

TEST_CASE("sin and cos of any finite number lie in [-1, 1], tan is not NaN") {
  for (std::uint64_t pattern = 0; pattern < 1ull << 32; pattern += 20011) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(pattern));
    if (!std::isfinite(x)) continue;
    if (!(std::abs(at(sop::sin, x)) <= 1) || !(std::abs(at(sop::cos, x)) <= 1) ||
        std::isnan(at(sop::tan, x)))
      FAIL(x);
  }
}

TEST_CASE("pow keeps its documented error where the result is normal") {
  double normal = 0, subnormal = 0;
  std::uint64_t state = 1;
  const auto next = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint32_t>(state >> 32);
  };
  const auto check = [&](float x, float y) {
    const double exact = std::pow(static_cast<double>(x), static_cast<double>(y)),
                 error = ulps(at(sop::pow, x, y), exact);
    double& bound = std::abs(exact) < 0x1p-126 ? subnormal : normal;
    bound = std::max(bound, error);
  };
  for (int i = 0; i < 300000; ++i) {
    const float any = std::bit_cast<float>(next() & 0x7fffffffu);
    const float near_one =
        1 + (static_cast<float>(next() >> 8) * 0x1p-24f - 0.5f) * std::ldexp(1.0f, -(i % 20));
    const float x = i % 3 != 0 ? near_one : any;
    if (!std::isfinite(x) || x == 0 || x == 1) continue;
    const double exponent = next() * 0x1p-32 * 300 - 155;  // of the result
    check(x, static_cast<float>(exponent / std::log2(static_cast<double>(x))));
    check(x, std::bit_cast<float>(next()));
    check(-x, static_cast<float>(static_cast<int>(next() % 40) - 20));
  }
  CHECK(normal <= 1.4);
  CHECK(subnormal <= 1.1);
}

namespace {

struct special {
  sop function;
  float x, value;
};
constexpr special specials[] = {
    {sop::exp, 0, 1},
    {sop::exp, -0.0f, 1},
    {sop::exp, inf, inf},
    {sop::exp, -inf, 0},
    {sop::exp, nan, nan},
    {sop::exp, most, inf},
    {sop::exp, -most, 0},
    {sop::exp, 88.73f, inf},
    {sop::exp, -103.9f, least},
    {sop::exp, least, 1},
    {sop::log, 1, 0},
    {sop::log, 0, -inf},
    {sop::log, -0.0f, -inf},
    {sop::log, inf, inf},
    {sop::log, -1, nan},
    {sop::log, -least, nan},
    {sop::log, -inf, nan},
    {sop::log, nan, nan},
    {sop::log, least, -0x1.9d1dap+6f},
    {sop::tanh, 0, 0},
    {sop::tanh, -0.0f, -0.0f},
    {sop::tanh, inf, 1},
    {sop::tanh, -inf, -1},
    {sop::tanh, nan, nan},
    {sop::tanh, most, 1},
    {sop::tanh, least, least},
    {sop::tanh, -least, -least},
    {sop::erf, 0, 0},
    {sop::erf, -0.0f, -0.0f},
    {sop::erf, inf, 1},
    {sop::erf, -inf, -1},
    {sop::erf, nan, nan},
    {sop::erf, most, 1},
    {sop::erf, -5, -1},
    {sop::erf, least, least},
    {sop::log1p, 0, 0},
    {sop::log1p, -0.0f, -0.0f},
    {sop::log1p, inf, inf},
    {sop::log1p, -1, -inf},
    {sop::log1p, -0x1.000002p+0f, nan},
    {sop::log1p, -inf, nan},
    {sop::log1p, nan, nan},
    {sop::log1p, least, least},
    {sop::log1p, -least, -least},
    {sop::log1p, most, 0x1.62e43p+6f},
    {sop::log1p, 0x1p127f, 0x1.601e68p+6f},
    {sop::expm1, 0, 0},
    {sop::expm1, -0.0f, -0.0f},
    {sop::expm1, inf, inf},
    {sop::expm1, -inf, -1},
    {sop::expm1, nan, nan},
    {sop::expm1, most, inf},
    {sop::expm1, -most, -1},
    {sop::expm1, 88.73f, inf},
    {sop::expm1, -18, -1},
    {sop::expm1, least, least},
    {sop::expm1, -least, -least},
    {sop::erfc, 0, 1},
    {sop::erfc, -0.0f, 1},
    {sop::erfc, inf, 0},
    {sop::erfc, -inf, 2},
    {sop::erfc, nan, nan},
    {sop::erfc, most, 0},
    {sop::erfc, -most, 2},
    {sop::erfc, -5, 2},
    {sop::erfc, 10.05f, least},
    {sop::erfc, 10.1f, 0},
    {sop::erfc, least, 1},
    {sop::erfc, -least, 1},
    {sop::sigmoid, 0, 0.5f},
    {sop::sigmoid, -0.0f, 0.5f},
    {sop::sigmoid, inf, 1},
    {sop::sigmoid, -inf, 0},
    {sop::sigmoid, nan, nan},
    {sop::sigmoid, most, 1},
    {sop::sigmoid, -most, 0},
    {sop::sigmoid, -103.9f, least},
    {sop::sin, 0, 0},
    {sop::sin, -0.0f, -0.0f},
    {sop::sin, inf, nan},
    {sop::sin, -inf, nan},
    {sop::sin, nan, nan},
    {sop::sin, least, least},
    {sop::cos, 0, 1},
    {sop::cos, -0.0f, 1},
    {sop::cos, inf, nan},
    {sop::cos, -inf, nan},
    {sop::cos, nan, nan},
    {sop::tan, 0, 0},
    {sop::tan, -0.0f, -0.0f},
    {sop::tan, inf, nan},
    {sop::tan, -inf, nan},
    {sop::tan, nan, nan},
    {sop::tan, -least, -least},
};
constexpr float numbers[] = {0,
                             -0.0f,
                             1,
                             -1,
                             0.5f,
                             -0.5f,
                             2,
                             -2,
                             3,
                             -3,
                             2.5f,
                             -2.5f,
                             inf,
                             -inf,
                             nan,
                             least,
                             -least,
                             most,
                             -most,
                             0x1p24f,
                             -0x1p24f,
                             0x1.fffffep23f,
                             -0x1.fffffep23f,
                             8388607.5f,
                             0x1.fffffep-1f,
                             -0x1.fffffep-1f};

std::uint32_t bits(float x) {
  return std::isnan(x) ? 0x7fc00000u : std::bit_cast<std::uint32_t>(x);
}

}  // namespace

TEST_CASE("special values are those of C") {
  for (const special& s : specials) {
    CAPTURE(static_cast<int>(s.function), s.x, s.value, at(s.function, s.x));
    CHECK(bits(at(s.function, s.x)) == bits(s.value));
  }
}

TEST_CASE("NaN of any payload stays NaN") {
  for (const std::uint32_t pattern :
       {0x7fc00000u, 0xffc00000u, 0x7fffffffu, 0xffffffffu, 0x7fc12345u, 0x7fd55555u})
    for (const sop o : {sop::exp, sop::log, sop::tanh, sop::erf, sop::sigmoid, sop::sin, sop::cos,
                        sop::tan, sop::log1p, sop::expm1, sop::erfc}) {
      CAPTURE(pattern, static_cast<int>(o));
      CHECK(std::isnan(at(o, std::bit_cast<float>(pattern))));
      CHECK(std::isnan(at(sop::pow, std::bit_cast<float>(pattern), 2)));
      CHECK(std::isnan(at(sop::pow, 2, std::bit_cast<float>(pattern))));
      CHECK(at(sop::pow, std::bit_cast<float>(pattern), 0) == 1);
    }
}

TEST_CASE("pow has C's special values") {
  for (const float x : numbers)
    for (const float y : numbers) {
      const float exact =
          static_cast<float>(std::pow(static_cast<double>(x), static_cast<double>(y)));
      const float got = at(sop::pow, x, y);
      CAPTURE(x, y, exact, got);
      if (std::isfinite(exact) && exact != 0)
        CHECK(ulps(got, std::pow(static_cast<double>(x), static_cast<double>(y))) <= 1.1);
      else
        CHECK(bits(got) == bits(exact));
    }
}

namespace {

constexpr int samples = 160;
constexpr float sample(int i) {
  if (i < 26) return numbers[i];
  if (i < 70) return static_cast<float>(i - 48) * 0.37f;
  return std::bit_cast<float>(0x9e3779b9u * static_cast<std::uint32_t>(i));
}
constexpr float second(sop o, int i) { return o == sop::pow ? sample(samples - 1 - i) : 0.0f; }
/// A constant for each: all of pow in one evaluation takes more steps than clang allows.
template <sop O, int I> constexpr float computed = at(O, sample(I), second(O, I));
template <sop O, int... I>
constexpr std::array<float, samples> all_computed(std::integer_sequence<int, I...>) {
  return {computed<O, I>...};
}

template <sop O> void same_bits() {
  static constexpr auto constant = all_computed<O>(std::make_integer_sequence<int, samples>{});
  for (int i = 0; i < samples; ++i) {
    const volatile float x = sample(i), y = second(O, i);
    CAPTURE(static_cast<int>(O), sample(i));
    CHECK(bits(at(O, x, y)) == bits(constant[static_cast<std::size_t>(i)]));
  }
}

}  // namespace

TEST_CASE("a constant expression gives the bits of the run time") {
  same_bits<sop::exp>();
  same_bits<sop::log>();
  same_bits<sop::tanh>();
  same_bits<sop::erf>();
  same_bits<sop::sigmoid>();
  same_bits<sop::sin>();
  same_bits<sop::cos>();
  same_bits<sop::tan>();
  same_bits<sop::log1p>();
  same_bits<sop::expm1>();
  same_bits<sop::erfc>();
  same_bits<sop::pow>();
}
