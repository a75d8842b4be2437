// Passes over scalar programs: joining, forming fma, sharing registers.
// SPDX-License-Identifier: MIT
#include <tenon/graph/rewrite.hpp>
#include <tenon/policy/reference/scalar.hpp>
#include "../catch.hpp"
#include <bit>
#include <random>

namespace tn = tenon;
using tn::record_program, tn::recorded, tn::sop;

namespace {

constexpr int count(const recorded& r, sop o) {
  int n = 0;
  for (int i = 0; i < r.size; ++i) n += r.code[i].op() == o;
  return n;
}
template <int Arity, class F> constexpr recorded fused(F f) {
  return tn::form_fma(record_program<Arity>(f).view());
}
template <int Arity, class F> constexpr int registers(F f) {
  return tn::allocate(record_program<Arity>(f).view()).registers;
}
constexpr float value(const recorded& r, float a, float b, float c) {
  const float x[] = {a, b, c};
  return tn::evaluate(r.view(), x);
}

// The four forms, each one fma and the value of the definition.
constexpr recorded sum_first = fused<3>([](auto a, auto b, auto c) { return a * b + c; });
constexpr recorded sum_second = fused<3>([](auto a, auto b, auto c) { return c + a * b; });
constexpr recorded less_third = fused<3>([](auto a, auto b, auto c) { return a * b - c; });
constexpr recorded from_third = fused<3>([](auto a, auto b, auto c) { return c - a * b; });
static_assert(count(sum_first, sop::fma) == 1 && sum_first.size == 4 &&
              value(sum_first, 2, 3, 5) == 11);
static_assert(count(sum_second, sop::fma) == 1 && sum_second.size == 4 &&
              value(sum_second, 2, 3, 5) == 11);
static_assert(count(less_third, sop::fma) == 1 && count(less_third, sop::neg) == 1 &&
              value(less_third, 2, 3, 5) == 1);
static_assert(count(from_third, sop::fma) == 1 && count(from_third, sop::neg) == 1 &&
              value(from_third, 2, 3, 5) == -1);
static_assert(count(sum_first, sop::mul) + count(sum_second, sop::mul) +
                  count(less_third, sop::mul) + count(from_third, sop::mul) ==
              0);

// Rounded once: (1 + 2^-12)^2 - (1 + 2^-11) is 2^-24, which a separate product loses.
constexpr float near = 1.0f + 0x1p-12f;
static_assert(value(less_third, near, near, 1.0f + 0x1p-11f) == 0x1p-24f);

// A product with two uses stays, of two products one is taken, a product alone stays.
constexpr recorded shared = fused<2>([](auto a, auto b) {
  auto p = a * b;
  return (p + 1.0f) / p;
});
static_assert(count(shared, sop::fma) == 0 && count(shared, sop::mul) == 1 &&
              count(shared, sop::add) == 1);
constexpr recorded doubled = fused<2>([](auto a, auto b) { return a * b + a * b; });
static_assert(count(doubled, sop::fma) == 0, "the product is shared, so it has two uses");
constexpr recorded both = fused<3>([](auto a, auto b, auto c) { return a * b + b * c; });
static_assert(count(both, sop::fma) == 1 && count(both, sop::mul) == 1 &&
              value(both, 2, 3, 5) == 21);
static_assert(count(fused<2>([](auto a, auto b) { return a * b; }), sop::mul) == 1);
constexpr recorded horner =
    fused<1>([](auto x) { return ((2.0f * x + 3.0f) * x + 4.0f) * x + 5.0f; });
static_assert(count(horner, sop::fma) == 3 && count(horner, sop::mul) == 0 &&
              value(horner, 2, 0, 0) == 41);

// Where the negations of differences do not fit into a program, nothing changes.
constexpr recorded differences = record_program<1>([](auto x) {
  for (int i = 0; i < 58; ++i) x = static_cast<float>(i + 2) - x * static_cast<float>(i + 100);
  return x;
});
static_assert(differences.fault == tn::code::ok && differences.size > 200);
constexpr recorded too_long = tn::form_fma(differences.view());
static_assert(too_long.fault == tn::code::ok && too_long.size == differences.size &&
              count(too_long, sop::fma) == 0);

// Registers: as many as values are alive at once.
static_assert(registers<1>([](auto x) { return x; }) == 1);
static_assert(registers<1>([](auto x) { return -(-(-abs(x))); }) == 1);
static_assert(registers<2>([](auto x, auto y) { return x + y; }) == 2);
static_assert(registers<1>([](auto x) { return x * exp(x); }) == 2);
static_assert(registers<1>([](auto x) { return ((x + 1) * (x + 2)) * ((x + 3) * (x + 4)); }) == 4);
constexpr tn::allocated wide = tn::allocate(record_program<1>([](auto x) {
                                              tn::scalar s = x;
                                              for (int i = 0; i < 50; ++i)
                                                s = s * x + static_cast<float>(i);
                                              return s;
                                            }).view());
static_assert(wide.registers == 3, "a long program re-uses registers");

// A program appended to itself.
constexpr recorded joined = [] {
  const recorded square = record_program<1>([](auto x) { return x * x; });
  tn::tape t;
  const int first[] = {t.emit(sop::arg, 0)};
  const int once[] = {tn::append(t, square.view(), first)};
  return tn::finish(t, tn::append(t, square.view(), once));
}();
static_assert(joined.size == 3 && value(joined, 3, 0, 0) == 81);

/// A random program over three operands whose values stay moderate.
recorded random_program(std::mt19937& random) {
  const auto below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  tn::tape t;
  for (int i = 0; i < 3; ++i) t.emit(sop::arg, i);
  const int steps = 1 + below(60);
  for (int i = 0; i < steps; ++i) {
    constexpr sop vocabulary[] = {sop::add, sop::sub, sop::mul, sop::max,
                                  sop::min, sop::neg, sop::abs};
    const sop o = vocabulary[below(7)];
    if (below(6) == 0)
      t.literal(0.25f * static_cast<float>(below(8) - 4));
    else
      t.emit(o, below(t.size), tn::sources_of(o) > 1 ? below(t.size) : 0);
  }
  return tn::finish(t, t.size - 1);
}

}  // namespace

TEST_CASE("sharing registers never changes a value") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> element(-1, 1);
  for (int i = 0; i < 500; ++i) {
    const recorded ssa = random_program(random);
    const tn::allocated own = tn::allocate(ssa.view());
    int highest = 0;
    for (int k = 0; k < own.program.size; ++k)
      highest = std::max(highest, own.program.code[k].dst());
    CHECK(highest + 1 == own.registers);
    CHECK(own.registers <= ssa.size);
    const float a = element(random), b = element(random), c = element(random);
    const float x = value(ssa, a, b, c), y = value(own.program, a, b, c);
    CHECK(std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y));
  }
}

TEST_CASE("no product with one use is left in front of a sum") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 500; ++i) {
    const recorded r = tn::form_fma(random_program(random).view());
    int uses[tn::max_program]{};
    for (int k = 0; k < r.size; ++k) {
      const tn::instruction x = r.code[k];
      const int n = tn::sources_of(x.op());
      if (n > 0) ++uses[x.a()];
      if (n > 1) ++uses[x.b()];
      if (n > 2) ++uses[x.c()];
    }
    for (int k = 0; k < r.size; ++k) {
      const tn::instruction x = r.code[k];
      if (x.op() != sop::add && x.op() != sop::sub) continue;
      CHECK_FALSE((r.code[x.a()].op() == sop::mul && uses[x.a()] == 1));
      CHECK_FALSE((r.code[x.b()].op() == sop::mul && uses[x.b()] == 1));
    }
  }
}
