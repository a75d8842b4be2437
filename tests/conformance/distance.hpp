// How far a result is from what was expected.
// SPDX-License-Identifier: MIT
#pragma once
#include "operands.hpp"
#include <limits>
#include <optional>
#include <sstream>

namespace conformance {

/// The measure of a case: units in the last place of the output's own type, or absolute.
struct tolerance {
  enum class measure { ulp, absolute };
  measure is = measure::ulp;
  double most = 0;
};

/// Bits as positions on a line: the distance of two is the number of steps between them, and both
/// zeros are one place.
constexpr i64 place_of(std::uint32_t bits, std::uint32_t sign) {
  const auto magnitude = static_cast<i64>(bits & (sign - 1));
  return (bits & sign) != 0 ? -magnitude : magnitude;
}
inline i64 place_of(float x) { return place_of(std::bit_cast<std::uint32_t>(x), 0x80000000u); }
inline i64 place_of(half x) { return place_of(x.bits, 0x8000u); }

/// Two NaN are equal; a NaN is infinitely far from a number.
template <class T> double distance(T a, T b, tolerance::measure how) {
  if constexpr (std::is_integral_v<T>) {
    const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
    return static_cast<double>(a < b ? y - x : x - y);
  } else {
    const double x = number_of(a), y = number_of(b);
    if (std::isnan(x) || std::isnan(y))
      return std::isnan(x) && std::isnan(y) ? 0 : std::numeric_limits<double>::infinity();
    if (how == tolerance::measure::ulp)
      return std::abs(static_cast<double>(place_of(a) - place_of(b)));
    return x == y ? 0 : std::abs(x - y);
  }
}

/// An element in words, with as many digits as tell it from its neighbours.
template <class T> std::string text_of_number(T x) {
  if constexpr (std::is_integral_v<T>) {
    return std::to_string(x);
  } else {
    std::ostringstream out;
    out.precision(9);
    out << number_of(x);
    return out.str();
  }
}

/// The first element that is too far from what was expected, in words.
inline std::optional<std::string> difference(const buffer& expected, const buffer& found,
                                             const tolerance& allowed) {
  return with_element(expected.of.type, [&]<class T>(T) -> std::optional<std::string> {
    for (i64 i = 0, n = expected.of.shape.count(); i < n; ++i) {
      const T wanted = expected.at<T>(i), got = found.at<T>(i);
      const double far = distance(wanted, got, allowed.is);
      if (far <= allowed.most) continue;
      std::ostringstream out;
      out << "element " << i << ", expected " << text_of_number(wanted) << ", found "
          << text_of_number(got) << ", distance " << far
          << (allowed.is == tolerance::measure::ulp ? " ulp" : "") << " (at most " << allowed.most
          << ")";
      return out.str();
    }
    return std::nullopt;
  });
}

}  // namespace conformance
