// Element-wise arithmetic of two operands, against int64 and double.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

template <class Op> constexpr bool refuses(tn::type a, tn::type b) {
  const tn::tensor in[] = {{a, tn::extents(4)}, {b, tn::extents(4)}};
  return Op::infer({}, {in, 2}).error().is(code::element_type, Op::name);
}
static_assert(refuses<tn::add_t>(tn::type::float32, tn::type::int32) &&
              refuses<tn::max_t>(tn::type::int32, tn::type::float32));
static_assert(refuses<tn::prelu_t>(tn::type::uint8, tn::type::uint8) &&
              refuses<tn::sub_t>(tn::type::int64, tn::type::uint64));

// C++ operators are the operators.
using two = tn::input<"x", float, 2, 3>;
using three = tn::input<"y", float, 3>;
template <auto A, auto B> constexpr bool equal_models = same(tn::graph<A, two, three>::view(),
                                                             tn::graph<B, two, three>::view());
constexpr auto symbols = [](auto x, auto y) { return tn::outputs(x + y, x - y, x * y, x / y, -x); };
constexpr auto functions = [](auto x, auto y) {
  return tn::outputs(tn::add(x, y), tn::sub(x, y), tn::mul(x, y), tn::div(x, y), tn::neg(x));
};
static_assert(equal_models<symbols, functions>);
static_assert(tn::graph<symbols, two, three>::view().nodes[2].out == floats(2, 3));

constexpr auto everything = [](auto x, auto y) {
  return tn::outputs(x + y, x - y, x * y, x / y, tn::max(x, y), tn::min(x, y), tn::pow(x, y),
                     tn::prelu(x, y));
};
constexpr auto whole = [](auto x, auto y) {
  return tn::outputs(x + y, x - y, x * y, tn::max(x, y), tn::min(x, y), tn::prelu(x, y));
};

float as_float(double x) { return static_cast<float>(x); }
/// What float arithmetic gives: double rounds a sum, product or quotient of two floats rightly.
double real_result(std::size_t which, double a, double b) {
  const bool nan = a != a || b != b;
  switch (which) {
    case 0: return static_cast<double>(as_float(a + b));
    case 1: return static_cast<double>(as_float(a - b));
    case 2: return static_cast<double>(as_float(a * b));
    case 3: return static_cast<double>(as_float(a / b));
    case 4: return nan ? not_a_number : a > b ? a : b;
    case 5: return nan ? not_a_number : a < b ? a : b;
    case 6: return static_cast<double>(as_float(std::pow(a, b)));
    default: return a < 0 ? static_cast<double>(as_float(a * b)) : a;
  }
}
double whole_result(std::size_t which, double x, double y) {
  const auto a = static_cast<std::uint32_t>(static_cast<std::int32_t>(x)),
             b = static_cast<std::uint32_t>(static_cast<std::int32_t>(y));
  const auto wrapped = [](std::uint32_t n) {
    return static_cast<double>(static_cast<std::int32_t>(n));
  };
  switch (which) {
    case 0: return wrapped(a + b);
    case 1: return wrapped(a - b);
    case 2: return wrapped(a * b);
    case 3: return std::max(x, y);
    case 4: return std::min(x, y);
    default: return x < 0 ? wrapped(a * b) : x;
  }
}
template <class F> void check_against(const std::vector<array>& found, const array& x,
                                      const array& y, F&& result, bool pow = false) {
  for (std::size_t k = 0; k < found.size(); ++k)
    each_position(found[k].is.shape, [&](const tn::i64* at, tn::i64 i) {
      const double a = x[broadcast_number(x.is.shape, found[k].is.shape, at)],
                   b = y[broadcast_number(y.is.shape, found[k].is.shape, at)];
      const double wanted = result(k, a, b), is = found[k][i];
      INFO("operation " << k << " of " << a << " and " << b << ": wanted " << wanted << ", found "
                        << is);
      const double room =
          pow && k == 6 && std::isfinite(wanted) ? std::abs(wanted) * 0x1p-22 + 0x1p-149 : 0;
      REQUIRE((wanted == is || (wanted != wanted && is != is) || std::abs(wanted - is) <= room));
    });
}
/// Shapes that broadcast: extents are equal or 1, and leading axes may be missing.
std::pair<tn::shape, tn::shape> broadcasting_shapes(dice& d) {
  const tn::shape all = random_shape(d, d.in(0, 4), 7);
  const auto part = [&] {
    const int rank = d.in(0, all.rank);
    tn::shape s{rank, {}};
    for (int i = 0; i < rank; ++i) s.extent[i] = d.one_in(3) ? 1 : all[all.rank - rank + i];
    return s;
  };
  if (d.one_in(2)) return {all, part()};
  return {part(), all};
}

using reals_net =
    tn::graph<everything, tn::input<"x", float, 3, 1, 37>, tn::input<"y", float, 5, 37>>;
using ints_net =
    tn::graph<whole, tn::input<"x", std::int32_t, 3, 1, 37>, tn::input<"y", std::int32_t, 5, 37>>;

}  // namespace

TEST_CASE("arithmetic of float32 is rounded once, for all values") {
  dice d = dice_of(711, 0);
  array x = random_array(floats(3, 1, 37), d), y = random_array(floats(5, 37), d);
  const double specials[] = {0.0,      -0.0, infinite, -infinite, not_a_number,
                             0x1p-149, 1.0,  -1.0,     2.0,       0x1.fffffep127};
  for (int i = 0; i < 37; ++i) {  // pairs of specials meet
    x[i] = specials[i % 10];
    y[i] = specials[(i + i / 10) % 10];
    y[37 + i] = specials[(i + i / 10 + 5) % 10];
  }
  check_against(run_static_both<reals_net>({x, y}), x, y, real_result, true);
}

TEST_CASE("arithmetic of int32 wraps around") {
  dice d = dice_of(712, 0);
  array x = random_array(ints(tn::extents(3, 1, 37)), d),
        y = random_array(ints(tn::extents(5, 37)), d);
  const double least = std::numeric_limits<std::int32_t>::min(),
               most = std::numeric_limits<std::int32_t>::max();
  const double specials[] = {0, 1, -1, least, most};
  for (int i = 0; i < 25; ++i) x[i] = specials[i % 5], y[i] = specials[i / 5];
  check_against(run_static_both<ints_net>({x, y}), x, y, whole_result);
}

TEST_CASE("operands of any shapes that broadcast meet") {
  for (int round = 0; round < times(40); ++round) {
    dice d = dice_of(713, round);
    const auto [s, t] = broadcasting_shapes(d);
    const bool real = d.one_in(2);
    const array x = random_array(real ? reals(s) : ints(s), d),
                y = random_array(real ? reals(t) : ints(t), d);
    INFO(text_of(s) << " and " << text_of(t));
    if (real) {
      check_against({operate<tn::add_t>({}, {x, y}), operate<tn::sub_t>({}, {x, y}),
                     operate<tn::mul_t>({}, {x, y}), operate<tn::div_t>({}, {x, y})},
                    x, y, real_result);
    } else {
      check_against({operate<tn::add_t>({}, {x, y}), operate<tn::sub_t>({}, {x, y}),
                     operate<tn::mul_t>({}, {x, y})},
                    x, y, whole_result);
    }
  }
}

TEST_CASE("numbers on either side of an operator are literals of its type") {
  dice d = dice_of(714, 0);
  constexpr auto with_numbers = [](auto x) {
    return tn::outputs(x + 2.5f, 2.5f + x, x - 3, 3 - x, x * 0.5, 0.5 * x, x / 4.0f, 4.0f / x,
                       tn::max(x, 0.25f), tn::min(x, 0.25f), tn::pow(x, 2.0f));
  };
  const array x = random_array(floats(129), d);
  const std::vector<array> y =
      run_static_both<tn::graph<with_numbers, tn::input<"x", float, 129>>>({x});
  for (tn::i64 i = 0; i < 129; ++i) {
    const double v = x[i];
    const double wanted[] = {v + 2.5,           2.5 + v,          v - 3, 3 - v,
                             v * 0.5,           0.5 * v,          v / 4, 4 / v,
                             std::max(v, 0.25), std::min(v, 0.25)};
    for (std::size_t k = 0; k < std::size(wanted); ++k)
      REQUIRE(y[k][i] == static_cast<double>(as_float(wanted[k])));
    REQUIRE(std::abs(y[10][i] - v * v) <= v * v * 0x1p-22);
  }
}

TEST_CASE("whole numbers keep all their digits beside int32") {
  dice d = dice_of(715, 0);
  constexpr auto with_numbers = [](auto x) {
    return tn::outputs(x + 16777217, 2147483647 - x, x * -2147483647, tn::max(x, 123456789),
                       tn::min(x, -123456789));
  };
  array x = random_array(ints(tn::extents(64)), d);
  x[0] = 16777216, x[1] = 123456788, x[2] = -123456788, x[3] = 123456790;
  const std::vector<array> y =
      run_static_both<tn::graph<with_numbers, tn::input<"x", std::int32_t, 64>>>({x});
  for (tn::i64 i = 0; i < 64; ++i) {
    INFO(x[i]);
    REQUIRE(y[0][i] == whole_result(0, x[i], 16777217));
    REQUIRE(y[1][i] == whole_result(1, 2147483647, x[i]));
    REQUIRE(y[2][i] == whole_result(2, x[i], -2147483647));
    REQUIRE(y[3][i] == std::max(x[i], 123456789.0));
    REQUIRE(y[4][i] == std::min(x[i], -123456789.0));
  }
}
