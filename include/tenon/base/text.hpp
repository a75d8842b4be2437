// Short texts as values: names of weights and operands, usable as template arguments.
// SPDX-License-Identifier: MIT
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace tenon {

/// A string literal as a template argument: `weight<"conv.weight", ...>`.
template <std::size_t N> struct fixed_string {
  char text[N]{};
  constexpr fixed_string(const char (&literal)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = literal[i];
  }
};

/// A name of at most `capacity` characters, held by value: `name("block") + i + ".conv.weight"`.
/// What is added may be a text, a name, a character or an integer. A longer text is cut and `cut`
/// says so: the front ends refuse it.
struct name {
  static constexpr int capacity = 95;
  char text[capacity + 1]{};
  bool cut = false;

  constexpr name() = default;
  constexpr name(const char* s) { append(s); }
  template <std::size_t N> constexpr name(const fixed_string<N>& s) { append(s.text); }

  constexpr int size() const {
    int n = 0;
    while (text[n]) ++n;
    return n;
  }
  constexpr bool empty() const { return text[0] == 0; }
  constexpr const char* c_str() const { return text; }
  constexpr bool operator==(const name& other) const {
    for (int i = 0; i <= capacity; ++i) {
      if (text[i] != other.text[i]) return false;
      if (text[i] == 0) return true;
    }
    return true;
  }
  /// FNV-1a.
  constexpr std::uint32_t hash() const {
    std::uint32_t h = 2166136261u;
    for (const char* s = text; *s; ++s) h = (h ^ static_cast<unsigned char>(*s)) * 16777619u;
    return h;
  }
  friend constexpr name operator+(name a, const char* b) {
    a.append(b);
    return a;
  }
  friend constexpr name operator+(name a, const name& b) {
    a.append(b.text);
    a.cut = a.cut || b.cut;
    return a;
  }
  friend constexpr name operator+(name a, char c) {
    const char one[] = {c, 0};
    a.append(one);
    return a;
  }
  template <class I>
  requires std::is_integral_v<I>
  friend constexpr name operator+(name a, I number) {
    char digits[21]{};
    int at = 20;
    std::uint64_t rest = static_cast<std::uint64_t>(number);
    if (number < 0) rest = 0 - rest;
    do digits[--at] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    if (number < 0) digits[--at] = '-';
    a.append(digits + at);
    return a;
  }

  constexpr void append(const char* s) {
    int n = size();
    for (; *s && n < capacity; ++s) text[n++] = *s;
    if (*s) cut = true;
  }
};

}  // namespace tenon
