// Convolutions, of the contract family: windows of images times filters.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/contract.hpp>
#include <tenon/language/window.hpp>

namespace tenon {

namespace contracts {
inline constexpr const char* images[] = {"input", "filter", "bias"};

/// Windows of an image times filters. The loops run over images, groups, filters and positions; the
/// sums over channels and taps.
struct correlation {
  shape image{}, filter{}, out{};
  image_layout layout{};
  int axis[4]{};  ///< of filters, channels, height, width in the filter's shape
  i64 groups = 1;
  bool along_channels = false;  ///< the groups share the filter's channels, else its filters
  i64 stride[2]{1, 1}, dilation[2]{1, 1}, begin[2]{};
};
/// Its loop nest, from the outermost axis: images, groups, filters, rows and columns of the result;
/// then, summed, channels and the filter's rows and columns.
constexpr contraction correlate(const correlation& k) {
  const strides image_step = dense(k.image), filter_step = dense(k.filter), out_step = dense(k.out);
  const int channel = channel_axis(k.layout);
  const i64 filters = k.filter[k.axis[0]] / (k.along_channels ? 1 : k.groups),
            channels = k.filter[k.axis[1]] / (k.along_channels ? k.groups : 1);
  const i64 next_group =
      k.along_channels ? channels * filter_step[k.axis[1]] : filters * filter_step[k.axis[0]];
  contraction c;
  loop(c, k.image[0], image_step[0], 0, out_step[0]);
  loop(c, k.groups, channels * image_step[channel], next_group, filters * out_step[channel]);
  loop(c, filters, 0, filter_step[k.axis[0]], out_step[channel]);
  for (int i = 0; i < 2; ++i) {
    const int axis = spatial_axis(k.layout, i);
    c.swept[i].out_axis = loop(c, k.out[axis], 0, 0, out_step[axis]);
  }
  loop(c, channels, image_step[channel], filter_step[k.axis[1]], 0, true);
  for (int i = 0; i < 2; ++i) {
    const int axis = spatial_axis(k.layout, i), of_filter = k.axis[2 + i];
    const int tap = loop(c, k.filter[of_filter], 0, filter_step[of_filter], 0, true);
    c.swept[i] = {c.swept[i].out_axis, tap,        k.filter[of_filter], k.stride[i],
                  k.dilation[i],       k.begin[i], k.image[axis],       image_step[axis]};
  }
  c.sweeps = 2;
  return c;
}
/// A bias per filter, reshaped so that it broadcasts along the channels of an image.
constexpr int beside_image(recorder& r, const char* op, int bias, image_layout l) {
  return l == image_layout::nchw ? r.reshape(op, bias, extents(r.at(bias).shape[0], 1, 1)) : bias;
}
}  // namespace contracts

/// The order of a filter's axes: output channels (o), input channels (i), height, width.
enum class filter_layout : std::uint8_t { oihw, hwio, ohwi, ihwo };

/// WebNN conv2d options.
struct conv2d_options {
  edge padding{};
  pair strides{1, 1};
  pair dilations{1, 1};
  i64 groups = 1;
  image_layout inputLayout = image_layout::nchw;
  filter_layout filterLayout = filter_layout::oihw;
  constexpr bool operator==(const conv2d_options&) const = default;
};
struct conv2d_t {
  static constexpr const char* name = "conv2d";
  using options = conv2d_options;

  /// Filter axis of output channels (0), input channels (1), height (2), width (3).
  static constexpr int filter_axis(filter_layout l, int what) {
    constexpr int axes[4][4] = {{0, 1, 2, 3}, {3, 2, 0, 1}, {0, 3, 1, 2}, {3, 0, 1, 2}};
    return axes[static_cast<int>(l)][what];
  }
  static constexpr result<tensor> infer(const conv2d_options& o, list<tensor> in) {
    if (const error e = contracts::accept(name, contracts::images, in, 2, 3); !e.ok()) return e;
    const shape &x = in[0].shape, &w = in[1].shape;
    if (x.rank != 4) return error{code::rank, name, "input", 4, x.rank};
    if (w.rank != 4) return error{code::rank, name, "filter", 4, w.rank};
    if (const error e = check_window(name, o.strides, o.dilations, o.padding); !e.ok()) return e;
    const i64 channels = x[channel_axis(o.inputLayout)],
              filters = w[filter_axis(o.filterLayout, 0)];
    if (o.groups < 1 || channels % o.groups != 0 || filters % o.groups != 0)
      return error{code::groups, name, "groups", channels, o.groups};
    if (w[filter_axis(o.filterLayout, 1)] != channels / o.groups)
      return error{code::input_channels, name, "filter", channels / o.groups,
                   w[filter_axis(o.filterLayout, 1)]};
    shape s = x;
    s.extent[channel_axis(o.inputLayout)] = filters;
    for (int i = 0; i < 2; ++i) {
      i64& extent = s.extent[spatial_axis(o.inputLayout, i)];
      const i64 taps = w[filter_axis(o.filterLayout, 2 + i)];
      const i64 padded = extent + o.padding.begin(i) + o.padding.end(i);
      if (taps > max_taps) return error{code::window, name, "filter", max_taps, taps};
      extent = slide(extent, taps, o.strides[i], o.dilations[i], o.padding.begin(i),
                     o.padding.end(i), rounding::floor);
      if (extent < 1)
        return error{code::window, name, "filter", padded, o.dilations[i] * (taps - 1) + 1};
    }
    if (in.size == 3 && (in[2].shape.rank != 1 || in[2].shape[0] != filters))
      return error{code::bias, name, "bias", extents(filters), in[2].shape};
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const conv2d_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<conv2d_t>(r, o, in, out);
    contracts::correlation k{r.at(in[0]).shape, r.at(in[1]).shape, out.shape, o.inputLayout};
    for (int i = 0; i < 4; ++i) k.axis[i] = filter_axis(o.filterLayout, i);
    k.groups = o.groups;
    for (int i = 0; i < 2; ++i) {
      k.stride[i] = o.strides[i];
      k.dilation[i] = o.dilations[i];
      k.begin[i] = o.padding.begin(i);
    }
    r.open(name);
    int y = r.contract(name, contracts::correlate(k), in[0], in[1], out);
    if (in.size == 3) {
      const int bias = contracts::beside_image(r, name, in[2], o.inputLayout);
      y = r.map(name, constant_program<2>([](auto a, auto b) { return a + b; }), {y, bias}, out);
    }
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "conv2d: input and filter must have 4 axes; reshape() them");
    static_assert(E.what != code::groups,
                  "conv2d: groups must divide the input channels and the filters; check "
                  "inputLayout and filterLayout");
    if constexpr (E.what == code::input_channels)
      static_assert(E.found.number == E.expected.number,
                    "conv2d: the filter's input channels must equal the input's channels divided "
                    "by groups; check filterLayout");
    static_assert(E.what != code::window,
                  "conv2d: the filter must fit into the padded input; add padding or shrink the "
                  "filter or its dilations");
    static_assert(E.what != code::bias,
                  "conv2d: the bias must have one axis with one element per filter; reshape() it");
    static_assert(E.what != code::stride, "conv2d: strides and dilations must be at least 1");
    static_assert(E.what != code::padding,
                  "conv2d: padding must not be negative; slice the input instead");
  }
};

/// 2-D convolution (cross-correlation): `conv2d<options>(input, filter)` or `(input, filter,
/// bias)`.
/// Shape: [n, c, h, w] * [o, c / groups, kh, kw] (+ [o]) -> [n, o, h', w'], in the layouts of the
/// options; h' = (h + padding on both sides - (kh - 1) * dilation - 1) / stride + 1, rounded down.
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, rank, stride, padding, capacity, groups, input_channels,
/// window, bias.
/// Source: WebNN conv2d.
template <conv2d_options O = conv2d_options{}, operand_like... H> constexpr auto conv2d(H... h) {
  return apply<conv2d_t, O>(h...);
}
}  // namespace tenon
