// How cpu plans contractions of integers: what fills vectors, what becomes one line, the memory.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon;
using simd::dot_plan, simd::width, simd::tile_rows;
using std::int8_t, std::uint8_t;

template <auto Model, class In> constexpr int group_of() {
  constexpr plan_view p = tenon::plan<tenon::graph<Model, In>, cpu>::view();
  int g = 0;
  while (p.groups[g].kind != family::contract) ++g;
  return g;
}
template <auto Model, class In> constexpr bool offered = offers_integers(
    tenon::plan<tenon::graph<Model, In>, cpu>::view().anchor_of(group_of<Model, In>()));
template <auto Model, class In>
constexpr dot_plan plan_of = simd::plan_dot(tenon::plan<tenon::graph<Model, In>, cpu>::view(),
                                            group_of<Model, In>());

template <conv2d_options O, i64 Filters, i64 Channels, i64 Taps> struct filtered {
  constexpr auto operator()(auto x) const {
    auto a = dequantizeLinear(x, weight<"s", float, 1, 1, 1, 1>, weight<"z", uint8_t, 1, 1, 1, 1>);
    auto w = dequantizeLinear(weight<"w", int8_t, Filters, Channels / O.groups, Taps, Taps>,
                              weight<"w.s", float, Filters, 1, 1, 1>,
                              weight<"w.z", int8_t, Filters, 1, 1, 1>);
    return conv2d<O>(a, w);
  }
};
template <i64 Channels, i64 Side> using first = input<"x", uint8_t, 1, Channels, Side, Side>;
template <i64 Channels, i64 Side> using last = input<"x", uint8_t, 1, Side, Side, Channels>;
constexpr conv2d_options plain{}, same{.padding = {1, 1, 1, 1}}, half{.strides = {2, 2}},
    half_same{.padding = {1, 1, 1, 1}, .strides = {2, 2}},
    same_last{.padding = {1, 1, 1, 1}, .inputLayout = image_layout::nhwc},
    half_last{.strides = {2, 2}, .inputLayout = image_layout::nhwc},
    plain_last{.inputLayout = image_layout::nhwc};

constexpr i64 up_to(i64 unit, i64 n) { return (n + unit - 1) / unit * unit; }

// ---- channels first: pixels fill the vectors
constexpr dot_plan plane = plan_of<filtered<same, 20, 5, 3>{}, first<5, 14>>;
static_assert(offered<filtered<same, 20, 5, 3>{}, first<5, 14>>);
static_assert(!plane.by_rows, "pixels are neighbours in the output");
static_assert(plane.channels == 5 && plane.words == 2,
              "five channels are a word and a fifth of one");
static_assert(plane.terms() == 2 * 9 && plane.channel == 14 * 14 && plane.weight_channel == 9);
static_assert(plane.line.extent == 14 && plane.column.extent == 14);
static_assert(plane.y.begin == 1 && plane.y.plane == 16 && plane.x.plane == 16);
static_assert(plane.y.phases == 1 && plane.x.phases == 1);
static_assert(plane.positions() == 13 * 16 + 14, "those between the lines are computed as well");
static_assert(plane.filter.extent == 20 && plane.filters() == up_to(tile_rows, 20));
static_assert(!plane.is_signed && plane.signed_weights, "uint8 times int8");
static_assert(plane.scale.filter == 1 && plane.zero.filter == 1, "one for each filter");
static_assert(plane.need.packed == plane.filters() * plane.terms() * 4);
static_assert(plane.need.scratch == aligned((2 * 16 * 16 + simd::tile_columns) * 4));

// A stride makes planes of its phases, but not for windows of one pixel.
constexpr dot_plan halved = plan_of<filtered<half_same, 20, 8, 3>{}, first<8, 14>>;
static_assert(halved.y.phases == 2 && halved.x.phases == 2 && halved.line.extent == 7);
static_assert(halved.x.plane == 8 && halved.image_words() == 2 * 4 * 8 * 8,
              "15 positions from the first tap to the last: 8 of a phase");
constexpr dot_plan skipped = plan_of<filtered<half, 20, 8, 1>{}, first<8, 14>>;
static_assert(skipped.y.phases == 1 && skipped.x.phases == 1, "what no tap reads is not copied");
static_assert(skipped.x.plane == 7 && skipped.image_words() == 2 * 7 * 7);
static_assert(skipped.line.extent == 7 && skipped.column.extent == 7);

// Windows of one pixel without a stride: all lines are one.
constexpr dot_plan points = plan_of<filtered<plain, 20, 8, 1>{}, first<8, 14>>;
static_assert(!points.by_rows && points.column.extent == 196 && points.line.extent == 1);
static_assert(points.positions() == 196 && points.x.extent == 196);

// Groups: an item each, with an image and a matrix of its own.
constexpr conv2d_options grouped_options{.padding = {1, 1, 1, 1}, .groups = 2};
constexpr dot_plan grouped = plan_of<filtered<grouped_options, 20, 16, 3>{}, first<16, 14>>;
static_assert(grouped.items == 2 && grouped.images == 2 && grouped.matrices == 2);
static_assert(grouped.filter.extent == 10 && grouped.words == 2);
static_assert(grouped.need.packed == 2 * grouped.filters() * grouped.terms() * 4);

// Images share their weights.
constexpr dot_plan images = plan_of<filtered<same, 20, 8, 3>{}, input<"x", uint8_t, 3, 8, 14, 14>>;
static_assert(images.items == 3 && images.images == 3 && images.matrices == 1);

// ---- channels last: filters fill the vectors
constexpr dot_plan rows = plan_of<filtered<same_last, 20, 5, 3>{}, last<5, 14>>;
static_assert(offered<filtered<same_last, 20, 5, 3>{}, last<5, 14>>);
static_assert(rows.by_rows && rows.channel == 1 && rows.filters() == up_to(width, 20));
static_assert(rows.positions() == 14 * 14, "single pixels are read: there are no gaps to compute");
static_assert(rows.y.plane == 16 && rows.x.plane == 16);
constexpr dot_plan strided = plan_of<filtered<half_last, 20, 8, 3>{}, last<8, 15>>;
static_assert(strided.by_rows && strided.x.phases == 1 && strided.x.plane == 15,
              "so a stride needs no phases");
static_assert(plan_of<filtered<plain_last, 20, 8, 1>{}, last<8, 14>>.column.extent == 196);

// ---- products of matrices
template <class Int, i64 Terms, i64 Columns> struct by_matrix {
  constexpr auto operator()(auto x) const {
    auto a = dequantizeLinear(x, weight<"s", float, 1, 1>, weight<"z", Int, 1, 1>);
    auto w = dequantizeLinear(weight<"w", int8_t, Terms, Columns>, weight<"w.s", float, 1, Columns>,
                              weight<"w.z", int8_t, 1, Columns>);
    return matmul(a, w);
  }
};
constexpr dot_plan product = plan_of<by_matrix<int8_t, 30, 19>{}, input<"x", int8_t, 11, 30>>;
static_assert(offered<by_matrix<int8_t, 30, 19>{}, input<"x", int8_t, 11, 30>>);
static_assert(product.by_rows && product.is_signed, "columns of the right matrix are the filters");
static_assert(product.filter.extent == 19 && product.column.extent == 11);
static_assert(product.words == 8 && product.terms() == 8 && product.items == 1);
static_assert(product.channel == 1 && product.x.step == 30 && product.weight_channel == 19);
static_assert(product.need.packed == up_to(width, 19) * 8 * 4);

// ---- either kernel has room
constexpr footprint room = simd::either({1, 20, 3, 40}, {10, 2, 30, 4});
static_assert(room.packed == 10 && room.scratch == 20 && room.per_thread == 30 && room.bound == 40);

}  // namespace

TEST_CASE("a plan of integers has room for its image, its weights and its sums") {
  const dot_plan all[] = {plane, halved, skipped, points, grouped, images, rows, strided, product};
  for (const dot_plan& t : all) {
    CAPTURE(t.by_rows, t.filter.extent, t.channels, t.positions());
    CHECK(t.words * simd::word_terms >= t.channels);
    CHECK((t.words - 1) * simd::word_terms < t.channels);
    CHECK(t.filters() >= t.filter.extent);
    CHECK(t.need.packed == t.matrices * t.filters() * t.terms() * 4);
    CHECK(t.need.scratch >= t.images * t.image_words() * 4);
    CHECK(t.need.per_thread > 0);
    CHECK(t.positions() >= t.line.extent * t.column.extent);
  }
}
