// Normalizations: composite operators over mean and variance. Each records reductions and
// element-wise nodes; what the planner fuses of them is its affair.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/compose.hpp>

namespace tenon {

namespace normalizations {

/// Mean and variance over `axes`, which stay with extents of 1, in two reductions over the same
/// elements. One pass with a state of two values (Welford's) is no gain: on rows of 768 it takes
/// 1.3 times as long, and its variance is 100 times less exact where the mean is 1,000 deviations.
struct moments {
  int mean = -1, deviation = -1, variance = -1;
};
constexpr moments record_moments(recorder& r, const char* op, int x, std::uint32_t axes) {
  const tensor whole = r.at(x);
  const tensor one{whole.type, reduces::reduced(whole.shape, axes, true)};
  const reduction average{combine::sum, axes, true, true};
  moments m;
  m.mean = r.reduce(op, average, x, one);
  m.deviation = r.map(op, constant_program<2>([](scalar v, scalar mean) { return v - mean; }),
                      {x, m.mean}, whole);
  const int square =
      r.map(op, constant_program<1>([](scalar d) { return d * d; }), {m.deviation}, whole);
  m.variance = r.reduce(op, average, square, one);
  return m;
}
/// deviation / sqrt(variance + epsilon) * scale + bias; scale and bias are -1 where there is none.
constexpr int record_scaled(recorder& r, const char* op, int deviation, int variance, float epsilon,
                            int scale, int bias) {
  const tensor whole = r.at(deviation), one = r.at(variance);
  const int inverse = r.map(
      op, record_program<1>([&](scalar v) { return 1.0f / sqrt(v + epsilon); }), {variance}, one);
  const recorded& product = constant_program<2>([](scalar a, scalar b) { return a * b; });
  int y = r.map(op, product, {deviation, inverse}, whole);
  if (scale >= 0) y = r.map(op, product, {y, scale}, whole);
  const recorded& sum = constant_program<2>([](scalar a, scalar b) { return a + b; });
  if (bias >= 0) y = r.map(op, sum, {y, bias}, whole);
  return y;
}
/// Checks scale and bias, operands `first` and following: each must have the input's type and the
/// shape `expected`. Error: element_type, extent.
constexpr error check_affine(const char* op, const shape& expected, list<tensor> in, int first) {
  constexpr const char* names[] = {"scale", "bias"};
  for (int i = first; i < in.size; ++i) {
    const char* operand = names[i - first];
    if (in[i].type != in[0].type) return {code::element_type, op, operand, in[0].type, in[i].type};
    if (!(in[i].shape == expected)) return {code::extent, op, operand, expected, in[i].shape};
  }
  return {};
}
/// An operand with one element per channel, reshaped so that it broadcasts along `axis`.
constexpr int along(recorder& r, const char* op, int id, int axis, int rank) {
  shape s{rank, {}};
  for (int i = 0; i < rank; ++i) s.extent[i] = i == axis ? r.at(id).shape[0] : 1;
  return r.reshape(op, id, s);
}

}  // namespace normalizations

/// WebNN layerNormalization options. `axes` not given: all but the first.
struct layerNormalization_options {
  axis_list axes{};
  float epsilon = 1e-5f;
  bool scale = true;  ///< of two operands, whether the second is the scale (else the bias)
  constexpr bool operator==(const layerNormalization_options&) const = default;
};
/// (x - mean) / sqrt(variance + epsilon) * scale + bias, with the moments over `axes`.
struct layerNormalization_t {
  static constexpr const char* name = "layerNormalization";
  using options = layerNormalization_options;
  static constexpr axis_list axes_of(const options& o, int rank) {
    if (o.axes.given()) return o.axes;
    axis_list axes({});
    for (int i = 1; i < rank; ++i) axes.item[axes.count++] = i;
    return axes;
  }
  /// The shape of scale and bias: the extents of the axes, in their order.
  static constexpr shape affine(const axis_list& axes, const shape& x) {
    shape s{axes.count, {}};
    for (int i = 0; i < axes.count; ++i) s.extent[i] = x[static_cast<int>(axes[i])];
    return s;
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size < 1 || in.size > 3) return error{code::operand_count, name, "", 1, in.size};
    if (!is_real(in[0].type))
      return error{code::element_type, name, "input", type::float32, in[0].type};
    const axis_list axes = axes_of(o, in[0].shape.rank);
    if (const error e = reduces::check_axes(name, axes, in[0].shape.rank); !e.ok()) return e;
    if (const error e = normalizations::check_affine(name, affine(axes, in[0].shape), in, 1);
        !e.ok())
      return e;
    return in[0];
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<layerNormalization_t>(r, o, in, out);
    const axis_list axes = axes_of(o, out.shape.rank);
    r.open(name);
    const normalizations::moments m =
        normalizations::record_moments(r, name, in[0], reduces::mask(axes, out.shape.rank));
    int scale_and_bias[2] = {-1, -1};  // scale, bias
    for (int i = 1; i < in.size; ++i)
      scale_and_bias[in.size == 2 && !o.scale ? 1 : i - 1] = spread(r, in[i], axes, out.shape);
    const int y = normalizations::record_scaled(r, name, m.deviation, m.variance, o.epsilon,
                                                scale_and_bias[0], scale_and_bias[1]);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "layerNormalization: every axis must be below the rank and given once");
    static_assert(E.what != code::extent,
                  "layerNormalization: scale and bias must have the extents of the axes, in their "
                  "order; reshape() them");
  }

 private:
  /// Scale or bias with its axes where the input has them and extents of 1 elsewhere. The options
  /// may name the axes in any order; only another order than the input's needs a move.
  static constexpr int spread(recorder& r, int id, const axis_list& axes, const shape& x) {
    const shape given = r.at(id).shape;
    const strides contiguous = dense(given);
    movement m{};
    shape ordered{axes.count, {}}, wide{x.rank, {}};
    int at = 0;
    bool sorted = true;
    for (int i = 0; i < x.rank; ++i) {
      wide.extent[i] = 1;
      for (int k = 0; k < axes.count; ++k) {
        if (axes[k] != i) continue;
        sorted = sorted && k == at;
        m.step.step[at] = contiguous[k];
        ordered.extent[at++] = given[k];
        wide.extent[i] = given[k];
      }
    }
    if (!sorted) id = r.move(name, m, id, {type::float32, ordered});
    return r.reshape(name, id, wide);
  }
};

/// WebNN batchNormalization options.
struct batchNormalization_options {
  i64 axis = 1;
  float epsilon = 1e-5f;
  bool scale = true;  ///< of four operands, whether the fourth is the scale (else the bias)
  constexpr bool operator==(const batchNormalization_options&) const = default;
};
/// (x - mean) / sqrt(variance + epsilon) * scale + bias, one of each per channel.
struct batchNormalization_t {
  static constexpr const char* name = "batchNormalization";
  using options = batchNormalization_options;
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size < 3 || in.size > 5) return error{code::operand_count, name, "", 3, in.size};
    constexpr const char* names[] = {"input", "mean", "variance", "scale", "bias"};
    const shape& x = in[0].shape;
    if (o.axis < 0 || o.axis >= x.rank) return error{code::axis, name, "axis", x.rank, o.axis};
    const shape channels = extents(x[static_cast<int>(o.axis)]);
    if (const error e = check_reals(name, names, in); !e.ok()) return e;
    for (int i = 0; i < in.size; ++i) {
      if (i > 0 && !(in[i].shape == channels))
        return error{code::extent, name, names[i], channels, in[i].shape};
    }
    return in[0];
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<batchNormalization_t>(r, o, in, out);
    const int rank = out.shape.rank, axis = static_cast<int>(o.axis);
    int wide[5] = {in[0], -1, -1, -1, -1};
    r.open(name);
    for (int i = 1; i < in.size; ++i) {
      const int to = in.size == 4 && i == 3 && !o.scale ? 4 : i;
      wide[to] = normalizations::along(r, name, in[i], axis, rank);
    }
    const int deviation = r.map(name, constant_program<2>([](scalar x, scalar m) { return x - m; }),
                                {in[0], wide[1]}, out);
    const int y =
        normalizations::record_scaled(r, name, deviation, wide[2], o.epsilon, wide[3], wide[4]);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "batchNormalization: the axis must be below the rank; count axes from 0");
    static_assert(E.what != code::extent,
                  "batchNormalization: mean, variance, scale and bias must have one axis with one "
                  "element per channel; reshape() them");
  }
};

/// WebNN instanceNormalization options.
struct instanceNormalization_options {
  float epsilon = 1e-5f;
  image_layout layout = image_layout::nchw;
  bool scale = true;  ///< of two operands, whether the second is the scale (else the bias)
  constexpr bool operator==(const instanceNormalization_options&) const = default;
};
/// layerNormalization over height and width, with scale and bias per channel.
struct instanceNormalization_t {
  static constexpr const char* name = "instanceNormalization";
  using options = instanceNormalization_options;
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size < 1 || in.size > 3) return error{code::operand_count, name, "", 1, in.size};
    if (!is_real(in[0].type))
      return error{code::element_type, name, "input", type::float32, in[0].type};
    if (in[0].shape.rank != 4) return error{code::rank, name, "input", 4, in[0].shape.rank};
    const shape channels = extents(in[0].shape[channel_axis(o.layout)]);
    if (const error e = normalizations::check_affine(name, channels, in, 1); !e.ok()) return e;
    return in[0];
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<instanceNormalization_t>(r, o, in, out);
    const std::uint32_t axes = 1u << spatial_axis(o.layout, 0) | 1u << spatial_axis(o.layout, 1);
    int scale_and_bias[2] = {-1, -1};  // scale, bias
    r.open(name);
    const normalizations::moments m = normalizations::record_moments(r, name, in[0], axes);
    for (int i = 1; i < in.size; ++i)
      scale_and_bias[in.size == 2 && !o.scale ? 1 : i - 1] =
          normalizations::along(r, name, in[i], channel_axis(o.layout), out.shape.rank);
    const int y = normalizations::record_scaled(r, name, m.deviation, m.variance, o.epsilon,
                                                scale_and_bias[0], scale_and_bias[1]);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "instanceNormalization: the input must have 4 axes");
    static_assert(E.what != code::extent,
                  "instanceNormalization: scale and bias must have one axis with one element per "
                  "channel; reshape() them");
  }
};

/// Normalizes over axes: `layerNormalization<options>(x)`, `(x, scale)`, `(x, scale, bias)`, or
/// `(x, bias)` with `.scale = false`.
/// Shape: that of x; scale and bias have the extents of the axes, in the options' order.
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, axis, extent.
/// Source: WebNN layerNormalization.
template <layerNormalization_options O = layerNormalization_options{}, operand_like... H>
constexpr auto layerNormalization(H... h) {
  return apply<layerNormalization_t, O>(h...);
}
/// Normalizes with moments that are given: `batchNormalization<options>(x, mean, variance)`, then
/// scale and bias.
/// Shape: that of x; all others have one axis with one element per channel.
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, axis, extent.
/// Source: WebNN batchNormalization.
template <batchNormalization_options O = batchNormalization_options{}, operand_like... H>
constexpr auto batchNormalization(H... h) {
  return apply<batchNormalization_t, O>(h...);
}
/// Normalizes over height and width: `instanceNormalization<options>(x)`, `(x, scale)`, `(x, scale,
/// bias)`, or `(x, bias)` with `.scale = false`.
/// Shape: that of x, 4 axes; scale and bias have one axis with one element per channel.
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, rank, extent.
/// Source: WebNN instanceNormalization.
template <instanceNormalization_options O = instanceNormalization_options{}, operand_like... H>
constexpr auto instanceNormalization(H... h) {
  return apply<instanceNormalization_t, O>(h...);
}

}  // namespace tenon
