// The layers of tenon/language/layer.hpp for graphs that are built at run time.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/tenon.hpp>

namespace networks {
namespace tn = tenon;
using value = tn::builder::value;

constexpr tn::tensor floats(auto... extents) {
  return {tn::type::float32, tn::extents(extents...)};
}

/// A builder that adds whole layers. Their weights have the names and shapes of `tenon::layer`.
struct layers : tn::builder {
  tn::shape shape_of(value x) const { return type_of_value(x).shape; }

  value conv2d(value x, const tn::name& label, tn::i64 filters, tn::layer::kernel k,
               const tn::conv2d_options& o = {}) {
    const tn::tensor filter = tn::layer::shapes::filter(type_of_value(x), filters, k, o);
    const value w = weight(label + ".weight", filter);
    return add<tn::conv2d_t>(o, {x, w, weight(label + ".bias", floats(filters))});
  }
  value depthwise(value x, const tn::name& label, tn::layer::kernel k,
                  const tn::conv2d_options& o = {}) {
    const tn::conv2d_options each = tn::layer::shapes::depthwise(shape_of(x), o);
    return conv2d(x, label, each.groups, k, each);
  }
  value dense(value x, const tn::name& label, tn::i64 outputs,
              tn::layer::matrix_layout l = tn::layer::matrix_layout::oi) {
    const bool transposed = l == tn::layer::matrix_layout::oi;
    value w = weight(label + ".weight", tn::layer::shapes::matrix(type_of_value(x), outputs, l));
    if (shape_of(x).rank == 2) {
      const value offset = weight(label + ".bias", floats(outputs));
      return add<tn::gemm_t>({.bTranspose = transposed}, {x, w, offset});
    }
    if (transposed) w = add<tn::transpose_t>({}, {w});
    const value product = add<tn::matmul_t>({}, {x, w});
    return plus(product, weight(label + ".bias", floats(outputs)));
  }
  value flatten(value x) {
    return add<tn::reshape_t>({.newShape = tn::layer::shapes::flat(shape_of(x))}, {x});
  }
  /// Along the last axis.
  value normalize(value x, const tn::name& label, const tn::layerNormalization_options& o) {
    const tn::tensor row = floats(shape_of(x)[shape_of(x).rank - 1]);
    const value scale = weight(label + ".weight", row);
    return add<tn::layerNormalization_t>(o, {x, scale, weight(label + ".bias", row)});
  }
  value relu(value x) { return add<tn::relu_t>({}, {x}); }
  value plus(value a, value b) { return add<tn::add_t>({}, {a, b}); }
  /// The average of every channel.
  value average(value x) { return add<tn::averagePool2d_t>({}, {x}); }
};

}  // namespace networks
