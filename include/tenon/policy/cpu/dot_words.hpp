// Copies images of bytes to words of four channels, edge included, for integer contractions.
//
// The copy is written at every call, into scratch; its layouts are in dot_plan.hpp. Signed bytes
// become unsigned by adding 128, which flips their highest bit, because the image is the unsigned
// operand of the dot instruction. The edge is filled with the zero point, which means the number 0.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/dot_plan.hpp>
#include <tenon/policy/cpu/pack.hpp>
#include <bit>
#include <cstring>

namespace tenon::simd {

/// Writes 16 words, each with the four channels of a pixel, from 16 bytes of each of four channels.
/// This is a transposition of 4 x 16 bytes: two rounds of interleaving, in registers of 128 bits,
/// which every target has.
inline void interleave_pixels(const std::byte* const* from, i64 at, dot_word flip,
                              dot_word* to) noexcept {
  using bytes [[gnu::vector_size(16)]] = std::uint8_t;
  using pairs [[gnu::vector_size(16)]] = std::uint16_t;
  using words [[gnu::vector_size(16)]] = dot_word;
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
  const auto write = [&](pairs a, pairs b, dot_word* four) {
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
/// Writes an image in words.
struct image_writer {
  const dot_plan& plan;
  dot_word flip;  ///< the bits by which a word of the image becomes unsigned
  dot_word edge;  ///< four times the zero point
  image_writer(const dot_plan& of, dot_word zero) noexcept
      : plan(of),
        flip(of.is_signed ? static_cast<dot_word>(0x80808080u) : 0),
        edge(static_cast<dot_word>(static_cast<std::uint32_t>(zero) * 0x01010101u)) {}
  static dot_word joined(const std::byte* a, const std::byte* b, const std::byte* c,
                         const std::byte* d) noexcept {
    const std::byte all[] = {*a, *b, *c, *d};
    return std::bit_cast<dot_word>(all);
  }
  void fill(dot_word* to, i64 n) const noexcept {
    for (i64 i = 0; i < n; ++i) to[i] = edge;
  }
  /// One line of one phase of four channels. If the last word has fewer than four channels, the
  /// last channel is repeated; any value would do, since its weights are 0.
  void line_of_pixels(const std::byte* from, i64 group, i64 phase, dot_word* to) const noexcept {
    const std::byte* lines[word_terms];
    for (i64 j = 0; j < word_terms; ++j) {
      const i64 c = group * word_terms + j;
      lines[j] = from + (c < plan.channels ? c : plan.channels - 1) * plan.channel;
    }
    const i64 at = phase - plan.x.begin, by = plan.x.stride * plan.x.step;
    const range_of_lines inside = lines_inside(plan.x.plane, plan.x.stride, at, plan.x.extent);
    fill(to, inside.first);
    fill(to + inside.end, plan.x.plane - inside.end);
    i64 i = inside.first, byte = (i * plan.x.stride + at) * plan.x.step;
    while (by == 1 && i < inside.end && inside.end - inside.first >= 16) {
      // The last 16 pixels are shifted left to stay inside; some are written twice.
      const i64 back = i + 16 > inside.end ? i + 16 - inside.end : 0;
      interleave_pixels(lines, byte - back, flip, to + i - back);
      i += 16 - back;
      byte += 16 - back;
    }
    for (; i < inside.end; ++i, byte += by)
      to[i] = joined(lines[0] + byte, lines[1] + byte, lines[2] + byte, lines[3] + byte) ^ flip;
  }
  /// All channels of the pixels [begin, end) of a line, one pixel after the other. If channels are
  /// neighbours in memory they are copied, and only a last word of fewer than four channels is put
  /// together byte by byte.
  void line_of_channels(const std::byte* from, i64 begin, i64 end, dot_word* to) const noexcept {
    const range_of_lines inside = lines_inside(plan.x.plane, 1, -plan.x.begin, plan.x.extent);
    for (i64 i = begin; i < end; ++i, to += plan.words) {
      if (i < inside.first || i >= inside.end) {
        fill(to, plan.words);
        continue;
      }
      const std::byte* pixel = from + (i - plan.x.begin) * plan.x.step;
      const i64 whole = plan.channels / word_terms;
      if (plan.channel == 1) {
        std::memcpy(to, pixel, static_cast<std::size_t>(whole * word_terms));
        for (i64 w = 0; w < whole; ++w) to[w] ^= flip;
      }
      for (i64 w = plan.channel == 1 ? whole : 0; w < plan.words; ++w) {
        const auto byte = [&](i64 j) {
          const i64 c = w * word_terms + j;
          return pixel + (c < plan.channels ? c : plan.channels - 1) * plan.channel;
        };
        to[w] = joined(byte(0), byte(1), byte(2), byte(3)) ^ flip;
      }
    }
  }
};
/// The number of pieces of an image, which threads share. A piece is `dot_rows` pixels of a line
/// or, where pixels fill vectors, a line of a vertical phase of four channels.
inline i64 image_pieces(const dot_plan& plan) noexcept {
  return plan.by_rows ? plan.y.plane * ((plan.x.plane + dot_rows - 1) / dot_rows)
                      : plan.words * plan.y.phases * plan.y.plane;
}
inline void write_piece(const image_writer& w, const std::byte* from, i64 piece,
                        dot_word* to) noexcept {
  const dot_plan& plan = w.plan;
  if (plan.by_rows) {
    const i64 pieces = (plan.x.plane + dot_rows - 1) / dot_rows, line = piece / pieces,
              begin = piece % pieces * dot_rows, y = line - plan.y.begin,
              end = begin + dot_rows < plan.x.plane ? begin + dot_rows : plan.x.plane;
    to += (line * plan.x.plane + begin) * plan.words;
    if (y < 0 || y >= plan.y.extent) return w.fill(to, (end - begin) * plan.words);
    return w.line_of_channels(from + y * plan.y.step, begin, end, to);
  }
  const i64 line = piece % plan.y.plane, phase = piece / plan.y.plane % plan.y.phases,
            group = piece / plan.y.plane / plan.y.phases,
            y = line * plan.y.stride + phase - plan.y.begin;
  const i64 plane = plan.y.plane * plan.x.plane;
  to += (group * plan.y.phases + phase) * plan.x.phases * plane + line * plan.x.plane;
  for (i64 px = 0; px < plan.x.phases; ++px, to += plane)
    if (y < 0 || y >= plan.y.extent)
      w.fill(to, plan.x.plane);
    else
      w.line_of_pixels(from + y * plan.y.step, group, px, to);
}

}  // namespace tenon::simd
