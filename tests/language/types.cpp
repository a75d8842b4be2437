// Element-wise operators in all element types, against the C++ arithmetic of each.
// SPDX-License-Identifier: MIT
#include "../support/typed.hpp"

using namespace tenon_test;
using tn::float16;

namespace {

// Which types operators take, as the WebNN specification has them.
template <class Op, int Arity> constexpr unsigned accepted(const typename Op::options& o = {}) {
  unsigned mask = 0;
  for (int t = 0; t < 8; ++t) {
    tn::tensor in[Arity];
    for (tn::tensor& x : in) x = {static_cast<tn::type>(t), tn::extents(4)};
    if (Op::infer(o, {in, Arity}).ok()) mask |= 1u << t;
  }
  return mask;
}
constexpr unsigned of(auto... t) { return ((1u << static_cast<int>(t)) | ...); }
constexpr auto f32 = tn::type::float32, f16 = tn::type::float16, i32 = tn::type::int32,
               i64 = tn::type::int64, i8 = tn::type::int8;
constexpr unsigned all_types = 255, floats_only = of(f32, f16),
                   with_sign = of(f32, f16, i32, i64, i8), truth_only = of(tn::type::uint8);
template <class... Op> constexpr bool take(unsigned types) {
  return ((accepted<Op, 1>() == types) && ...);
}
template <class... Op> constexpr bool take_two(unsigned types) {
  return ((accepted<Op, 2>() == types) && ...);
}
static_assert(take_two<tn::add_t, tn::sub_t, tn::mul_t, tn::div_t, tn::max_t, tn::min_t, tn::pow_t>(
                  all_types) &&
              take_two<tn::prelu_t>(with_sign));
static_assert(take_two<tn::equal_t, tn::notEqual_t, tn::greater_t, tn::greaterOrEqual_t,
                       tn::lesser_t, tn::lesserOrEqual_t>(all_types));
static_assert(take_two<tn::logicalAnd_t, tn::logicalOr_t, tn::logicalXor_t>(truth_only) &&
              take<tn::logicalNot_t>(truth_only));
static_assert(take<tn::identity_t, tn::clamp_t, tn::cast_t>(all_types) &&
              take<tn::abs_t, tn::neg_t, tn::sign_t, tn::relu_t>(with_sign));
static_assert(take<tn::ceil_t, tn::floor_t, tn::exp_t, tn::log_t, tn::sqrt_t, tn::sin_t, tn::tanh_t,
                   tn::sigmoid_t, tn::reciprocal_t, tn::isNaN_t, tn::isInfinite_t>(floats_only));
static_assert(take<tn::elu_t, tn::leakyRelu_t, tn::hardSigmoid_t, tn::linear_t, tn::gelu_t,
                   tn::hardSwish_t, tn::softplus_t, tn::softsign_t, tn::erf_t>(floats_only));

// ---- what C++ computes
// ---------------------------------------------------------------------------

template <class T> T wrapped(std::uint64_t x) { return static_cast<T>(x); }
template <class T> T integer_power(T base, T exponent) {
  if (exponent < 0)
    return base == 1 ? T{1}
           : std::is_signed_v<T> && base == static_cast<T>(-1)
               ? static_cast<T>(exponent % 2 == 0 ? 1 : -1)
               : T{0};
  std::uint64_t r = 1, square = static_cast<std::uint64_t>(base);
  for (auto n = static_cast<std::uint64_t>(exponent); n > 0; n /= 2, square *= square)
    if (n % 2 == 1) r *= square;
  return wrapped<T>(r);
}
/// add, sub, mul, div, max, min, pow of integers.
template <class T> T integer_result(int which, T a, T b) {
  const auto u = static_cast<std::uint64_t>(a), v = static_cast<std::uint64_t>(b);
  switch (which) {
    case 0: return wrapped<T>(u + v);
    case 1: return wrapped<T>(u - v);
    case 2: return wrapped<T>(u * v);
    case 3:
      if (b == 0) return 0;
      return std::is_signed_v<T> && b == static_cast<T>(-1) ? wrapped<T>(0 - u)
                                                            : static_cast<T>(a / b);
    case 4: return a > b ? a : b;
    case 5: return a < b ? a : b;
    default: return integer_power(a, b);
  }
}
float float_result(int which, float a, float b) {
  const bool nan = a != a || b != b;
  const auto x = static_cast<double>(a), y = static_cast<double>(b);
  switch (which) {  // double rounds sums, products and quotients of floats rightly
    case 0: return static_cast<float>(x + y);
    case 1: return static_cast<float>(x - y);
    case 2: return static_cast<float>(x * y);
    case 3: return static_cast<float>(x / y);
    case 4: return nan ? static_cast<float>(not_a_number) : b > a ? b : a;
    default: return nan ? static_cast<float>(not_a_number) : b < a ? b : a;
  }
}
template <class T> T result_of(int which, T a, T b) {
  if constexpr (is_real_element<T>)
    return static_cast<T>(float_result(which, static_cast<float>(a), static_cast<float>(b)));
  else
    return integer_result(which, a, b);
}

template <class T, class Op> void check_binary(int which, dice& d) {
  const tn::shape s = tn::extents(3, 211);
  const typed<T> x = any_run<T>(s, d), y = any_run<T>(tn::extents(211), d);
  typed<T> wanted{s, {}};
  for (tn::i64 i = 0; i < s.count(); ++i) wanted.at.push_back(result_of(which, x[i], y[i % 211]));
  check_same(wanted, operate_typed<Op, T>({}, d.one_in(2), x, y), Op::name);
}
template <class T, class Op, class Out, class F>
void check_unary(const typename Op::options& o, F f, dice& d) {
  const tn::shape s = tn::extents(431);
  const typed<T> x = any_run<T>(s, d);
  typed<Out> wanted{s, {}};
  for (tn::i64 i = 0; i < s.count(); ++i) wanted.at.push_back(f(x[i]));
  check_same(wanted, operate_typed<Op, Out>(o, false, x), Op::name);
}

/// What `cast` documents.
template <class To, class From> To cast_of(From x) {
  if constexpr (is_real_element<To>) {
    if constexpr (is_real_element<From>)
      return static_cast<To>(static_cast<float>(x));
    else
      return static_cast<To>(static_cast<float>(x));
  } else if constexpr (!is_real_element<From>) {
    return static_cast<To>(x);
  } else {
    const auto v = static_cast<double>(static_cast<float>(x));
    constexpr bool small = sizeof(To) == 1 || std::same_as<To, std::int32_t>;
    const double end = small ? 0x1p31 : 0x1p63;
    if (std::same_as<To, std::uint64_t> && v >= 0x1p63 && v < 0x1p64)
      return static_cast<To>(static_cast<std::uint64_t>(v));
    const bool fits = v > -end - (small ? 1 : 0) && v < end;
    if (small)
      return static_cast<To>(fits ? static_cast<std::int32_t>(v)
                                  : std::numeric_limits<std::int32_t>::min());
    return static_cast<To>(fits || v == -end ? static_cast<std::int64_t>(v)
                                             : std::numeric_limits<std::int64_t>::min());
  }
}

template <class T> T sign_of(T x) {
  if constexpr (is_real_element<T>) {
    const auto v = static_cast<float>(x);
    return v > 0 ? static_cast<T>(1.0f) : v < 0 ? static_cast<T>(-1.0f) : x;
  } else {
    return static_cast<T>((x > 0) - (x < 0));
  }
}
template <class T> T negative(T x) {
  if constexpr (is_real_element<T>)
    return static_cast<T>(-static_cast<float>(x));
  else
    return wrapped<T>(0 - static_cast<std::uint64_t>(x));
}
template <class T> bool below_zero(T x) { return number_of_element(x) < number_of_element(T{}); }

}  // namespace

TEST_CASE("arithmetic in every type is that of C++, wrapped around or rounded") {
  dice d = dice_of(751, 0);
  for (int round = 0; round < times(1); ++round) {
    for_all_types([&]<class T>() {
      check_binary<T, tn::add_t>(0, d);
      check_binary<T, tn::sub_t>(1, d);
      check_binary<T, tn::mul_t>(2, d);
      check_binary<T, tn::div_t>(3, d);
      check_binary<T, tn::max_t>(4, d);
      check_binary<T, tn::min_t>(5, d);
    });
    for_integers([&]<class T>() { check_binary<T, tn::pow_t>(6, d); });
  }
}

TEST_CASE("signed types have abs, neg, sign, relu and prelu") {
  dice d = dice_of(752, 0);
  for_types<float, float16, std::int8_t, std::int32_t, std::int64_t>([&]<class T>() {
    check_unary<T, tn::abs_t, T>(
        {},
        [](T x) { return below_zero(x) || std::signbit(static_cast<double>(x)) ? negative(x) : x; },
        d);
    check_unary<T, tn::neg_t, T>(
        {}, [](T x) { return negative(x); }, d);
    check_unary<T, tn::sign_t, T>(
        {}, [](T x) { return sign_of(x); }, d);
    check_unary<T, tn::relu_t, T>(
        {}, [](T x) { return below_zero(x) ? T{} : x; }, d);
    const typed<T> x = any_run<T>(tn::extents(2, 65), d), slope = any_run<T>(tn::extents(65), d);
    typed<T> wanted{x.shape, {}};
    for (tn::i64 i = 0; i < 130; ++i)
      wanted.at.push_back(below_zero(x[i]) ? result_of(2, x[i], slope[i % 65]) : x[i]);
    check_same(wanted, operate_typed<tn::prelu_t, T>({}, true, x, slope), "prelu");
  });
}

TEST_CASE("identity keeps every bit of every type") {
  dice d = dice_of(753, 0);
  for_all_types([&]<class T>() {
    check_unary<T, tn::identity_t, T>(
        {}, [](T x) { return x; }, d);
  });
}

TEST_CASE("comparisons and where compute in every type") {
  dice d = dice_of(754, 0);
  for_all_types([&]<class T>() {
    const tn::shape s = tn::extents(3, 67);
    const typed<T> x = any_run<T>(s, d), y = any_run<T>(tn::extents(67), d);
    const auto check = [&]<class Op>(Op, auto f) {
      typed<std::uint8_t> wanted{s, {}};
      for (tn::i64 i = 0; i < s.count(); ++i)
        wanted.at.push_back(f(number_of_element(x[i]), number_of_element(y[i % 67])));
      check_same(wanted, operate_typed<Op, std::uint8_t>({}, d.one_in(2), x, y), Op::name);
    };
    check(tn::equal_t{}, [](auto a, auto b) { return a == b; });
    check(tn::notEqual_t{}, [](auto a, auto b) { return a != b; });
    check(tn::greater_t{}, [](auto a, auto b) { return a > b; });
    check(tn::greaterOrEqual_t{}, [](auto a, auto b) { return a >= b; });
    check(tn::lesser_t{}, [](auto a, auto b) { return a < b; });
    check(tn::lesserOrEqual_t{}, [](auto a, auto b) { return a <= b; });
    const typed<std::uint8_t> c = any_run<std::uint8_t>(s, d);
    typed<T> chosen{s, {}};
    for (tn::i64 i = 0; i < s.count(); ++i) chosen.at.push_back(c[i] != 0 ? x[i] : y[i % 67]);
    check_same(chosen, operate_typed<tn::where_t, T>({}, false, c, x, y), "where");
  });
}

TEST_CASE("cast leads from every type to every type") {
  dice d = dice_of(755, 0);
  for_all_types([&]<class From>() {
    for_all_types([&]<class To>() {
      INFO("from " << tn::name_of(tn::type_of<From>));
      check_unary<From, tn::cast_t, To>(
          {tn::type_of<To>}, [](From x) { return cast_of<To>(x); }, d);
    });
  });
}

TEST_CASE("clamp limits every type by the nearest numbers that it has") {
  dice d = dice_of(756, 0);
  for_integers([&]<class T>() {
    using limits = std::numeric_limits<T>;
    const auto check = [&](const tn::clamp_options& o, T low, T high) {
      check_unary<T, tn::clamp_t, T>(
          o, [&](T x) { return x < low    ? low
                               : x > high ? high
                                          : x; }, d);
    };
    check({}, limits::min(), limits::max());
    check({.minValue = limits::max()}, limits::max(), limits::max());
    check({.maxValue = limits::min()}, limits::min(), limits::min());
    check({.minValue = 3.9, .maxValue = 100}, 3, 100);
    check({.minValue = -1e30, .maxValue = 1e30f}, limits::min(), limits::max());
    check({.minValue = not_a_number, .maxValue = limits::max() - 1}, limits::min(),
          static_cast<T>(limits::max() - 1));
  });
  check_unary<float16, tn::clamp_t, float16>(
      {.minValue = -0.1f, .maxValue = 1.5},
      [](float16 x) {
        const auto v = static_cast<float>(x);
        return v < -0.1f ? float16(-0.1f) : v > 1.5f ? float16(1.5f) : x;
      },
      d);
}

TEST_CASE("functions of float16 are those of float32, rounded") {
  dice d = dice_of(757, 0);
  const auto check = [&]<class Op>(Op, const typename Op::options& o) {
    const typed<float16> x = any_run<float16>(tn::extents(777), d);
    typed<float> wide{x.shape, {}};
    for (const float16 e : x.at) wide.at.push_back(static_cast<float>(e));
    const typed<float> computed = operate_typed<Op, float>(o, false, wide);
    typed<float16> wanted{x.shape, {}};
    for (const float e : computed.at) wanted.at.push_back(float16(e));
    check_same(wanted, operate_typed<Op, float16>(o, false, x), Op::name);
  };
  check(tn::exp_t{}, {});
  check(tn::log_t{}, {});
  check(tn::tanh_t{}, {});
  check(tn::sigmoid_t{}, {});
  check(tn::sqrt_t{}, {});
  check(tn::ceil_t{}, {});
  check(tn::roundEven_t{}, {});
  check(tn::gelu_t{}, {});
  check(tn::softplus_t{}, {});
  check(tn::hardSwish_t{}, {});
  check(tn::elu_t{}, {.alpha = 0.7f});
  check(tn::linear_t{}, {.alpha = 1.3f, .beta = -0.2f});
}

// ---- static graphs
// -------------------------------------------------------------------------------

namespace {

constexpr auto chain = [](auto x, auto y) {
  return tn::max(x * y + 3, y) / 2 - tn::where(x > y, x, y);
};
template <class T> T chain_of(T x, T y) {
  const T product = result_of(2, x, y), sum = result_of(0, product, static_cast<T>(3));
  const T half = result_of(3, result_of(4, sum, y), static_cast<T>(2));
  return result_of(1, half, number_of_element(x) > number_of_element(y) ? x : y);
}
template <class T, class Graph>
void check_static(const typed<T>& x, const typed<T>& y, const typed<T>& wanted) {
  const std::vector<std::vector<std::byte>> inputs{bytes_of(x), bytes_of(y)};
  const tn::model<Graph, tn::reference> defining(byte_weights{});
  check_same(wanted, call_typed<T>(defining, inputs), "static, reference");
  const tn::model<Graph, tn::cpu> fast(byte_weights{});
  check_same(wanted, call_typed<T>(fast, inputs), "static, cpu");
  check_same(wanted, run_typed<T>(Graph::view(), inputs), "built at run time");
}

}  // namespace

// In constant expressions too, with the bits of run time.
constexpr auto sums = [](auto x, auto y) {
  return tn::reduceSum<tn::reduce_options{.axes = {1}}>(x * y - 5);
};
template <class T> consteval T sum_in_constant(T x, T y) {
  const T a[] = {x, x}, b[] = {y, y};
  T r[1]{};
  using net = tn::graph<sums, tn::input<"x", T, 1, 2>, tn::input<"y", T, 1, 2>>;
  return tn::evaluate<net>({tn::given("x", a), tn::given("y", b)}, r) == tn::code::ok ? r[0] : T{};
}
static_assert(sum_in_constant<std::int64_t>(3'000'000'000, -4) == -24'000'000'010);
static_assert(sum_in_constant<std::uint64_t>(0xffffffffffffffff, 2) == 0xfffffffffffffff2);
static_assert(sum_in_constant<std::uint32_t>(0x80000000, 3) == 0xfffffff6);
static_assert(sum_in_constant<float16>(float16(0.1f), float16(3)) == float16(-9.4f));

TEST_CASE("numbers beside handles keep all digits, and are float16 beside float16") {
  constexpr auto numbers = [](auto x) {
    return (x + 9007199254740993) * -9223372036854775807 - 0x123456789abcdef;
  };
  dice d = dice_of(765, 0);
  const typed<std::int64_t> x = any_run<std::int64_t>(tn::extents(40), d);
  typed<std::int64_t> wanted{x.shape, {}};
  for (const std::int64_t e : x.at)
    wanted.at.push_back(static_cast<std::int64_t>(
        (static_cast<std::uint64_t>(e) + 9007199254740993u) * 0x8000000000000001u -
        0x123456789abcdefu));
  check_same(wanted,
             run_typed<std::int64_t>(tn::graph<numbers, tn::input<"x", std::int64_t, 40>>::view(),
                                     {bytes_of(x)}),
             "int64");
  constexpr auto tenth = [](auto v) { return v * 0.1f; };
  const typed<float16> h = any_run<float16>(tn::extents(500), d);
  typed<float16> rounded{h.shape, {}};
  for (const float16 e : h.at)
    rounded.at.push_back(float16(static_cast<float>(e) * static_cast<float>(float16(0.1f))));
  check_same(
      rounded,
      run_typed<float16>(tn::graph<tenth, tn::input<"x", float16, 500>>::view(), {bytes_of(h)}),
      "float16");
}

TEST_CASE("a chain of operators is one node in every type and rounds each step of float16") {
  dice d = dice_of(758, 0);
  for_types<float16, std::int8_t, std::uint8_t, std::int32_t, std::uint32_t, std::int64_t,
            std::uint64_t>([&]<class T>() {
    using net = tn::graph<chain, tn::input<"x", T, 5, 53>, tn::input<"y", T, 5, 53>>;
    static_assert(tn::plan<net, tn::cpu>::groups == 1);
    const typed<T> x = any_run<T>(tn::extents(5, 53), d), y = any_run<T>(tn::extents(5, 53), d);
    typed<T> wanted{x.shape, {}};
    for (tn::i64 i = 0; i < x.shape.count(); ++i) wanted.at.push_back(chain_of(x[i], y[i]));
    check_static<T, net>(x, y, wanted);
  });
}

TEST_CASE("lambdas over symbols compute in the types of their operands") {
  dice d = dice_of(759, 0);
  constexpr auto mixture = [](auto a, auto b) {
    return tn::map([](auto x, auto y) {
      return tn::cast<std::uint64_t>(x) * 0xfedcba9876543210u + (y >> 3);
    })(a, b);
  };
  using net =
      tn::graph<mixture, tn::input<"a", std::uint32_t, 99>, tn::input<"b", std::uint64_t, 99>>;
  static_assert(tn::graph<mixture, tn::input<"a", std::uint32_t, 99>,
                          tn::input<"b", std::uint64_t, 99>>::view()
                    .nodes[2]
                    .out.type == tn::type::uint64);
  const typed<std::uint32_t> a = any_run<std::uint32_t>(tn::extents(99), d);
  const typed<std::uint64_t> b = any_run<std::uint64_t>(tn::extents(99), d);
  typed<std::uint64_t> wanted{tn::extents(99), {}};
  for (tn::i64 i = 0; i < 99; ++i) wanted.at.push_back(a[i] * 0xfedcba9876543210u + (b[i] >> 3));
  const tn::model<net, tn::cpu> fast(byte_weights{});
  check_same(wanted, call_typed<std::uint64_t>(fast, {bytes_of(a), bytes_of(b)}), "static");
  check_same(wanted, run_typed<std::uint64_t>(net::view(), {bytes_of(a), bytes_of(b)}), "dynamic");

  constexpr auto halves = [](auto x) {
    return tn::map([](auto v) { return tn::cast<float16>(v * v); })(x);
  };
  using half_net = tn::graph<halves, tn::input<"x", float, 300>>;
  const typed<float> x = any_run<float>(tn::extents(300), d);
  typed<float16> rounded{x.shape, {}};
  for (const float v : x.at)
    rounded.at.push_back(
        float16(static_cast<float>(static_cast<double>(v) * static_cast<double>(v))));
  check_same(rounded, run_typed<float16>(half_net::view(), {bytes_of(x)}), "float16");
}

TEST_CASE("a lambda that leaves an operand out does not read a contraction instead") {
  dice d = dice_of(760, 0);
  constexpr auto leaves_out = [](auto a, auto b, auto c) {
    return tn::map([](auto, auto y) { return y; })(tn::matmul(a, b), c);
  };
  using net = tn::graph<leaves_out, tn::input<"a", float, 4, 5>, tn::input<"b", float, 5, 6>,
                        tn::input<"c", float, 4, 6>>;
  const typed<float> a = any_run<float>(tn::extents(4, 5), d),
                     b = any_run<float>(tn::extents(5, 6), d),
                     c = any_run<float>(tn::extents(4, 6), d);
  check_same(c, run_typed<float>(net::view(), {bytes_of(a), bytes_of(b), bytes_of(c)}), "map");
}
