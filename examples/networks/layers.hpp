// The layers of tenon/expr/layer.hpp for graphs that are built at run time.
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
  const tn::shape shape_of(value x) const { return type_of_value(x).shape; }

  value conv2d(value x, const tn::name& called, tn::i64 filters, tn::layer::kernel k,
               const tn::conv2d_options& o = {}) {
    const tn::tensor filter = tn::layer::shapes::filter(shape_of(x), filters, k, o);
    const value w = weight(called + ".weight", filter);
    return add<tn::conv2d_t>(o, {x, w, weight(called + ".bias", floats(filters))});
  }
  value depthwise(value x, const tn::name& called, tn::layer::kernel k,
                  const tn::conv2d_options& o = {}) {
    const tn::conv2d_options each = tn::layer::shapes::depthwise(shape_of(x), o);
    return conv2d(x, called, each.groups, k, each);
  }
  /// Of a matrix: [rows, k] -> [rows, outputs].
  value dense(value x, const tn::name& called, tn::i64 outputs) {
    using enum tn::layer::matrix_layout;
    const tn::tensor matrix = tn::layer::shapes::matrix(shape_of(x), outputs, oi);
    const value w = weight(called + ".weight", matrix);
    return add<tn::gemm_t>({.bTranspose = true}, {x, w, weight(called + ".bias", floats(outputs))});
  }
  value flatten(value x) {
    return add<tn::reshape_t>({.newShape = tn::layer::shapes::flat(shape_of(x))}, {x});
  }
  value relu(value x) { return add<tn::relu_t>({}, {x}); }
  value plus(value a, value b) { return add<tn::add_t>({}, {a, b}); }
  /// The average of every channel.
  value average(value x) { return add<tn::averagePool2d_t>({}, {x}); }
};

}  // namespace networks
