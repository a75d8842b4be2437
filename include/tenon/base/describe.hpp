// Errors in words, for programs that print them. The library itself never includes this header.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <cstring>
#include <string>

namespace tenon {

/// `[1, 3, 64, 64]`
inline std::string describe(const shape& s) {
  std::string text = "[";
  for (int i = 0; i < s.rank; ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(s[i]);
  }
  return text + "]";
}

/// What was expected or found; empty for nothing.
inline std::string describe(const fact& f) {
  switch (f.is) {
    case fact::kind::none: return "";
    case fact::kind::number: return std::to_string(f.number);
    case fact::kind::shape: return describe(f.shape);
    case fact::kind::type: return name_of(f.type);
    case fact::kind::word: return f.word.c_str();
  }
  return "";
}

/// The error as one sentence: `conv2d: filter: input channels, expected 3, found 4`. For a file
/// that could not be opened its name and the system's own words:
/// `a.npy: No such file or directory`.
inline std::string describe(const error& e) {
  if (e.ok()) return text_of(e.what);
  std::string text;
  const bool system = e.what == code::open_failed && e.found.is == fact::kind::number;
  const auto add = [&](const char* between, const std::string& part) {
    if (part.empty()) return;
    if (!text.empty()) text += between;
    text += part;
  };
  if (!system) add("", e.op.c_str());
  add(": ", e.operand.c_str());
  add(": ", system ? std::strerror(static_cast<int>(e.found.number)) : text_of(e.what));
  if (system) return text;
  if (e.expected.is != fact::kind::none) add(", expected ", describe(e.expected));
  if (e.found.is != fact::kind::none) add(", found ", describe(e.found));
  return text;
}

/// The status of a call as one sentence: `view 0: size, expected 784, found 783`.
inline std::string describe(const status& s) {
  if (s.ok()) return text_of(s.what);
  const std::string which = s.operand < 0 ? "call" : "view " + std::to_string(s.operand);
  return which + ": " + text_of(s.what) + ", expected " + std::to_string(s.expected) + ", found " +
         std::to_string(s.found);
}

}  // namespace tenon
