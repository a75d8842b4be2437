// Moves between tensors and their parts: slice, split and concat.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>
#include <tuple>

namespace tenon {

/// WebNN slice options. Along axis i the slice covers `sizes[i]` positions from `starts[i]` on and
/// keeps every `strides[i]`-th of them. Without `strides` it keeps all.
struct slice_options {
  axis_list starts{}, sizes{}, strides{};
  constexpr bool operator==(const slice_options&) const = default;
};
struct slice_t {
  static constexpr const char* name = "slice";
  using options = slice_options;
  static constexpr i64 stride(const slice_options& o, int axis) {
    return o.strides.given() ? o.strides[axis] : 1;
  }
  static constexpr result<tensor> infer(const slice_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    const shape& x = in[0].shape;
    if (o.starts.size() != x.rank)
      return error{code::rank, name, "starts", x.rank, o.starts.size()};
    if (o.sizes.size() != x.rank) return error{code::rank, name, "sizes", x.rank, o.sizes.size()};
    if (o.strides.given() && o.strides.count != x.rank)
      return error{code::rank, name, "strides", x.rank, o.strides.count};
    shape s{x.rank, {}};
    for (int i = 0; i < x.rank; ++i) {
      if (stride(o, i) < 1) return error{code::stride, name, "strides", 1, stride(o, i)};
      if (o.starts[i] < 0 || o.starts[i] >= x[i])
        return error{code::extent, name, "starts", x[i] - 1, o.starts[i]};
      if (o.sizes[i] < 1 || o.sizes[i] > x[i] - o.starts[i])
        return error{code::extent, name, "sizes", x[i] - o.starts[i], o.sizes[i]};
      s.extent[i] = (o.sizes[i] - 1) / stride(o, i) + 1;
    }
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const slice_options& o, list<int> in,
                              const tensor& out) {
    const strides from = dense(r.at(in[0]).shape);
    movement m{};
    for (int i = 0; i < out.shape.rank; ++i) {
      m.offset += o.starts[i] * from[i];
      m.step.step[i] = out.shape[i] == 1 ? 0 : stride(o, i) * from[i];
    }
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "slice: starts, sizes and strides must have one entry per axis");
    static_assert(E.what != code::extent,
                  "slice: starts and sizes must stay inside the input; check them per axis");
    static_assert(E.what != code::stride, "slice: strides must be at least 1; use reverse()");
  }
};

/// One part of a split along an axis: `size` positions from `begin` on. Each part is recorded as an
/// operator of its own.
struct split_options {
  i64 axis = 0, begin = 0, size = 1;
  constexpr bool operator==(const split_options&) const = default;
};
struct split_t {
  static constexpr const char* name = "split";
  using options = split_options;
  static constexpr result<tensor> infer(const split_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    tensor t = in[0];
    if (o.axis < 0 || o.axis >= t.shape.rank)
      return error{code::axis, name, "axis", t.shape.rank, o.axis};
    i64& extent = t.shape.extent[o.axis];
    if (o.begin < 0 || o.begin >= extent)
      return error{code::extent, name, "splits", extent - 1, o.begin};
    if (o.size < 1 || o.size > extent - o.begin)
      return error{code::extent, name, "splits", extent - o.begin, o.size};
    extent = o.size;
    return t;
  }
  static constexpr int record(recorder& r, const split_options& o, list<int> in,
                              const tensor& out) {
    const strides from = dense(r.at(in[0]).shape);
    movement m{};
    m.offset = o.begin * from[static_cast<int>(o.axis)];
    m.step = from;
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis, "split: the axis must be below the rank");
    static_assert(E.what != code::extent,
                  "split: the parts must be at least 1 and add up to the axis' extent");
  }
};

/// WebNN concat options. Apart from `axis`, all operands have the same extents.
struct concat_options {
  i64 axis = 0;
  constexpr bool operator==(const concat_options&) const = default;
};
struct concat_t {
  static constexpr const char* name = "concat";
  static constexpr bool explains_types = true;
  using options = concat_options;
  static constexpr result<tensor> infer(const concat_options& o, list<tensor> in) {
    if (in.size < 1) return error{code::operand_count, name, "", 1, in.size};
    // As many as `builder::add` and `record_again` have room for.
    if (in.size > 64) return error{code::operand_count, name, "", 64, in.size};
    tensor t = in[0];
    if (o.axis < 0 || o.axis >= t.shape.rank)
      return error{code::axis, name, "axis", t.shape.rank, o.axis};
    for (int i = 1; i < in.size; ++i) {
      if (in[i].type != t.type)
        return error{code::element_type, name, tenon::name("input") + i, t.type, in[i].type};
      shape expected = in[0].shape;  // with the operand's own extent along the axis
      if (in[i].shape.rank == expected.rank)
        expected.extent[o.axis] = in[i].shape[static_cast<int>(o.axis)];
      if (!(in[i].shape == expected))
        return error{code::extent, name, tenon::name("input") + i, expected, in[i].shape};
      t.shape.extent[o.axis] += in[i].shape[static_cast<int>(o.axis)];
    }
    return t;
  }
  static constexpr int record(recorder& r, const concat_options& o, list<int> in,
                              const tensor& out) {
    return r.join(name, static_cast<int>(o.axis), in, out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis, "concat: the axis must be below the rank");
    static_assert(E.what != code::extent,
                  "concat: all extents but that of the axis must be the same; reshape() or pad()");
    static_assert(E.what != code::element_type, "concat: all inputs must have one type; cast()");
  }
};

/// A box of a tensor: `slice<slice_options{.starts = {0, 1}, .sizes = {2, 3}}>(x)`.
/// Shape: along each axis the size, divided by the stride and rounded up.
/// Type: any.
/// Error: rank, extent, stride.
/// Cost: none where the users can read it in place.
/// Source: WebNN slice.
template <slice_options O, operand_like X> constexpr auto slice(X x) {
  return apply<slice_t, O>(x);
}
/// Joins tensors one behind the other along an axis: `concat<1>(a, b, c)`. At most 64 operands.
/// Shape: the operands', with the sum of their extents along the axis.
/// Type: any, the same for all.
/// Error: operand_count, axis, element_type, extent.
/// Cost: none where the operands can be computed in place.
/// Source: WebNN concat.
template <i64 Axis, operand_like... X> constexpr auto concat(X... x) {
  return apply<concat_t, concat_options{Axis}>(x...);
}
/// Cuts a tensor into parts of `Size...` positions along an axis: `auto [a, b] = split<1, 2,
/// 3>(x);`
/// Shape: the operand's, with the part's size along the axis.
/// Type: any.
/// Error: axis, extent; the sizes must add up to the extent of the axis.
/// Cost: none where the users can read the parts in place.
/// Source: WebNN split.
template <i64 Axis, i64... Size, operand_like X> constexpr auto split(X x) {
  if constexpr (requires { X::type; }) {
    constexpr bool fits = [] {
      i64 rest = Axis >= 0 && Axis < X::type.shape.rank ? X::type.shape[Axis] : -1;
      if (rest < 0) return true;  // refused below
      ((rest = Size < 1 || rest < Size ? -1 : rest - Size), ...);
      return rest == 0;
    }();
    static_assert(fits, "split: the parts must be at least 1 and add up to the axis' extent");
  }
  constexpr auto parts = [] {
    struct {
      i64 begin[sizeof...(Size)];
    } all{};
    i64 at = 0, i = 0;
    ((all.begin[i++] = at, at += Size), ...);
    return all;
  }();
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return std::tuple{apply<split_t, split_options{Axis, parts.begin[I], Size}>(x)...};
  }
  (std::make_index_sequence<sizeof...(Size)>{});
}
}  // namespace tenon
