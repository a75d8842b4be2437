// Element types and the one-to-one map between them and C++ types.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>

namespace tenon {

using i64 = std::int64_t;

/// The element types of WebNN (MLOperandDataType). This release computes in float32; the others are
/// known so that a file or a view that holds them is refused by name.
enum class type : std::uint8_t { float32, float16, int32, uint32, int64, uint64, int8, uint8 };

/// Size of one element in bytes.
constexpr i64 size_bytes(type t) {
  constexpr i64 bytes[] = {4, 2, 4, 4, 8, 8, 1, 1};
  return bytes[static_cast<int>(t)];
}

/// WebNN's name of the type.
constexpr const char* name_of(type t) {
  constexpr const char* names[] = {"float32", "float16", "int32", "uint32",
                                   "int64",   "uint64",  "int8",  "uint8"};
  return names[static_cast<int>(t)];
}

/// True if an element of this type can be the number `x`, rounded for float32 alone. No library
/// type converts to float16: only zero bits are known.
constexpr bool can_hold(type t, double x) {
  constexpr double most = 0x1.fffffffffffffp1023, most_float = 0x1.fffffep127;
  const bool finite = x >= -most && x <= most;
  if (t == type::float32) return !finite || (x >= -most_float && x <= most_float);
  constexpr double below[] = {0, 1, 0x1p31, 0x1p32, 0x1p63, 0x1p64, 0x1p7, 0x1p8};
  constexpr bool has_sign[] = {true, false, true, false, true, false, true, false};
  const double end = below[static_cast<int>(t)], begin = has_sign[static_cast<int>(t)] ? -end : 0.0;
  if (!finite || x < begin || x >= end) return false;
  if (t == type::float16) return x == 0;
  return x < 0 ? x == static_cast<double>(static_cast<std::int64_t>(x))
               : x == static_cast<double>(static_cast<std::uint64_t>(x));
}

/// True for the C++ types that stand for an element type.
template <class T> inline constexpr bool is_element = false;
template <class T> inline constexpr type type_of = type::float32;
template <> inline constexpr bool is_element<float> = true;
template <> inline constexpr type type_of<float> = type::float32;
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

}  // namespace tenon
