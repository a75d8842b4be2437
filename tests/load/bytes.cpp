// Sizes that cannot overflow and little-endian numbers, all in constant expressions.
// SPDX-License-Identifier: MIT
#include <tenon/load/bytes.hpp>
#include "../catch.hpp"

namespace tn = tenon;

namespace {

constexpr tn::i64 large = tn::i64{1} << 40;
constexpr tn::i64 most = std::numeric_limits<tn::i64>::max();
constexpr tn::result<tn::i64> bytes_of(tn::shape s, tn::i64 bits) {
  return tn::dense_bytes(s, bits, "test", "x");
}

static_assert(*bytes_of(tn::extents(3, 4), 32) == 48);
static_assert(*bytes_of(tn::extents(), 64) == 8, "a scalar has one element");
static_assert(*bytes_of(tn::extents(5, 0, 3), 32) == 0);
static_assert(*bytes_of(tn::extents(3, 2), 4) == 3, "two elements of four bits fill a byte");
static_assert(bytes_of(tn::extents(3), 4).error().is(tn::code::size, "test"));
static_assert(*bytes_of(tn::extents(most / 8), 8) == most / 8);
static_assert(bytes_of(tn::extents(most / 8 + 1), 8).error().is(tn::code::capacity, "test"));
static_assert(bytes_of(tn::extents(large, large), 8).error().is(tn::code::capacity, "test"));
static_assert(bytes_of(tn::extents(0, large, large), 8).error().is(tn::code::capacity, "test"),
              "no elements, but strides that would overflow");

constexpr std::byte eight[] = {std::byte{1}, std::byte{2}, std::byte{0}, std::byte{0},
                               std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0x80}};
static_assert(tn::little_endian(std::span(eight)) == 0x8000000000000201u);
static_assert(tn::little_endian(std::span(eight).first(2)) == 0x0201u);
static_assert(tn::little_endian({}) == 0);

}  // namespace

TEST_CASE("misalignment is the distance past the last multiple of the element's size") {
  alignas(8) std::byte memory[16]{};
  CHECK(tn::misalignment(memory, tn::type::int64) == 0);
  CHECK(tn::misalignment(memory + 4, tn::type::float32) == 0);
  CHECK(tn::misalignment(memory + 4, tn::type::int64) == 4);
  CHECK(tn::misalignment(memory + 3, tn::type::float16) == 1);
  CHECK(tn::misalignment(memory + 3, tn::type::uint8) == 0);
}
