// Shapes and strides as plain values: counts, dense and broadcast strides, bytes of tensors.
// SPDX-License-Identifier: MIT
#include <tenon/base/shape.hpp>
#include "../catch.hpp"

namespace {

using namespace tenon;

constexpr strides steps(i64 a, i64 b = 0, i64 c = 0) { return {{a, b, c}}; }

static_assert(extents() == shape{} && extents().count() == 1, "a scalar has one element");
static_assert(extents(2, 3, 4).rank == 3 && extents(2, 3, 4).count() == 24);
static_assert(extents(2, 3) != extents(3, 2) && extents(2) != extents(2, 1));
static_assert(extents(2, 0, 4).count() == 0);
static_assert(extents(1 << 20, 1 << 20).count() == i64{1} << 40, "more than 32 bits hold");
static_assert(upto<512>.extent == 512);

static_assert(dense(extents(2, 3, 4)) == steps(12, 4, 1), "the last axis is innermost");
static_assert(dense(extents(7)) == steps(1) && dense(extents()) == strides{});

static_assert(broadcast(extents(2, 3, 4), extents(2, 3, 4)) == steps(12, 4, 1));
static_assert(broadcast(extents(3, 4), extents(2, 3, 4)) == steps(0, 4, 1),
              "aligned at the last axis; an axis that is missing repeats");
static_assert(broadcast(extents(2, 1, 4), extents(2, 3, 4)) == steps(4, 0, 1),
              "an extent of 1 repeats, and the strides before it are those of its own memory");
static_assert(broadcast(extents(3, 1), extents(2, 3, 4)) == steps(0, 1, 0));
static_assert(broadcast(extents(), extents(2, 3)) == strides{}, "a scalar repeats everywhere");

static_assert(tensor{type::float32, extents(2, 3)}.bytes() == 24);
static_assert(tensor{type::float16, extents(2, 3)}.bytes() == 12);
static_assert(tensor{type::int4, extents(3, 3)}.bytes() == 5, "rows share bytes, the end does not");

}  // namespace

TEST_CASE("dense strides lead through the elements in row-major order") {
  const shape s = extents(2, 3, 4);
  const strides d = dense(s);
  i64 at = 0;
  for (i64 i = 0; i < s[0]; ++i)
    for (i64 j = 0; j < s[1]; ++j)
      for (i64 k = 0; k < s[2]; ++k) CHECK(i * d[0] + j * d[1] + k * d[2] == at++);
}
