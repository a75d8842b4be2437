// Reductions along any axes, averages and positions, against sums in double.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

template <class Op> constexpr tn::error fault(const typename Op::options& o, tn::tensor x) {
  return Op::infer(o, {&x, 1}).error();
}
static_assert(
    fault<tn::reduceSum_t>({}, bytes(tn::extents(4))).is(code::element_type, "reduceSum") &&
    fault<tn::reduceMean_t>({}, ints(tn::extents(4))).is(code::element_type, "reduceMean"));
static_assert(fault<tn::reduceMean_t>({.axes = {2}}, floats(4, 5)).is(code::axis, "reduceMean"));
static_assert(fault<tn::reduceL2_t>({.axes = {1, 1}}, floats(4, 5)).is(code::axis, "reduceL2"));
static_assert(fault<tn::argMax_t>({.axis = 2}, floats(4, 5)).is(code::axis, "argMax"));
static_assert(fault<tn::argMin_t>({.axis = 0, .more = {.outputDataType = tn::type::uint8}},
                                  floats(4))
                  .is(code::element_type, "argMin"));
// WebNN: the positions are int32 unless told; axes not given: all.
static_assert(tn::arg_options{}.outputDataType == tn::type::int32 &&
              !tn::arg_options{}.keepDimensions && !tn::reduce_options{}.axes.given());
constexpr auto positions = [](auto x) {
  return tn::outputs(
      tn::argMax<1>(x),
      tn::argMin<0, tn::arg_options{.keepDimensions = true, .outputDataType = tn::type::int64}>(x),
      tn::reduceSum(x), tn::reduceMax<tn::reduce_options{.axes = {1}, .keepDimensions = true}>(x),
      tn::reduceMin<tn::reduce_options{.axes = tn::axis_list({})}>(x));
};
using positions_net = tn::graph<positions, tn::input<"x", float, 13, 37>>;
constexpr tn::tensor result(int o) {
  return positions_net::view().nodes[positions_net::view().outputs[o]].out;
}
static_assert(result(0) == ints(tn::extents(13)) && result(1) == longs(tn::extents(1, 37)) &&
              result(2) == floats() && result(3) == floats(13, 1) && result(4) == floats(13, 37));

enum class kind { sum, product, max, min, mean, l1, l2, sum_square, log_sum, log_sum_exp };
/// The result in double, and the sum of the magnitudes that were added.
struct exact {
  double value = 0, magnitude = 0;
};
exact naive(kind k, const std::vector<double>& v) {
  double sum = 0, magnitude = 0, product = 1, most = -infinite, least = infinite;
  for (const double x : v) {
    const double term = k == kind::l1                            ? std::abs(x)
                        : k == kind::l2 || k == kind::sum_square ? x * x
                        : k == kind::log_sum_exp                 ? std::exp(x)
                                                                 : x;
    sum += term;
    magnitude += std::abs(term);
    product *= x;
    most = x != x || most != most ? not_a_number : std::max(most, x);
    least = x != x || least != least ? not_a_number : std::min(least, x);
  }
  switch (k) {
    case kind::product: return {product, std::abs(product)};
    case kind::max: return {most, 0};
    case kind::min: return {least, 0};
    case kind::mean:
      return {sum / static_cast<double>(v.size()), magnitude / static_cast<double>(v.size())};
    case kind::l2: return {std::sqrt(sum), std::sqrt(magnitude)};
    case kind::log_sum:
    case kind::log_sum_exp: return {std::log(sum), 1 + std::abs(std::log(sum))};
    default: return {sum, magnitude};
  }
}
template <class F> void each_kind(F&& f) {
  f.template operator()<tn::reduceSum_t>(kind::sum),
      f.template operator()<tn::reduceProduct_t>(kind::product);
  f.template operator()<tn::reduceMax_t>(kind::max),
      f.template operator()<tn::reduceMin_t>(kind::min);
  f.template operator()<tn::reduceMean_t>(kind::mean),
      f.template operator()<tn::reduceL1_t>(kind::l1);
  f.template operator()<tn::reduceL2_t>(kind::l2),
      f.template operator()<tn::reduceSumSquare_t>(kind::sum_square);
  f.template operator()<tn::reduceLogSum_t>(kind::log_sum),
      f.template operator()<tn::reduceLogSumExp_t>(kind::log_sum_exp);
}
/// The elements of `x` that each element of the result combines, in order.
std::vector<std::vector<double>> parts_of(const array& x, std::uint32_t axes, bool keep,
                                          tn::shape& out) {
  out = {};
  for (int i = 0; i < x.is.shape.rank; ++i)
    if ((axes >> i & 1u) == 0)
      out.extent[out.rank++] = x.is.shape[i];
    else if (keep)
      out.extent[out.rank++] = 1;
  std::vector<std::vector<double>> r(static_cast<std::size_t>(out.count()));
  each_position(x.is.shape, [&](const tn::i64* at, tn::i64 n) {
    tn::i64 to[tn::max_rank]{};
    int k = 0;
    for (int i = 0; i < x.is.shape.rank; ++i)
      if ((axes >> i & 1u) == 0)
        to[k++] = at[i];
      else if (keep)
        ++k;
    r[static_cast<std::size_t>(number_of(out, to))].push_back(x[n]);
  });
  return r;
}
tn::i64 first_extreme(const std::vector<double>& v, bool most) {
  for (std::size_t i = 0; i < v.size(); ++i)
    if (v[i] != v[i]) return static_cast<tn::i64>(i);
  const auto at =
      most ? std::max_element(v.begin(), v.end()) : std::min_element(v.begin(), v.end());
  return at - v.begin();  // of equal ones the first
}

}  // namespace

TEST_CASE("every reduction along every set of axes") {
  for (int round = 0; round < times(24); ++round) {
    dice d = dice_of(751, round);
    const tn::shape s = random_shape(d, d.in(0, 4), round % 3 == 0 ? 19 : 7);
    array x = random_array(reals(s), d);
    const bool positive = d.one_in(2);
    if (positive)
      for (double& v : x.at) v = static_cast<double>(static_cast<float>(std::abs(v) + 0.01));
    const std::uint32_t bits = static_cast<std::uint32_t>(d.next()) & ((1u << s.rank) - 1);
    tn::reduce_options o{.keepDimensions = d.one_in(2)};
    std::uint32_t axes = (1u << s.rank) - 1;
    if (d.in(0, 3) > 0) {
      o.axes = tn::axis_list({});
      axes = bits;
      for (int i = s.rank - 1; i >= 0; --i)  // given in any order
        if ((bits >> i & 1u) != 0) o.axes.item[o.axes.count++] = i;
    }
    tn::shape out;
    const auto parts = parts_of(x, axes, o.keepDimensions, out);
    each_kind([&]<class Op>(kind k) {
      if (k == kind::log_sum && !positive) return;
      const array y = operate<Op>(o, {x});
      REQUIRE(y.is == reals(out));
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const exact wanted = naive(k, parts[i]);
        const double n = static_cast<double>(parts[i].size());
        const double errors = k == kind::product ? n + 1 : n / 16 + 9;
        INFO(Op::name << " of " << text_of(s) << " axes " << axes << ", element " << i
                      << ": wanted " << wanted.value << ", found " << y.at[i]);
        REQUIRE(std::abs(y.at[i] - wanted.value) <= errors * 0x1p-23 * wanted.magnitude + 1e-30);
      }
    });
  }
}

TEST_CASE("reductions propagate NaN and take infinities") {
  dice d = dice_of(752, 0);
  for (const double special : {not_a_number, infinite, -infinite})
    for (const int at : {0, 5, 16, 36}) {
      array x = random_array(floats(3, 37), d);
      x[37 + at] = special;
      each_kind([&]<class Op>(kind k) {
        const array y = operate<Op>({.axes = {1}}, {x});
        INFO(Op::name << " with " << special << " at " << at << " gives " << y[1]);
        const exact wanted = naive(k, {x.at.begin() + 37, x.at.begin() + 74});
        if (special != special)
          CHECK(y[1] != y[1]);
        else if (std::isinf(wanted.value) || wanted.value != wanted.value)
          CHECK((y[1] == wanted.value || (y[1] != y[1] && wanted.value != wanted.value)));
        if (k != kind::log_sum) CHECK((std::isfinite(y[0]) && std::isfinite(y[2])));
      });
    }
}

TEST_CASE("reduceLogSumExp takes numbers whose exp is beyond float32") {
  const array x = given(floats(4, 3), {100, 100, 99, -1000, -1001, -1000, 88, -3e38, 3e38,
                                       -infinite, -infinite, -infinite});
  const double wanted[] = {100 + std::log(2 + std::exp(-1)), -1000 + std::log(2 + std::exp(-1)),
                           static_cast<double>(3e38f), -infinite};
  for (const bool keep : {false, true}) {
    const array y = operate<tn::reduceLogSumExp_t>({.axes = {1}, .keepDimensions = keep}, {x});
    CHECK(y.is == (keep ? floats(4, 1) : floats(4)));
    for (tn::i64 i = 0; i < 4; ++i) {
      INFO("row " << i << ": wanted " << wanted[i] << ", found " << y[i]);
      CHECK((y[i] == wanted[i] || std::abs(y[i] - wanted[i]) <= 4 * 0x1p-24 * std::abs(wanted[i])));
    }
  }
}

TEST_CASE("argMin and argMax give the first extreme, or the first NaN") {
  for (int round = 0; round < times(30); ++round) {
    dice d = dice_of(753, round);
    const tn::shape s = random_shape(d, d.in(1, 4), round % 3 == 0 ? 40 : 6);
    const int axis = d.in(0, s.rank - 1);
    const double specials[] = {not_a_number, infinite, -infinite, 0.0, -0.0};
    const array x = made(reals(s), [&](tn::i64) {
      return d.one_in(12) ? d.pick(specials) : static_cast<double>(d.in(-3, 3));
    });  // many ties
    const tn::arg_options more{.keepDimensions = d.one_in(2),
                               .outputDataType = d.one_in(2) ? tn::type::int64 : tn::type::int32};
    tn::shape out;
    const auto parts = parts_of(x, 1u << axis, more.keepDimensions, out);
    const array most = operate<tn::argMax_t>({axis, more}, {x}),
                least = operate<tn::argMin_t>({axis, more}, {x});
    REQUIRE(most.is == tn::tensor{more.outputDataType, out});
    REQUIRE(least.is == most.is);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      INFO(text_of(s) << " axis " << axis << ", element " << i);
      REQUIRE(most.at[i] == static_cast<double>(first_extreme(parts[i], true)));
      REQUIRE(least.at[i] == static_cast<double>(first_extreme(parts[i], false)));
    }
  }
}

TEST_CASE("positions and reductions of a static graph are those of its table") {
  dice d = dice_of(754, 0);
  const array x = random_array(floats(13, 37), d);
  const std::vector<array> y = run_static_both<positions_net>({x});
  tn::shape out;
  const auto rows = parts_of(x, 2, false, out), columns = parts_of(x, 1, false, out);
  for (std::size_t i = 0; i < 13; ++i) {
    CHECK(y[0].at[i] == static_cast<double>(first_extreme(rows[i], true)));
    CHECK(y[3].at[i] == naive(kind::max, rows[i]).value);
  }
  for (std::size_t i = 0; i < 37; ++i)
    CHECK(y[1].at[i] == static_cast<double>(first_extreme(columns[i], false)));
  CHECK(std::abs(y[2][0] - naive(kind::sum, x.at).value) < 1e-4);
  CHECK(difference(x, y[4]) == "");
}
