// How numbers, names and lines of text are written for people.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include <tenon/graph/node.hpp>
#include <algorithm>
#include <cstdio>
#include <type_traits>

namespace tenon::notation {

/// The parts, one after the other: texts and integers. (`"text" + std::string` makes g++ 12 warn of
/// an overlap that is not there.)
template <class... Part> std::string joined(const Part&... part) {
  std::string text;
  const auto add = [&](const auto& one) {
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(one)>>)
      text += std::to_string(one);
    else
      text += one;
  };
  (add(part), ...);
  return text;
}

/// Text in which every byte may be printed on one line: control characters become `\x0a`.
inline std::string printable(const char* s) {
  std::string text;
  for (; *s; ++s) {
    const auto byte = static_cast<unsigned char>(*s);
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(byte));
    text += byte < 32 || byte == 127 ? std::string(code) : std::string(1, *s);
  }
  return text;
}

/// 1234567 as `1,234,567`.
inline std::string digits(i64 n) {
  const std::string plain = std::to_string(n);
  std::string text;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const std::size_t left = plain.size() - i;
    if (i > 0 && left % 3 == 0 && plain[i - 1] != '-') text += ',';
    text += plain[i];
  }
  return text;
}

/// Three digits and a decimal prefix: 28224 as `28.2 k`; exact below 1000.
inline std::string rounded(double n) {
  constexpr const char* prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  int at = 0;
  for (; n >= 999.5 && at < 6; ++at) n /= 1000;
  char text[32];
  const int places = at == 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2;
  std::snprintf(text, sizeof text, "%.*f %s", places, n, prefixes[at]);
  return text;
}
/// Bytes: exact below 10,000, else with a decimal prefix.
inline std::string bytes(i64 n) {
  return n < 10000 ? digits(n) + " B" : rounded(static_cast<double>(n)) + "B";
}
/// Operations: `28.2 kFLOP`.
inline std::string flops(i64 n) { return rounded(static_cast<double>(n)) + "FLOP"; }
/// Operations for each byte that moves, with three digits where that makes sense.
inline std::string intensity(double x) {
  char text[32];
  std::snprintf(text, sizeof text, x < 9.995 ? "%.2f FLOP/B" : "%.1f FLOP/B", x);
  return text;
}

/// `a contraction`, for a family of this or any later version.
inline std::string noun_of(family f) {
  return f == family::contract ? "contraction" : f == family::reduce ? "reduction" : name_of(f);
}

/// Lines of text. Columns that are too narrow for a text grow with it.
struct page {
  static constexpr std::size_t width = 118;
  std::string text;

  void line(std::string s = {}) {
    while (!s.empty() && s.back() == ' ') s.pop_back();
    text += s + "\n";
  }
  /// `label` in front, the words of `s` behind it, on as many lines as they need.
  void wrapped(const std::string& label, const std::string& s) {
    std::string now = label;
    bool empty = true;
    for (std::size_t at = 0; at < s.size();) {
      const std::size_t end = std::min(s.find(' ', at), s.size());
      if (!empty && now.size() + 1 + end - at > width) {
        line(now);
        now.assign(label.size(), ' ');
        empty = true;
      }
      if (!empty) now += ' ';
      now.append(s, at, end - at);
      empty = false;
      at = end + 1;
    }
    line(now);
  }
};
/// Fills a text with spaces up to so many columns, behind it; `right`: in front of it.
inline std::string left(std::string s, std::size_t columns) {
  if (s.size() < columns) s.append(columns - s.size(), ' ');
  return s;
}
/// The first part of a text that is too long.
inline std::string cut(const std::string& s, std::size_t columns) {
  return s.size() <= columns ? s : s.substr(0, columns - 2) + "..";
}
inline std::string right(const std::string& s, std::size_t columns) {
  return s.size() < columns ? std::string(columns - s.size(), ' ') + s : s;
}
/// `1 group`, `2 groups`: a number with its noun.
inline std::string counted(i64 n, const char* one, const char* many) {
  return digits(n) + " " + (n == 1 ? one : many);
}

}  // namespace tenon::notation
