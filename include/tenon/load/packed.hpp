// Views over elements of 4 bits: bytes in the user's memory, and the number of elements in them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <cstddef>
#include <span>

namespace tenon {

// clang-format off
template <class E>
concept packed_element = std::same_as<E, int4> || std::same_as<E, uint4>;
template <class B>
concept byte_like = std::same_as<std::remove_const_t<B>, std::byte> ||
                    std::same_as<std::remove_const_t<B>, std::uint8_t>;
// clang-format on

/// `count` elements of 4 bits, two in each byte, the first one in the low half. Made by `packed`.
template <packed_element E, byte_like B> struct packed_span {
  std::span<B> bytes;
  i64 count = 0;
  constexpr int operator[](i64 i) const noexcept {
    const int half = static_cast<int>(bytes[static_cast<std::size_t>(i / 2)]) >> i % 2 * 4 & 15;
    return std::same_as<E, int4> ? (half ^ 8) - 8 : half;
  }
  /// Writes the low 4 bits of `x`. The other half of the byte is read and written back.
  /// Misuse: two threads that write the two halves of one byte.
  constexpr void set(i64 i, int x) const noexcept requires(!std::is_const_v<B>) {
    B& b = bytes[static_cast<std::size_t>(i / 2)];
    const int other = static_cast<int>(b) & (i % 2 == 0 ? 0xf0 : 0x0f);
    b = static_cast<B>(other | (x & 15) << i % 2 * 4);
  }
};

/// Bytes as elements of 4 bits: `packed<tenon::int4>(bytes, 7)`, where `bytes` is a span or an
/// array of 4 std::byte or std::uint8_t. With an odd count the last half byte is unused; a call
/// that writes the elements sets it to 0.
template <packed_element E, class Bytes> constexpr auto packed(Bytes&& bytes, i64 count) noexcept {
  const std::span span(bytes);
  return packed_span<E, typename decltype(span)::element_type>{span, count};
}

/// A view with one axis. If there are too few bytes for `count` elements, it has as many as there
/// are, and the call refuses it with `code::size`.
template <class E, class B> struct view_traits<packed_span<E, B>> {
  static constexpr auto make(packed_span<E, B> s) noexcept {
    const auto room = 2 * static_cast<i64>(s.bytes.size());
    const i64 count = s.count < room ? s.count : room;
    return view_for<std::is_const_v<B>>{s.bytes.data(), type_of<E>, extents(count),
                                        dense(extents(count)), false};
  }
};

}  // namespace tenon
