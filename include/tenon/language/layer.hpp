// Layers: operators that declare their own weights, with shapes that follow from the input. The
// weights' names are the layer's name with ".weight" and ".bias" behind it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/contract.hpp>
#include <tenon/language/convolution.hpp>
#include <tenon/language/move.hpp>
#include <tenon/language/normalization.hpp>

namespace tenon::layer {

/// Height and width of a filter; one number stands for a square.
struct kernel {
  i64 height, width;
  constexpr kernel(i64 side) : height(side), width(side) {}
  constexpr kernel(i64 rows, i64 columns) : height(rows), width(columns) {}
};

/// Whether a layer adds a bias to its result.
enum class bias : bool { none, added };

/// The order of the axes of a dense layer's matrix: outputs (o), inputs (i).
enum class matrix_layout : std::uint8_t { oi, io };

/// The name of a layer's weight. Without a layer's name it is empty, too, and the weight is
/// refused.
constexpr name part(const name& layer, const char* what) {
  return layer.empty() ? layer : layer + what;
}

namespace shapes {

/// The filter for an image. An image that does not fit is left to `conv2d_t::infer` to refuse.
constexpr tensor filter(const tensor& image, i64 filters, kernel k, const conv2d_options& o) {
  const shape& x = image.shape;
  const i64 channels = x.rank == 4 ? x[channel_axis(o.inputLayout)] : 1;
  const i64 extent[] = {filters, o.groups < 1 ? channels : channels / o.groups, k.height, k.width};
  shape s = extents(1, 1, 1, 1);
  for (int i = 0; i < 4; ++i) s.extent[conv2d_t::filter_axis(o.filterLayout, i)] = extent[i];
  return {image.type, s};
}
/// The matrix of a dense layer.
constexpr tensor matrix(const tensor& rows, i64 outputs, matrix_layout l) {
  const shape& x = rows.shape;
  const i64 inputs = x.rank == 0 ? 1 : x[x.rank - 1];
  return {rows.type, l == matrix_layout::oi ? extents(outputs, inputs) : extents(inputs, outputs)};
}
constexpr tensor row(type t, i64 n) { return {t, extents(n)}; }
/// All axes but the first as one.
constexpr axis_list flat(const shape& x) {
  const i64 first = x.rank == 0 ? 1 : x[0];
  return {first, x.count() / first};
}
/// Scale and bias of a layer normalization. Axes that do not fit are left to
/// `layerNormalization_t::infer` to refuse.
constexpr tensor affine(const tensor& rows, const layerNormalization_options& o) {
  const shape& x = rows.shape;
  const axis_list axes = layerNormalization_t::axes_of(o, x.rank);
  const bool fits = reduces::check_axes("", axes, x.rank).ok();
  return {rows.type, fits ? layerNormalization_t::affine(axes, x) : extents(1)};
}
/// Each of the four weights of a batch normalization: one element per channel.
constexpr tensor channels(const tensor& image, const batchNormalization_options& o) {
  const shape& x = image.shape;
  return row(image.type, o.axis >= 0 && o.axis < x.rank ? x[static_cast<int>(o.axis)] : 1);
}
constexpr conv2d_options depthwise(const shape& x, conv2d_options o) {
  if (x.rank == 4) o.groups = x[channel_axis(o.inputLayout)];
  return o;
}

}  // namespace shapes

/// A convolution with `Filters` filters: `conv2d<64, 3, options>(image, "stem")`.
/// Shape: [n, c, h, w] -> [n, Filters, h', w'], in the layouts of the options.
/// Weights: NAME.weight [Filters, c / groups, kernel], in the options' filterLayout; NAME.bias
/// [Filters].
/// Type: that of the image, float32 or float16; the weights have it, too.
/// Error: those of `tenon::conv2d`.
template <i64 Filters, kernel K, conv2d_options O = conv2d_options{}, bias B = bias::added,
          operand_like X>
constexpr auto conv2d(X x, const name& label) {
  if constexpr (is_broken<X>) {
    return x;
  } else {
    const weight_leaf<shapes::filter(X::type, Filters, K, O)> filter{part(label, ".weight")};
    if constexpr (B == bias::none)
      return tenon::conv2d<O>(x, filter);
    else
      return tenon::conv2d<O>(
          x, filter, weight_leaf<shapes::row(X::type.type, Filters)>{part(label, ".bias")});
  }
}

/// A convolution with one filter for each channel: `depthwise<3, options>(image, "block.filter")`.
/// The option `groups` is set to the number of channels.
/// Shape: [n, c, h, w] -> [n, c, h', w'], in the layouts of the options.
/// Weights: NAME.weight [c, 1, kernel], in the options' filterLayout; NAME.bias [c].
/// Error: those of `tenon::conv2d`.
template <kernel K, conv2d_options O = conv2d_options{}, bias B = bias::added, operand_like X>
constexpr auto depthwise(X x, const name& label) {
  if constexpr (is_broken<X>) {
    return x;
  } else {
    constexpr conv2d_options each = shapes::depthwise(X::type.shape, O);
    return layer::conv2d<each.groups, K, each, B>(x, label);
  }
}

/// Every row times a matrix, plus a bias: `dense<10>(x, "classifier")`.
/// Shape: [..., k] -> [..., Outputs].
/// Weights: NAME.weight [Outputs, k], or [k, Outputs] with `matrix_layout::io`; NAME.bias
/// [Outputs].
/// Error: those of `gemm` for two axes, else those of `matmul` and `add`.
template <i64 Outputs, matrix_layout L = matrix_layout::oi, bias B = bias::added, operand_like X>
constexpr auto dense(X x, const name& label) {
  if constexpr (is_broken<X>) {
    return x;
  } else {
    const weight_leaf<shapes::matrix(X::type, Outputs, L)> matrix{part(label, ".weight")};
    const weight_leaf<shapes::row(X::type.type, Outputs)> offset{part(label, ".bias")};
    constexpr bool transposed = L == matrix_layout::oi;
    const auto product = [&] {
      if constexpr (transposed)
        return matmul(x, transpose<1, 0>(matrix));
      else
        return matmul(x, matrix);
    };
    if constexpr (X::type.shape.rank != 2 && B == bias::none)
      return product();
    else if constexpr (X::type.shape.rank != 2)
      return product() + offset;
    else if constexpr (B == bias::none)
      return gemm<gemm_options{.bTranspose = transposed}>(x, matrix);
    else
      return gemm<gemm_options{.bTranspose = transposed}>(x, matrix, offset);
  }
}

/// A layer normalization with scale and bias: `layerNormalization<options>(x, "norm")`.
/// Shape: that of x.
/// Weights: NAME.weight and NAME.bias, with the extents of the normalized axes.
/// Error: those of `tenon::layerNormalization`.
template <layerNormalization_options O = layerNormalization_options{}, operand_like X>
constexpr auto layerNormalization(X x, const name& label) {
  if constexpr (is_broken<X>) {
    return x;
  } else {
    using affine = weight_leaf<shapes::affine(X::type, O)>;
    return tenon::layerNormalization<O>(x, affine{part(label, ".weight")},
                                        affine{part(label, ".bias")});
  }
}
/// A batch normalization with scale and bias: `batchNormalization<options>(x, "norm")`.
/// Shape: that of x.
/// Weights: NAME.running_mean, NAME.running_var, NAME.weight and NAME.bias, one element per
/// channel.
/// Error: those of `tenon::batchNormalization`.
template <batchNormalization_options O = batchNormalization_options{}, operand_like X>
constexpr auto batchNormalization(X x, const name& label) {
  if constexpr (is_broken<X>) {
    return x;
  } else {
    using channels = weight_leaf<shapes::channels(X::type, O)>;
    return tenon::batchNormalization<O>(
        x, channels{part(label, ".running_mean")}, channels{part(label, ".running_var")},
        channels{part(label, ".weight")}, channels{part(label, ".bias")});
  }
}

/// Joins all axes but the first, as between images and dense layers: `flatten(x)`.
/// Shape: [n, ...] -> [n, product of the others].
/// Cost: none.
template <operand_like X> constexpr auto flatten(X x) {
  if constexpr (is_broken<X>)
    return x;
  else
    return apply<reshape_t, reshape_options{.newShape = shapes::flat(X::type.shape)}>(x);
}

}  // namespace tenon::layer
