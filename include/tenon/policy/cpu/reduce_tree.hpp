// Reductions of contiguous elements: sixteen partial results and a fixed tree.
//
// The definition (`reduction` in graph/node.hpp): element i goes to partial result i % 16, each
// partial result takes its elements in order, and at the end they are combined as the tree
// (i, i + half) with halves of 8, 4, 2, 1. Sixteen are a register of AVX-512, two of AVX, four of
// SSE or NEON: all targets do the same additions in the same order, and so does `reference`. A row
// is reduced by one thread, so that the number of threads does not show either.
//
// Used for the trailing axes by rows.hpp; reduce.hpp applies the same tree to other axes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/graph/node.hpp>
#include <tenon/policy/cpu/simd_operations.hpp>

namespace tenon::simd {

/// Sixteen partial results in as many registers as they need.
struct partial_registers {
  static constexpr int count = partial_results / width;
  real r[count];
};
/// One step of a reduction. A product is hidden from contraction into a sum that follows.
template <combine How> [[gnu::always_inline]] inline real combined(real a, real b) noexcept {
  if constexpr (How == combine::sum)
    return a + b;
  else if constexpr (How == combine::max)
    return max(a, b);
  else if constexpr (How == combine::min)
    return min(a, b);
  else
    return hidden(a * b);
}
/// The tree (i, i + half), halves first. Registers are wider than the last steps of the tree: these
/// combine padded copies, with the same code as all others.
template <combine How> inline float combine_tree(partial_registers all) noexcept {
  alignas(64) float e[partial_results];
  for (int k = 0; k < partial_registers::count; ++k) store(all.r[k], e + k * width);
  float padded[3 * width] = {};
  for (int half = partial_results / 2; half > 0; half /= 2)
    for (int k = 0; k < half; k += width) {
      const int n = half - k < width ? half - k : width;
      std::memcpy(padded, e + k, static_cast<std::size_t>(n) * sizeof(float));
      std::memcpy(padded + width, e + k + half, static_cast<std::size_t>(n) * sizeof(float));
      store(combined<How>(load(padded), load(padded + width)), padded + 2 * width);
      std::memcpy(e + k, padded + 2 * width, static_cast<std::size_t>(n) * sizeof(float));
    }
  return e[0];
}
/// Reduces `n` contiguous elements. Each of the first sixteen starts a partial result; with fewer
/// elements the other partial results are the neutral value. The last elements, fewer than sixteen,
/// go to their partial results one by one.
template <combine How> float reduce_run(const float* x, i64 n) noexcept {
  partial_registers all;
  for (int k = 0; k < partial_registers::count; ++k) {
    const i64 left = n - k * width;
    if (left >= width) {
      all.r[k] = load(x + k * width);
    } else {
      float padded[width];
      for (int j = 0; j < width; ++j) padded[j] = j < left ? x[k * width + j] : neutral(How);
      all.r[k] = load(padded);
    }
  }
  i64 at = partial_results;
  for (; at + partial_results <= n; at += partial_results)
    for (int k = 0; k < partial_registers::count; ++k)
      all.r[k] = combined<How>(all.r[k], load(x + at + k * width));
  if (at < n) {
    alignas(64) float e[partial_results];
    for (int k = 0; k < partial_registers::count; ++k) store(all.r[k], e + k * width);
    for (i64 j = 0; at + j < n; ++j) {  // a vector operation on one element: the same code for all
      const real y = combined<How>(real(e[j]), real(x[at + j]));
      e[j] = y.get(0);
    }
    for (int k = 0; k < partial_registers::count; ++k) all.r[k] = load(e + k * width);
  }
  return combine_tree<How>(all);
}
inline float reduce_run(combine how, const float* x, i64 n) noexcept {
  switch (how) {
    case combine::sum: return reduce_run<combine::sum>(x, n);
    case combine::max: return reduce_run<combine::max>(x, n);
    case combine::min: return reduce_run<combine::min>(x, n);
    default: return reduce_run<combine::product>(x, n);
  }
}

}  // namespace tenon::simd
