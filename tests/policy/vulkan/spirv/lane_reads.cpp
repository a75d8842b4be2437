// What a tile reads, and how lanes share it, as plain values. Needs no device.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/spirv/lane_reads.hpp>
#include "../../../catch.hpp"
#include "product.hpp"

namespace {

using namespace tenon::spirv;
using tenon::i64;
using tenon_test::product;

/// A line of `extent` pixels under a window of `taps`, with so many outputs that it reaches over
/// both ends.
constexpr loop_nest line(i64 extent, i64 taps) {
  loop_nest n;
  n.out = {1, {extent}};
  n.terms = {1, {taps}};
  n.term_b[0] = 1;
  n.edges = 1;
  n.edge[0] = {0, 0, 1, 1, taps / 2, extent, 1};
  return n;
}
constexpr lane_tile tile_of(const loop_nest& n, i64 rows, i64 columns) {
  lane_tile t;
  for (i64& extent : t.extent) extent = 1;
  if (n.out.dims == 2) t.row_operand = 0, t.row_axis = 0, t.extent[0] = rows;
  t.extent[n.out.dims - 1] = columns;
  t.by_lane[n.out.dims - 1] = true;
  return t;
}
constexpr lane_sharing alone{8, false, false}, paired{8, false, true}, shuffling{8, true, false};

struct counts {
  int needs[2]{}, loads[2]{}, ends = 0;
  constexpr bool operator==(const counts&) const = default;
};
constexpr counts read(const loop_nest& n, const lane_tile& t, const lane_sharing& sharing,
                      i64 unroll = 1) {
  const int first = t.unroll > 1 ? t.unrolled - 1 : t.unrolled;
  const lane_read_planner planner(n, t, sharing);
  lane_reads r;
  planner.list(first, unroll, r);
  counts c;
  for (int o = 0; o < 2; ++o) c.needs[o] = r.needs[o].size(), c.loads[o] = r.loads[o].size();
  c.ends = r.ends.size();
  return c;
}

// ---- products: rows and columns are read once for all pairs of them
constexpr loop_nest small = product(4, 16, 3);
static_assert(read(small, tile_of(small, 4, 2), alone) == counts{{12, 6}, {12, 6}, 0},
              "3 terms of 4 rows, and of 2 columns");
static_assert(read(small, tile_of(small, 4, 2), paired) == counts{{12, 6}, {8, 3}, 0},
              "pairs: of 3 terms the second pair overlaps the first one");
static_assert(read(small, tile_of(small, 4, 1), paired).loads[1] == 3,
              "a single column has no neighbour");

constexpr bool spreads(int row_operand, const lane_sharing& sharing) {
  lane_tile t = tile_of(small, 4, 2);
  t.row_operand = row_operand;
  return lane_read_planner(small, t, sharing).spreads();
}
static_assert(spreads(0, shuffling) && spreads(1, shuffling), "each lane loads for all of them");
static_assert(!spreads(0, alone) && !spreads(-1, shuffling), "nobody to load for, nothing shared");

// ---- windows: taps overlap
constexpr loop_nest image = line(64, 3);
static_assert(read(image, tile_of(image, 1, 4), alone) == counts{{6, 3}, {6, 3}, 0},
              "4 outputs under 3 taps read 6 pixels");
static_assert(read(image, tile_of(image, 1, 4), paired).loads[0] == 3, "which are 3 pairs");
static_assert(read(image, tile_of(image, 1, 4), shuffling) == counts{{6, 3}, {4, 3}, 1},
              "4 of them belong to the lane, one is that of the slot_kind before, one of the "
              "slot_kind behind; "
              "one load brings what both ends lack");
static_assert(read(image, tile_of(image, 1, 1), shuffling).loads[0] == 1,
              "a tile of one output borrows two of its three pixels");

constexpr int side_of(i64 tap) {
  const lane_tile t = tile_of(image, 1, 4);
  lane_reads r;
  lane_read_planner(image, t, shuffling).list(0, 1, r);
  for (const lane_need& n : r.needs[0])
    if (n.tap[0] == tap) return n.side;
  return 9;
}
static_assert(side_of(0) == -1 && side_of(1) == 0 && side_of(4) == 0 && side_of(5) == 1,
              "tap 0 stands one pixel before the tile");

constexpr std::pair<i64, i64> reach(i64 tap) {
  const lane_tile t = tile_of(image, 1, 4);
  return lane_read_planner(image, t, alone).reach_of(image.edge[0], tap);
}
static_assert(reach(0) == std::pair<i64, i64>(-1, 59), "the first tile looks over the edge");
static_assert(reach(1) == std::pair<i64, i64>(0, 60), "inside for all tiles: no comparison");

}  // namespace

TEST_CASE("every need has a load, or is borrowed from a lane that has one") {
  for (const i64 taps : {3, 5, 7})
    for (const i64 columns : {1, 2, 4, 8})
      for (const bool pairs : {false, true})
        for (const bool shuffles : {false, true}) {
          CAPTURE(taps, columns, pairs, shuffles);
          const loop_nest n = line(64, taps);
          const lane_tile t = tile_of(n, 1, columns);
          lane_reads r;
          lane_read_planner(n, t, {8, shuffles, pairs}).list(0, 1, r);
          for (int o = 0; o < 2; ++o) {
            CHECK(r.of[o].size() == static_cast<int>(taps * columns));
            for (const lane_need& need : r.needs[o]) {
              const lane_need& source = need.side == 0 ? need : r.needs[o][need.there];
              REQUIRE(source.side == 0);
              REQUIRE(source.load >= 0);
              const lane_load& load = r.loads[o][source.load];
              CHECK(source.half <= static_cast<int>(load.pair));
              CHECK(load.offset + load.tap[0] + source.half == source.offset + source.tap[0]);
            }
          }
        }
}
