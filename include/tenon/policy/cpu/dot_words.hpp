// Images of bytes in words of four channels, with what surrounds them: what products of integers
// read.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/dot_plan.hpp>
#include <tenon/policy/cpu/pack.hpp>
#include <bit>

namespace tenon::simd {

/// Four terms, the first one in the lowest byte.
using word = std::int32_t;

/// Four bytes of each of 16 pixels, from four lines of bytes.
inline void interleave_pixels(const std::byte* const* from, i64 at, word flip, word* to) noexcept {
  using bytes [[gnu::vector_size(16)]] = std::uint8_t;
  using pairs [[gnu::vector_size(16)]] = std::uint16_t;
  using words [[gnu::vector_size(16)]] = word;
  bytes x[word_terms];
  for (int j = 0; j < word_terms; ++j) std::memcpy(&x[j], from[j] + at, sizeof x[j]);
  const auto lower = [](bytes a, bytes b) {
    return reinterpret_cast<pairs>(
        __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  };
  const auto upper = [](bytes a, bytes b) {
    return reinterpret_cast<pairs>(__builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12,
                                                           28, 13, 29, 14, 30, 15, 31));
  };
  const auto write = [&](pairs a, pairs b, word* four) {
    const words first = reinterpret_cast<words>(
                    __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11)),
                second = reinterpret_cast<words>(
                    __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15));
    const words y[] = {first ^ flip, second ^ flip};
    std::memcpy(four, y, sizeof y);
  };
  write(lower(x[0], x[1]), lower(x[2], x[3]), to);
  write(upper(x[0], x[1]), upper(x[2], x[3]), to + 8);
}
/// Writes an image in words: bytes without a sign, around them the zero point.
struct image_writer {
  const dot_plan& t;
  word flip, outside;
  image_writer(const dot_plan& plan, word zero) noexcept
      : t(plan),
        flip(plan.is_signed ? static_cast<word>(0x80808080u) : 0),
        outside(static_cast<word>(static_cast<std::uint32_t>(zero) * 0x01010101u)) {}
  static word joined(const std::byte* a, const std::byte* b, const std::byte* c,
                     const std::byte* d) noexcept {
    const std::byte all[] = {*a, *b, *c, *d};
    return std::bit_cast<word>(all);
  }
  void fill(word* to, i64 n) const noexcept {
    for (i64 i = 0; i < n; ++i) to[i] = outside;
  }
  /// One line of one phase of four channels. Channels that are not there meet weights of 0.
  void line_of_pixels(const std::byte* from, i64 group, i64 phase, word* to) const noexcept {
    const std::byte* own[word_terms];
    for (i64 j = 0; j < word_terms; ++j) {
      const i64 c = group * word_terms + j;
      own[j] = from + (c < t.channels ? c : t.channels - 1) * t.channel;
    }
    const i64 at = phase - t.x.begin, by = t.x.stride * t.x.step;
    const range_of_lines inside = lines_inside(t.x.plane, t.x.stride, at, t.x.extent);
    fill(to, inside.first);
    fill(to + inside.end, t.x.plane - inside.end);
    i64 i = inside.first, byte = (i * t.x.stride + at) * t.x.step;
    while (by == 1 && i < inside.end && inside.end - inside.first >= 16) {
      const i64 back = i + 16 > inside.end ? i + 16 - inside.end : 0;  // the last ones move back
      interleave_pixels(own, byte - back, flip, to + i - back);
      i += 16 - back;
      byte += 16 - back;
    }
    for (; i < inside.end; ++i, byte += by)
      to[i] = joined(own[0] + byte, own[1] + byte, own[2] + byte, own[3] + byte) ^ flip;
  }
  /// All channels of the pixels [begin, end) of a line, one after the other.
  void line_of_channels(const std::byte* from, i64 begin, i64 end, word* to) const noexcept {
    const range_of_lines inside = lines_inside(t.x.plane, 1, -t.x.begin, t.x.extent);
    for (i64 i = begin; i < end; ++i, to += t.words) {
      if (i < inside.first || i >= inside.end) {
        fill(to, t.words);
        continue;
      }
      const std::byte* own = from + (i - t.x.begin) * t.x.step;
      const i64 whole = t.channels / word_terms;
      if (t.channel == 1) {
        std::memcpy(to, own, static_cast<std::size_t>(whole * word_terms));
        for (i64 w = 0; w < whole; ++w) to[w] ^= flip;
      }
      for (i64 w = t.channel == 1 ? whole : 0; w < t.words; ++w) {
        const auto byte = [&](i64 j) {
          const i64 c = w * word_terms + j;
          return own + (c < t.channels ? c : t.channels - 1) * t.channel;
        };
        to[w] = joined(byte(0), byte(1), byte(2), byte(3)) ^ flip;
      }
    }
  }
};
/// Units of work of an image: a line of a phase of four channels, or a run of a line's pixels.
inline i64 image_units(const dot_plan& t) noexcept {
  return t.by_rows ? t.y.plane * ((t.x.plane + dot_rows - 1) / dot_rows)
                   : t.words * t.y.phases * t.y.plane;
}
inline void write_unit(const image_writer& w, const std::byte* from, i64 unit, word* to) noexcept {
  const dot_plan& t = w.t;
  if (t.by_rows) {
    const i64 runs = (t.x.plane + dot_rows - 1) / dot_rows, line = unit / runs,
              begin = unit % runs * dot_rows, y = line - t.y.begin,
              end = begin + dot_rows < t.x.plane ? begin + dot_rows : t.x.plane;
    to += (line * t.x.plane + begin) * t.words;
    if (y < 0 || y >= t.y.extent) return w.fill(to, (end - begin) * t.words);
    return w.line_of_channels(from + y * t.y.step, begin, end, to);
  }
  const i64 line = unit % t.y.plane, phase = unit / t.y.plane % t.y.phases,
            group = unit / t.y.plane / t.y.phases, y = line * t.y.stride + phase - t.y.begin;
  const i64 plane = t.y.plane * t.x.plane;
  to += (group * t.y.phases + phase) * t.x.phases * plane + line * t.x.plane;
  for (i64 px = 0; px < t.x.phases; ++px, to += plane)
    if (y < 0 || y >= t.y.extent)
      w.fill(to, t.x.plane);
    else
      w.line_of_pixels(from + y * t.y.step, group, px, to);
}

}  // namespace tenon::simd
