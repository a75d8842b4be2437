// The move family: results whose elements are elements of the operand, at positions that are known
// when the graph is built. Often the users read the operand in place, with other strides, and no
// kernel runs. Here are the moves that keep the number of elements; the others are in slice.hpp and
// extend.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>

namespace tenon {

struct reshape_options {
  axis_list newShape{};
  constexpr bool operator==(const reshape_options&) const = default;
};
struct reshape_t {
  static constexpr const char* name = "reshape";
  static constexpr bool takes_four_bits = true;
  using options = reshape_options;
  static constexpr result<tensor> infer(const reshape_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (o.newShape.count > max_rank)
      return error{code::rank, name, "newShape", max_rank, o.newShape.count};
    shape s{};
    // What the extents that follow may still multiply to. Dividing cannot overflow as a product
    // can.
    i64 room = in[0].shape.count();
    for (int i = 0; i < o.newShape.count; ++i) {
      if (o.newShape[i] < 1) return error{code::extent, name, "newShape", 1, o.newShape[i]};
      s.extent[s.rank++] = o.newShape[i];
      room /= o.newShape[i];
    }
    if (room == 0 || s.count() != in[0].shape.count())
      return error{code::element_count, name, "newShape", in[0].shape, s};
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const reshape_options&, list<int> in,
                              const tensor& out) {
    return r.reshape(name, in[0], out.shape);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "reshape: a tensor has at most 8 axes; merge some");
    static_assert(E.what != code::element_count,
                  "reshape: the new shape must have as many elements as the old one; check the "
                  "product of the extents");
    static_assert(E.what != code::extent,
                  "reshape: every extent must be at least 1; write the shape out");
  }
};

/// WebNN transpose: output axis i is input axis permutation[i]; not given: all axes reversed.
struct transpose_options {
  axis_list permutation{};
  constexpr bool operator==(const transpose_options&) const = default;
};
struct transpose_t {
  static constexpr const char* name = "transpose";
  using options = transpose_options;
  static constexpr int source(const transpose_options& o, int rank, int axis) {
    return o.permutation.given() ? static_cast<int>(o.permutation[axis]) : rank - 1 - axis;
  }
  static constexpr result<tensor> infer(const transpose_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    const shape& x = in[0].shape;
    if (o.permutation.given() && o.permutation.count != x.rank)
      return error{code::rank, name, "permutation", x.rank, o.permutation.count};
    shape s{x.rank, {}};
    std::uint32_t named_axes = 0;
    for (int i = 0; i < x.rank; ++i) {
      const i64 axis = o.permutation.given() ? o.permutation[i] : x.rank - 1 - i;
      if (axis < 0 || axis >= x.rank || (named_axes >> axis & 1u) != 0)
        return error{code::permutation, name, "permutation", x.rank, axis};
      named_axes |= 1u << axis;
      s.extent[i] = x[static_cast<int>(axis)];
    }
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const transpose_options& o, list<int> in,
                              const tensor& out) {
    const strides from = dense(r.at(in[0]).shape);
    movement m{};
    for (int i = 0; i < out.shape.rank; ++i) m.step.step[i] = from[source(o, out.shape.rank, i)];
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "transpose: the permutation must name every axis; give one entry per axis");
    static_assert(E.what != code::permutation,
                  "transpose: the permutation must name every axis once, counted from 0");
  }
};

/// WebNN reverse options: the axes along which the order of the elements is turned; without them
/// all axes.
struct reverse_options {
  axis_list axes{};
  constexpr bool operator==(const reverse_options&) const = default;
};
struct reverse_t {
  static constexpr const char* name = "reverse";
  using options = reverse_options;
  static constexpr bool turns(const reverse_options& o, int axis) {
    bool is_named = !o.axes.given();
    for (int i = 0; i < o.axes.count; ++i) is_named = is_named || o.axes[i] == axis;
    return is_named;
  }
  static constexpr result<tensor> infer(const reverse_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    std::uint32_t named_axes = 0;
    for (int i = 0; i < o.axes.count; ++i) {
      const i64 axis = i < max_rank ? o.axes[i] : -1;
      if (axis < 0 || axis >= in[0].shape.rank || (named_axes >> axis & 1u) != 0)
        return error{code::axis, name, "axes", in[0].shape.rank, axis};
      named_axes |= 1u << axis;
    }
    return in[0];
  }
  static constexpr int record(recorder& r, const reverse_options& o, list<int> in,
                              const tensor& out) {
    movement m{};
    m.step = dense(out.shape);
    for (int i = 0; i < out.shape.rank; ++i) {
      if (!turns(o, i) || out.shape[i] == 1) continue;
      m.offset += (out.shape[i] - 1) * m.step[i];
      m.step.step[i] = -m.step[i];
    }
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "reverse: every axis must be below the rank and given once; count axes from 0");
  }
};

/// WebNN triangular options. `diagonal` is the last diagonal that belongs to the triangle, counted
/// to the right from the main one; negative to the left.
struct triangular_options {
  bool upper = true;
  i64 diagonal = 0;
  constexpr bool operator==(const triangular_options&) const = default;
};
/// Keeps the upper or lower triangle of every matrix in the last two axes; the rest becomes 0.
struct triangular_t {
  static constexpr const char* name = "triangular";
  using options = triangular_options;
  static constexpr result<tensor> infer(const triangular_options& o, list<tensor> in) {
    constexpr i64 last_int32 = (i64{1} << 31) - 1;
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (in[0].shape.rank < 2) return error{code::rank, name, "input", 2, in[0].shape.rank};
    if (o.diagonal < -last_int32 - 1 || o.diagonal > last_int32)
      return error{code::option, name, "diagonal", last_int32, o.diagonal};
    return in[0];
  }
  static constexpr int record(recorder& r, const triangular_options& o, list<int> in,
                              const tensor& out) {
    constexpr i64 far = i64{1} << 41;  // beyond every extent
    movement m{};
    m.is = movement::form::band;
    m.low = o.upper ? o.diagonal : -far;
    m.high = o.upper ? far : o.diagonal;
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "triangular: the input must have 2 axes or more");
    static_assert(E.what != code::option, "triangular: the diagonal must fit into 32 bits");
  }
};

/// The same elements in another shape: `reshape<1, 800>(x)`.
/// Shape: the new one, of as many elements.
/// Type: any, int4 and uint4 included.
/// Error: rank, extent, element_count.
/// Cost: none; never a copy inside a graph.
/// Source: WebNN reshape.
template <i64... Extent, operand_like X> constexpr auto reshape(X x) {
  static_assert(sizeof...(Extent) <= max_rank, "reshape: a tensor has at most 8 axes; merge some");
  return apply<reshape_t, reshape_options{.newShape = {Extent...}}>(x);
}
/// The axes in another order: `transpose<1, 0>(x)`; `transpose<>(x)` turns their order around.
/// Shape: axis i of the result is axis `Axis[i]` of the operand.
/// Type: any.
/// Error: rank, permutation.
/// Cost: none where the users can read it in place.
/// Source: WebNN transpose.
template <i64... Axis, operand_like X> constexpr auto transpose(X x) {
  if constexpr (sizeof...(Axis) == 0)
    return apply<transpose_t>(x);
  else
    return apply<transpose_t, transpose_options{.permutation = {Axis...}}>(x);
}
/// Turns the order of the elements along axes: `reverse<1>(x)`; `reverse<>(x)` along all.
/// Shape: that of the operand.
/// Type: any.
/// Error: axis.
/// Source: WebNN reverse.
template <i64... Axis, operand_like X> constexpr auto reverse(X x) {
  if constexpr (sizeof...(Axis) == 0)
    return apply<reverse_t>(x);
  else
    return apply<reverse_t, reverse_options{.axes = {Axis...}}>(x);
}
/// Keeps one triangle of matrices, zeros elsewhere:
/// `triangular<triangular_options{.upper = false, .diagonal = -1}>(x)`.
/// Shape: that of the operand, of 2 axes or more.
/// Type: any.
/// Error: rank, option.
/// Source: WebNN triangular.
template <triangular_options O = triangular_options{}, operand_like X>
constexpr auto triangular(X x) {
  return apply<triangular_t, O>(x);
}
}  // namespace tenon
