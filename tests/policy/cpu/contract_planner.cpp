// What fills the vectors of a contraction on cpu, and what is copied for it, as plain values.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon;
using simd::vector_form, simd::width, simd::registers_of;
using source = simd::side::source;

template <auto Model, class... In> constexpr simd::contract_plan plan_of() {
  constexpr plan_view p = tenon::plan<tenon::graph<Model, In...>, cpu>::view();
  int g = 0;
  while (p.groups[g].kind != family::contract) ++g;
  return simd::plan_contract(p, g);
}
constexpr i64 packed_bytes(i64 terms, i64 columns) {
  return aligned(terms * registers_of(columns) * width * 4);
}

// ---- convolutions with channels first
template <conv2d_options O, i64 Filters, i64 Channels, i64 Taps> struct filtered {
  constexpr auto operator()(auto x) const {
    return conv2d<O>(x, weight<"w", float, Filters, Channels / O.groups, Taps, Taps>);
  }
};
template <conv2d_options O, i64 Filters, i64 Channels, i64 Height, i64 Width, i64 Taps>
constexpr simd::contract_plan first = plan_of<filtered<O, Filters, Channels, Taps>{},
                                              input<"x", float, 1, Channels, Height, Width>>();
constexpr conv2d_options plain{}, same{.padding = {1, 1, 1, 1}}, half{.strides = {2, 2}},
    half_same{.padding = {1, 1, 1, 1}, .strides = {2, 2}}, two_groups{.groups = 2};

// Windows of one pixel read the image where it lies.
constexpr simd::contract_plan points = first<plain, 32, 16, 28, 28, 1>;
static_assert(points.form == vector_form::image && !points.turned && !points.image.used,
              "neither lanes nor pixels are wasted, and sums of pixels need not be turned");
static_assert(points.lane_side.from == source::in_place);
static_assert(points.rows == 32 && points.terms == 16 && points.batch_count == 1);
static_assert(points.line.extent == 28 && points.column.extent == 28);
static_assert(points.pitch == 28 && points.positions == 784, "no gaps between the lines");
static_assert(points.row_side.from == source::packed && points.panels.columns == 32);
static_assert(points.need.packed == packed_bytes(16, 32) && points.need.scratch == 0);
static_assert(points.stretch == 784, "an epilogue runs over whole images");

// With an edge the image is copied.
constexpr simd::contract_plan rimmed = first<same, 3, 3, 28, 28, 3>;
static_assert(rimmed.form == vector_form::planes && !rimmed.turned,
              "three filters would leave lanes of every register empty");
static_assert(rimmed.image.used && rimmed.image.phases_y == 1 && rimmed.image.phases_x == 1);
static_assert(rimmed.image.plane_height == 30 && rimmed.image.plane_width == 29 &&
                  rimmed.image.tail == 1,
              "the left edge of a line is the right one of the line before");
static_assert(rimmed.image.item == 30 * 29 + 1 && rimmed.image.count == 3);
static_assert(rimmed.image.top == 1 && rimmed.image.left == 1);
static_assert(rimmed.pitch == 29 && rimmed.positions == 27 * 29 + 28, "a gap behind each line");
static_assert(rimmed.lane_side.from == source::scratch && rimmed.lane_side.at == rimmed.image.at);
static_assert(rimmed.need.scratch == aligned((3 * (30 * 29 + 1) + simd::tile_columns) * 4),
              "behind the last output a tile still reads whole registers");

// Without one it is not, unless a stride keeps the pixels apart.
static_assert(first<plain, 3, 3, 28, 28, 3>.form == vector_form::image);
static_assert(first<plain, 3, 3, 28, 28, 3>.positions == 25 * 28 + 26);
constexpr simd::contract_plan strided = first<half_same, 3, 3, 28, 28, 3>;
static_assert(strided.form == vector_form::planes && !strided.turned);
static_assert(strided.image.phases_y == 2 && strided.image.phases_x == 2 &&
              strided.image.tail == 0);
static_assert(strided.image.plane_height == 15 && strided.image.plane_width == 15,
              "29 positions from the first tap to the last: 15 of a phase");
static_assert(strided.image.item == 4 * 15 * 15 && strided.line.extent == 14);
static_assert(first<half, 3, 3, 29, 29, 3>.form == vector_form::planes,
              "a stride alone is enough: there is no edge");

// An image that has no room for a tile, which would be moved back to stay inside, is copied too.
static_assert(first<plain, 3, 4, 2, 3, 1>.form == vector_form::planes);

// Small images with many filters: whole registers of filters against gaps and broken registers.
constexpr simd::contract_plan small = first<same, 64, 64, 7, 7, 3>;
static_assert(small.turned && small.form == vector_form::panels,
              "pixels fill 55 positions for 49 outputs, and whole registers of them");
static_assert(small.image.used && small.image.phases_x == 1 && small.image.tail == 0,
              "single pixels are read, so the copy has all of its edge");
static_assert(small.image.plane_width == 9 && small.image.item == 81);
static_assert(small.column.extent == 64 && small.rows == 49 && small.panels.columns == 64);
static_assert(small.lane_side.from == source::packed);
static_assert(small.lane_side.at == 0 && small.need.packed == packed_bytes(576, 64));
constexpr simd::contract_plan many = first<plain, 512, 512, 7, 7, 1>;
static_assert(many.turned && !many.image.used, "terms a page apart, lines that cross the cache's");
static_assert(many.row_side.from == source::in_place && many.row_axes == 1 && many.rows == 49);
static_assert(!many.rows_indexed && many.row_term_step == 49 && many.stretch == 49);

// Many filters on a large image fill whole registers as well as pixels do. Then the gaps between
// lines decide, which cost more where sums must pass through memory to leave them out.
static_assert(first<same, 32, 16, 56, 56, 3>.turned == !simd::masks_loads);

// With a stride it is a matter of the number of terms: turning costs the same for few of them.
static_assert(first<half, 64, 128, 16, 16, 1>.turned);
static_assert(!first<half, 64, 128, 16, 16, 1>.image.used, "single pixels need no copy of phases");
static_assert(!first<half, 64, 16, 16, 16, 1>.turned);
static_assert(first<half, 64, 16, 16, 16, 1>.form == vector_form::planes);

// Groups are a batch of matrices: what is packed has one for each.
constexpr simd::contract_plan grouped = first<two_groups, 6, 8, 28, 28, 3>;
static_assert(grouped.form == vector_form::image && grouped.rows == 3 && grouped.terms == 36);
static_assert(grouped.batch_count == 2 && grouped.panels.items == 2);
static_assert(grouped.need.packed == aligned(2 * 36 * registers_of(3) * width * 4));

// ---- channels last: filters are neighbours in the output, so nothing is to be chosen
template <conv2d_options O> constexpr conv2d_options last_of = [] {
  conv2d_options o = O;
  o.inputLayout = image_layout::nhwc;
  return o;
}();
template <conv2d_options O, i64 Filters, i64 Channels, i64 Height, i64 Width, i64 Taps>
constexpr simd::contract_plan last = plan_of<filtered<last_of<O>, Filters, Channels, Taps>{},
                                             input<"x", float, 1, Height, Width, Channels>>();
constexpr simd::contract_plan pixels = last<plain, 32, 16, 28, 28, 1>;
static_assert(pixels.form == vector_form::panels && !pixels.turned && !pixels.image.used);
static_assert(pixels.row_axes == 1 && pixels.rows == 784 && !pixels.has_row_table(),
              "a product of matrices: one stride leads through all pixels");
static_assert(pixels.column.extent == 32 && pixels.row_term_step == 1);
constexpr simd::contract_plan taps = last<plain, 32, 16, 28, 28, 3>;
static_assert(taps.form == vector_form::panels && !taps.image.used && taps.row_axes == 2);
static_assert(taps.rows_indexed && taps.has_row_table(), "from line to line another stride");
constexpr simd::contract_plan padded = last<same, 3, 16, 28, 28, 3>;
static_assert(padded.form == vector_form::panels && !padded.turned, "even for three filters");
static_assert(padded.image.used && padded.image.inner == 16 && padded.image.tail == 0);
static_assert(padded.image.item == 30 * 30 * 16 && padded.row_side.from == source::scratch);
static_assert(padded.need.scratch == aligned(padded.image.item * 4));
static_assert(!last<half, 32, 16, 29, 29, 3>.image.used, "a stride is no reason to copy here");

// ---- an epilogue: whether it may run along the pixels with one value
constexpr auto biased = [](auto x) {
  return relu(conv2d<plain>(x, weight<"w", float, 32, 16, 1, 1>) + weight<"b", float, 32, 1, 1>);
};
constexpr auto added = [](auto x, auto y) {
  return conv2d<plain>(x, weight<"w", float, 32, 16, 1, 1>) + y;
};
using image = input<"x", float, 1, 16, 28, 28>;
constexpr simd::contract_plan with_bias = plan_of<biased, image>(),
                              with_image =
                                  plan_of<added, image, input<"y", float, 1, 32, 28, 28>>();
static_assert(points.epilogue.program < 0 && with_bias.epilogue.program >= 0);
static_assert(with_bias.pixelwise_constant && with_bias.stretch == 784);
static_assert(!with_image.pixelwise_constant && with_image.stretch == 784);
static_assert(with_bias.form == vector_form::image && with_image.form == vector_form::image);

// ---- products of matrices
constexpr auto product = [](auto a, auto b) { return matmul(a, b); };
template <i64... Shape> using left = input<"a", float, Shape...>;
template <i64... Shape> using right = input<"b", float, Shape...>;
constexpr simd::contract_plan dense_product = plan_of<product, left<5, 7>, right<7, 40>>();
static_assert(dense_product.form == vector_form::panels && !dense_product.turned);
static_assert(dense_product.rows == 5 && dense_product.terms == 7);
static_assert(dense_product.column.extent == 40 && dense_product.panels.column_step == 1);
static_assert(dense_product.row_side.from == source::in_place && dense_product.row_term_step == 1);
static_assert(dense_product.lane_side.from == source::scratch && !dense_product.panels.at_binding);
static_assert(dense_product.need.packed == 0 && dense_product.need.scratch == packed_bytes(7, 40),
              "what is no weight is packed at every call");
constexpr auto by_weight = [](auto a) { return matmul(a, weight<"w", float, 7, 40>); };
constexpr simd::contract_plan weighted = plan_of<by_weight, left<5, 7>>();
static_assert(weighted.lane_side.from == source::packed && weighted.panels.at_binding);
static_assert(weighted.need.packed == packed_bytes(7, 40) && weighted.need.scratch == 0);
constexpr auto turned_operands = [](auto a, auto b) {
  return gemm<gemm_options{.aTranspose = true, .bTranspose = true}>(a, b);
};
constexpr simd::contract_plan transposed = plan_of<turned_operands, left<7, 5>, right<40, 7>>();
static_assert(transposed.row_term_step == 5 && transposed.row[0].rows == 1);
static_assert(transposed.panels.column_step == 7 && transposed.rows == 5);

// A batch that shares its right matrix is a matrix of more rows; others are packed one by one.
constexpr simd::contract_plan shared = plan_of<product, left<3, 5, 7>, right<7, 40>>(),
                              batch = plan_of<product, left<3, 5, 7>, right<3, 7, 40>>();
static_assert(shared.rows == 15 && shared.row_axes == 1 && shared.batch_count == 1);
static_assert(shared.panels.items == 1);
static_assert(batch.rows == 5 && batch.batch_count == 3 && batch.panels.items == 3);
static_assert(batch.batch[0].lanes == batch.panels.item && batch.batch[0].rows == 35);

/// What holds for every plan that was made above.
void agree(const simd::contract_plan& t, const char* what) {
  CAPTURE(what);
  CHECK(t.need.packed % 64 == 0);
  CHECK(t.need.scratch % 64 == 0);
  CHECK(t.sums > 0);
  CHECK(t.need.per_thread >= t.sums * 4);
  CHECK((t.form == vector_form::planes) == (t.image.used && t.pitch > 0));
  CHECK((t.form == vector_form::panels || !t.turned));
  CHECK(t.panels.item == t.terms * registers_of(t.panels.columns) * width);
}

}  // namespace

TEST_CASE("a plan's memory holds its sums and its panels, and only planes are copied by phase") {
  agree(points, "points");
  agree(rimmed, "rimmed");
  agree(strided, "strided");
  agree(small, "small");
  agree(many, "many");
  agree(grouped, "grouped");
  agree(pixels, "pixels");
  agree(padded, "padded");
  agree(with_image, "with_image");
  agree(dense_product, "dense_product");
  agree(transposed, "transposed");
  agree(batch, "batch");
}
