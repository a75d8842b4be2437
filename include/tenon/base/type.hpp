// Element types, the one-to-one map between them and C++ types, and numbers for all of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/half.hpp>
#include <concepts>
#include <cstddef>
#include <cstdint>

namespace tenon {

using i64 = std::int64_t;

/// The element types of WebNN (MLOperandDataType). int4 and uint4 are types of memory alone: two
/// elements in a byte, the first one in its low half. dequantizeLinear reads them, quantizeLinear
/// writes them, reshape passes them on.
enum class type : std::uint8_t {
  float32,
  float16,
  int32,
  uint32,
  int64,
  uint64,
  int8,
  uint8,
  int4,
  uint4
};

/// What is known of an element type; a new one gets a row here and, if it has a C++ type, a line at
/// the end of this file.
struct type_facts {
  type is;
  const char* name;  ///< WebNN's
  int bits;
  bool is_real, is_signed;
  type computed_in;  ///< float32, int32, uint32, int64 or uint64
  type unpacked;     ///< the type of whole bytes that holds the same numbers
  double end;        ///< of an integer type: one more than its largest
};
namespace types {
inline constexpr type_facts table[] = {
    {type::float32, "float32", 32, true, true, type::float32, type::float32, 0},
    {type::float16, "float16", 16, true, true, type::float32, type::float16, 0},
    {type::int32, "int32", 32, false, true, type::int32, type::int32, 0x1p31},
    {type::uint32, "uint32", 32, false, false, type::uint32, type::uint32, 0x1p32},
    {type::int64, "int64", 64, false, true, type::int64, type::int64, 0x1p63},
    {type::uint64, "uint64", 64, false, false, type::uint64, type::uint64, 0x1p64},
    {type::int8, "int8", 8, false, true, type::int32, type::int8, 0x1p7},
    {type::uint8, "uint8", 8, false, false, type::int32, type::uint8, 0x1p8},
    {type::int4, "int4", 4, false, true, type::int32, type::int8, 0x1p3},
    {type::uint4, "uint4", 4, false, false, type::int32, type::uint8, 0x1p4},
};
consteval bool in_order() {
  int i = 0;
  for (const type_facts& f : table)
    if (static_cast<int>(f.is) != i++) return false;
  return true;
}
static_assert(in_order(), "types: the rows must stand in the order of `type`");
}  // namespace types
constexpr const type_facts& facts_of(type t) { return types::table[static_cast<int>(t)]; }

/// True for types of which several elements share a byte.
constexpr bool is_four_bit(type t) { return facts_of(t).bits < 8; }
/// The type of whole bytes that holds the same numbers.
constexpr type unpacked(type t) { return facts_of(t).unpacked; }
/// Size of one element in bytes; of one of four bits, of the byte that it is in.
constexpr i64 size_bytes(type t) { return (facts_of(t).bits + 7) / 8; }
/// Bytes of that many elements. If they have four bits, the last byte may be half used. Rows are
/// not padded.
constexpr i64 bytes_of(type t, i64 elements) {
  return is_four_bit(t) ? (elements + 1) / 2 : elements * size_bytes(t);
}
/// WebNN's name of the type.
constexpr const char* name_of(type t) { return facts_of(t).name; }

constexpr bool is_real(type t) { return facts_of(t).is_real; }
constexpr bool is_signed(type t) { return facts_of(t).is_signed; }
/// The type that elements are computed in: float32, int32, uint32, int64 or uint64.
constexpr type computed_in(type t) { return facts_of(t).computed_in; }
/// Types by their names: `is_one_of(t, type::float32, type::float16)`.
template <std::same_as<type>... T> constexpr bool is_one_of(type t, T... of) {
  return ((t == of) || ...);
}

/// A number that is an option of an operator on any type (MLNumber): integers keep all digits.
struct any_number {
  double value = 0;          ///< rounded where it is an integer of more than 53 bits
  std::uint64_t digits = 0;  ///< of an integer: its two's complement
  bool whole = false;        ///< it was given as an integer

  constexpr any_number() = default;
  template <class T>
  requires(std::integral<T> || std::floating_point<T>) constexpr any_number(T x)
      : value(static_cast<double>(x)) {
    if constexpr (std::integral<T>) {
      digits = static_cast<std::uint64_t>(x);
      whole = true;
    }
  }
  constexpr bool is_nan() const { return value != value; }
  /// Rounded once.
  constexpr float to_float() const {
    constexpr double beyond = 0x1.ffffffp127;  // the first that rounds to an infinity
    constexpr float infinity = __builtin_huge_valf();
    if (!whole && (value >= beyond || value <= -beyond)) return value < 0 ? -infinity : infinity;
    if (!whole) return static_cast<float>(value);
    return value < 0 ? static_cast<float>(static_cast<std::int64_t>(digits))
                     : static_cast<float>(digits);
  }
  constexpr bool exceeds(const any_number& other) const {
    if (!whole || !other.whole || (value < 0) != (other.value < 0)) return value > other.value;
    return value < 0 ? static_cast<std::int64_t>(digits) > static_cast<std::int64_t>(other.digits)
                     : digits > other.digits;
  }
  constexpr bool operator==(const any_number&) const = default;
};

namespace numbers {
/// One more than the largest integer of a type, and the smallest.
constexpr double end_of(type t) { return facts_of(t).end; }
constexpr double begin_of(type t) { return is_signed(t) ? -end_of(t) : 0.0; }
/// True if an integer is inside of an integer type; its value as a double may be rounded.
constexpr bool inside(type t, const any_number& x) {
  if (!x.whole) return x.value >= begin_of(t) && x.value < end_of(t);
  if (x.value < 0) return is_signed(t) && (size_bytes(t) == 8 || x.value >= begin_of(t));
  return x.digits <= (t == type::uint64  ? ~std::uint64_t{0}
                      : t == type::int64 ? ~std::uint64_t{0} >> 1
                                         : static_cast<std::uint64_t>(end_of(t)) - 1);
}
}  // namespace numbers

/// True if an element of this type can be the number `x`, rounded for float32 and float16 alone.
constexpr bool can_hold(type t, const any_number& x) {
  constexpr double most = 0x1.fffffffffffffp1023, most_float = 0x1.fffffep127, most_half = 65520;
  const bool finite = x.value >= -most && x.value <= most;
  if (t == type::float32) return !finite || (x.value >= -most_float && x.value <= most_float);
  if (t == type::float16) return !finite || (x.value > -most_half && x.value < most_half);
  if (!finite || !numbers::inside(t, x)) return false;
  if (x.whole) return true;
  return x.value < 0 ? x.value == static_cast<double>(static_cast<std::int64_t>(x.value))
                     : x.value == static_cast<double>(static_cast<std::uint64_t>(x.value));
}
/// A number as an integer of this type in two's complement, all 64 bits of it: truncated; beyond
/// the type the nearest that it has. NaN is 0.
constexpr std::uint64_t integer_of(type t, const any_number& x) {
  if (x.is_nan()) return 0;
  if (numbers::inside(t, x)) {
    if (x.whole) return x.digits;
    return x.value < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(x.value))
                       : static_cast<std::uint64_t>(x.value);
  }
  const int bits = facts_of(t).bits - (is_signed(t) ? 1 : 0);
  const std::uint64_t largest = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  return x.value > 0 ? largest : is_signed(t) ? ~largest : 0;
}

/// They stand for element types that have no C++ type: `input<"x", tenon::int4, 64>`.
struct int4;
struct uint4;

/// True for the C++ types that stand for an element type and are as large as it.
template <class T> inline constexpr bool is_element = false;
template <class T> inline constexpr type type_of = type::float32;
template <> inline constexpr bool is_element<float> = true;
template <> inline constexpr type type_of<float> = type::float32;
template <> inline constexpr bool is_element<float16> = true;
template <> inline constexpr type type_of<float16> = type::float16;
template <> inline constexpr bool is_element<std::int32_t> = true;
template <> inline constexpr type type_of<std::int32_t> = type::int32;
template <> inline constexpr bool is_element<std::uint32_t> = true;
template <> inline constexpr type type_of<std::uint32_t> = type::uint32;
template <> inline constexpr bool is_element<std::int64_t> = true;
template <> inline constexpr type type_of<std::int64_t> = type::int64;
template <> inline constexpr bool is_element<std::uint64_t> = true;
template <> inline constexpr type type_of<std::uint64_t> = type::uint64;
template <> inline constexpr bool is_element<std::int8_t> = true;
template <> inline constexpr type type_of<std::int8_t> = type::int8;
template <> inline constexpr bool is_element<std::uint8_t> = true;
template <> inline constexpr type type_of<std::uint8_t> = type::uint8;
template <> inline constexpr type type_of<int4> = type::int4;
template <> inline constexpr type type_of<uint4> = type::uint4;

}  // namespace tenon
