// The reduce family: one value from many along axes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/half.hpp>
#include <tenon/language/map.hpp>

namespace tenon {

/// WebNN reduction options. Without `axes` all axes are reduced; an empty list reduces none. A
/// reduced axis stays with an extent of 1 if `keepDimensions`.
struct reduce_options {
  axis_list axes{};
  bool keepDimensions = false;
  constexpr bool operator==(const reduce_options&) const = default;
};

namespace reduces {

/// The axes as bits, axis 0 lowest.
constexpr std::uint32_t mask(const axis_list& axes, int rank) {
  std::uint32_t bits = axes.given() ? 0u : (1u << rank) - 1;
  for (int i = 0; i < axes.count; ++i) bits |= 1u << axes[i];
  return bits;
}
/// Checks that every axis is below the rank and given once. Error: axis.
constexpr error check_axes(const char* op, const axis_list& axes, int rank) {
  std::uint32_t named_axes = 0;
  for (int i = 0; i < axes.count; ++i) {
    const i64 axis = i < max_rank ? axes[i] : -1;
    if (axis < 0 || axis >= rank || (named_axes >> axis & 1u) != 0)
      return {code::axis, op, "axes", rank, axis};
    named_axes |= 1u << axis;
  }
  return {};
}
/// The shape after a reduction of `axes`; with `keep` they stay with an extent of 1.
constexpr shape reduced(const shape& x, std::uint32_t axes, bool keep) {
  shape s{};
  for (int i = 0; i < x.rank; ++i) {
    if ((axes >> i & 1u) == 0)
      s.extent[s.rank++] = x[i];
    else if (keep)
      s.extent[s.rank++] = 1;
  }
  return s;
}

/// The types that sums and products take: floats, and integers of 32 and 64 bits. Sums of bytes
/// would overflow after a few elements; WebNN refuses them, too.
constexpr bool adds(type t) { return size_bytes(t) > 1; }

}  // namespace reduces

/// What all reductions share: `Op` has `name` and `how`, and may have `before(scalar)` and
/// `after(scalar)`, which are recorded around the reduction, and `average`. The order of
/// combination is fixed (see `reduction`). NaN propagates; integers wrap around.
template <class Op> struct reduce_operator {
  using options = reduce_options;
  static constexpr bool accepts(type t) { return is_real(t); }

  static constexpr result<tensor> infer(const reduce_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, Op::name, "", 1, in.size};
    const tensor& x = in[0];
    if (!Op::accepts(x.type))
      return error{code::element_type, Op::name, "input", type::float32, x.type};
    if (const error e = reduces::check_axes(Op::name, o.axes, x.shape.rank); !e.ok()) return e;
    return tensor{x.type,
                  reduces::reduced(x.shape, reduces::mask(o.axes, x.shape.rank), o.keepDimensions)};
  }
  static constexpr int record(recorder& r, const reduce_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<Op>(r, o, in, out);
    const tensor x = r.at(in[0]);
    const std::uint32_t axes = reduces::mask(o.axes, x.shape.rank);
    r.open(Op::name);
    int y = in[0];
    if constexpr (requires(scalar s) { Op::before(s); })
      y = r.map(Op::name,
                record_program<1>([](scalar s) { return Op::before(s); }, {{x.type}, true, x.type}),
                {y}, x);
    constexpr bool average = requires { Op::average; };
    y = r.reduce(Op::name, {Op::how, axes, o.keepDimensions, average}, y, out);
    if constexpr (requires(scalar s) { Op::after(s); })
      y = r.map(Op::name, record_program<1>([](scalar s) { return Op::after(s); }), {y}, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain();  // below, where the operators are complete
};

struct reduceSum_t : reduce_operator<reduceSum_t> {
  static constexpr const char* name = "reduceSum";
  static constexpr bool accepts(type t) { return reduces::adds(t); }
  static constexpr combine how = combine::sum;
};
struct reduceProduct_t : reduce_operator<reduceProduct_t> {
  static constexpr const char* name = "reduceProduct";
  static constexpr bool accepts(type t) { return reduces::adds(t); }
  static constexpr combine how = combine::product;
};
struct reduceMax_t : reduce_operator<reduceMax_t> {
  static constexpr const char* name = "reduceMax";
  static constexpr bool accepts(type) { return true; }
  static constexpr combine how = combine::max;
};
struct reduceMin_t : reduce_operator<reduceMin_t> {
  static constexpr const char* name = "reduceMin";
  static constexpr bool accepts(type) { return true; }
  static constexpr combine how = combine::min;
};
struct reduceMean_t : reduce_operator<reduceMean_t> {
  static constexpr const char* name = "reduceMean";
  static constexpr combine how = combine::sum;
  static constexpr bool average = true;
};
struct reduceL1_t : reduce_operator<reduceL1_t> {
  static constexpr const char* name = "reduceL1";
  static constexpr bool accepts(type t) { return reduces::adds(t); }
  static constexpr combine how = combine::sum;
  static constexpr auto before(scalar x) { return abs(x); }
};
struct reduceSumSquare_t : reduce_operator<reduceSumSquare_t> {
  static constexpr const char* name = "reduceSumSquare";
  static constexpr bool accepts(type t) { return reduces::adds(t); }
  static constexpr combine how = combine::sum;
  static constexpr auto before(scalar x) { return x * x; }
};
struct reduceL2_t : reduce_operator<reduceL2_t> {
  static constexpr const char* name = "reduceL2";
  static constexpr combine how = combine::sum;
  static constexpr auto before(scalar x) { return x * x; }
  static constexpr auto after(scalar s) { return sqrt(s); }
};
struct reduceLogSum_t : reduce_operator<reduceLogSum_t> {
  static constexpr const char* name = "reduceLogSum";
  static constexpr combine how = combine::sum;
  static constexpr auto after(scalar s) { return log(s); }
};
/// log(sum(exp(x))), computed as log(sum(exp(x - max))) + max, so that exp does not overflow.
struct reduceLogSumExp_t : reduce_operator<reduceLogSumExp_t> {
  static constexpr const char* name = "reduceLogSumExp";
  static constexpr combine how = combine::sum;
  static constexpr int record(recorder& r, const reduce_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<reduceLogSumExp_t>(r, o, in, out);
    const tensor x = r.at(in[0]);
    const std::uint32_t axes = reduces::mask(o.axes, x.shape.rank);
    const tensor one{x.type, reduces::reduced(x.shape, axes, true)};
    r.open(name);
    const int top = r.reduce(name, {combine::max, axes, true}, in[0], one);
    // An infinite maximum is not subtracted: inf - inf would be NaN.
    const int base = r.map(name, record_program<1>([](scalar m) {
                             constexpr float infinity = std::numeric_limits<float>::infinity();
                             return select(abs(m) < infinity, m, 0.0f);
                           }),
                           {top}, one);
    const int e = r.map(name, record_program<2>([](scalar v, scalar m) { return exp(v - m); }),
                        {in[0], base}, x);
    const int sum = r.reduce(name, {combine::sum, axes, true}, e, one);
    int y = r.map(name, record_program<2>([](scalar s, scalar m) { return log(s) + m; }),
                  {sum, base}, one);
    if (!o.keepDimensions) y = r.reshape(name, y, out.shape);
    r.close();
    return y;
  }
};

template <class Op> template <error E> consteval void reduce_operator<Op>::explain() {
  if constexpr (std::is_same_v<Op, reduceSum_t>)
    static_assert(E.what != code::axis,
                  "reduceSum: every axis must be below the rank and given once; count axes from 0");
  else if constexpr (std::is_same_v<Op, reduceMax_t>)
    static_assert(E.what != code::axis,
                  "reduceMax: every axis must be below the rank and given once; count axes from 0");
  else
    static_assert(E.what != code::axis,
                  "reduction: every axis must be below the rank and given once; count axes from 0");
}

/// WebNN argMin and argMax options.
struct arg_options {
  bool keepDimensions = false;
  type outputDataType = type::int32;
  constexpr bool operator==(const arg_options&) const = default;
};
/// The axis, and WebNN's options.
struct position_options {
  i64 axis = 0;
  arg_options more{};
  constexpr bool operator==(const position_options&) const = default;
};
/// The position of the smallest or largest element along one axis, the first one of several. A NaN
/// counts as smaller and as larger than every number.
template <class Op> struct arg_operator {
  using options = position_options;
  static constexpr bool explains_types = true;
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, Op::name, "", 1, in.size};
    const tensor& x = in[0];
    if (o.axis < 0 || o.axis >= x.shape.rank)
      return error{code::axis, Op::name, "axis", x.shape.rank, o.axis};
    if (o.more.outputDataType != type::int32 && o.more.outputDataType != type::int64)
      return error{code::element_type, Op::name, "outputDataType", type::int32,
                   o.more.outputDataType};
    constexpr i64 last_int32 = (i64{1} << 31) - 1;
    if (o.more.outputDataType == type::int32 && x.shape[static_cast<int>(o.axis)] > last_int32)
      return error{code::extent, Op::name, "input", last_int32, x.shape[static_cast<int>(o.axis)]};
    return tensor{o.more.outputDataType,
                  reduces::reduced(x.shape, 1u << o.axis, o.more.keepDimensions)};
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<Op>(r, o, in, out);
    return r.reduce(Op::name, {Op::how, 1u << o.axis, o.more.keepDimensions}, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "argMin, argMax: the axis must be below the rank; count axes from 0");
    static_assert(E.what != code::extent,
                  "argMin, argMax: an int32 has no room for positions of this axis; ask for int64 "
                  "with outputDataType");
    static_assert(E.what != code::element_type,
                  "argMin, argMax: outputDataType must be int32 or int64; cast() the result");
  }
};
struct argMin_t : arg_operator<argMin_t> {
  static constexpr const char* name = "argMin";
  static constexpr combine how = combine::first_min;
};
struct argMax_t : arg_operator<argMax_t> {
  static constexpr const char* name = "argMax";
  static constexpr combine how = combine::first_max;
};

/// Reductions along axes: `reduceSum<reduce_options{.axes = {1}}>(x)`.
/// Shape: the operand's without the reduced axes, or with extents of 1 for them.
/// Type: float32 and float16; reduceMax and reduceMin any; reduceSum, reduceProduct, reduceL1 and
/// reduceSumSquare also integers of 32 and 64 bits, which wrap around.
/// Error: element_type, axis. Of the sum of n elements: at most (n / 16 + 4) rounding errors of the
/// running sum; those of the others follow from it.
/// Source: WebNN, reduction operations.
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceSum(X x) {
  return apply<reduceSum_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceProduct(X x) {
  return apply<reduceProduct_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceMax(X x) {
  return apply<reduceMax_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceMin(X x) {
  return apply<reduceMin_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceMean(X x) {
  return apply<reduceMean_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceL1(X x) {
  return apply<reduceL1_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceL2(X x) {
  return apply<reduceL2_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceSumSquare(X x) {
  return apply<reduceSumSquare_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceLogSum(X x) {
  return apply<reduceLogSum_t, O>(x);
}
template <reduce_options O = reduce_options{}, operand_like X> constexpr auto reduceLogSumExp(X x) {
  return apply<reduceLogSumExp_t, O>(x);
}
/// Positions of extreme elements: `argMax<1>(x)`, along axis 1.
/// Shape: the operand's without the axis, or with an extent of 1 for it.
/// Type: any -> int32, or int64 if the options say so.
/// Error: axis, element_type, extent (an int32 has no room for the positions).
/// Source: WebNN argMin/argMax operations.
template <i64 Axis, arg_options O = arg_options{}, operand_like X> constexpr auto argMax(X x) {
  return apply<argMax_t, argMax_t::options{Axis, O}>(x);
}
template <i64 Axis, arg_options O = arg_options{}, operand_like X> constexpr auto argMin(X x) {
  return apply<argMin_t, argMin_t::options{Axis, O}>(x);
}

/// The operators above by their forms.
using reduce_operators =
    operator_list<reduceSum_t, reduceProduct_t, reduceMax_t, reduceMin_t, reduceMean_t, reduceL1_t,
                  reduceSumSquare_t, reduceL2_t, reduceLogSum_t, reduceLogSumExp_t>;
using arg_operators = operator_list<argMin_t, argMax_t>;

}  // namespace tenon
