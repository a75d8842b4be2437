// Running sums against plain loops, and what the family does with steps, axes and element types.
// SPDX-License-Identifier: MIT
#include "../support/typed.hpp"

using namespace tenon_test;
using tn::code;

namespace {

using tn::cumulativeSum_options, tn::cumulativeSum_t;
constexpr tn::error fault(const cumulativeSum_options& o, tn::tensor t) {
  return cumulativeSum_t::infer(o, {&t, 1}).error();
}
static_assert(!cumulativeSum_options{}.exclusive && !cumulativeSum_options{}.reversed);
static_assert(fault({.axis = 2}, floats(3, 4)).is(code::axis, "cumulativeSum"));
static_assert(fault({.axis = -1}, floats(3, 4)).is(code::axis, "cumulativeSum"));
static_assert(fault({}, bytes(tn::extents(3))).is(code::element_type, "cumulativeSum"));
static_assert(fault({}, {tn::type::int8, tn::extents(3)}).is(code::element_type, "cumulativeSum"));
static_assert(fault({}, {tn::type::uint64, tn::extents(3)}).ok());

inline constexpr auto model = [](auto x) {
  constexpr cumulativeSum_options rows{.axis = 1},
      back{.axis = 0, .exclusive = true, .reversed = true};
  return tn::outputs(tn::cumulativeSum<rows>(x), tn::cumulativeSum<back>(x) * 2.0f);
};
using sums = tn::graph<model, tn::input<"x", float, 3, 4>>;

constexpr float at_compile_time(int output, int element) {
  float x[12]{}, y[12]{};
  for (int i = 0; i < 12; ++i) x[i] = static_cast<float>(i + 1);
  return tn::evaluate<sums>({tn::given("x", x)}, y, output) == code::ok ? y[element] : -1;
}
static_assert(at_compile_time(0, 3) == 1 + 2 + 3 + 4 && at_compile_time(0, 8) == 9);
static_assert(at_compile_time(1, 0) == 2 * (5 + 9) && at_compile_time(1, 11) == 0);
static_assert(tn::plan<sums, tn::cpu>::view().table.scans.size > 0);

/// One addition after the other, in the type's own arithmetic; float16 in float32.
template <class T> typed<T> by_loops(const cumulativeSum_options& o, const typed<T>& x) {
  using number = std::conditional_t<is_real_element<T>, float, T>;
  typed<T> y = x;
  const int axis = static_cast<int>(o.axis);
  tn::i64 inner = 1, n = x.shape[axis];
  for (int i = axis + 1; i < x.shape.rank; ++i) inner *= x.shape[i];
  for (tn::i64 line = 0; line < x.shape.count() / n; ++line) {
    number sum{};
    for (tn::i64 k = 0; k < n; ++k) {
      const tn::i64 step = o.reversed ? n - 1 - k : k,
                    at = line / inner * n * inner + step * inner + line % inner;
      const number before = sum;
      if constexpr (std::is_integral_v<number>)
        sum = static_cast<number>(static_cast<std::uint64_t>(sum) +
                                  static_cast<std::uint64_t>(x[at]));
      else
        sum += static_cast<number>(x[at]);
      y.at[static_cast<std::size_t>(at)] = static_cast<T>(o.exclusive ? before : sum);
    }
  }
  return y;
}

}  // namespace

TEST_CASE("running sums along every axis, in both directions, of all types") {
  for_types<float, tn::float16, std::int32_t, std::uint32_t, std::int64_t, std::uint64_t>(
      []<class T>() {
        for (int round = 0; round < times(24); ++round) {
          dice d = dice_of(3101, round);
          const tn::shape s = random_shape(d, d.in(1, 4), 7);
          const cumulativeSum_options o{
              .axis = d.in(0, s.rank - 1), .exclusive = d.one_in(2), .reversed = d.one_in(2)};
          INFO("round " << round << ", axis " << o.axis << ", exclusive " << o.exclusive
                        << ", reversed " << o.reversed);
          const typed<T> x = any_run<T>(s, d);
          check_same(by_loops(o, x), operate_typed<cumulativeSum_t, T>(o, false, x), "loops");
        }
      });
}

TEST_CASE("static graphs sum alike, and at compile time") {
  const array x =
      made(reals(tn::extents(3, 4)), [](tn::i64 i) { return static_cast<double>(i + 1); });
  const std::vector<array> y = run_static_both<sums>({x});
  for (int o = 0; o < 2; ++o)
    for (tn::i64 i = 0; i < 12; ++i)
      CHECK(y[static_cast<std::size_t>(o)][i] ==
            static_cast<double>(at_compile_time(o, static_cast<int>(i))));
}

TEST_CASE("a scan of one step, and one of very many") {
  for (const tn::i64 n : {1, 2, 3, 5000}) {
    dice d = dice_of(3103, static_cast<int>(n));
    const typed<float> x = any_run<float>(tn::extents(n), d);
    for (const bool exclusive : {false, true})
      check_same(by_loops<float>({.exclusive = exclusive}, x),
                 operate_typed<cumulativeSum_t, float>({.exclusive = exclusive}, false, x),
                 "loops");
  }
}
