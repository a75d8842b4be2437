// Transposed convolutions against the definition: every input element adds the filter to the
// output.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code, tn::convTranspose2d_t, tn::convTranspose2d_options, tn::error, tn::extents;

namespace {

template <class... T> constexpr error fault(const convTranspose2d_options& o, T... types) {
  const tn::tensor in[] = {types...};
  return convTranspose2d_t::infer(o, {in, sizeof...(T)}).error();
}
constexpr auto image = floats(1, 4, 5, 5), filter = floats(4, 2, 3, 3);
constexpr tn::i64 huge = tn::i64{1} << 40;
// WebNN's defaults.
static_assert(convTranspose2d_options{}.groups == 1 &&
              convTranspose2d_options{}.filterLayout == tn::transposed_filter_layout::iohw);
static_assert(fault({}, image, filter).ok() && fault({}, image, filter, floats(2)).ok());
static_assert(fault({.groups = 2}, image, filter, floats(4)).ok());
static_assert(fault({}, image) == error{code::operand_count, "convTranspose2d", "", 2, 1});
static_assert(fault({}, image, ints(filter.shape)) == error{code::element_type, "convTranspose2d",
                                                            "filter", tn::type::float32,
                                                            tn::type::int32});
static_assert(fault({}, floats(4, 5, 5), filter) ==
              error{code::rank, "convTranspose2d", "input", 4, 3});
static_assert(fault({}, image, floats(4, 2, 3)) ==
              error{code::rank, "convTranspose2d", "filter", 4, 3});
static_assert(fault({.groups = 3}, image, filter) ==
              error{code::groups, "convTranspose2d", "groups", 4, 3});
static_assert(fault({.groups = 0}, image, filter) ==
              error{code::groups, "convTranspose2d", "groups", 4, 0});
static_assert(fault({}, image, floats(2, 4, 3, 3)) ==
              error{code::input_channels, "convTranspose2d", "filter", 4, 2});
static_assert(fault({.inputLayout = tn::image_layout::nhwc}, image, filter) ==
              error{code::input_channels, "convTranspose2d", "filter", 5, 4});
static_assert(fault({}, image, filter, floats(4)) ==
              error{code::bias, "convTranspose2d", "bias", extents(2), extents(4)});
static_assert(fault({.strides = {0, 1}}, image, filter) ==
              error{code::stride, "convTranspose2d", "strides", 1, 0});
static_assert(fault({.strides = {1, 65}}, image, filter) ==
              error{code::capacity, "convTranspose2d", "strides", 64, 65});
static_assert(fault({.dilations = {1, 0}}, image, filter) ==
              error{code::stride, "convTranspose2d", "dilations", 1, 0});
static_assert(fault({.padding = {0, -1, 0, 0}}, image, filter) ==
              error{code::padding, "convTranspose2d", "padding", 0, -1});
static_assert(fault({.padding = {4, 3, 0, 0}}, image, filter) ==
              error{code::window, "convTranspose2d", "padding", 1, 0});
static_assert(fault({.strides = {2, 2}, .outputPadding = {2, 0}}, image, filter) ==
              error{code::option, "convTranspose2d", "outputPadding", 1, 2});
static_assert(fault({.outputPadding = {0, -1}}, image, filter) ==
              error{code::option, "convTranspose2d", "outputPadding", 0, -1});
static_assert(fault({.strides = {2, 2}, .outputSizes = {11, 13}}, image, filter) ==
              error{code::option, "convTranspose2d", "outputSizes", 11, 13});
static_assert(fault({.strides = {2, 2}, .outputPadding = {9, 9}, .outputSizes = {11, 12}}, image,
                    filter)
                  .ok(),
              "sizes stand in the place of padding");
static_assert(
    fault({}, floats(1, 1, 1, huge), floats(1, 1, 1, 1)).is(code::capacity, "convTranspose2d"));
static_assert(fault({.groups = huge}, floats(1, huge, 1, 1), floats(huge, huge, 1, 1))
                  .is(code::capacity, "convTranspose2d"));

constexpr tn::image_layout images[] = {tn::image_layout::nchw, tn::image_layout::nhwc};
constexpr tn::transposed_filter_layout filters[] = {tn::transposed_filter_layout::iohw,
                                                    tn::transposed_filter_layout::hwoi,
                                                    tn::transposed_filter_layout::ohwi};

/// A shape from extents in the order n, c, h, w, or a position in it.
tn::shape image_of(tn::image_layout l, tn::i64 n, tn::i64 c, tn::i64 h, tn::i64 w) {
  return l == tn::image_layout::nchw ? extents(n, c, h, w) : extents(n, h, w, c);
}
/// The same in the order o, i, h, w.
tn::shape filter_of(tn::transposed_filter_layout l, tn::i64 o, tn::i64 i, tn::i64 h, tn::i64 w) {
  tn::shape s{4, {}};
  const tn::i64 all[] = {o, i, h, w};
  for (int k = 0; k < 4; ++k) s.extent[convTranspose2d_t::filter_axis(l, k)] = all[k];
  return s;
}

struct sums {
  std::vector<double> value, size;  ///< and the sum of the magnitudes
};
/// Scatters in double.
sums naive(const convTranspose2d_options& o, const array& x, const array& f, const tn::shape& out) {
  sums r{std::vector<double>(static_cast<std::size_t>(out.count())),
         std::vector<double>(static_cast<std::size_t>(out.count()))};
  const int ch = tn::channel_axis(o.inputLayout), v = tn::spatial_axis(o.inputLayout, 0),
            h = tn::spatial_axis(o.inputLayout, 1);
  const auto of_filter = [&](int what) {
    return f.is.shape[convTranspose2d_t::filter_axis(o.filterLayout, what)];
  };
  const tn::i64 in_group = x.is.shape[ch] / o.groups, own = of_filter(0);
  each_position(x.is.shape, [&](const tn::i64* at, tn::i64 from) {
    for (tn::i64 c = 0; c < own; ++c)
      for (tn::i64 ky = 0; ky < of_filter(2); ++ky)
        for (tn::i64 kx = 0; kx < of_filter(3); ++kx) {
          const tn::i64 y = at[v] * o.strides.height + ky * o.dilations.height -
                            o.padding.beginningHeight,
                        z = at[h] * o.strides.width + kx * o.dilations.width -
                            o.padding.beginningWidth;
          if (y < 0 || y >= out[v] || z < 0 || z >= out[h]) continue;
          const tn::shape to = image_of(o.inputLayout, at[0], at[ch] / in_group * own + c, y, z),
                          tap = filter_of(o.filterLayout, c, at[ch], ky, kx);
          const double product = x[from] * f[number_of(f.is.shape, tap.extent)];
          const auto n = static_cast<std::size_t>(number_of(out, to.extent));
          r.value[n] += product;
          r.size[n] += std::abs(product);
        }
  });
  return r;
}

}  // namespace

TEST_CASE("convTranspose2d with all options is what plain loops compute") {
  int without_taps = 0, shifted = 0, cropped = 0;
  for (int round = 0; round < times(200); ++round) {
    dice d = dice_of(771, round);
    convTranspose2d_options o;
    o.inputLayout = d.pick(images);
    o.filterLayout = d.pick(filters);
    o.groups = d.one_in(2) ? 1 : d.in(1, 3);
    o.strides = {d.in(1, 4), d.in(1, 4)};
    o.dilations = {d.in(1, 3), d.in(1, 3)};
    const tn::i64 own = d.in(1, 5), channels = o.groups * d.in(1, 4), n = d.in(1, 2),
                  height = d.in(1, 7), width = d.in(1, 7), kh = d.in(1, 5), kw = d.in(1, 5);
    if (d.one_in(2)) o.padding = {d.in(0, 4), d.in(0, 4), d.in(0, 4), d.in(0, 4)};
    if (d.one_in(2))
      o.outputPadding = {d.in(0, static_cast<int>(o.strides.height) - 1),
                         d.in(0, static_cast<int>(o.strides.width) - 1)};
    const auto size = [](tn::i64 e, tn::i64 k, tn::i64 s, tn::i64 dilation, tn::i64 p) {
      return (e - 1) * s + (k - 1) * dilation + 1 - p;
    };
    tn::i64 oh = size(height, kh, o.strides.height, o.dilations.height,
                      o.padding.beginningHeight + o.padding.endingHeight) +
                 o.outputPadding.height;
    tn::i64 ow = size(width, kw, o.strides.width, o.dilations.width,
                      o.padding.beginningWidth + o.padding.endingWidth) +
                 o.outputPadding.width;
    if (oh < 1 || ow < 1) continue;
    if (d.one_in(4)) o.outputSizes = {oh, ow}, o.outputPadding = {77, 77};
    const tn::shape out = image_of(o.inputLayout, n, own * o.groups, oh, ow);
    const array x = random_array(reals(image_of(o.inputLayout, n, channels, height, width)), d),
                f = random_array(reals(filter_of(o.filterLayout, own, channels, kh, kw)), d);
    const array bias = random_array(floats(own * o.groups), d);
    const bool biased = d.one_in(2);
    INFO("image " << text_of(x.is.shape) << ", filter " << text_of(f.is.shape) << ", groups "
                  << o.groups << ", strides " << o.strides.height << " " << o.strides.width
                  << ", dilations " << o.dilations.height << " " << o.dilations.width << ", before "
                  << o.padding.beginningHeight << " " << o.padding.beginningWidth << ", result "
                  << text_of(out));
    const array y = biased ? operate<convTranspose2d_t>(o, {x, f, bias})
                           : operate<convTranspose2d_t>(o, {x, f});
    REQUIRE(y.is == reals(out));
    const sums wanted = naive(o, x, f, out);
    each_position(out, [&](const tn::i64* at, tn::i64 i) {
      const double b = biased ? bias[at[tn::channel_axis(o.inputLayout)]] : 0;
      const auto k = static_cast<std::size_t>(i);
      INFO("element " << i << ": wanted " << wanted.value[k] + b << ", found " << y[i]);
      REQUIRE(std::abs(y[i] - (wanted.value[k] + b)) <=
              static_cast<double>(channels * kh * kw + 2) * 0x1p-24 *
                  (wanted.size[k] + std::abs(b)));
    });
    without_taps += kh < o.strides.height || o.strides.height == 2 * o.dilations.height;
    shifted += o.padding.beginningHeight > (kh - 1) * o.dilations.height;
    cropped += oh % o.strides.height != 0;
  }
  CHECK(without_taps > 10);
  CHECK(shifted > 3);
  CHECK(cropped > 10);
}

TEST_CASE("convTranspose2d touches what the filter touches, with infinities and many channels") {
  array x = made(floats(1, 1, 4, 4), [](tn::i64) { return 1.0; });
  x[5] = infinite;
  const array f = made(floats(1, 1, 3, 3), [](tn::i64) { return 1.0; });
  const array y = operate<convTranspose2d_t>({.strides = {2, 2}}, {x, f});
  each_position(y.is.shape, [&](const tn::i64* at, tn::i64 i) {
    const bool hit = at[2] >= 2 && at[2] <= 4 && at[3] >= 2 && at[3] <= 4;
    CHECK((hit ? y[i] == infinite : std::isfinite(y[i])));
  });
  dice d = dice_of(772, 0);
  for (const tn::image_layout l : images) {
    const convTranspose2d_options o{.padding = {1, 1, 1, 1}, .strides = {2, 2}, .inputLayout = l};
    const array many = random_array(reals(image_of(l, 2, 40, 9, 17)), d),
                wide = random_array(floats(40, 33, 4, 4), d);
    const array z = operate<convTranspose2d_t>(o, {many, wide});
    const sums wanted = naive(o, many, wide, z.is.shape);
    for (tn::i64 i = 0; i < z.count(); ++i)
      REQUIRE(std::abs(z[i] - wanted.value[static_cast<std::size_t>(i)]) <=
              642 * 0x1p-24 * wanted.size[static_cast<std::size_t>(i)]);
  }
}

TEST_CASE(
    "a transposed convolution in a static graph: filters are packed, parts computed in their "
    "places") {
  constexpr auto model = [](auto x) {
    constexpr convTranspose2d_options twice{.padding = {1, 1, 1, 1}, .strides = {2, 2}};
    return tn::relu(tn::convTranspose2d<twice>(tn::relu(x), tn::weight<"f", float, 8, 16, 4, 4>,
                                               tn::weight<"b", float, 16>));
  };
  using net = tn::graph<model, tn::input<"x", float, 1, 8, 6, 6>>;
  constexpr tn::plan_view p = tn::plan<net, tn::cpu>::view();
  constexpr auto steps = [](const tn::plan_view& plan, tn::family kind) {
    int n = 0;
    for (const tn::plans::group& g : plan.groups) n += g.kind == kind;
    return n;
  };
  static_assert(steps(p, tn::family::contract) == 4, "one for each rest of both axes");
  static_assert(steps(p, tn::family::move) == 1,
                "the shuffle; neither filters nor parts are copied");
  static_assert(p.packed_bytes >= 8 * 16 * 16 * 4);
  dice d = dice_of(773, 0);
  const array x = random_array(floats(1, 8, 6, 6), d), f = random_array(floats(8, 16, 4, 4), d),
              b = random_array(floats(16), d);
  const array y = run_static_both<net>({x}, {f, b})[0];
  const array positive = made(x.is, [&](tn::i64 i) { return x[i] > 0 ? x[i] : 0.0; });
  const sums wanted = naive({.padding = {1, 1, 1, 1}, .strides = {2, 2}}, positive, f, y.is.shape);
  for (tn::i64 i = 0; i < y.count(); ++i) {
    const double v = wanted.value[static_cast<std::size_t>(i)] + b[i / 144];
    CHECK(std::abs(y[i] - (v > 0 ? v : 0)) <=
          66 * 0x1p-24 * (wanted.size[static_cast<std::size_t>(i)] + std::abs(b[i / 144])));
  }
}
