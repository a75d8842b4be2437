// Numbers and lines of text for people.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/notation.hpp>
#include "../../catch.hpp"
#include <sstream>

namespace words = tenon::notation;

TEST_CASE("numbers are grouped, rounded to three digits and given a prefix") {
  CHECK(words::digits(0) == "0");
  CHECK(words::digits(999) == "999");
  CHECK(words::digits(1000) == "1,000");
  CHECK(words::digits(-1234567) == "-1,234,567");
  CHECK(words::digits(-123) == "-123");
  CHECK(words::flops(0) == "0 FLOP");
  CHECK(words::flops(999) == "999 FLOP");
  CHECK(words::flops(1000) == "1.00 kFLOP");
  CHECK(words::flops(28224) == "28.2 kFLOP");
  CHECK(words::flops(999499) == "999 kFLOP");
  CHECK(words::flops(999500) == "1.00 MFLOP");
  CHECK(words::flops(123456789012) == "123 GFLOP");
  CHECK(words::bytes(9999) == "9,999 B");
  CHECK(words::bytes(10000) == "10.0 kB");
  CHECK(words::intensity(2.9178) == "2.92 FLOP/B");
  CHECK(words::intensity(25.72) == "25.7 FLOP/B");
}

TEST_CASE("what cannot be printed on one line is written as its code") {
  CHECK(words::printable("a\nb\x1b[1m\x7f") == "a\\x0ab\\x1b[1m\\x7f");
  CHECK(words::printable("größe") == "größe");
}

TEST_CASE("long lines break between words and go on below their beginning") {
  words::page out;
  std::string text;
  for (int i = 0; i < 60; ++i) text += words::joined(i > 0 ? " word" : "word", i);
  out.wrapped("  label    ", text);
  std::istringstream lines(out.text);
  std::string line, again;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    CHECK(line.size() <= words::page::width);
    CHECK(line.substr(0, 11) == (count == 0 ? "  label    " : "           "));
    if (count > 0) again += ' ';
    again += line.substr(11);
  }
  CHECK(count == 4);
  CHECK(again == text);
}
