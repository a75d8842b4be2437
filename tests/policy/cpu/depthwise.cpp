// Depthwise convolutions on `cpu`: the bits of `reference` for every layout, stride, dilation,
// padding and multiplier, and no access outside.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "testing.hpp"

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::shape, tenon::i64;

namespace {

struct depthwise {
  tenon::conv2d_options options{};
  i64 images = 1, channels = 2, multiplier = 1, height = 1, width = 1, taps_y = 3, taps_x = 3;
  bool bias = true, weight = true, residual = false;

  tenon::result<tenon::table> build() const {
    builder b;
    const bool nchw = options.inputLayout == tenon::image_layout::nchw;
    const i64 filters = channels * multiplier, by_role[] = {filters, 1, taps_y, taps_x};
    shape filter{4, {}};
    for (int what = 0; what < 4; ++what)
      filter.extent[tenon::conv2d_t::filter_axis(options.filterLayout, what)] = by_role[what];
    tenon::conv2d_options o = options;
    o.groups = channels;
    const auto leaf = [&](const char* name, const shape& s) {
      return weight ? b.weight(name, {tenon::type::float32, s})
                    : b.input(name, {tenon::type::float32, s});
    };
    const auto x =
        b.input("x", {tenon::type::float32, nchw ? extents(images, channels, height, width)
                                                 : extents(images, height, width, channels)});
    const auto w = leaf("w", filter);
    auto y = bias ? b.add<tenon::conv2d_t>(o, {x, w, leaf("bias", extents(filters))})
                  : b.add<tenon::conv2d_t>(o, {x, w});
    if (residual && b.fault().ok())
      y = b.add<tenon::add_t>({}, {y, b.input("r", b.type_of_value(y))});
    return b.finish({bias ? b.add<tenon::clamp_t>({-0.5f, 0.75f}, {y}) : y});
  }
  std::string text() const {
    const auto n = [](i64 v) { return std::to_string(v) + " "; };
    return n(images) + n(channels) + "x " + n(multiplier) + "image " + n(height) + n(width) +
           "taps " + n(taps_y) + n(taps_x) + "strides " + n(options.strides.height) +
           n(options.strides.width) + "dilations " + n(options.dilations.height) +
           n(options.dilations.width) + "padding " + n(options.padding.beginningHeight) +
           n(options.padding.endingHeight) + n(options.padding.beginningWidth) +
           n(options.padding.endingWidth) + "layouts " + n(static_cast<int>(options.inputLayout)) +
           n(static_cast<int>(options.filterLayout)) + (bias ? "bias " : "") +
           (weight ? "weights " : "") + (residual ? "residual" : "");
  }
};

/// False if the window does not fit.
bool check(const depthwise& c, dice& d, int specials = 0) {
  const tenon::result<tenon::table> made = c.build();
  if (!made.ok()) return false;
  INFO("TENON_SEED=" << seed() << " " << c.text());
  const std::string problem =
      compare_policies(made->view(), random_contents(made->view(), d, has_fma ? specials : 0), d);
  if (!problem.empty()) FAIL_CHECK(problem);
  return true;
}
constexpr tenon::filter_layout layouts[] = {tenon::filter_layout::oihw, tenon::filter_layout::hwio,
                                            tenon::filter_layout::ohwi, tenon::filter_layout::ihwo};

depthwise random_case(dice& d) {
  constexpr int sizes[] = {1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 17, 19, 31, 32, 33, 49};
  depthwise c;
  tenon::conv2d_options& o = c.options;
  o.inputLayout = d.one_in(2) ? tenon::image_layout::nchw : tenon::image_layout::nhwc;
  o.filterLayout = d.pick(layouts);
  c.images = d.one_in(3) ? 2 : 1;
  c.channels = d.one_in(4) ? d.in(60, 90) : d.in(2, 20);
  c.multiplier = d.one_in(3) ? d.in(2, 6) : 1;
  c.height = d.pick(sizes);
  c.width = d.pick(sizes);
  if (!d.one_in(2)) {
    c.taps_y = d.in(1, 7);
    c.taps_x = d.in(1, 7);
  }
  if (!d.one_in(3)) o.padding = {d.in(0, 3), d.in(0, 3), d.in(0, 3), d.in(0, 3)};
  if (d.one_in(12)) o.padding = {d.in(0, 9), d.in(0, 9), d.in(0, 20), d.in(0, 20)};
  if (d.one_in(2)) o.strides = {d.in(1, 4), d.in(1, 4)};
  if (d.one_in(3)) o.dilations = {d.in(1, 3), d.in(1, 3)};
  c.bias = d.one_in(2);
  c.weight = !d.one_in(3);
  c.residual = d.one_in(3);
  return c;
}

}  // namespace

TEST_CASE("3 x 3 depthwise convolutions of every width on cpu have the bits of reference") {
  dice d = dice_of(71, 0);
  int ran = 0;
  for (int stride = 1; stride <= 2; ++stride)
    for (int width = 1; width <= 67; width += width < 36 ? 1 : 7)
      for (const auto layout : {tenon::image_layout::nchw, tenon::image_layout::nhwc}) {
        depthwise c;
        c.options = {.padding = {1, 1, 1, 1},
                     .strides = {stride, stride},
                     .inputLayout = layout,
                     .filterLayout = layouts[width % 4]};
        c.channels = 3 + width % 3;
        c.height = width % 11 + 1;
        c.width = width;
        ran += check(c, d);
      }
  CHECK(ran == 2 * 2 * 40);
}
TEST_CASE("depthwise convolutions of more than one strip on cpu have the bits of reference") {
  dice d = dice_of(72, 0);
  int ran = 0;
  for (const i64 extent : {59, 112, 130})
    for (int stride = 1; stride <= 3; ++stride) {
      depthwise c;
      c.options = {.padding = {1, 0, 0, 1}, .strides = {stride, stride}};
      c.height = c.width = extent;
      c.residual = stride == 2;
      ran += check(c, d);
    }
  CHECK(ran == 9);
}
TEST_CASE("random depthwise convolutions on cpu have the bits of reference") {
  int ran = 0;
  for (int i = 0; ran < times(400); ++i) {
    dice d = dice_of(73, i);
    const depthwise c = random_case(d);
    ran += check(c, d);
  }
  CHECK(ran == times(400));
}
TEST_CASE(
    "depthwise convolutions of NaN, infinities and subnormals on cpu have the bits of reference") {
  int ran = 0;
  for (int i = 0; ran < times(80); ++i) {
    dice d = dice_of(74, i);
    const depthwise c = random_case(d);
    ran += check(c, d, 30);
  }
  CHECK(ran == times(80));
}
