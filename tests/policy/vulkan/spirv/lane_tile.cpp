// Which tiles contractions get on CPU drivers, as plain values. Needs no device.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/spirv/lane_tile.hpp>
#include "../../../catch.hpp"
#include "product.hpp"

namespace {

using namespace tenon::spirv;
using tenon::i64;
using tenon_test::product;

constexpr lane_tile tile_of(const loop_nest& n) { return lane_tile_choice(n).chosen(); }

/// filters x lines x columns under windows of `taps` x `taps` that reach over the edge.
constexpr loop_nest convolution(i64 filters, i64 channels, i64 side, i64 taps) {
  loop_nest n;
  n.out = {3, {filters, side, side}};
  n.terms = {3, {channels, taps, taps}};
  n.b.step[0] = channels * taps * taps;
  n.term_a[0] = side * side;
  n.term_b[0] = taps * taps, n.term_b[1] = taps, n.term_b[2] = 1;
  n.edges = 2;
  n.edge[0] = {1, 1, 1, 1, taps / 2, side, side};
  n.edge[1] = {2, 2, 1, 1, taps / 2, side, 1};
  return n;
}

// ---- products: a's rows are the same for all lanes, which run along the columns
constexpr lane_tile small = tile_of(product(4, 16, 3));
static_assert(small.used && small.row_operand == 0 && small.row_axis == 0);
static_assert(!small.by_lane[0] && small.by_lane[1]);
static_assert(small.extent[0] == 4 && small.extent[1] == 4);
static_assert(small.unrolled == 0 && small.unroll == 1, "3 terms are written out");
static_assert(tile_of(product(40, 16, 3)).extent[0] == 20,
              "two tiles of 20 rows, not 32 and then 8 new ones");
static_assert(tile_of(product(40, 5, 3)).extent[1] == 3, "5 columns are 3 and 2, not 4 and 1");
constexpr lane_tile long_sum = tile_of(product(4, 16, 100));
static_assert(long_sum.unrolled == 1 && long_sum.unroll == 4, "100 terms: four in a round");

// ---- where nothing can be divided
static_assert(!tile_of([] {
                 loop_nest n;
                 n.terms = {1, {8}};
                 return n;
               }())
                   .used,
              "one output");
static_assert(!tile_of([] {
                 loop_nest n;
                 n.out = {1, {8}};
                 return n;
               }())
                   .used,
              "no terms");

// ---- both operands move along the last axis: a batch of dot products
constexpr lane_tile batch = tile_of([] {
  loop_nest n;
  n.out = {2, {6, 8}};
  n.terms = {1, {3}};
  n.a.step[0] = 24, n.a.step[1] = 3, n.b.step[1] = 3;
  n.term_a[0] = n.term_b[0] = 1;
  return n;
}());
static_assert(batch.used && batch.row_operand == -1 && batch.row_axis == -1);
static_assert(batch.by_lane[1] && !batch.by_lane[0]);
static_assert(batch.extent[0] == 3 && batch.extent[1] == 2, "an element of b serves three rows");

// ---- convolutions: filters are the rows, pixels the columns
constexpr lane_tile image = tile_of(convolution(32, 16, 28, 3));
static_assert(image.row_operand == 1 && image.row_axis == 0);
static_assert(!image.by_lane[0] && image.by_lane[1] && image.by_lane[2]);
static_assert(image.extent[0] == 16, "32 filters in two tiles of at most 20");
static_assert(image.extent[1] == 4 && image.extent[2] == 2, "four lines of two pixels");
static_assert(image.unrolled == 1 && image.unroll == 1, "all 9 taps, one channel after the other");
static_assert(tile_of(convolution(32, 16, 28, 7)).unrolled == 2, "of 49 taps one line");

constexpr lane_tile plane = tile_of(convolution(1, 16, 32, 3));
static_assert(plane.extent[1] == 4 && plane.extent[2] == 8, "one filter: more pixels instead");

}  // namespace

TEST_CASE("a tile never reaches beyond its axis, and lanes and workgroups share all of them") {
  for (const i64 rows : {1, 2, 7, 33, 100})
    for (const i64 columns : {1, 3, 16, 50})
      for (const i64 terms : {1, 5, 26, 1000}) {
        CAPTURE(rows, columns, terms);
        const loop_nest n = product(rows, columns, terms);
        const lane_tile t = tile_of(n);
        REQUIRE(t.used);
        for (int i = 0; i < n.out.dims; ++i) {
          CHECK(t.extent[i] >= 1);
          CHECK(t.extent[i] <= n.out.extent[i]);
        }
        CHECK(t.extent[0] <= 32);
        CHECK(t.extent[1] <= (rows == 1 ? 8 : 4));  // a single row leaves registers for columns
        CHECK((t.unrolled >= 0 && t.unrolled <= n.terms.dims));
        CHECK((t.unroll >= 1 && t.unroll <= terms));
      }
}

TEST_CASE("the loops of a tile make no more rounds than a driver does") {
  for (const i64 terms : {i64{1000}, i64{100'000}, i64{10'000'000}}) {
    CAPTURE(terms);
    const lane_tile t = tile_of(product(4, 16, terms));
    REQUIRE(t.unrolled == 1);
    CHECK(blocks_of(terms, t.unroll) <= writer::most_iterations);
  }
}
