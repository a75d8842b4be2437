// tenon's errors in words, for programs that print them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <cstring>
#include <string>

inline std::string describe(const tenon::shape& s) {
  std::string text = "[";
  for (int i = 0; i < s.rank; ++i) text += (i > 0 ? ", " : "") + std::to_string(s[i]);
  return text + "]";
}
inline std::string describe(const tenon::fact& f) {
  switch (f.is) {
    case tenon::fact::kind::number: return std::to_string(f.number);
    case tenon::fact::kind::shape: return describe(f.shape);
    case tenon::fact::kind::type: return name_of(f.type);
    case tenon::fact::kind::word: return f.word.c_str();
    default: return "";
  }
}
/// "conv1.weight: extent, expected [20, 1, 5, 5], found [20, 5, 5]"
inline std::string describe(const tenon::error& e) {
  using kind = tenon::fact::kind;
  if (e.what == tenon::code::open_failed && e.found.is == kind::number)
    return std::strerror(static_cast<int>(e.found.number));  // the system's own words
  const bool names_operand = !e.operand.empty() && e.what != tenon::code::open_failed;
  std::string text = names_operand ? std::string(e.operand.c_str()) + ": " : "";
  text += text_of(e.what);
  if (e.expected.is != kind::none) text += ", expected " + describe(e.expected);
  if (e.found.is != kind::none) text += ", found " + describe(e.found);
  return text;
}
/// "view 0: size, expected 784, found 783"
inline std::string describe(const tenon::status& s) {
  return "view " + std::to_string(s.operand) + ": " + text_of(s.what) + ", expected " +
         std::to_string(s.expected) + ", found " + std::to_string(s.found);
}
