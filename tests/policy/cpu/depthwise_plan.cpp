// Which convolutions are depthwise on cpu, and how they run: the layout, strips, what is packed.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include "../../catch.hpp"

namespace {

using namespace tenon;
using simd::depthwise_plan, simd::registers_of, simd::width;

template <auto Model, class In> constexpr int group_of() {
  constexpr plan_view p = tenon::plan<tenon::graph<Model, In>, cpu>::view();
  int g = 0;
  while (p.groups[g].kind != family::contract) ++g;
  return g;
}
template <auto Model, class In>
constexpr bool taken = simd::is_depthwise(tenon::plan<tenon::graph<Model, In>, cpu>::view(),
                                          group_of<Model, In>());
template <auto Model, class In> constexpr depthwise_plan plan_of =
    simd::plan_depthwise(tenon::plan<tenon::graph<Model, In>, cpu>::view(), group_of<Model, In>());

/// Filters of the layout oihw; of ihwo, where `O` asks for that.
template <conv2d_options O, i64 Filters, i64 Taps> struct filtered {
  constexpr auto operator()(auto x) const {
    constexpr i64 each = 1;
    if constexpr (O.filterLayout == filter_layout::ihwo)
      return conv2d<O>(x, weight<"w", float, each, Taps, Taps, Filters>);
    else
      return conv2d<O>(x, weight<"w", float, Filters, each, Taps, Taps>);
  }
};
template <i64 Channels, i64 Side> using first = input<"x", float, 1, Channels, Side, Side>;
template <i64 Channels, i64 Side> using last = input<"x", float, 1, Side, Side, Channels>;

constexpr conv2d_options of(i64 groups, i64 edge, i64 stride = 1, i64 dilation = 1) {
  return {.padding = {edge, edge, edge, edge},
          .strides = {stride, stride},
          .dilations = {dilation, dilation},
          .groups = groups};
}
constexpr conv2d_options channels_last(conv2d_options o, filter_layout f = filter_layout::oihw) {
  o.inputLayout = image_layout::nhwc;
  o.filterLayout = f;
  return o;
}

// ---- which are depthwise
static_assert(taken<filtered<of(32, 1), 32, 3>{}, first<32, 56>>);
static_assert(taken<filtered<of(8, 1), 32, 3>{}, first<8, 28>>, "four filters of a channel");
static_assert(!taken<filtered<of(8, 1), 40, 3>{}, first<8, 28>>, "five: more a contraction's work");
static_assert(!taken<filtered<of(1, 1), 2, 3>{}, first<1, 28>>,
              "one channel: nothing is in groups");
static_assert(taken<filtered<channels_last(of(32, 1)), 32, 3>{}, last<32, 28>>);
static_assert(!taken<filtered<channels_last(of(16, 1)), 32, 3>{}, last<16, 28>>,
              "neighbouring outputs of two filters read the same channel");
constexpr auto pairs = [](auto x) { return conv2d<of(8, 1)>(x, weight<"w", float, 16, 2, 3, 3>); };
static_assert(!taken<pairs, first<16, 28>>, "two channels of a group");

// ---- channels first: planes
constexpr depthwise_plan plane = plan_of<filtered<of(32, 1), 32, 3>{}, first<32, 56>>;
static_assert(plane.planes && !plane.filters_packed && plane.need.packed == 0);
static_assert(plane.channel.extent == 32 && plane.filter.extent == 1);
static_assert(plane.down.step == 56 && plane.across.step == 1 && plane.down.begin == 1);
static_assert(plane.down.taps == 3 && plane.down.tap_step == 3 && plane.across.tap_step == 1);
static_assert(plane.direct == simd::masks_loads, "masks leave out the edge where there are some");
static_assert(plane.at_once, "no gap between lines of the output");

// Tiles read the image itself for the common windows alone.
static_assert(plan_of<filtered<of(32, 1, 2), 32, 3>{}, first<32, 56>>.direct == simd::masks_loads);
static_assert(!plan_of<filtered<of(32, 1, 3), 32, 3>{}, first<32, 56>>.direct, "stride 3");
static_assert(!plan_of<filtered<of(32, 2), 32, 5>{}, first<32, 56>>.direct, "25 taps");
static_assert(!plan_of<filtered<of(32, 2, 1, 2), 32, 3>{}, first<32, 56>>.direct, "dilation");
static_assert(!plan_of<filtered<of(32, 1), 32, 3>{}, first<32, 6>>.direct, "less than a tile");
static_assert(plan_of<filtered<of(32, 1), 32, 3>{}, first<32, 7>>.direct == simd::masks_loads);
constexpr conv2d_options uneven{.padding = {1, 1, 1, 1}, .strides = {1, 2}, .groups = 32};
static_assert(!plan_of<filtered<uneven, 32, 3>{}, first<32, 56>>.direct, "two different strides");

// Strips: about 3072 outputs, whole tiles of 4 and of 7 rows.
static_assert(plane.strip == 56, "3072 outputs are 54 rows, which is rounded to all of them");
static_assert(plan_of<filtered<of(4, 1), 4, 3>{}, first<4, 112>>.strip == 28);
static_assert(plan_of<filtered<of(4, 1), 4, 3>{}, first<4, 14>>.strip == 14,
              "no more than there are");

// A thread's memory: the copied strip, its sums, the taps.
constexpr depthwise_plan halved = plan_of<filtered<of(32, 1, 2), 32, 3>{}, first<32, 56>>;
static_assert(halved.line.extent == 28 && halved.strip == 28);
static_assert(halved.down.seen_by(1) == 3 && halved.down.seen_by(28) == 57);
static_assert(halved.phase == registers_of(29) * width && halved.pitch() == 2 * halved.phase,
              "57 columns: 29 of the even ones, which start at registers, and the others alike");
static_assert(plane.phase == registers_of(58) * width && plane.pitch() == plane.phase);
static_assert(halved.copied >= 57 * halved.pitch() + 2 * width && halved.summed >= 28 * 28);
static_assert(halved.table == halved.copied + halved.summed);
static_assert(halved.need.per_thread >= (halved.table + 9) * 4 && halved.need.scratch == 0);

// ---- channels last: neighbouring channels fill the vectors
constexpr depthwise_plan channels =
    plan_of<filtered<channels_last(of(32, 1)), 32, 3>{}, last<32, 28>>;
static_assert(!channels.planes && !channels.direct && channels.across.step == 32);
static_assert(channels.filters_packed && channels.at_binding,
              "a channel's taps lie together, but neighbours are to be channels of one tap");
static_assert(channels.need.packed == aligned(9 * 32 * 4) && channels.need.scratch == 0);
static_assert(channels.table == 32 && channels.need.per_thread >= 32 * 4 + 9 * 8,
              "zeros for the edge, and the addresses of the taps");
constexpr depthwise_plan in_place =
    plan_of<filtered<channels_last(of(32, 1), filter_layout::ihwo), 32, 3>{}, last<32, 28>>;
static_assert(!in_place.filters_packed && in_place.need.packed == 0, "they lie as they are read");

// What is no weight is packed at every call.
constexpr auto two_inputs = [](auto x, auto w) { return conv2d<channels_last(of(32, 1))>(x, w); };
constexpr depthwise_plan at_call = [] {
  constexpr plan_view p =
      tenon::plan<tenon::graph<two_inputs, last<32, 28>, input<"w", float, 32, 1, 3, 3>>,
                  cpu>::view();
  int g = 0;
  while (p.groups[g].kind != family::contract) ++g;
  return simd::plan_depthwise(p, g);
}();
static_assert(at_call.filters_packed && !at_call.at_binding);
static_assert(at_call.need.packed == 0 && at_call.need.scratch == aligned(9 * 32 * 4));

}  // namespace

TEST_CASE("a strip is whole tiles, or the plane, and its memory holds what its outputs see") {
  const depthwise_plan all[] = {plane, halved,
                                plan_of<filtered<of(32, 1, 3), 32, 3>{}, first<32, 56>>,
                                plan_of<filtered<of(32, 2), 32, 5>{}, first<32, 56>>,
                                plan_of<filtered<of(4, 1), 4, 3>{}, first<4, 112>>};
  for (const depthwise_plan& t : all) {
    CAPTURE(t.line.extent, t.across.taps, t.across.stride);
    CHECK((t.strip == t.line.extent ||
           (t.strip % simd::strip_rows == 0 && t.strip % simd::direct_rows == 0)));
    CHECK(t.phase % width == 0);
    CHECK(t.pitch() >= t.across.seen_by(t.column.extent));
    CHECK(t.copied >= t.down.seen_by(t.strip) * t.pitch());
    CHECK(t.summed >= t.strip * t.column.extent);
    CHECK(t.need.per_thread >= (t.table + t.taps()) * 4);
  }
}
