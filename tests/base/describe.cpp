// Errors in words.
// SPDX-License-Identifier: MIT
#include <tenon/base/describe.hpp>
#include <tenon/tenon.hpp>
#include "../catch.hpp"
#include <cerrno>
#include <cstring>

namespace tn = tenon;

TEST_CASE("an error says operator, operand, what, expected and found") {
  constexpr auto model = [](auto x) { return tn::conv2d(x, tn::weight<"f", float, 8, 4, 3, 3>); };
  CHECK(describe(tn::check<tn::graph<model, tn::input<"x", float, 1, 3, 9, 9>>>) ==
        "conv2d: filter: input channels, expected 3, found 4");
  CHECK(describe(tn::error{tn::code::extent, "weights", "fc.weight", tn::extents(20, 1),
                           tn::extents(1, 20)}) ==
        "weights: fc.weight: extent, expected [20, 1], found [1, 20]");
  CHECK(describe(tn::error{tn::code::element_type, "npy", "", tn::type::float32, tn::type::int8}) ==
        "npy: element type, expected float32, found int8");
  CHECK(describe(tn::error{tn::code::missing, "weights", "b", {}, {}}) == "weights: b: missing");
  CHECK(describe(tn::error{}) == "ok");
}

TEST_CASE("a file that is not there is named with the system's own words") {
  CHECK(describe(tn::error{tn::code::open_failed, "file", "a.npy", {}, ENOENT}) ==
        std::string("a.npy: ") + std::strerror(ENOENT));
  CHECK(describe(tn::error{tn::code::open_failed, "file", "a", "a regular file", "a directory"}) ==
        "file: a: open failed, expected a regular file, found a directory");
}

TEST_CASE("every code has words, and a status names its view") {
  for (int c = 1; c <= static_cast<int>(tn::code::device); ++c) {
    const std::string text = describe(tn::error{static_cast<tn::code>(c), "op", "x", {}, {}});
    CHECK(text == std::string("op: x: ") + text_of(static_cast<tn::code>(c)));
  }
  CHECK(describe(tn::status{tn::code::size, 0, 784, 783}) ==
        "view 0: size, expected 784, found 783");
  CHECK(describe(tn::status{tn::code::view_count, -1, 2, 1}) ==
        "call: number of views, expected 2, found 1");
  CHECK(describe(tn::status{}) == "ok");
}
