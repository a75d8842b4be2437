// What all loops of scalar programs share: operands, functions, and elements as words of registers.
//
// A program (graph/program.hpp) computes one element of a result from one of each operand. Three
// loops run it over many elements:
//
//   run_inlined      program_inlined.hpp      the program is a constant; values stay in registers
//   run_interpreted  program_interpreted.hpp  the program is data; blocks go from link to link
//   run_rare         program_wide.hpp         64-bit integers, integer division and powers
//
// policy.hpp chooses: constant programs and those of program_known.hpp are inlined, others that are
// given at run time are interpreted. All of them compute the same bits. Inside a program every
// element is a word of 32 bits: bytes are widened to int32 and float16 to float32 when they are
// loaded, and narrowed when they are stored.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/rewrite.hpp>
#include <tenon/policy/cpu/simd_operations.hpp>

namespace tenon::simd {

/// An operand of a function. Its type is in the program.
struct stream {
  const void* data = nullptr;  ///< the first element
  i64 step = 1;                ///< elements: 1 (contiguous) or 0 (one element, repeated)
  int bytes = 4;               ///< of an element
  bool far = false;            ///< too long for a cache: worth fetching ahead
  const std::byte* at(i64 i) const noexcept {
    return static_cast<const std::byte*>(data) + i * step * bytes;
  }
};

/// Computes `n` elements. A null `run` copies operand 0.
struct function {
  using run_type = void (*)(program_view, const stream* in, void* out, i64 n) noexcept;
  run_type run = nullptr;
  program_view program{};
  i64 bytes = 4;                             ///< of an element of the result
  const struct dot_kernels* dots = nullptr;  ///< of what dequantizes bytes: how to multiply them
};

/// True if source 1 of instruction `at` is a literal that is no NaN. Then `max` and `min` need no
/// test for NaN on that side.
constexpr bool second_is_number(const instruction* code, int at) {
  for (int i = at - 1; i >= 0; --i)
    if (code[i].dst() == code[at].b())
      return code[i].op() == sop::literal && code[i].real() == code[i].real();
  return false;
}

/// A register of elements as words of a program: bytes and halves are widened.
template <type T> [[gnu::always_inline]] inline real load_as(const std::byte* p) noexcept {
  if constexpr (T == type::float16) return load_halves(p);
  if constexpr (size_bytes(T) == 4) return load(reinterpret_cast<const float*>(p));
  alignas(64) std::int32_t wide[width];
  for (int i = 0; i < width; ++i)
    wide[i] = T == type::int8 ? static_cast<std::int8_t>(p[i]) : static_cast<std::int32_t>(p[i]);
  return as_real(integer::load_aligned(wide));
}
/// The first n < width elements; the others are 0.
template <type T> inline real load_part_as(const std::byte* p, i64 n) noexcept {
  if constexpr (size_bytes(T) == 4) return load_part(reinterpret_cast<const float*>(p), n);
  std::byte padded[2 * width] = {};
  std::memcpy(padded, p, static_cast<std::size_t>(n * size_bytes(T)));
  return load_as<T>(padded);
}
/// One element in all lanes.
template <type T> [[gnu::always_inline]] inline real repeat_as(const std::byte* p) noexcept {
  if constexpr (T == type::uint8) return as_real(integer(static_cast<std::int32_t>(*p)));
  if constexpr (T == type::int8) return as_real(integer(static_cast<std::int8_t>(*p)));
  if constexpr (T == type::float16) {
    std::uint16_t half;
    std::memcpy(&half, p, sizeof(half));
    return real(halves::to_float(half));
  }
  float x;  // the bits of an integer just as well
  std::memcpy(&x, p, sizeof(x));
  return real(x);
}
/// Words of a program as a register's width of elements: integers keep their low byte.
template <type T> [[gnu::always_inline]] inline void store_as(real x, std::byte* p) noexcept {
  if constexpr (T == type::float16) return store_halves(x, p);
  if constexpr (size_bytes(T) == 4) return store(x, reinterpret_cast<float*>(p));
  alignas(64) std::int32_t wide[width];
  as_integer(x).store_aligned(wide);
  for (int i = 0; i < width; ++i) p[i] = static_cast<std::byte>(wide[i]);
}
/// The first n < width elements; memory behind them is not touched.
template <type T> inline void store_part_as(real x, std::byte* p, i64 n) noexcept {
  std::byte padded[4 * width];
  store_as<T>(x, padded);
  std::memcpy(p, padded, static_cast<std::size_t>(n * size_bytes(T)));
}

/// `n` elements of one or two bytes, widened into words.
inline void widen(const stream& s, type t, i64 at, i64 n, float* to) noexcept {
  if (t == type::float16) {
    for (i64 k = 0; k + width <= n; k += width) store(load_halves(s.at(at + k)), to + k);
    if (const i64 done = n / width * width; done < n)
      store(load_part_as<type::float16>(s.at(at + done), n - done), to + done);
    return;
  }
  const std::byte* from = s.at(at);
  const std::int32_t sign = t == type::int8 ? 128 : 0;
  for (i64 k = 0; k < n; ++k) {
    const std::int32_t wide = (static_cast<std::int32_t>(from[k]) ^ sign) - sign;
    std::memcpy(to + k, &wide, sizeof(wide));
  }
}
/// The one element of a repeated operand, in all lanes.
inline real repeated(const stream& s, type t) noexcept {
  if (t == type::uint8) return repeat_as<type::uint8>(s.at(0));
  if (t == type::int8) return repeat_as<type::int8>(s.at(0));
  return t == type::float16 ? repeat_as<type::float16>(s.at(0)) : repeat_as<type::float32>(s.at(0));
}
/// The elements of a result in `n` words: those of a mask, which are -1 or 0, as 1 or 0.
inline void store_words(const float* words, type t, bool is_mask, std::byte* out, i64 n) noexcept {
  if (size_bytes(t) == 4) {
    std::memcpy(out, words, static_cast<std::size_t>(n) * sizeof(float));
  } else if (t == type::float16) {
    for (i64 k = 0; k + width <= n; k += width) store_halves(load(words + k), out + 2 * k);
    if (const i64 done = n / width * width; done < n)
      store_part_as<type::float16>(load(words + done), out + 2 * done, n - done);
  } else {
    for (i64 k = 0; k < n; ++k) {
      std::uint32_t word;
      std::memcpy(&word, words + k, sizeof(word));
      out[k] = static_cast<std::byte>(is_mask ? word & 1u : word);
    }
  }
}

}  // namespace tenon::simd
