// Pictures and bars for a terminal, in block characters or in plain ASCII.
// SPDX-License-Identifier: MIT
#pragma once
#include <algorithm>
#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <string_view>

namespace terminal {

inline constexpr int side = 28;          ///< rows and columns of a picture
using picture = std::span<const float>;  ///< side * side values from 0 to 1

/// Two rows of a picture as one line of `side` characters.
inline std::string two_rows(picture pixels, int row, bool ascii) {
  static constexpr std::array blocks{" ", "▀", "▄", "█"};
  static constexpr std::string_view shades = " .:-=+*#%@";
  const auto at = [&](int y, int x) { return pixels[static_cast<std::size_t>(y * side + x)]; };
  std::string line;
  for (int x = 0; x < side; ++x) {
    const float above = at(row, x), below = at(row + 1, x);
    const auto shade = static_cast<std::size_t>((above + below) / 2 * 9 + 0.5f);
    if (ascii)
      line += shades[shade];
    else
      line += blocks[(above > 0.4f ? 1u : 0u) + (below > 0.4f ? 2u : 0u)];
  }
  return line;
}

/// A fraction from 0 to 1 as a bar of `width` characters; with blocks, in eighths of one.
inline std::string bar(float fraction, int width, bool ascii) {
  static constexpr std::array eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int parts = ascii ? 1 : 8;
  const float clamped = std::clamp(fraction, 0.0f, 1.0f);
  const int filled = static_cast<int>(clamped * static_cast<float>(width * parts) + 0.5f);
  const int full = filled / parts, rest = filled % parts;
  std::string line;
  for (int i = 0; i < full; ++i) line += ascii ? "#" : "█";
  line += eighths[static_cast<std::size_t>(rest)];
  line.append(static_cast<std::size_t>(width - full - (rest > 0)), ' ');
  return line;
}

/// A bar between two spaces, with its number behind it.
inline std::string rated(float fraction, int width, bool ascii) {
  char number[16];
  std::snprintf(number, sizeof number, " %.4f", static_cast<double>(fraction));
  return std::string(1, ' ').append(bar(fraction, width, ascii)).append(number);
}

/// The first row of a picture, an even number, below which `rows` rows hold its ink.
inline int first_row(picture pixels, int rows) {
  const auto ink = std::ranges::find_if(pixels, [](float p) { return p > 0.4f; });
  const int top = static_cast<int>(ink - pixels.begin()) / side / 2 * 2;
  return std::min(top, side - rows);
}

}  // namespace terminal
