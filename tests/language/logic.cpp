// Comparisons, logic, selection and casts, for all types and on handles.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

using real = tn::input<"x", float, 2, 37>;
using real_row = tn::input<"y", float, 37>;
using whole = tn::input<"x", std::int32_t, 2, 37>;
using whole_row = tn::input<"y", std::int32_t, 37>;
using small = tn::input<"x", std::uint8_t, 2, 37>;
using small_row = tn::input<"y", std::uint8_t, 37>;

// Results are truth values.
constexpr auto smaller = [](auto x, auto y) { return x < y; };
static_assert(tn::graph<smaller, real, real_row>::view().nodes[2].out == bytes(tn::extents(2, 37)));
static_assert(tn::graph<smaller, whole, whole_row>::view().nodes[2].out ==
              bytes(tn::extents(2, 37)));

// C++ operators are the operators.
template <auto A, auto B, class... In>
constexpr bool equal_models = same(tn::graph<A, In...>::view(), tn::graph<B, In...>::view());
constexpr auto comparisons = [](auto x, auto y) {
  return tn::outputs(x == y, x != y, x > y, x >= y, x < y, x <= y);
};
constexpr auto named_comparisons = [](auto x, auto y) {
  return tn::outputs(tn::equal(x, y), tn::notEqual(x, y), tn::greater(x, y),
                     tn::greaterOrEqual(x, y), tn::lesser(x, y), tn::lesserOrEqual(x, y));
};
static_assert(equal_models<comparisons, named_comparisons, real, real_row> &&
              equal_models<comparisons, named_comparisons, whole, whole_row>);
constexpr auto logic = [](auto x, auto y) {
  return tn::outputs(x && y, x || y, x & y, x | y, x ^ y, !x);
};
constexpr auto named_logic = [](auto x, auto y) {
  return tn::outputs(tn::logicalAnd(x, y), tn::logicalOr(x, y), tn::logicalAnd(x, y),
                     tn::logicalOr(x, y), tn::logicalXor(x, y), tn::logicalNot(x));
};
static_assert(equal_models<logic, named_logic, small, small_row>);
constexpr auto number_second = [](auto x) {
  return tn::outputs(x == 1, x != 2, x > 3, x >= 4, x < 5, x <= 6);
};
constexpr auto number_first = [](auto x) {
  return tn::outputs(1 == x, 2 != x, 3 < x, 4 <= x, 5 > x, 6 >= x);
};
static_assert(equal_models<number_second, number_first, whole> &&
              equal_models<number_second, number_first, real>);

// Types that are refused.
template <class Op, class... T> constexpr tn::error fault(T... types) {
  const tn::tensor in[] = {{types, tn::extents(4)}...};
  return Op::infer({}, {in, sizeof...(T)}).error();
}
constexpr auto f32 = tn::type::float32, i32 = tn::type::int32, u8 = tn::type::uint8;
static_assert(
    fault<tn::equal_t>(f32, i32).is(code::element_type, "equal") &&
    fault<tn::lesser_t>(tn::type::int64, tn::type::uint64).is(code::element_type, "lesser"));
static_assert(fault<tn::logicalAnd_t>(f32, f32).is(code::element_type, "logicalAnd") &&
              fault<tn::logicalNot_t>(i32).is(code::element_type, "logicalNot"));
static_assert(fault<tn::where_t>(f32, f32, f32).operand == tn::name("condition") &&
              fault<tn::where_t>(u8, f32, i32).operand == tn::name("falseValue"));
static_assert(fault<tn::isNaN_t>(i32).is(code::element_type, "isNaN"));

// Masks merge: one node, however the condition was put together.
constexpr auto merged = [](auto x, auto y) {
  return tn::where(x > y && !(x == 3.0f) && (tn::isNaN(y) || y <= 1.0f), tn::exp(x), y * 2.0f);
};
using merged_net = tn::graph<merged, real, tn::input<"y", float, 2, 37>>;
static_assert(tn::plan<merged_net, tn::reference>::groups == 1 &&
              tn::plan<merged_net, tn::cpu>::groups == 1);
constexpr auto rounded_trip = [](auto x) {
  return tn::cast<float>(tn::cast<std::uint8_t>(x * 1.5f)) + 0.25f;
};
using trip_net = tn::graph<rounded_trip, real>;
static_assert(tn::plan<trip_net, tn::reference>::groups == 1);

bool compared(std::size_t which, double a, double b) {
  switch (which) {
    case 0: return a == b;
    case 1: return a != b;
    case 2: return a > b;
    case 3: return a >= b;
    case 4: return a < b;
    default: return a <= b;
  }
}
void check_comparisons(const std::vector<array>& found, const array& x, const array& y) {
  REQUIRE(found.size() == 6);
  for (std::size_t k = 0; k < 6; ++k)
    for (tn::i64 i = 0; i < 74; ++i) {
      INFO("comparison " << k << " of " << x[i] << " and " << y[i % 37]);
      REQUIRE(found[k][i] == (compared(k, x[i], y[i % 37]) ? 1.0 : 0.0));
    }
}
/// Values of which many are equal.
array few_values(const tn::tensor& t, dice& d) {
  const double specials[] = {0.0, -0.0, infinite, -infinite, not_a_number, 1.0};
  return made(t, [&](tn::i64) -> double {
    if (t.type == tn::type::float32 && d.one_in(2)) return d.pick(specials);
    if (t.type == tn::type::int32 && d.one_in(8)) return std::numeric_limits<std::int32_t>::min();
    return d.in(t.type == tn::type::uint8 ? 0 : -2, 2);
  });
}
/// What cast documents: truncation, the most negative int32 out of range, the low byte.
double cast_of(double x, tn::type from, tn::type to) {
  if (to == tn::type::float32) return static_cast<double>(static_cast<float>(x));
  const bool fits = x > -2147483649.0 && x < 2147483648.0;
  const auto n = fits ? static_cast<std::int32_t>(x) : std::numeric_limits<std::int32_t>::min();
  (void)from;
  return to == tn::type::int32 ? static_cast<double>(n)
                               : static_cast<double>(static_cast<std::uint8_t>(n));
}

}  // namespace

TEST_CASE("comparisons of all types give 1 or 0, and NaN is not equal to itself") {
  for (int round = 0; round < times(3); ++round) {
    dice d = dice_of(721, round);
    const tn::shape s = tn::extents(2, 37), r = tn::extents(37);
    const array x = few_values(reals(s), d), y = few_values(reals(r), d);
    check_comparisons(run_static_both<tn::graph<comparisons, real, real_row>>({x, y}), x, y);
    const array i = few_values(ints(s), d), j = few_values(ints(r), d);
    check_comparisons(run_static_both<tn::graph<comparisons, whole, whole_row>>({i, j}), i, j);
    const array u = few_values(bytes(s), d), v = few_values(bytes(r), d);
    check_comparisons(run_static_both<tn::graph<comparisons, small, small_row>>({u, v}), u, v);
  }
}

TEST_CASE("comparisons with numbers keep the digits of whole numbers") {
  constexpr auto near = [](auto x) {
    return tn::outputs(x == 16777217, x != 16777217, x > 16777217, x >= 16777217, x < 16777217,
                       x <= 16777217);
  };
  const array x = made(ints(tn::extents(2, 37)),
                       [](tn::i64 i) { return static_cast<double>(16777217 - 37 + i); });
  check_comparisons(run_static_both<tn::graph<near, whole>>({x}), x,
                    given(ints(tn::extents(37)), std::vector<double>(37, 16777217.0)));
  constexpr auto half = [](auto v) {
    return tn::outputs(v == 0.5f, v != 0.5f, v > 0.5f, v >= 0.5f, v < 0.5f, v <= 0.5f);
  };
  const array f = made(floats(2, 37), [](tn::i64 i) { return static_cast<double>(i % 5) / 4; });
  check_comparisons(run_static_both<tn::graph<half, real>>({f}), f,
                    given(floats(37), std::vector<double>(37, 0.5)));
  constexpr auto beyond = [](auto v) {
    return tn::outputs(v == 2, v != 2, v > 2, v >= 2, v < 2, v <= 2);
  };
  dice d = dice_of(722, 0);
  const array u = few_values(bytes(tn::extents(2, 37)), d);
  check_comparisons(run_static_both<tn::graph<beyond, small>>({u}), u,
                    given(bytes(tn::extents(37)), std::vector<double>(37, 2.0)));
}

TEST_CASE("logic takes anything but 0 for true") {
  dice d = dice_of(723, 0);
  array x = random_array(bytes(tn::extents(2, 37)), d), y = random_array(bytes(tn::extents(37)), d);
  for (tn::i64 i = 0; i < 74; ++i)
    if (d.one_in(2)) x[i] = 0;
  for (tn::i64 i = 0; i < 37; ++i)
    if (d.one_in(2)) y[i] = 0;
  const std::vector<array> found = run_static_both<tn::graph<logic, small, small_row>>({x, y});
  for (tn::i64 i = 0; i < 74; ++i) {
    const bool a = x[i] != 0, b = y[i % 37] != 0;
    const bool wanted[] = {a && b, a || b, a && b, a || b, a != b, !a};
    for (std::size_t k = 0; k < 6; ++k) REQUIRE(found[k][i] == static_cast<double>(wanted[k]));
  }
}

TEST_CASE("isNaN and isInfinite know their values") {
  const array x =
      given(floats(2, 3), {not_a_number, infinite, -infinite, 0.0, 0x1.fffffep127, -0x1p-149});
  CHECK(operate<tn::isNaN_t>({}, {x}).at == std::vector<double>{1, 0, 0, 0, 0, 0});
  CHECK(operate<tn::isInfinite_t>({}, {x}).at == std::vector<double>{0, 1, 1, 0, 0, 0});
}

TEST_CASE("where selects elements of every type, whatever the other one is") {
  dice d = dice_of(724, 0);
  for (const tn::type t : {f32, i32, u8})
    for (int round = 0; round < times(4); ++round) {
      const array c = made(bytes(tn::extents(3, 1, 5)),
                           [&](tn::i64) { return d.one_in(2) ? 0.0 : d.in(1, 255); });
      array a = random_array({t, tn::extents(7, 5)}, d),
            b = random_array({t, tn::extents(1, 1)}, d);
      if (t == f32) a[3] = not_a_number, a[4] = -0.0, b[0] = round % 2 ? infinite : not_a_number;
      const array y = operate<tn::where_t>({}, {c, a, b});
      REQUIRE(y.is == tn::tensor{t, tn::extents(3, 7, 5)});
      const array wanted =
          made(y.is, [&](tn::i64 i) { return c[i / 35 * 5 + i % 5] != 0 ? a[i % 35] : b[0]; });
      CHECK(difference(wanted, y) == "");
    }
}

TEST_CASE("casts between the types truncate, round and keep the low byte") {
  dice d = dice_of(725, 0);
  const double edges[] = {0.0,          -0.0,          0.99,          -0.99,     255.0,
                          256.0,        300.7,         -1.0,          -1.5,      2147483520.0,
                          2147483648.0, -2147483648.0, -2147483904.0, 1e20,      -1e20,
                          infinite,     -infinite,     not_a_number,  16777217.0};
  for (const tn::type from : {f32, i32, u8})
    for (const tn::type to : {f32, i32, u8}) {
      array x = random_array({from, tn::extents(3, 29)}, d);
      if (from == f32)
        for (tn::i64 i = 0; i < x.count(); ++i)
          x[i] = static_cast<double>(static_cast<float>(i < 19 ? edges[i] : 300 * x[i]));
      const array y = operate<tn::cast_t>({to}, {x});
      INFO(tn::name_of(from) << " to " << tn::name_of(to));
      REQUIRE(y.is == tn::tensor{to, x.is.shape});
      for (tn::i64 i = 0; i < x.count(); ++i) {
        INFO(x[i]);
        const double wanted = cast_of(x[i], from, to);
        REQUIRE((y[i] == wanted || (y[i] != y[i] && wanted != wanted)));
      }
    }
}

TEST_CASE("merged casts and masks mean what they mean alone") {
  dice d = dice_of(726, 0);
  const array x = made(floats(2, 37), [&](tn::i64) {
    return static_cast<double>(static_cast<float>(d.in(-2000, 2000)) / 4);
  });
  const array y = run_static_both<trip_net>({x})[0];
  for (tn::i64 i = 0; i < 74; ++i) REQUIRE(y[i] == cast_of(x[i] * 1.5, f32, u8) + 0.25);

  array a = few_values(reals(tn::extents(2, 37)), d), b = few_values(reals(tn::extents(2, 37)), d);
  for (tn::i64 i = 0; i < 74; i += 3) a[i] = 3;
  const array z = run_static_both<merged_net>({a, b})[0];
  for (tn::i64 i = 0; i < 74; ++i) {
    const double u = a[i], v = b[i];
    const double wanted = u > v && !(u == 3) && (v != v || v <= 1) ? std::exp(u) : 2 * v;
    INFO(u << " and " << v);
    REQUIRE((z[i] == wanted || (z[i] != z[i] && wanted != wanted) ||
             std::abs(z[i] - wanted) <= 2e-7 * std::abs(wanted)));
  }
}

TEST_CASE("a mask that several read is a uint8 of its own") {
  dice d = dice_of(727, 0);
  constexpr auto shared = [](auto x, auto y) {
    const auto mask = x > y;
    return tn::outputs(tn::where(mask, x, y), tn::cast<float>(mask) + x, mask,
                       tn::cast<std::int32_t>(!mask));
  };
  using net = tn::graph<shared, real, real_row>;
  const array x = few_values(reals(tn::extents(2, 37)), d),
              y = few_values(reals(tn::extents(37)), d);
  const std::vector<array> found = run_static_both<net>({x, y});
  for (tn::i64 i = 0; i < 74; ++i) {
    const bool m = x[i] > y[i % 37];
    const double wanted[] = {m ? x[i] : y[i % 37], m + x[i], static_cast<double>(m),
                             static_cast<double>(!m)};
    for (std::size_t k = 0; k < 4; ++k)
      REQUIRE((found[k][i] == wanted[k] || (found[k][i] != found[k][i] && wanted[k] != wanted[k])));
  }
}
