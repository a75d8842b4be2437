// The window family: pooling over windows that slide along height and width.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/half.hpp>

namespace tenon {

/// The order of an image's axes: the channels before or behind height and width.
enum class image_layout : std::uint8_t { nchw, nhwc };
/// How an output extent that does not divide evenly is rounded.
enum class rounding : std::uint8_t { floor, ceil };

struct pair {
  i64 height = 1, width = 1;
  constexpr bool operator==(const pair&) const = default;
  constexpr i64 operator[](int i) const { return i == 0 ? height : width; }
};
/// Rows and columns of zeros around an image, in WebNN's order.
struct edge {
  i64 beginningHeight = 0, endingHeight = 0, beginningWidth = 0, endingWidth = 0;
  constexpr bool operator==(const edge&) const = default;
  constexpr i64 begin(int i) const { return i == 0 ? beginningHeight : beginningWidth; }
  constexpr i64 end(int i) const { return i == 0 ? endingHeight : endingWidth; }
};

/// Positions of height (0) and width (1) in an image's axes.
constexpr int spatial_axis(image_layout l, int i) {
  return l == image_layout::nchw ? 2 + i : 1 + i;
}
constexpr int channel_axis(image_layout l) { return l == image_layout::nchw ? 1 : 3; }

/// The number of positions of a window along one axis; below 1 when the window does not fit. Cannot
/// overflow for extents up to 2^40 and the others up to `max_taps`.
constexpr i64 slide(i64 extent, i64 taps, i64 stride, i64 dilation, i64 begin, i64 end,
                    rounding r) {
  const i64 room = extent + begin + end - (dilation * (taps - 1) + 1);
  if (room < 0) return 0;
  return (r == rounding::ceil ? (room + stride - 1) / stride : room / stride) + 1;
}
/// The limit of taps, strides, dilations and padding below which `slide` cannot overflow.
inline constexpr i64 max_taps = i64{1} << 24;
/// Checks strides, dilations and padding. Error: stride, padding, capacity.
constexpr error check_window(const char* op, pair strides, pair dilations, edge padding) {
  const auto above = [&](const char* option, i64 v) {
    return error{code::capacity, op, option, max_taps, v};
  };
  for (int i = 0; i < 2; ++i) {
    if (strides[i] < 1) return {code::stride, op, "strides", 1, strides[i]};
    if (dilations[i] < 1) return {code::stride, op, "dilations", 1, dilations[i]};
    if (padding.begin(i) < 0) return {code::padding, op, "padding", 0, padding.begin(i)};
    if (padding.end(i) < 0) return {code::padding, op, "padding", 0, padding.end(i)};
    if (strides[i] > max_taps) return above("strides", strides[i]);
    if (dilations[i] > max_taps) return above("dilations", dilations[i]);
    if (padding.begin(i) > max_taps) return above("padding", padding.begin(i));
    if (padding.end(i) > max_taps) return above("padding", padding.end(i));
  }
  return {};
}

/// WebNN pool2d options. Window dimensions of 0 (not given) cover the whole image. Output sizes,
/// when given, override the rounding: both must be the sizes rounded down, or both rounded up.
/// Padding counts also where output sizes are given; there WebNN's text ignores it, but WebNN's
/// conformance tests do not.
struct pool2d_options {
  pair windowDimensions{0, 0};
  edge padding{};
  pair strides{1, 1};
  pair dilations{1, 1};
  image_layout layout = image_layout::nchw;
  rounding outputShapeRounding = rounding::floor;
  pair outputSizes{0, 0};
  constexpr bool operator==(const pool2d_options&) const = default;
};

/// What the poolings share. `Op` says how elements combine (`how`) and whether the sum is divided
/// by the number of elements that the window covers inside of the image (`average`).
template <class Op> struct pool2d_operator {
  using options = pool2d_options;
  static constexpr i64 window(const pool2d_options& o, const shape& x, int i) {
    const bool whole = o.windowDimensions == pair{0, 0};
    return whole ? x[spatial_axis(o.layout, i)] : o.windowDimensions[i];
  }
  static constexpr result<tensor> infer(const pool2d_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, Op::name, "", 1, in.size};
    if (Op::how == combine::sum && !is_real(in[0].type))
      return error{code::element_type, Op::name, "input", type::float32, in[0].type};
    shape s = in[0].shape;
    if (s.rank != 4) return error{code::rank, Op::name, "input", 4, s.rank};
    if (const error e = check_window(Op::name, o.strides, o.dilations, o.padding); !e.ok())
      return e;
    const bool sized = !(o.outputSizes == pair{0, 0});
    pair lows, highs;
    for (int i = 0; i < 2; ++i) {
      i64& extent = s.extent[spatial_axis(o.layout, i)];
      const i64 taps = window(o, in[0].shape, i);
      if (taps < 1 || taps > max_taps)
        return error{code::window, Op::name, "windowDimensions", 1, taps};
      const auto fit = [&](rounding r) {
        return slide(extent, taps, o.strides[i], o.dilations[i], o.padding.begin(i),
                     o.padding.end(i), r);
      };
      const i64 low = fit(rounding::floor), high = fit(rounding::ceil);
      if (low < 1)
        return error{code::window, Op::name, "windowDimensions",
                     extent + o.padding.begin(i) + o.padding.end(i), taps};
      (i == 0 ? lows.height : lows.width) = low;
      (i == 0 ? highs.height : highs.width) = high;
      if (sized && o.outputSizes[i] != low && o.outputSizes[i] != high)
        return error{code::option, Op::name, "outputSizes", low, o.outputSizes[i]};
      extent = sized ? o.outputSizes[i] : o.outputShapeRounding == rounding::ceil ? high : low;
    }
    if (sized && !(o.outputSizes == lows) && !(o.outputSizes == highs))
      return error{code::option, Op::name, "outputSizes", "both rounded down or both up", "mixed"};
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const pool2d_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<Op>(r, o, in, out);
    const shape x = r.at(in[0]).shape;
    const strides step = dense(x);
    windowing w{Op::how, Op::average, {}};
    for (int i = 0; i < 2; ++i) {
      const int axis = spatial_axis(o.layout, i);
      w.swept[i] = {
          axis,    -1,        window(o, x, i), o.strides[i], o.dilations[i], o.padding.begin(i),
          x[axis], step[axis]};
    }
    return r.window(Op::name, w, in[0], out);
  }
};

struct maxPool2d_t : pool2d_operator<maxPool2d_t> {
  static constexpr const char* name = "maxPool2d";
  static constexpr combine how = combine::max;
  static constexpr bool average = false;
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "maxPool2d: the input must have 4 axes; reshape() it");
    static_assert(E.what != code::window,
                  "maxPool2d: the window must fit into the padded input; shrink windowDimensions "
                  "or add padding");
    static_assert(E.what != code::stride, "maxPool2d: strides and dilations must be at least 1");
    static_assert(E.what != code::padding,
                  "maxPool2d: padding must not be negative; slice the input instead");
    static_assert(E.what != code::option,
                  "maxPool2d: outputSizes must be the floor or the ceil of the computed sizes; "
                  "leave them out");
  }
};
struct averagePool2d_t : pool2d_operator<averagePool2d_t> {
  static constexpr const char* name = "averagePool2d";
  static constexpr combine how = combine::sum;
  static constexpr bool average = true;
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "averagePool2d: the input must have 4 axes; reshape() it");
    static_assert(E.what != code::window,
                  "averagePool2d: the window must fit into the padded input; shrink "
                  "windowDimensions or add padding");
    static_assert(E.what != code::stride,
                  "averagePool2d: strides and dilations must be at least 1");
    static_assert(E.what != code::padding,
                  "averagePool2d: padding must not be negative; slice the input instead");
    static_assert(E.what != code::option,
                  "averagePool2d: outputSizes must be the floor or the ceil of the computed sizes; "
                  "leave them out");
  }
};

/// The square root of the sum of squares.
struct l2Pool2d_t : pool2d_operator<l2Pool2d_t> {
  static constexpr const char* name = "l2Pool2d";
  static constexpr combine how = combine::sum;
  static constexpr bool average = false;
  static constexpr int record(recorder& r, const pool2d_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<l2Pool2d_t>(r, o, in, out);
    const tensor x = r.at(in[0]);
    r.open(name);
    const int square = r.map(name, record_program<1>([](scalar v) { return v * v; }), {in[0]}, x);
    const int sum = pool2d_operator<l2Pool2d_t>::record(r, o, {&square, 1}, out);
    const int y = r.map(name, record_program<1>([](scalar v) { return sqrt(v); }), {sum}, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "l2Pool2d: the input must have 4 axes; reshape() it");
    static_assert(E.what != code::window,
                  "l2Pool2d: the window must fit into the padded input; shrink windowDimensions "
                  "or add padding");
    static_assert(E.what != code::stride, "l2Pool2d: strides and dilations must be at least 1");
    static_assert(E.what != code::padding,
                  "l2Pool2d: padding must not be negative; slice the input instead");
    static_assert(E.what != code::option,
                  "l2Pool2d: outputSizes must be the floor or the ceil of the computed sizes; "
                  "leave them out");
  }
};

/// Pooling of images: `maxPool2d<pool2d_options{.windowDimensions = {2, 2}, .strides = {2,
/// 2}}>(x)`. Padding widens the reach of the windows, but its elements take no part in the result.
/// Shape: [n, c, h, w] -> [n, c, h', w'], or with nhwc [n, h, w, c] -> [n, h', w', c].
/// Type: maxPool2d any; averagePool2d and l2Pool2d float32 or float16.
/// Error: element_type, rank, stride, padding, capacity, window, option.
/// Source: WebNN, pooling operations.
template <pool2d_options O = pool2d_options{}, operand_like X> constexpr auto maxPool2d(X x) {
  return apply<maxPool2d_t, O>(x);
}
template <pool2d_options O = pool2d_options{}, operand_like X> constexpr auto averagePool2d(X x) {
  return apply<averagePool2d_t, O>(x);
}
template <pool2d_options O = pool2d_options{}, operand_like X> constexpr auto l2Pool2d(X x) {
  return apply<l2Pool2d_t, O>(x);
}

/// The operators above.
using pool2d_operators = operator_list<maxPool2d_t, averagePool2d_t, l2Pool2d_t>;

}  // namespace tenon
