// What the nodes of a table may hold: points without roundings, intervals that hold the reference's
// results with them, and anything where nothing is known.
// SPDX-License-Identifier: MIT
#include <tenon/language/builder.hpp>
#include <tenon/language/operators.hpp>
#include <tenon/trial/tolerance.hpp>
#include "../catch.hpp"

namespace tn = tenon;

namespace {

using namespace tenon::trial;
using tn::builder, tn::extents, tn::i64, tn::type;

constexpr inexact exact{0, 0}, rounds{0x1p-24}, coarse{0x1p-11};

template <class T> elements bytes_of(std::vector<T> all) {
  elements r(all.size() * sizeof(T));
  std::memcpy(r.data(), all.data(), r.size());
  return r;
}
/// x [2, 2], y = relu(x), z = x y: nodes 0, 1 and the last one.
tn::table product() {
  builder b;
  const builder::value x = b.input("x", {type::float32, extents(2, 2)});
  const builder::value y = b.add<tn::relu_t>({}, {x});
  return b.finish({b.add<tn::matmul_t>({}, {x, y})}).value();
}
contents contents_of(const tn::table& t, elements x) {
  contents c(static_cast<std::size_t>(t.nodes.size()));
  c[0] = std::move(x);
  return c;
}
const elements four = bytes_of<float>({1, -2, 3, 4});  // relu: 1 0 3 4
constexpr double wanted[] = {1 - 6, -8, 3 + 12, 16};

}  // namespace

TEST_CASE("without roundings every node holds points, those of exact arithmetic") {
  const tn::table t = product();
  const node_intervals r = intervals_of(t.view(), contents_of(t, four), exact);
  REQUIRE(r.size() == static_cast<std::size_t>(t.nodes.size()));
  CHECK((r[0][1].is_point() && r[0][1].low == -2));
  CHECK((r[1][1].is_point() && r[1][1].low == 0));
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(r.back()[i].is_point());
    CHECK(r.back()[i].low == wanted[i]);
  }
}

TEST_CASE("roundings widen results as they add up; a coarser one widens operands too") {
  const tn::table t = product();
  const node_intervals fine = intervals_of(t.view(), contents_of(t, four), rounds),
                       wide = intervals_of(t.view(), contents_of(t, four), coarse);
  CHECK(fine[0][3].is_point());
  CHECK((!wide[0][3].is_point() && wide[0][3].holds(4.001) && !wide[0][3].holds(4.01)));
  for (std::size_t i = 0; i < 4; ++i) {
    const double small = fine.back()[i].high - fine.back()[i].low,
                 large = wide.back()[i].high - wide.back()[i].low;
    CHECK((fine.back()[i].holds(wanted[i]) && wide.back()[i].holds(wanted[i])));
    CHECK((small > 0 && small < 1e-4 && large > 1000 * small && large < 1));
  }
}

TEST_CASE("a leaf of which only intervals are known passes them on") {
  const tn::table t = product();
  node_intervals leaves(static_cast<std::size_t>(t.nodes.size()));
  leaves[0] = {{1, 2, false}, interval::point(0), {-1, 5, false}, {}};
  const node_intervals r = intervals_of(t.view(), contents_of(t, four), exact, leaves);
  CHECK((r[0][0].low == 1 && r[0][0].high == 2));
  CHECK((r[1][2].low == 0 && r[1][2].high == 5));
  CHECK((r.back()[0].holds(4) && !r.back()[0].holds(5)));
  CHECK(r.back()[3].anything());
}

TEST_CASE("leaves of all widths are read as their numbers") {
  const auto given = [](type t, i64 n, const elements& e) {
    return intervals::given({t, extents(n)}, e);
  };
  CHECK(given(type::int8, 2, bytes_of<std::int8_t>({-3, 4}))[0].low == -3);
  CHECK(given(type::uint8, 1, bytes_of<std::uint8_t>({200}))[0].low == 200);
  CHECK(given(type::int32, 1, bytes_of<std::int32_t>({-70000}))[0].low == -70000);
  CHECK(given(type::float16, 1, bytes_of<tn::float16>({tn::float16(0.5f)}))[0].low == 0.5);
  const intervals::values halves = given(type::int4, 3, bytes_of<std::uint8_t>({0x7f, 0x08}));
  REQUIRE(halves.size() == 3);
  CHECK((halves[0].low == -1 && halves[1].low == 7 && halves[2].low == -8));
  CHECK(given(type::uint4, 1, bytes_of<std::uint8_t>({0x0f}))[0].low == 15);
}

TEST_CASE("moves and gathering hold the intervals of the elements that they show") {
  builder b;
  const builder::value x = b.input("x", {type::float32, extents(2, 2)});
  const builder::value i = b.input("i", {type::int32, extents(1)});
  const builder::value y = b.add<tn::transpose_t>({}, {x});
  const tn::table t = b.finish({b.add<tn::gather_t>({}, {y, i})}).value();
  contents c = contents_of(t, four);
  c[1] = bytes_of<std::int32_t>({1});
  const node_intervals r = intervals_of(t.view(), c, rounds);
  CHECK((r[2][1].is_point() && r[2][1].low == 3 && r[2][2].low == -2));
  CHECK((r.back().size() == 2 && r.back()[0].low == -2 && r.back()[1].low == 4));
}
