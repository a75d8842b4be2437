// Pools, reductions and positions of integers, against C++ integers.
// SPDX-License-Identifier: MIT
#include "../support/typed.hpp"

using namespace tenon_test;

namespace {

/// Calls `f(position of the result, position of a term)` for all terms in row-major order.
template <class F> void each_term(const tn::shape& x, std::uint32_t axes, F&& f) {
  each_position(x, [&](const tn::i64* at, tn::i64 number) {
    tn::i64 result = 0;
    for (int i = 0; i < x.rank; ++i)
      if ((axes >> i & 1u) == 0) result = result * x[i] + at[i];
    f(result, number);
  });
}
template <class T> T combined(tn::combine how, T a, T b) {
  switch (how) {
    case tn::combine::sum:
      return static_cast<T>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    case tn::combine::product:
      return static_cast<T>(static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b));
    case tn::combine::max: return a > b ? a : b;
    default: return a < b ? a : b;
  }
}
template <class Op, class T, class Before>
void check_reduce(tn::combine how, const typed<T>& x, const tn::reduce_options& o, Before before) {
  const std::uint32_t axes = tn::reduces::mask(o.axes, x.shape.rank);
  typed<T> wanted{tn::reduces::reduced(x.shape, axes, o.keepDimensions), {}};
  std::vector<bool> begun(static_cast<std::size_t>(wanted.shape.count()));
  wanted.at.resize(begun.size());
  each_term(x.shape, axes, [&](tn::i64 result, tn::i64 term) {
    const auto r = static_cast<std::size_t>(result);
    const T e = before(x[term]);
    wanted.at[r] = begun[r] ? combined(how, wanted.at[r], e) : e;
    begun[r] = true;
  });
  check_same(wanted, operate_typed<Op, T>(o, false, x), Op::name);
}
template <class T> T absolute(T x) {
  return x < 0 ? static_cast<T>(0 - static_cast<std::uint64_t>(x)) : x;
}
template <class T> T square(T x) { return combined(tn::combine::product, x, x); }

template <class T> void check_pool(const tn::pool2d_options& o, dice& d) {
  const typed<T> x = any_run<T>(tn::extents(2, 7, 9, 5), d);
  const bool nchw = o.layout == tn::image_layout::nchw;
  const tn::tensor in[] = {x.is()};
  typed<T> wanted{tn::maxPool2d_t::infer(o, {in, 1}).value().shape, {}};
  each_position(wanted.shape, [&](const tn::i64* at, tn::i64) {
    bool any = false;
    T most{};
    for (tn::i64 ky = 0; ky < o.windowDimensions.height; ++ky)
      for (tn::i64 kx = 0; kx < o.windowDimensions.width; ++kx) {
        const int h = nchw ? 2 : 1;
        tn::i64 from[] = {at[0], at[1], at[2], at[3]};
        from[h] = at[h] * o.strides.height + ky * o.dilations.height - o.padding.beginningHeight;
        from[h + 1] =
            at[h + 1] * o.strides.width + kx * o.dilations.width - o.padding.beginningWidth;
        if (from[h] < 0 || from[h] >= x.shape[h] || from[h + 1] < 0 ||
            from[h + 1] >= x.shape[h + 1])
          continue;
        const T e = x[number_of(x.shape, from)];
        most = any && most > e ? most : e;
        any = true;
      }
    wanted.at.push_back(most);
  });
  check_same(wanted, operate_typed<tn::maxPool2d_t, T>(o, false, x), "maxPool2d");
}

}  // namespace

TEST_CASE("reductions of integers wrap around") {
  dice d = dice_of(771, 0);
  const tn::reduce_options all[] = {{},
                                    {.axes = {1}},
                                    {.axes = {2}},
                                    {.axes = {0, 2}, .keepDimensions = true},
                                    {.axes = {1, 2}},
                                    {.axes = tn::axis_list({})}};
  for (const tn::reduce_options& o : all)
    for_integers([&]<class T>() {
      const typed<T> x = any_run<T>(tn::extents(5, 131, 3), d);
      const auto same = [](T e) { return e; };
      check_reduce<tn::reduceMax_t>(tn::combine::max, x, o, same);
      check_reduce<tn::reduceMin_t>(tn::combine::min, x, o, same);
      if constexpr (sizeof(T) > 1) {
        check_reduce<tn::reduceSum_t>(tn::combine::sum, x, o, same);
        check_reduce<tn::reduceProduct_t>(tn::combine::product, x, o, same);
        check_reduce<tn::reduceL1_t>(tn::combine::sum, x, o, absolute<T>);
        check_reduce<tn::reduceSumSquare_t>(tn::combine::sum, x, o, square<T>);
      }
    });
}
TEST_CASE("a row of integers runs with the maps around it") {
  dice d = dice_of(772, 0);
  constexpr auto share = [](auto x) {
    return x - tn::reduceSum<tn::reduce_options{.axes = {1}, .keepDimensions = true}>(x * 3);
  };
  using net = tn::graph<share, tn::input<"x", std::int64_t, 7, 301>>;
  static_assert(tn::plan<net, tn::cpu>::groups == 1);
  const typed<std::int64_t> x = any_run<std::int64_t>(tn::extents(7, 301), d);
  typed<std::int64_t> wanted{x.shape, {}};
  for (tn::i64 row = 0; row < 7; ++row) {
    std::uint64_t sum = 0;
    for (tn::i64 i = 0; i < 301; ++i) sum += 3 * static_cast<std::uint64_t>(x[row * 301 + i]);
    for (tn::i64 i = 0; i < 301; ++i)
      wanted.at.push_back(
          static_cast<std::int64_t>(static_cast<std::uint64_t>(x[row * 301 + i]) - sum));
  }
  const tn::model<net, tn::cpu> fast(byte_weights{});
  check_same(wanted, call_typed<std::int64_t>(fast, {bytes_of(x)}), "static");
  check_same(wanted, run_typed<std::int64_t>(net::view(), {bytes_of(x)}), "dynamic");
}
TEST_CASE("positions of extremes among integers are the first ones") {
  dice d = dice_of(773, 0);
  for_integers([&]<class T>() {
    for (int axis = 0; axis < 3; ++axis) {
      const tn::shape s = tn::extents(4, 71, 3);
      typed<T> x = any_run<T>(s, d);
      std::vector<std::int64_t> most, least;
      const tn::shape results = tn::reduces::reduced(s, 1u << axis, false);
      each_position(results, [&](const tn::i64* at, tn::i64) {
        std::int64_t high = 0, low = 0;
        T highest{}, lowest{};
        for (tn::i64 k = 0; k < s[axis]; ++k) {
          tn::i64 from[3]{};
          for (int i = 0, j = 0; i < 3; ++i) from[i] = i == axis ? k : at[j++];
          const T e = x[number_of(s, from)];
          if (k == 0 || e > highest) highest = e, high = k;
          if (k == 0 || e < lowest) lowest = e, low = k;
        }
        most.push_back(high);
        least.push_back(low);
      });
      check_same(typed<std::int64_t>{results, most},
                 operate_typed<tn::argMax_t, std::int64_t>(
                     {axis, {.outputDataType = tn::type::int64}}, false, x),
                 "argMax");
      const typed<std::int32_t> low = operate_typed<tn::argMin_t, std::int32_t>({axis}, false, x);
      for (std::size_t i = 0; i < least.size(); ++i) REQUIRE(low.at[i] == least[i]);
    }
  });
}
TEST_CASE("maxPool2d of integers with all options is what plain loops compute") {
  dice d = dice_of(774, 0);
  for_integers([&]<class T>() {
    check_pool<T>({.windowDimensions = {3, 2}}, d);
    check_pool<T>({.windowDimensions = {3, 3}, .padding = {1, 2, 2, 1}, .strides = {2, 1}}, d);
    check_pool<T>({.windowDimensions = {2, 2},
                   .padding = {1, 1, 1, 1},
                   .strides = {1, 2},
                   .dilations = {3, 2}},
                  d);
    check_pool<T>({.windowDimensions = {2, 3},
                   .padding = {0, 1, 1, 0},
                   .strides = {2, 2},
                   .layout = tn::image_layout::nhwc},
                  d);
    check_pool<T>({.windowDimensions = {1, 1}, .padding = {2, 2, 2, 2}, .strides = {2, 2}},
                  d);  // windows of nothing but padding
  });
}
