// Element-wise operators of one operand, against the C library in double precision.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

// WebNN's defaults.
static_assert(tn::elu_options{}.alpha == 1.0f && tn::leakyRelu_options{}.alpha == 0.01f);
static_assert(tn::hardSigmoid_options{}.alpha == 0.2f && tn::hardSigmoid_options{}.beta == 0.5f);
static_assert(tn::linear_options{}.alpha == 1.0f && tn::linear_options{}.beta == 0.0f);

// Operators that stand alone become one node with the operand's tensor.
template <class T> using x6 = tn::input<"x", T, 2, 3>;
template <auto Model, class T>
constexpr tn::tensor result = tn::graph<Model, x6<T>>::view().nodes[1].out;
constexpr auto negative = [](auto x) { return -x; };
constexpr auto absolute = [](auto x) { return tn::abs(x); };
constexpr auto same_again = [](auto x) { return tn::identity(x); };
constexpr auto positive = [](auto x) { return tn::relu(x); };
static_assert(result<negative, float> == floats(2, 3) &&
              result<negative, std::int32_t> == ints(tn::extents(2, 3)));
static_assert(result<absolute, std::int32_t> == ints(tn::extents(2, 3)) &&
              result<positive, std::int32_t> == ints(tn::extents(2, 3)));
static_assert(result<same_again, std::uint8_t> == bytes(tn::extents(2, 3)));

// Element types that an operator does not take.
template <class Op> constexpr bool refuses(tn::type t) {
  const tn::tensor in[] = {{t, tn::extents(4)}};
  return Op::infer({}, {in, 1}).error().is(code::element_type, Op::name);
}
static_assert(refuses<tn::exp_t>(tn::type::int32) && refuses<tn::sqrt_t>(tn::type::uint8) &&
              refuses<tn::tan_t>(tn::type::int64));
static_assert(refuses<tn::abs_t>(tn::type::uint8) && refuses<tn::neg_t>(tn::type::uint8) &&
              refuses<tn::relu_t>(tn::type::uint64));
static_assert(refuses<tn::floor_t>(tn::type::int64) && refuses<tn::sign_t>(tn::type::uint32) &&
              refuses<tn::elu_t>(tn::type::int8));

constexpr auto everything = [](auto x) {
  return tn::outputs(
      tn::identity(x), tn::abs(x), tn::neg(x), tn::ceil(x), tn::floor(x), tn::roundEven(x),
      tn::sign(x), tn::sqrt(x), tn::reciprocal(x), tn::exp(x), tn::log(x), tn::sin(x), tn::cos(x),
      tn::tan(x), tn::erf(x), tn::tanh(x), tn::sigmoid(x), tn::relu(x), tn::softplus(x),
      tn::softsign(x), tn::hardSwish(x), tn::gelu(x), tn::elu(x), tn::leakyRelu(x),
      tn::hardSigmoid(x), tn::linear(x), tn::clamp(x), tn::elu<tn::elu_options{2.5f}>(x),
      tn::leakyRelu<tn::leakyRelu_options{-0.25f}>(x),
      tn::hardSigmoid<tn::hardSigmoid_options{.alpha = -0.5f, .beta = 0.25f}>(x),
      tn::linear<tn::linear_options{.alpha = -3.0f, .beta = 0.5f}>(x),
      tn::clamp<tn::clamp_options{.minValue = -0.5f, .maxValue = 1.5f}>(x),
      tn::clamp<tn::clamp_options{.maxValue = -0.0f}>(x), -x);
};

/// `relative` counts rounding errors (2^-24) of the result, `absolute` of 1.
struct definition {
  const char* name;
  double (*of)(double);
  double relative = 0, absolute = 0;
  double most = infinite;  ///< beyond it the error has no bound
};
double greater_of(double a, double b) { return a != a || b != b ? not_a_number : a > b ? a : b; }
double lesser_of(double a, double b) { return a != a || b != b ? not_a_number : a < b ? a : b; }
constexpr double alpha = static_cast<double>(0.01f), fifth = static_cast<double>(0.2f);
const definition definitions[] = {
    {"identity", [](double x) { return x; }},
    {"abs", [](double x) { return std::abs(x); }},
    {"neg", [](double x) { return -x; }},
    {"ceil", [](double x) { return std::ceil(x); }},
    {"floor", [](double x) { return std::floor(x); }},
    {"roundEven", [](double x) { return std::nearbyint(x); }},
    {"sign", [](double x) { return x > 0   ? 1.0
                                   : x < 0 ? -1.0
                                           : x; }},
    {"sqrt", [](double x) { return std::sqrt(x); }, 1},
    {"reciprocal", [](double x) { return 1 / x; }, 1},
    {"exp", [](double x) { return std::exp(x); }, 2},
    {"log", [](double x) { return std::log(x); }, 2},
    {"sin", [](double x) { return std::sin(x); }, 4, 0, 0x1p20},
    {"cos", [](double x) { return std::cos(x); }, 4, 0, 0x1p20},
    {"tan", [](double x) { return std::tan(x); }, 6, 0, 0x1p20},
    {"erf", [](double x) { return std::erf(x); }, 3},
    {"tanh", [](double x) { return std::tanh(x); }, 3},
    {"sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }, 5},
    {"relu", [](double x) { return greater_of(x, 0); }},
    {"softplus",
     [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }, 4, 2},
    {"softsign", [](double x) { return x / (1 + std::abs(x)); }, 3},
    {"hardSwish", [](double x) { return x * greater_of(0, lesser_of(6, x + 3)) / 6; }, 4, 2},
    {"gelu", [](double x) { return x * 0.5 * (1 + std::erf(x * std::sqrt(0.5))); }, 4, 16},
    {"elu", [](double x) { return x < 0 ? std::exp(x) - 1 : x; }, 2, 3},
    {"leakyRelu", [](double x) { return x < 0 ? alpha * x : x; }, 1},
    {"hardSigmoid", [](double x) { return greater_of(0, lesser_of(1, fifth * x + 0.5)); }, 2, 1},
    {"linear", [](double x) { return x; }},
    {"clamp", [](double x) { return x; }},
    {"elu 2.5", [](double x) { return x < 0 ? 2.5 * (std::exp(x) - 1) : x; }, 3, 8},
    {"leakyRelu -0.25", [](double x) { return x < 0 ? -0.25 * x : x; }, 1},
    {"hardSigmoid -0.5, 0.25",
     [](double x) { return greater_of(0, lesser_of(1, -0.5 * x + 0.25)); }, 2, 1},
    {"linear -3, 0.5", [](double x) { return -3 * x + 0.5; }, 2, 2},
    {"clamp -0.5 to 1.5",
     [](double x) {
       return x != x ? x : x < -0.5 ? -0.5 : x > 1.5 ? 1.5 : x;
     }},
    {"clamp to -0", [](double x) { return x != x  ? x
                                          : x > 0 ? -0.0
                                                  : x; }},
    {"operator-", [](double x) { return -x; }},
};

using wide = tn::graph<everything, tn::input<"x", float, 611>>;

void check_definitions(const std::vector<array>& found, const array& x) {
  REQUIRE(found.size() == std::size(definitions));
  for (std::size_t k = 0; k < found.size(); ++k) {
    const definition& d = definitions[k];
    for (tn::i64 i = 0; i < x.count(); ++i) {
      if (std::abs(x[i]) > d.most && !std::isinf(x[i])) continue;
      const double exact = d.of(x[i]), y = found[k][i];
      const double wanted =
          d.relative + d.absolute == 0 ? exact : static_cast<double>(static_cast<float>(exact));
      const double room =
          (d.relative * std::abs(wanted) + d.absolute) * 0x1p-24 + (d.relative > 0 ? 0x1p-149 : 0);
      INFO(d.name << "(" << x[i] << "): wanted " << wanted << ", found " << y);
      if (wanted != wanted || std::isinf(wanted))
        REQUIRE(((wanted == y) || (wanted != wanted && y != y)));
      else
        REQUIRE(std::abs(y - wanted) <= room);
    }
  }
}

}  // namespace

TEST_CASE("operators of one operand are what their formulas say") {
  for (int round = 0; round < times(6); ++round) {
    dice d = dice_of(701, round);
    const double scale = std::exp2(d.in(-20, 6));
    const array x = made(floats(611), [&](tn::i64) {
      return static_cast<double>(static_cast<float>(2 * scale * static_cast<double>(d.real())));
    });
    check_definitions(round == 0 ? run_static_both<wide>({x}) : run_both(wide::view(), {x}), x);
  }
}

TEST_CASE("operators of one operand take zeros, halves, infinities and NaN") {
  std::vector<double> v{0.0,      -0.0,      0.5,        -0.5,         1.5,      2.5,
                        -1.5,     -2.5,      1.0,        -1.0,         3.0,      -3.0,
                        0.25,     infinite,  -infinite,  not_a_number, 0x1p-149, -0x1p-149,
                        0x1p-126, 8388608.5, 16777216.0, -16777217.0};
  for (double& x : v) x = static_cast<double>(static_cast<float>(x));
  v.resize(611, -0.75);
  const array x = given(floats(611), v);
  const std::vector<array> found = run_static_both<wide>({x});
  check_definitions(found, x);
  const auto sign_at = [&](std::size_t operation, tn::i64 i) {
    return std::signbit(found[operation][i]);
  };
  CHECK((sign_at(0, 1) && !sign_at(1, 1) && sign_at(2, 0) &&
         !sign_at(2, 1)));  // identity, abs, neg of the zeros
  CHECK((sign_at(3, 3) && sign_at(3, 1) && sign_at(4, 1) &&
         sign_at(5, 3)));                   // ceil(-0.5), ceil(-0), floor(-0), roundEven(-0.5)
  CHECK((sign_at(6, 1) && sign_at(7, 1)));  // sign(-0), sqrt(-0)
}

TEST_CASE("integers keep their type and wrap around") {
  dice d = dice_of(702, 0);
  constexpr auto whole = [](auto x) {
    return tn::outputs(tn::abs(x), tn::neg(x), tn::relu(x), tn::identity(x), -x);
  };
  using net = tn::graph<whole, tn::input<"x", std::int32_t, 77>>;
  array x = random_array(ints(tn::extents(77)), d);
  x[0] = 0, x[1] = std::numeric_limits<std::int32_t>::min(),
  x[2] = std::numeric_limits<std::int32_t>::max();
  const std::vector<array> y = run_static_both<net>({x});
  for (tn::i64 i = 0; i < 77; ++i) {
    const auto v = static_cast<std::int64_t>(x[i]);
    const auto wrapped = [](std::int64_t n) {
      return static_cast<double>(static_cast<std::int32_t>(static_cast<std::uint32_t>(n)));
    };
    INFO(v);
    CHECK(y[0][i] == wrapped(v < 0 ? -v : v));
    CHECK(y[1][i] == wrapped(-v));
    CHECK(y[2][i] == wrapped(v < 0 ? 0 : v));
    CHECK(y[3][i] == x[i]);
    CHECK(y[4][i] == wrapped(-v));
  }
  const array b = random_array(bytes(tn::extents(300)), d);
  CHECK(difference(b, operate<tn::identity_t>({}, {b})) == "");
}
