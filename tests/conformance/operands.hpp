// Tensors of conformance cases: typed buffers, filled from JSON exactly.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/shape.hpp>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace conformance {

namespace tn = tenon;
using json = nlohmann::json;
using tn::i64;

/// Something that the case or the library does not let us do; a failure of the case.
struct problem : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// IEEE binary16 by its bits.
struct half {
  std::uint16_t bits = 0;
};
/// Rounded to nearest, ties to even.
inline half half_of(double x) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(x) ? 0x8000 : 0);
  if (std::isnan(x)) return {static_cast<std::uint16_t>(sign | 0x7e00)};
  const double a = std::abs(x);
  if (a >= 65520) return {static_cast<std::uint16_t>(sign | 0x7c00)};
  const int e =
      a < 0x1p-14 ? -14 : std::ilogb(a);  // subnormal numbers have the exponent of the least normal
  const auto units = static_cast<int>(std::nearbyint(std::ldexp(a, 10 - e)));
  return {static_cast<std::uint16_t>(sign | ((e + 14) * 1024 + units))};
}
inline double number_of(half h) {
  const int e = h.bits >> 10 & 31, m = h.bits & 1023;
  const double a = e == 31  ? (m != 0 ? std::nan("") : HUGE_VAL)
                   : e == 0 ? std::ldexp(m, -24)
                            : std::ldexp(1024 + m, e - 25);
  return (h.bits & 0x8000) != 0 ? -a : a;
}
inline double number_of(float x) { return static_cast<double>(x); }

/// Calls `f` with a zero of the C++ type that holds elements of this type.
template <class F> auto with_element(tn::type t, F f) {
  switch (t) {
    case tn::type::float32: return f(float{});
    case tn::type::float16: return f(half{});
    case tn::type::int32: return f(std::int32_t{});
    case tn::type::uint32: return f(std::uint32_t{});
    case tn::type::int64: return f(std::int64_t{});
    case tn::type::uint64: return f(std::uint64_t{});
    case tn::type::int8: return f(std::int8_t{});
    case tn::type::uint8: return f(std::uint8_t{});
    case tn::type::int4: return f(std::int8_t{});  // one by one: see `buffer`
    case tn::type::uint4: return f(std::uint8_t{});
  }
  throw problem("an element type without a C++ type");
}

/// The element type of WebNN's name.
inline tn::type type_named(const std::string& text) {
  using enum tn::type;
  for (const tn::type t :
       {float32, float16, int32, uint32, int64, uint64, int8, uint8, int4, uint4})
    if (text == tn::name_of(t)) return t;
  throw problem("the library has no element type '" + text + "'");
}

/// A number of a case: "nan", "inf" and decimal strings, too.
inline double real_of(const json& j) {
  if (!j.is_string()) return j.get<double>();
  const std::string text = j.get<std::string>();
  char* end = nullptr;
  const double x = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != 0) throw problem("'" + text + "' is not a number");
  return x;
}
template <class T> void read_number(const json& j, T& x) {
  if constexpr (std::is_same_v<T, half>) {
    x = half_of(real_of(j));
  } else if constexpr (std::is_same_v<T, float>) {
    x = static_cast<float>(real_of(j));
  } else {
    const auto in_range = [&](auto n) {
      if (!std::in_range<T>(n)) throw problem("the element type does not hold " + j.dump());
      x = static_cast<T>(n);
    };
    if (j.is_string())
      in_range(std::stoull(j.get<std::string>()));
    else if (j.is_number_unsigned())
      in_range(j.get<std::uint64_t>());
    else if (j.is_number_integer())
      in_range(j.get<std::int64_t>());
    else
      throw problem("not an integer: " + j.dump());
  }
}

/// A tensor and its dense elements.
struct buffer {
  tn::tensor of{};
  std::vector<std::byte> bytes{};
  buffer() = default;
  explicit buffer(const tn::tensor& t)
      : of(t), bytes(static_cast<std::size_t>(t.bytes()), std::byte{0xcd}) {}
  template <class T> T at(i64 i) const {
    T x;
    if constexpr (sizeof x == 1)
      if (is_four_bit(of.type)) {
        const int one =
            std::to_integer<int>(bytes[static_cast<std::size_t>(i / 2)]) >> i % 2 * 4 & 15;
        return static_cast<T>(of.type == tn::type::int4 ? (one ^ 8) - 8 : one);
      }
    std::memcpy(&x, bytes.data() + static_cast<std::size_t>(i) * sizeof x, sizeof x);
    return x;
  }
};
/// Reads `{"shape", "dataType", "data"}`.
inline buffer read_buffer(const json& j) {
  const json &extents = j.at("shape"), &data = j.at("data");
  tn::shape s{static_cast<int>(extents.size()), {}};
  if (extents.size() > tn::max_rank) throw problem("a rank of " + std::to_string(extents.size()));
  for (int i = 0; i < s.rank; ++i) s.extent[i] = extents[static_cast<std::size_t>(i)].get<i64>();
  buffer b(tn::tensor{type_named(j.at("dataType").get<std::string>()), s});
  if (static_cast<i64>(data.size()) != s.count())
    throw problem("the data have another number of elements than the shape");
  with_element(b.of.type, [&]<class T>(T x) {
    std::byte* to = b.bytes.data();
    bool high = false;
    for (const json& number : data) {
      read_number(number, x);
      if constexpr (sizeof x == 1)
        if (is_four_bit(b.of.type)) {
          const int n = x, least = b.of.type == tn::type::int4 ? -8 : 0;
          if (n < least || n > least + 15) throw problem("4 bits do not hold " + number.dump());
          *to = high ? *to | std::byte(n << 4 & 0xf0) : std::byte(n & 15);
          to += high;
          high = !high;
          continue;
        }
      std::memcpy(to, &x, sizeof x);
      to += sizeof x;
    }
  });
  return b;
}

}  // namespace conformance
