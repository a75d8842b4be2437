// Iteration spaces: which axes merge, and who takes elements in fours. Needs no device.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/spirv/space.hpp>
#include "../../../catch.hpp"
#include <vector>

namespace {

using namespace tenon::spirv;
using tenon::i64, tenon::type;
using reading = tenon::spirv::access;  // unistd.h has a function `access`

static_assert(space{}.count() == 1, "a scalar has one position");
static_assert(space_of(tenon::extents(2, 3, 4)).dims == 3 &&
              space_of(tenon::extents(2, 3, 4)).count() == 24);

static_assert(blocks_of(8, 4) == 2 && blocks_of(9, 4) == 3 && blocks_of(0, 4) == 0);

static_assert(kind_of(type::float16, true) == kind::float16 &&
                  kind_of(type::float16, false) == kind::int16,
              "a device without float16 converts the bits itself");
static_assert(kind_of(type::uint8, false) == kind::int8 &&
              kind_of(type::uint64, false) == kind::int64 &&
              kind_of(type::uint32, false) == kind::int32 &&
              kind_of(type::float32, false) == kind::float32);
static_assert(in_memory(type::int4) == type::uint8 && in_memory(type::int8) == type::int8);

// ---- fours: neighbours on a CPU, 64 elements apart on a GPU, and there only in large spaces
constexpr target cpu{.cpu_driver = true}, gpu{};
constexpr space line(i64 extent) { return {1, {extent}}; }
static_assert(four_apart(cpu) == 1 && four_apart(gpu) == 64);
static_assert(in_fours(cpu, line(4)) && !in_fours(cpu, line(3)) && !in_fours(cpu, space{}));
static_assert(in_fours(gpu, line(1 << 18)) && !in_fours(gpu, line((1 << 18) - 1)));
static_assert(in_fours(gpu, {2, {1024, 256}}) && !in_fours(gpu, {2, {2048, 128}}),
              "the last axis must have 4 times 64 elements, however large the space is");

// ---- merging
constexpr bool same(const space& a, const space& b) {
  bool equal = a.dims == b.dims;
  for (int i = 0; equal && i < a.dims; ++i) equal = a.extent[i] == b.extent[i];
  return equal;
}
/// Two operands in one space, merged in [first, end).
struct merged {
  space s;
  reading a, b;
  int left;
  constexpr merged(const space& from, std::initializer_list<i64> step_a,
                   std::initializer_list<i64> step_b, int first, int end)
      : s(from) {
    int i = 0;
    for (const i64 step : step_a) a.step[i++] = step;
    i = 0;
    for (const i64 step : step_b) b.step[i++] = step;
    reading* both[] = {&a, &b};
    left = merge(s, first, end, {both, 2});
  }
};
constexpr space cube{3, {2, 3, 4}};
constexpr merged dense(cube, {12, 4, 1}, {12, 4, 1}, 0, 3);
static_assert(same(dense.s, line(24)) && dense.left == 1 && dense.a.step[0] == 1,
              "what lies densely becomes a line");
constexpr merged repeated(cube, {12, 4, 1}, {0, 0, 0}, 0, 3);
static_assert(same(repeated.s, line(24)), "a scalar beside it moves evenly too");
constexpr merged bias(cube, {12, 4, 1}, {0, 1, 0}, 0, 3);
static_assert(same(bias.s, cube) && bias.b.step[1] == 1, "one operand is enough to keep axes");
constexpr merged rows(cube, {12, 4, 1}, {12, 4, 1}, 0, 2);
static_assert(same(rows.s, {2, {6, 4}}) && rows.left == 1 && rows.a.step[0] == 4 &&
                  rows.a.step[1] == 1,
              "the axis behind the end stays by itself");
constexpr merged columns(cube, {12, 4, 1}, {12, 4, 1}, 1, 3);
static_assert(same(columns.s, {2, {2, 12}}) && columns.left == 1 && columns.a.step[0] == 12);
constexpr merged ones({4, {1, 3, 1, 4}}, {99, 8, 77, 1}, {55, 4, 33, 1}, 0, 4);
static_assert(same(ones.s, {2, {3, 4}}) && ones.left == 2 && ones.a.step[0] == 8 &&
                  ones.b.step[0] == 4 && ones.a.step[1] == 1,
              "axes of extent 1 go, whatever their steps");
constexpr merged alone({2, {1, 1}}, {1, 1}, {1, 1}, 0, 2);
static_assert(alone.s.dims == 0 && alone.left == 0 && alone.s.count() == 1);

/// The addresses at which an operand is read, in the order of the positions.
std::vector<i64> addresses(const space& s, const reading& v) {
  std::vector<i64> all;
  for (i64 k = 0; k < s.count(); ++k) {
    i64 rest = k, at = v.offset;
    for (int i = s.dims; i-- > 0; rest /= s.extent[i]) at += rest % s.extent[i] * v.step[i];
    all.push_back(at);
  }
  return all;
}

}  // namespace

TEST_CASE("a merged space visits the same elements in the same order") {
  for (const i64 extent : {1, 2, 3})
    for (const i64 gap : {0, 1, 2, 6})
      for (int first = 0; first < 3; ++first)
        for (int end = first; end <= 4; ++end) {
          CAPTURE(extent, gap, first, end);
          const space before{4, {2, extent, 3, 2}};
          reading a, b;
          for (int i = 3, step = 1; i >= 0; --i) {
            a.step[i] = step, b.step[i] = i % 2 * gap;
            step *= static_cast<int>(before.extent[i]);
          }
          const std::vector<i64> wanted_a = addresses(before, a), wanted_b = addresses(before, b);
          space s = before;
          reading* both[] = {&a, &b};
          const int left = merge(s, first, end, {both, 2});
          CHECK(left <= end - first);
          CHECK(s.dims == before.dims - (end - first) + left);
          CHECK(addresses(s, a) == wanted_a);
          CHECK(addresses(s, b) == wanted_b);
        }
}
