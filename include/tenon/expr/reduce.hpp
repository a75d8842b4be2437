// The reduce family: one value from many along axes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/handle.hpp>

namespace tenon {

/// WebNN reduce options. `axes` not given: all axes. Empty axes reduce nothing.
struct reduce_options {
  axis_list axes{};
  bool keepDimensions = false;
  constexpr bool operator==(const reduce_options&) const = default;
};

/// What all reductions share: `Op` has `name` and `how`. The order of combination is fixed (see
/// `reduction`). NaN propagates.
template <class Op> struct reduce_operator {
  using options = reduce_options;

  static constexpr std::uint32_t mask(const reduce_options& o, int rank) {
    std::uint32_t bits = o.axes.given() ? 0u : (1u << rank) - 1;
    for (int i = 0; i < o.axes.count; ++i) bits |= 1u << o.axes[i];
    return bits;
  }
  static constexpr result<tensor> infer(const reduce_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, Op::name, "", 1, in.size};
    const tensor& x = in[0];
    if (x.type != type::float32)
      return error{code::element_type, Op::name, "input", type::float32, x.type};
    std::uint32_t seen = 0;
    for (int i = 0; i < o.axes.count; ++i) {
      const i64 axis = i < max_rank ? o.axes[i] : -1;
      if (axis < 0 || axis >= x.shape.rank || (seen >> axis & 1u) != 0)
        return error{code::axis, Op::name, "axes", x.shape.rank, axis};
      seen |= 1u << axis;
    }
    const reduction r{Op::how, mask(o, x.shape.rank), o.keepDimensions};
    shape s{};
    for (int i = 0; i < x.shape.rank; ++i) {
      if (!r.reduces(i))
        s.extent[s.rank++] = x.shape[i];
      else if (r.keep)
        s.extent[s.rank++] = 1;
    }
    return tensor{x.type, s};
  }
  static constexpr int record(recorder& r, const reduce_options& o, list<int> in,
                              const tensor& out) {
    return r.reduce(Op::name, {Op::how, mask(o, r.at(in[0]).shape.rank), o.keepDimensions}, in[0],
                    out);
  }
};

struct reduceSum_t : reduce_operator<reduceSum_t> {
  static constexpr const char* name = "reduceSum";
  static constexpr combine how = combine::sum;
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "reduceSum: every axis must be below the rank and given once; count axes from 0");
  }
};
struct reduceMax_t : reduce_operator<reduceMax_t> {
  static constexpr const char* name = "reduceMax";
  static constexpr combine how = combine::max;
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "reduceMax: every axis must be below the rank and given once; count axes from 0");
  }
};

/// Sum and maximum along axes: `reduceSum<reduce_options{.axes = {1}}>(x)`.
/// Error of the sum: at most (n / 16 + 4) rounding errors of the running sum for n elements.
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceSum(X x) {
  return apply<reduceSum_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceMax(X x) {
  return apply<reduceMax_t, O>(x);
}

}  // namespace tenon
