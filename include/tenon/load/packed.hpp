// Views over elements of 4 bits: bytes of somebody else's, and how many elements are in them.
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

/// `count` elements of 4 bits, two in each byte, the first one in its low half; use `packed`.
template <packed_element E, byte_like B> struct packed_span {
  std::span<B> bytes;
  i64 count = 0;
  constexpr int operator[](i64 i) const noexcept {
    const int half = static_cast<int>(bytes[static_cast<std::size_t>(i / 2)]) >> i % 2 * 4 & 15;
    return std::same_as<E, int4> ? (half ^ 8) - 8 : half;
  }
  /// Keeps the low 4 bits of `x`.
  constexpr void set(i64 i, int x) const noexcept requires(!std::is_const_v<B>) {
    B& b = bytes[static_cast<std::size_t>(i / 2)];
    const int other = static_cast<int>(b) & (i % 2 == 0 ? 0xf0 : 0x0f);
    b = static_cast<B>(other | (x & 15) << i % 2 * 4);
  }
};

/// Bytes as elements of 4 bits: `packed<tenon::int4>(bytes, 7)` of a span or an array of 4
/// std::byte or std::uint8_t. The last half byte may be unused; a call that writes it makes it 0.
template <packed_element E, class Bytes> constexpr auto packed(Bytes&& bytes, i64 count) noexcept {
  const std::span all(bytes);
  return packed_span<E, typename decltype(all)::element_type>{all, count};
}

/// A run of elements. Too few bytes for them are a run of what is there (`code::size` at the call).
template <class E, class B> struct view_traits<packed_span<E, B>> {
  static constexpr auto make(packed_span<E, B> s) noexcept {
    const auto most = 2 * static_cast<i64>(s.bytes.size());
    const i64 count = s.count < most ? s.count : most;
    return view_for<std::is_const_v<B>>{s.bytes.data(), type_of<E>, extents(count),
                                        dense(extents(count)), false};
  }
};

}  // namespace tenon
