// Intervals: each holds what exact arithmetic, a rounding and what is not defined can give, and not
// much more.
// SPDX-License-Identifier: MIT
#include <tenon/language/trace.hpp>
#include <tenon/trial/interval.hpp>
#include "../catch.hpp"
#include <limits>

namespace {

using namespace tenon::trial;
using tenon::sop;

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr inexact rounds{0x1p-24};

/// The interval of a program's result.
template <class F> interval of(F f, interval x, const inexact& e = rounds) {
  return intervals::program_intervals(tenon::record_program<1>(f).view(), e)(&x);
}
template <class F> interval of(F f, interval x, interval y) {
  const interval both[] = {x, y};
  return intervals::program_intervals(tenon::record_program<2>(f).view(), rounds)(both);
}
bool same(const interval& a, double low, double high, bool nan) {
  return a.low == low && a.high == high && a.nan == nan;
}

}  // namespace

TEST_CASE("an interval is a point, a NaN alone, or anything") {
  CHECK((interval::point(2).is_point() && interval::point(2).holds(2) &&
         !interval::point(2).holds(2.5)));
  CHECK((interval::point(NAN).only_nan() && interval::point(NAN).holds(NAN) &&
         !interval::point(NAN).holds(0)));
  CHECK((interval{}.anything() && interval{}.holds(NAN) && interval{}.holds(infinity)));
  CHECK_FALSE(interval{0, 1, false}.holds(NAN));
  CHECK(interval{-3, 1, false}.magnitude() == 3);
  CHECK_FALSE(interval{0, infinity, false}.finite());
}

TEST_CASE("a rounding widens both ends, and beyond the largest float may overflow or not") {
  CHECK(same(intervals::widened({-2, 4, false}, {0.25, 0.5}), -3, 5.5, false));
  CHECK(intervals::widened(interval::point(NAN), rounds).only_nan());
  const interval top = intervals::widened(interval::point(largest_float * 1.5), rounds);
  CHECK(same(top, largest_float, infinity, false));
  const interval bottom = intervals::widened(interval::point(-largest_float * 1.5), rounds);
  CHECK(same(bottom, -infinity, -largest_float, false));
  CHECK(same(intervals::widened(interval::point(infinity), rounds), infinity, infinity, false));
}

TEST_CASE("sums and products have their extremes at the corners; infinity - infinity is unknown") {
  const auto minus = [](double x, double y) { return x - y; };
  const auto times = [](double x, double y) { return x * y; };
  CHECK(same(intervals::corners(minus, {1, 2, false}, {10, 20, true}), -19, -8, true));
  CHECK(same(intervals::corners(times, {-2, 3, false}, {-5, 4, false}), -15, 12, false));
  CHECK(intervals::corners(minus, interval::point(infinity), interval::point(infinity)).only_nan());
  CHECK(intervals::corners(minus, {0, infinity, false}, {0, infinity, false}).anything());
  CHECK(intervals::corners(minus, interval::point(NAN), {}).only_nan());
}

TEST_CASE("division by zero gives either infinity, by an interval around zero anything") {
  CHECK(same(intervals::quotient({1, 2, false}, {4, 8, false}), 0.125, 0.5, false));
  CHECK(same(intervals::quotient({1, 2, false}, interval::point(0)), -infinity, infinity, false));
  CHECK(intervals::quotient(interval::point(0), interval::point(0)).holds(NAN));
  CHECK(intervals::quotient({1, 2, false}, {-1, 1, false}).anything());
}

TEST_CASE("extremes: NaN from either side comes out") {
  CHECK(same(intervals::extreme({0, 3, false}, {1, 2, false}, true), 1, 3, false));
  CHECK(same(intervals::extreme({0, 3, true}, {1, 2, false}, false), 0, 2, true));
  CHECK(intervals::extreme(interval::point(NAN), {1, 2, false}, true).only_nan());
}

TEST_CASE("comparisons are sure where intervals do not overlap") {
  using intervals::compared;
  CHECK(compared(sop::less, {0, 1, false}, {2, 3, false}) == 1);
  CHECK(compared(sop::less, {2, 3, false}, {0, 2, false}) == 0);
  CHECK(compared(sop::less, {0, 2, false}, {1, 3, false}) == -1);
  CHECK(compared(sop::less_equal, {0, 1, false}, {1, 3, false}) == 1);
  CHECK(compared(sop::less, {0, 1, false}, {1, 3, false}) == -1);
  CHECK(compared(sop::equal, interval::point(1), interval::point(1)) == 1);
  CHECK(compared(sop::equal, {0, 1, false}, {0, 1, false}) == -1);
  CHECK(compared(sop::equal, {0, 1, false}, {2, 3, false}) == 0);
  CHECK(compared(sop::less, interval::point(NAN), interval::point(1)) == 0);
  CHECK(compared(sop::less, {0, 1, true}, {2, 3, false}) == -1);
}

TEST_CASE("periodic functions move no further than their argument, up to a limit") {
  CHECK(same(intervals::periodic(sop::sin, interval::point(0)), 0, 0, false));
  const interval sine = intervals::periodic(sop::sin, {0.9, 1.1, false});
  CHECK((sine.holds(std::sin(0.9)) && sine.holds(std::sin(1.1)) && sine.low > 0.7));
  CHECK(intervals::periodic(sop::cos, {-9, 9, false}).high == 1);
  CHECK(intervals::periodic(sop::tan, {1.5, 1.6, false}).anything());  // a pole
  CHECK_FALSE(intervals::periodic(sop::tan, {1.4, 1.5, false}).anything());
  CHECK(intervals::periodic(sop::sin, interval::point(infinity)).only_nan());
  CHECK(intervals::periodic(sop::sin, interval::point(1e7)).anything());
}

TEST_CASE("a program: roundings add up, masks choose or join, integers stay exact") {
  const interval third = of([](auto x) { return x / 3.0f; }, interval::point(1));
  CHECK((third.holds(static_cast<double>(1.0f / 3.0f)) && !third.holds(0.333333)));
  const interval sum =
      of([](auto x, auto y) { return x * y + x; }, interval::point(3), interval::point(5));
  CHECK((sum.holds(18) && sum.low < 18 && sum.high > 18 && sum.high < 18.00001));
  const auto choice = [](auto x) { return select(x < 1.0f, 5.0f, 7.0f); };
  CHECK(same(of(choice, {0.9, 1.1, false}), 5, 7, false));
  CHECK(same(of(choice, {0.5, 0.9, false}), 5, 5, false));
  const auto bits = [](auto x) { return bitcast<float>(bitcast<std::int32_t>(x) + 1); };
  CHECK(of(bits, interval::point(1)).is_point());
  CHECK(of(bits, {1, 2, false}).anything());
}

TEST_CASE("sine, cosine and tangent of large arguments hold what the reference computes") {
  using tenon::sop, tenon::type;
  for (const sop o : {sop::sin, sop::cos, sop::tan}) {
    tenon::tape t;
    const tenon::recorded p = finish(t, t.emit(o, t.argument(0, type::float32)));
    int outside = 0;
    for (int i = 0; i < 400000; ++i) {
      const float a = 1048576.0f * static_cast<float>(i) / 400000.0f;
      const interval point = interval::point(static_cast<double>(a)),
                     found = intervals::program_intervals(p.view(), rounds)(&point);
      if (!found.holds(static_cast<double>(tenon::evaluate(p.view(), &a)))) ++outside;
    }
    CAPTURE(static_cast<int>(o));
    CHECK(outside == 0);
  }
}

TEST_CASE("every operation of one or two reals holds what the reference computes of points") {
  using tenon::slot_kind, tenon::type;
  for (const tenon::instruction_facts& f : tenon::instructions::table) {
    if (f.in != slot_kind::real || f.out != slot_kind::real || f.sources < 1 || f.sources > 2)
      continue;
    CAPTURE(f.text, static_cast<int>(f.op));
    tenon::tape t;
    const int x = t.argument(0, type::float32), y = t.argument(1, type::float32);
    const tenon::recorded p = finish(t, f.sources == 1 ? t.emit(f.op, x) : t.emit(f.op, x, y));
    for (const float a : {0.0f, -0.75f, 0.3f, 2.0f, 41.5f, -1e30f, 3e38f})
      for (const float b : {1.0f, -0.5f, 3.0f, 0.0f}) {
        const float arguments[] = {a, b};
        const interval points[] = {interval::point(static_cast<double>(a)),
                                   interval::point(static_cast<double>(b))};
        const interval found = intervals::program_intervals(p.view(), rounds)(points);
        CAPTURE(a, b, found.low, found.high, found.nan);
        CHECK(found.holds(static_cast<double>(tenon::evaluate(p.view(), arguments))));
      }
  }
}

TEST_CASE("who takes small numbers for zero may do so to literals and results") {
  const inexact flushes{0x1p-24, smallest_normal};
  const auto tiny = [](auto x) { return x + 1e-40f; };
  CHECK(of(tiny, interval::point(0), flushes).holds(0));
  CHECK_FALSE(of(tiny, interval::point(0)).holds(0));
}
