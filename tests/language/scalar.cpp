// Scalar programs: what is recorded, what is refused, and the value of every instruction.
// SPDX-License-Identifier: MIT
#include <tenon/language/record.hpp>
#include <tenon/policy/reference/scalar.hpp>
#include "../catch.hpp"
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

using tenon::cast, tenon::code, tenon::evaluate, tenon::recorded, tenon::record_program,
    tenon::scalar, tenon::sop;

namespace {

constexpr float inf = std::numeric_limits<float>::infinity();
constexpr float none = std::numeric_limits<float>::quiet_NaN();

constexpr int count(const recorded& r, sop o) {
  int n = 0;
  for (int i = 0; i < r.size; ++i) n += r.code[i].op() == o;
  return n;
}
constexpr sop last(const recorded& r) { return r.code[r.size - 1].op(); }

template <class F> constexpr float run(F f, float x) {
  const recorded r = record_program<1>(f);
  return evaluate(r.view(), &x);
}
template <class F> constexpr float run(F f, float x, float y) {
  const recorded r = record_program<2>(f);
  const float args[] = {x, y};
  return evaluate(r.view(), args);
}
template <class F> constexpr code fault(F f) { return record_program<1>(f).fault; }

// Recording.
static_assert(record_program<1>([](auto x) { return x * x + x * x; }).size == 3,
              "equal instructions are shared");
static_assert(record_program<2>([](auto x, auto y) {
                [[maybe_unused]] auto dead = x * y;
                return x + 1;
              }).size == 3,
              "dead code is gone, unused operands too");
static_assert(count(record_program<1>([](auto x) { return (x + 2) * (x - 2.0) + 2.0f; }),
                    sop::literal) == 1,
              "a literal takes the type of its partner");
static_assert(count(record_program<1>([](auto x) { return (x + 0.0f) + -0.0f; }), sop::literal) ==
                  2,
              "zeros of different sign are different literals");
static_assert(last(record_program<1>([](auto) { return 3; })) == sop::literal,
              "a number becomes a literal");
static_assert(last(record_program<1>([](auto x) { return x < 1; })) == sop::select,
              "a mask becomes 1 or 0");
static_assert(last(record_program<1>([](auto x) { return x; })) == sop::arg);
static_assert(record_program<1>([](auto x) { return cast<float>(x); }).size == 1,
              "a cast to its own type is nothing");

// Refusals.
static_assert(fault([](auto x) { return x + (x < 1); }) == code::program, "a mask is no number");
static_assert(fault([](auto x) { return x + cast<std::int32_t>(x); }) == code::program,
              "float and int do not mix");
static_assert(fault([](auto x) { return select(x, x, x); }) == code::program,
              "a condition is a mask");
static_assert(fault([](auto x) { return select(x < 1, cast<std::int32_t>(x), x); }) ==
                  code::program,
              "both branches have one type");
static_assert(fault([](auto x) { return (x < 1) & cast<std::int32_t>(x); }) == code::program);
static_assert(fault([](auto x) { return cast<float>(x << 1); }) == code::program,
              "shifts are for int32");
static_assert(fault([](auto x) { return cast<float>(cast<std::int32_t>(x) << 32); }) ==
              code::program);
static_assert(fault([](auto x) { return exp(x < 1); }) == code::program);
constexpr auto long_chain = [](int n) {
  return [n](auto x) {
    auto y = x;
    for (int i = 0; i < n; ++i) y = y * x;
    return y;
  };
};
static_assert(fault(long_chain(tenon::max_program - 1)) == code::ok);
static_assert(fault(long_chain(tenon::max_program)) == code::program, "too long");
static_assert(record_program<1>(long_chain(tenon::max_program)).size == 0,
              "what is refused has no code");

// Results keep their type; a mask is a float unless a uint8 is wanted.
constexpr tenon::type type_of_result(const recorded& r) { return tenon::result_type(r.view()); }
static_assert(type_of_result(record_program<1>([](auto x) { return -cast<std::int32_t>(x); })) ==
              tenon::type::int32);
static_assert(type_of_result(record_program<1>([](auto x) {
                return select(x < 1, cast<std::int32_t>(x), 0);
              })) == tenon::type::int32);
static_assert(type_of_result(record_program<1>([](auto x) { return cast<std::uint8_t>(x); })) ==
              tenon::type::uint8);
static_assert(type_of_result(record_program<1>([](auto x) { return x < 1; })) ==
              tenon::type::float32);
constexpr tenon::program_types bytes{{tenon::type::uint8}, true, tenon::type::uint8};
static_assert(type_of_result(record_program<1>([](auto x) { return x < 1; }, bytes)) ==
              tenon::type::uint8);
static_assert(record_program<1>([](auto x) { return x + 1; }, bytes).view().size == 4,
              "arg, 1, sum, the low byte of it");

// Values, in constant expressions.
static_assert(run([](auto x, auto y) { return x + y; }, 1, 2) == 3);
static_assert(run([](auto x, auto y) { return x - y; }, 1, 2) == -1);
static_assert(run([](auto x, auto y) { return x * y; }, 3, 2) == 6);
static_assert(run([](auto x, auto y) { return x / y; }, 3, 2) == 1.5f);
static_assert(run([](auto x) { return 1 / x; }, 0) == inf);
static_assert(run([](auto x, auto y) { return fma(x, y, -1.0f); }, 1 + 0x1p-23f, 1 - 0x1p-23f) ==
              -0x1p-46f);
static_assert(run([](auto x, auto y) { return x * y - 1.0f; }, 1 + 0x1p-23f, 1 - 0x1p-23f) == 0);
static_assert(run([](auto x) { return -x; }, 2) == -2 &&
              run([](auto x) { return abs(x); }, -2) == 2);
static_assert(run([](auto x, auto y) { return min(x, y); }, 1, 2) == 1);
static_assert(run([](auto x, auto y) { return max(x, y); }, 1, 2) == 2);
static_assert(run([](auto x) { return max(x, 0.0f) != max(x, 0.0f); }, none) == 1,
              "max propagates NaN");
static_assert(run([](auto x) { return sqrt(x); }, 9) == 3);
static_assert(run([](auto x) { return x.apply(tenon::sop::sqrt); }, 9) == 3 &&
                  run([](auto x, auto y) { return x.apply(tenon::sop::max, y); }, 1, 2) == 2,
              "an instruction without a symbol of its own");
static_assert(run([](auto x) { return floor(x); }, -1.5f) == -2);
static_assert(run([](auto x) { return round_even(x); }, 2.5f) == 2);
static_assert(run([](auto x) { return cast<float>(cast<std::int32_t>(x)); }, -1.75f) == -1);
static_assert(
    run([](auto x) { return tenon::bitcast<float>(tenon::bitcast<std::int32_t>(x) + (1 << 23)); },
        3) == 6);

template <class F> constexpr float on_int(F f, float x) {
  return run([f](auto v) { return cast<float>(f(cast<std::int32_t>(v))); }, x);
}
static_assert(on_int([](auto i) { return i + 3; }, 4) == 7 &&
              on_int([](auto i) { return i - 5; }, 4) == -1);
static_assert(on_int([](auto i) { return 3 - i; }, 4) == -1 &&
              on_int([](auto i) { return (i & 6) | 8; }, 5) == 12);
static_assert(on_int([](auto i) { return i ^ i; }, 5) == 0 &&
              on_int([](auto i) { return i << 3; }, 5) == 40);
static_assert(on_int([](auto i) { return i >> 31; }, -5) == 1, "shifts are logical");
static_assert(on_int([](auto i) { return i + i; }, 0x1p30f) == -0x1p31f, "int32 wraps around");

}  // namespace

TEST_CASE("comparisons are C's, false for NaN but !=") {
  const float values[] = {-inf, -1.0f, -0.0f, 0.0f, 1.0f, inf, none};
  for (const float x : values)
    for (const float y : values) {
      CHECK(run([](auto a, auto b) { return a < b; }, x, y) == static_cast<float>(x < y));
      CHECK(run([](auto a, auto b) { return a <= b; }, x, y) == static_cast<float>(x <= y));
      CHECK(run([](auto a, auto b) { return a > b; }, x, y) == static_cast<float>(x > y));
      CHECK(run([](auto a, auto b) { return a >= b; }, x, y) == static_cast<float>(x >= y));
      CHECK(run([](auto a, auto b) { return a == b; }, x, y) == static_cast<float>(x == y));
      CHECK(run([](auto a, auto b) { return a != b; }, x, y) == static_cast<float>(x != y));
      CHECK(run([](auto a, auto b) { return !(a < b); }, x, y) == static_cast<float>(!(x < y)));
    }
}

TEST_CASE("a literal may stand on either side") {
  CHECK(run([](auto x) { return 1 - x; }, 3) == -2.0f);
  CHECK(run([](auto x) { return 6.0 / x; }, 3) == 2.0f);
  CHECK(run([](auto x) { return 1 < x; }, 3) == 1.0f);
  CHECK(run([](auto x) { return min(1, x); }, 3) == 1.0f);
  CHECK(run([](auto x) { return pow(2, x); }, 3) == 8.0f);
}

TEST_CASE("select takes one of two values that are both computed, and masks combine") {
  const auto window = [](auto x) {
    return select((x > 0) & !(x >= 2), 1 / x, select((x < -1) | (x == 0), -1, x));
  };
  CHECK(run(window, 0.5f) == 2.0f);
  CHECK(run(window, 2.0f) == 2.0f);
  CHECK(run(window, 0.0f) == -1.0f);
  CHECK(run(window, -3.0f) == -1.0f);
  CHECK(std::isnan(run(window, none)));
}

TEST_CASE("elementary functions are one instruction and run as their programs") {
  const auto gate = [](auto x) { return x / (1.0f + exp(-x)); };
  constexpr recorded r = record_program<1>(gate);
  CHECK(count(r, sop::exp) == 1);
  constexpr float at_one = run(gate, 1.0f);
  CHECK(at_one == run(gate, 1.0f));
  CHECK(std::abs(at_one - 0.7310586f) < 1e-6f);
  CHECK(std::abs(run([](auto x) { return log(x) + tanh(x) + erf(x); }, 1) - 1.6042949f) < 2e-6f);
  CHECK(std::abs(run([](auto x) { return sin(x) + cos(x) + tan(x) + sigmoid(x); }, 1) -
                 3.6702398f) < 2e-6f);
}

TEST_CASE("registers may be used again, in any order") {
  using i = tenon::instruction;
  const i code[] = {i::make(sop::arg, 7, 1), i::make(sop::arg, 239, 0),
                    i::make(sop::sub, 7, 239, 7),
                    i::make_literal(sop::literal, 239, std::bit_cast<std::uint32_t>(2.0f)),
                    i::make(sop::mul, 0, 7, 239)};
  const float args[] = {5.0f, 1.0f};
  CHECK(evaluate({code, 5}, args) == 8.0f);
}

TEST_CASE("a program as a template argument is the recorded one") {
  constexpr auto p = tenon::trace_program<[](auto x, auto y) { return x * y + 1; }, 2>();
  constexpr recorded r = record_program<2>([](auto x, auto y) { return x * y + 1; });
  REQUIRE(p.size == r.size);
  for (int i = 0; i < r.size; ++i) CHECK(p.code[i] == r.code[i]);
}
