// The definitions of padding, sampling, bands and indices, against values by hand.
// SPDX-License-Identifier: MIT
#include <tenon/graph/node.hpp>
#include "../catch.hpp"
#include <array>
#include <cmath>

namespace {

using namespace tenon;

// ---- padding: two positions on both sides of three elements
template <std::size_t N> constexpr std::array<i64, N> padded(padding_mode mode, i64 extent) {
  std::array<i64, N> at{};
  for (std::size_t i = 0; i < N; ++i) at[i] = shown(mode, static_cast<i64>(i) - 2, extent);
  return at;
}
using seven = std::array<i64, 7>;
static_assert(padded<7>(padding_mode::constant, 3) == seven{-1, -1, 0, 1, 2, -1, -1});
static_assert(padded<7>(padding_mode::edge, 3) == seven{0, 0, 0, 1, 2, 2, 2});
static_assert(padded<7>(padding_mode::reflection, 3) == seven{2, 1, 0, 1, 2, 1, 0},
              "the mirror stands in the middle of the last element, which is not repeated");

// ---- sampling: position `at` of `to` lies at (at + 1/2) * from / to - 1/2
template <std::size_t N> constexpr std::array<i64, N> samples(sampling how, i64 from) {
  std::array<i64, N> s{};
  for (std::size_t i = 0; i < N; ++i)
    s[i] = sampled_at(how, static_cast<i64>(i), from, static_cast<i64>(N));
  return s;
}
using four = std::array<i64, 4>;
using two = std::array<i64, 2>;
// Two elements as four: at -1/4, 1/4, 3/4, 5/4.
static_assert(samples<4>(sampling::nearest, 2) == four{0, 0, 1, 1});
static_assert(samples<4>(sampling::lower, 2) == four{0, 0, 0, 1});
static_assert(samples<4>(sampling::upper, 2) == four{0, 1, 1, 1});
static_assert(fraction_at(0, 2, 4) == 0.0f && fraction_at(1, 2, 4) == 0.25f);
static_assert(fraction_at(2, 2, 4) == 0.75f && fraction_at(3, 2, 4) == 0.0f,
              "0 where lower and upper are the same element");
// Four elements as two: at 1/2 and 5/2, as near to one element as to the other.
static_assert(samples<2>(sampling::nearest, 4) == two{0, 2}, "of equally near ones the lower");
static_assert(samples<2>(sampling::lower, 4) == two{0, 2});
static_assert(samples<2>(sampling::upper, 4) == two{1, 3});
static_assert(fraction_at(0, 4, 2) == 0.5f && fraction_at(1, 4, 2) == 0.5f);
// Six as two: at 1 and 4, exactly: lower and upper are the same.
static_assert(samples<2>(sampling::lower, 6) == two{1, 4});
static_assert(samples<2>(sampling::upper, 6) == two{1, 4});
static_assert(fraction_at(0, 6, 2) == 0.0f && fraction_at(1, 6, 2) == 0.0f);
// Three as four: at -1/8, 5/8, 11/8, 17/8.
static_assert(samples<4>(sampling::nearest, 3) == four{0, 1, 1, 2});
static_assert(samples<4>(sampling::lower, 3) == four{0, 0, 1, 2});
static_assert(samples<4>(sampling::upper, 3) == four{0, 1, 2, 2});
static_assert(samples<4>(sampling::nearest, 4) == four{0, 1, 2, 3}, "as many as there are");
static_assert(samples<4>(sampling::upper, 1) == four{} &&
              samples<4>(sampling::nearest, 1) == four{});

// ---- indices
static_assert(position_of(0, 5) == 0 && position_of(4, 5) == 4);
static_assert(position_of(-1, 5) == 4 && position_of(-5, 5) == 0, "negative ones from the end");
static_assert(position_of(5, 5) == 4 && position_of(-6, 5) == 0, "others are clamped");
static_assert(position_of(std::numeric_limits<i64>::max(), 5) == 4);
static_assert(position_of(std::numeric_limits<i64>::min(), 5) == 0);

// ---- bands of five columns
constexpr bool keeps(i64 low, i64 high, i64 row, i64 begin, i64 end) {
  movement m{.is = movement::form::band};
  m.low = low, m.high = high;
  const band_columns c(m, row, 5);
  return c.begin == begin && c.end == end;
}
static_assert(keeps(-1, 1, 2, 1, 4), "one column on each side of the diagonal");
static_assert(keeps(-1, 1, 0, 0, 2) && keeps(-1, 1, 4, 3, 5), "inside of the matrix");
static_assert(keeps(0, 100, 3, 3, 5) && keeps(-100, 0, 3, 0, 4), "upper and lower triangles");
static_assert(keeps(2, 100, 4, 5, 5) && keeps(-100, -3, 1, 0, 0), "rows of which nothing is kept");
static_assert(keeps(1, 0, 2, 3, 3) && keeps(3, -3, 2, 5, 5), "an empty band");

// ---- windows
constexpr sweep window(i64 taps, i64 stride, i64 dilation, i64 begin, i64 extent) {
  return {.taps = taps, .stride = stride, .dilation = dilation, .begin = begin, .extent = extent};
}
static_assert(always_inside(window(3, 1, 1, 1, 5), 5), "same padding");
static_assert(always_inside(window(3, 1, 1, 2, 5), 7) && !always_inside(window(3, 1, 1, 3, 5), 8),
              "the first window reaches the image with its last tap, or not at all");
static_assert(always_inside(window(1, 2, 1, 0, 5), 3) && !always_inside(window(1, 2, 1, 0, 5), 4),
              "the last window begins in the image, or behind it");
static_assert(!always_inside(window(2, 1, 3, 1, 1), 1), "taps at -1 and 2 jump over the image");
static_assert(!always_inside(window(2, 1, 2, 2, 5), 5), "not sure with gaps, though true");

// ---- combinations
static_assert(neutral(combine::sum) == 0.0f && neutral(combine::product) == 1.0f);
static_assert(neutral(combine::max) == -neutral(combine::min) && neutral(combine::max) < 0);
static_assert(neutral(combine::first_max) == neutral(combine::max));
static_assert(neutral(combine::first_min) == neutral(combine::min));
static_assert(gives_position(combine::first_min) && gives_position(combine::first_max));
static_assert(!gives_position(combine::product) && !gives_position(combine::max));
static_assert(reduction{.axes = 5}.reduces(0) && !reduction{.axes = 5}.reduces(1) &&
              reduction{.axes = 5}.reduces(2));

// ---- scans
constexpr scanning ahead{.steps = 4}, back{.backward = true, .steps = 4};
static_assert(ahead.position(0) == 0 && ahead.position(3) == 3);
static_assert(back.position(0) == 3 && back.position(3) == 0);
static_assert(scanning{.is = scanning::part::state}.enters());
static_assert(!scanning{.is = scanning::part::last}.enters());

}  // namespace

TEST_CASE("samples lie where the definition says, for all extents up to 12") {
  for (i64 from = 1; from <= 12; ++from)
    for (i64 to = 1; to <= 12; ++to)
      for (i64 at = 0; at < to; ++at) {
        CAPTURE(from, to, at);
        // A multiple of 1 / (2 to): far enough from the next one for doubles.
        const double middle =
            (static_cast<double>(at) + 0.5) * static_cast<double>(from) / static_cast<double>(to) -
            0.5;
        const double near = 1e-9, last = static_cast<double>(from - 1);
        const auto inside = [&](double x) { return x < 0 ? 0.0 : x > last ? last : x; };
        const double lower = inside(std::floor(middle + near));
        CHECK(static_cast<double>(sampled_at(sampling::lower, at, from, to)) == lower);
        // Before the middle of the first element there is nothing else to show.
        const double upper = middle < -near ? 0 : inside(std::ceil(middle - near));
        CHECK(static_cast<double>(sampled_at(sampling::upper, at, from, to)) == upper);
        CHECK(static_cast<double>(sampled_at(sampling::nearest, at, from, to)) ==
              inside(std::ceil(middle - 0.5 - near)));
        const double fraction = upper == lower ? 0 : middle - lower;
        CHECK(std::abs(static_cast<double>(fraction_at(at, from, to)) - fraction) < 1e-6);
      }
}
