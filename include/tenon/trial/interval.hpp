// Interval arithmetic over scalar programs, each operation widened by a rounding.
//
// A tolerance is made of three things: the interval that exact arithmetic gives for the operands'
// intervals, the rounding of the operation itself (`inexact`), and what is not defined: overflow
// near the largest float, which operand's zero comes out, the bits of a NaN. Numbers are double:
// its own error is 2^-29 of the roundings that are allowed, and is left out. Where an interval
// would have to be a union of two (1/x around 0) it is everything: such elements count as
// unchecked.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/kernels.hpp>
#include <tenon/trial/values.hpp>
#include <algorithm>
#include <cmath>

namespace tenon::trial {

inline constexpr double infinite = std::numeric_limits<double>::infinity();
inline constexpr double largest_float = 3.4028234663852886e38, smallest_float = 0x1p-149,
                        smallest_normal = 0x1p-126;

/// What an operation may be off by: a relative error of its result, plus the absolute error
/// `least`. That is the smallest float, or, for a policy that takes subnormal numbers for zero, the
/// smallest normal one.
struct inexact {
  double relative = 0, least = smallest_float;
  friend inexact operator*(double k, const inexact& e) { return {k * e.relative, e.least}; }
};

/// All results that are right: from `low` to `high`, and NaN if `nan`. If low > high, only NaN is.
struct interval {
  double low = -infinite, high = infinite;
  bool nan = true;  ///< default: anything

  static interval point(double x) {
    if (x != x) return {infinite, -infinite, true};
    return {x, x, false};
  }
  bool is_point() const { return low == high && !nan; }
  bool only_nan() const { return low > high; }
  bool anything() const { return low == -infinite && high == infinite && nan; }
  bool finite() const { return low > -infinite && high < infinite && !nan; }
  double magnitude() const { return std::max(std::abs(low), std::abs(high)); }
  bool holds(double x) const { return x != x ? nan : low <= x && x <= high; }
};

namespace intervals {

/// The interval after an operation that is off by `e`. A policy may overflow where another one does
/// not yet: an end beyond the largest float becomes infinite on the outer side, and the largest
/// float on the inner side.
inline interval widened(interval r, const inexact& e) {
  if (r.only_nan() || r.anything()) return r;
  const auto out = [&](double x, double sign) {
    return std::isinf(x) ? x : x + sign * (e.relative * std::abs(x) + e.least);
  };
  r.low = out(r.low, -1);
  r.high = out(r.high, 1);
  if (r.high > largest_float) r.high = infinite;
  if (r.low < -largest_float) r.low = -infinite;
  if (r.low > largest_float && r.low < infinite) r.low = largest_float;
  if (r.high < -largest_float && r.high > -infinite) r.high = -largest_float;
  return r;
}
/// The interval of a function that is monotone in each argument: its extremes are at the corners. A
/// corner may be NaN (infinity - infinity): then anything between is possible.
template <class F> interval corners(F f, const interval& a, const interval& b) {
  if (a.only_nan() || b.only_nan()) return interval::point(NAN);
  if (a.anything() || b.anything()) return {};
  const double all[] = {f(a.low, b.low), f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)};
  interval r{infinite, -infinite, a.nan || b.nan};
  for (const double x : all) {
    if (x != x) return a.is_point() && b.is_point() ? interval::point(x) : interval{};
    r.low = std::min(r.low, x);
    r.high = std::max(r.high, x);
  }
  return r;
}
template <class F> interval monotone(F f, const interval& a) {
  return corners([&](double x, double) { return f(x); }, a, interval::point(0));
}
/// Division. By an exact zero: any number but NaN, since a policy may have the zero of the other
/// sign. By an interval around zero: anything.
inline interval quotient(const interval& a, const interval& b) {
  if (b.is_point() && b.low == 0 && a.finite() && a.low * a.high > 0)
    return {-infinite, infinite, false};
  if (!b.is_point() && b.low <= 0 && b.high >= 0 && !b.only_nan()) return {};
  return corners([](double x, double y) { return x / y; }, a, b);
}
/// Minimum and maximum; NaN propagates from either side. -0 and 0 are the same number here, so
/// either may come out.
inline interval extreme(const interval& a, const interval& b, bool is_max) {
  if (a.only_nan() || b.only_nan()) return interval::point(NAN);
  if (is_max) return {std::max(a.low, b.low), std::max(a.high, b.high), a.nan || b.nan};
  return {std::min(a.low, b.low), std::min(a.high, b.high), a.nan || b.nan};
}
inline interval either(const interval& a, const interval& b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high), a.nan || b.nan};
}
/// Sine and cosine are no steeper than 1: the result moves no further than the argument. `tan` is
/// monotone between two poles. Beyond 2^20 neighbouring floats are 1/8 and more apart: anything.
inline interval periodic(sop o, const interval& a) {
  if (a.only_nan() || (a.is_point() && std::isinf(a.low))) return interval::point(NAN);
  if (!a.finite() || a.magnitude() > 0x1p20) return {};
  if (o == sop::tan) {
    constexpr double half_turn = 3.14159265358979323846;
    if (std::floor(a.low / half_turn + 0.5) != std::floor(a.high / half_turn + 0.5)) return {};
    return monotone([](double x) { return std::tan(x); }, a);
  }
  const double middle = (a.low + a.high) / 2, reach = (a.high - a.low) / 2,
               y = o == sop::sin ? std::sin(middle) : std::cos(middle);
  return {std::max(y - reach, -1.0), std::min(y + reach, 1.0), false};
}
/// Powers of positive bases are monotone in both arguments; others are known for points only.
inline interval power(const interval& a, const interval& b) {
  if (a.is_point() && b.is_point()) return interval::point(std::pow(a.low, b.low));
  if (!a.finite() || !b.finite() || a.low <= 0) return {};
  return corners([](double x, double y) { return std::pow(x, y); }, a, b);
}
/// -1: unknown, 0 or 1: what a comparison gives for sure.
inline int compared(sop o, const interval& a, const interval& b) {
  if (a.only_nan() || b.only_nan()) return 0;
  if (a.nan || b.nan) return -1;
  if (o == sop::equal)
    return a.is_point() && b.is_point() && a.low == b.low ? 1
           : a.high < b.low || b.high < a.low             ? 0
                                                          : -1;
  const bool strict = o == sop::less;
  if (strict ? a.high < b.low : a.high <= b.low) return 1;
  return (strict ? a.low >= b.high : a.low > b.high) ? 0 : -1;
}

/// The value of one instruction: an interval for reals; for masks 0, 1 or -1 (unknown); for
/// integers their bits, if they are known. Integers of 64 bits are never known here: anything.
struct cell {
  interval real{};
  int truth = -1;
  bool known = false;
  std::uint32_t word = 0;
};

/// A scalar program over intervals. `e` is the error of a rounding, at least half an ulp.
/// Elementary functions get six of them, tan eight, which is more than they document where
/// intervals are given (language/elementary.hpp: 2.5 ulp, tan 3.12 below 2^20). A
/// primitive on reals that has no case in `real`, or a comparison that has none in `truth`, may
/// give anything: elements that depend on it count as unchecked, until it gets one. One on integers
/// needs none.
class program_intervals {
 public:
  program_intervals(program_view p, const inexact& e) : p_(p), e_(e), cells_(256) {}
  interval operator()(const interval* arguments) {
    for (int i = 0; i < p_.size; ++i)
      cells_[static_cast<std::size_t>(p_.code[i].dst())] = step(p_.code[i], arguments);
    return stored(at(p_.code[p_.size - 1].dst()), p_.code[p_.size - 1]);
  }

 private:
  const cell& at(int i) const { return cells_[static_cast<std::size_t>(i)]; }
  cell step(instruction x, const interval* arguments) const {
    if (x.op() == sop::arg && slot_kind_of(x.type()) == slot_kind::wide) return {};
    if (x.op() == sop::arg && !is_real(x.type())) return whole(arguments[x.a()]);
    if (x.op() == sop::arg) return {arguments[x.a()]};
    if (x.op() == sop::literal) return {literal(static_cast<double>(x.real()))};
    if (x.op() == sop::literal_int) return {{}, -1, true, x.bits()};
    const cell &a = at(x.a()), &b = at(x.b()), &c = at(x.c());
    if (x.op() == sop::as_float && a.known)
      return {interval::point(static_cast<double>(std::bit_cast<float>(a.word))), -1, true, a.word};
    if (x.op() == sop::select && a.truth >= 0) return a.truth > 0 ? b : c;
    switch (slot_kind_of(x.op())) {
      case slot_kind::mask: return {{}, truth(x.op(), a, b), false, 0};
      case slot_kind::integer: return x.op() == sop::narrow ? cell{} : integer(x, a, b);
      case slot_kind::wide: return {};
      default: return {real(x.op(), a, b, c)};
    }
  }
  interval literal(double x) const {
    const interval exact = interval::point(x);
    return std::abs(x) < e_.least ? either(exact, interval::point(0)) : exact;
  }
  static cell whole(const interval& r) {
    if (!r.is_point()) return {};
    return {{}, -1, true, static_cast<std::uint32_t>(static_cast<i64>(r.low))};
  }
  /// What is stored of the last cell.
  interval stored(const cell& last, instruction x) const {
    const slot_kind kind = slot_kind_of(x);
    if (kind == slot_kind::real) return last.real;
    if (kind == slot_kind::mask) return last.truth < 0 ? interval{} : interval::point(last.truth);
    if (!last.known) return {};
    if (type_at(x) == type::uint32) return interval::point(static_cast<double>(last.word));
    return interval::point(static_cast<double>(static_cast<std::int32_t>(last.word)));
  }
  interval real(sop o, const cell& a, const cell& b, const cell& c) const {
    const interval &x = a.real, &y = b.real;
    const auto plus = [](double p, double q) { return p + q; };
    const auto times = [](double p, double q) { return p * q; };
    switch (o) {
      case sop::add: return widened(corners(plus, x, y), e_);
      case sop::sub: return widened(corners([](double p, double q) { return p - q; }, x, y), e_);
      case sop::mul: return widened(corners(times, x, y), e_);
      case sop::div: return widened(quotient(x, y), e_);
      // a policy may round the product as well
      case sop::fma: return widened(corners(plus, widened(corners(times, x, y), e_), c.real), e_);
      case sop::neg: return monotone([](double p) { return -p; }, x);
      case sop::abs:
        return x.low <= 0 && x.high >= 0 ? interval{0, x.magnitude(), x.nan}
                                         : monotone([](double p) { return std::abs(p); }, x);
      case sop::min: return extreme(x, y, false);
      case sop::max: return extreme(x, y, true);
      case sop::sqrt:
        return x.low < 0 && !x.is_point() && !x.only_nan()
                   ? interval{}
                   : widened(monotone([](double p) { return std::sqrt(p); }, x), e_);
      case sop::floor: return monotone([](double p) { return std::floor(p); }, x);
      case sop::round_even: return monotone([](double p) { return std::nearbyint(p); }, x);
      case sop::select: return either(y, c.real);
      case sop::to_float:
        return a.known
                   ? widened(
                         interval::point(static_cast<double>(static_cast<std::int32_t>(a.word))),
                         e_)
                   : interval{};
      case sop::as_float:
      case sop::wide_to_real:
      case sop::wide_to_real_unsigned: return {};
      case sop::typed_float32: return x;
      case sop::to_half:
        return monotone(
            [](double p) { return static_cast<double>(halves::rounded(static_cast<float>(p))); },
            x);
      case sop::tan: return widened(elementary(o, x, y), 8 * e_);
      default: return widened(elementary(o, x, y), 6 * e_);  // anything, if it is none
    }
  }
  static interval elementary(sop o, const interval& x, const interval& y) {
    switch (o) {
      case sop::exp: return monotone([](double p) { return std::exp(p); }, x);
      case sop::log:
        return x.low < 0 && !x.is_point() && !x.only_nan()
                   ? interval{}
                   : monotone([](double p) { return std::log(p); }, x);
      case sop::tanh: return monotone([](double p) { return std::tanh(p); }, x);
      case sop::erf: return monotone([](double p) { return std::erf(p); }, x);
      case sop::log1p:
        return x.low < -1 && !x.is_point() && !x.only_nan()
                   ? interval{}
                   : monotone([](double p) { return std::log1p(p); }, x);
      case sop::expm1: return monotone([](double p) { return std::expm1(p); }, x);
      case sop::erfc: return monotone([](double p) { return std::erfc(p); }, x);
      case sop::sigmoid: return monotone([](double p) { return 1 / (1 + std::exp(-p)); }, x);
      case sop::sin:
      case sop::cos:
      case sop::tan: return periodic(o, x);
      case sop::pow: return power(x, y);
      default: return {};
    }
  }
  static int truth(sop o, const cell& a, const cell& b) {
    switch (o) {
      case sop::less:
      case sop::less_equal:
      case sop::equal: return compared(o, a.real, b.real);
      case sop::int_equal: return a.known && b.known ? a.word == b.word : -1;
      case sop::int_less:
        return a.known && b.known ? arithmetic::wrap(a.word) < arithmetic::wrap(b.word) : -1;
      case sop::int_less_equal:
        return a.known && b.known ? arithmetic::wrap(a.word) <= arithmetic::wrap(b.word) : -1;
      case sop::mask_not: return a.truth < 0 ? -1 : 1 - a.truth;
      case sop::mask_and:
        return a.truth == 0 || b.truth == 0 ? 0 : a.truth < 0 || b.truth < 0 ? -1 : 1;
      case sop::mask_or:
        return a.truth == 1 || b.truth == 1 ? 1 : a.truth < 0 || b.truth < 0 ? -1 : 0;
      default: return -1;
    }
  }
  /// Integers are known if their operands are: then `evaluate_step` of the reference computes them.
  static cell integer(instruction x, const cell& a, const cell& b) {
    if (x.op() == sop::mask_to_int)
      return a.truth < 0 ? cell{} : cell{{}, -1, true, static_cast<std::uint32_t>(a.truth)};
    if (x.op() == sop::as_int && a.known) return {{}, -1, true, a.word};
    const int sources = sources_of(x.op());
    const bool from_real = facts_of(x.op()).in == slot_kind::real;
    const bool is_exact = from_real ? a.real.is_point() : a.known && (sources < 2 || b.known);
    if (!is_exact || sources > (from_real ? 1 : 2)) return {};
    scalar_register r[3]{};
    if (from_real)
      r[1].real = static_cast<float>(a.real.low);
    else
      r[1].word = a.word;
    r[2].word = b.word;
    evaluate_step(instruction::make(x.op(), 0, 1, sources < 2 ? x.b() : 2), r, nullptr);
    return {{}, -1, true, r[0].word};
  }
  program_view p_;
  inexact e_;
  std::vector<cell> cells_;
};

}  // namespace intervals

}  // namespace tenon::trial
