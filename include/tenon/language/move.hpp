// The move family: index maps that are known beforehand, for which a layout often does and no
// kernel runs.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/handle.hpp>
#include <tuple>

namespace tenon {

struct reshape_options {
  axis_list newShape{};
  constexpr bool operator==(const reshape_options&) const = default;
};
struct reshape_t {
  static constexpr const char* name = "reshape";
  static constexpr bool takes_packed = true;
  using options = reshape_options;
  static constexpr result<tensor> infer(const reshape_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (o.newShape.count > max_rank)
      return error{code::rank, name, "newShape", max_rank, o.newShape.count};
    shape s{};
    i64 room =
        in[0].shape.count();  // that many elements are left for the next extents: no overflow
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
    std::uint32_t seen = 0;
    for (int i = 0; i < x.rank; ++i) {
      const i64 axis = o.permutation.given() ? o.permutation[i] : x.rank - 1 - i;
      if (axis < 0 || axis >= x.rank || (seen >> axis & 1u) != 0)
        return error{code::permutation, name, "permutation", x.rank, axis};
      seen |= 1u << axis;
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

/// WebNN slice: `sizes[i]` counts the positions from `starts[i]` on of which every `strides[i]`-th
/// is taken (not given: all).
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

/// A part of a split along an axis: `size` positions from `begin` on.
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

/// WebNN concat: all extents but that of the axis are the same.
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
    if (in.size > 64) return error{code::operand_count, name, "", 64, in.size};
    tensor t = in[0];
    if (o.axis < 0 || o.axis >= t.shape.rank)
      return error{code::axis, name, "axis", t.shape.rank, o.axis};
    for (int i = 1; i < in.size; ++i) {
      if (in[i].type != t.type)
        return error{code::element_type, name, tenon::name("input") + i, t.type, in[i].type};
      shape wanted = in[0].shape;
      if (in[i].shape.rank == wanted.rank)
        wanted.extent[o.axis] = in[i].shape[static_cast<int>(o.axis)];
      if (!(in[i].shape == wanted))
        return error{code::extent, name, tenon::name("input") + i, wanted, in[i].shape};
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

/// WebNN expand: extents of 1 (and missing leading ones) repeat.
struct expand_options {
  axis_list newShape{};
  constexpr bool operator==(const expand_options&) const = default;
};
struct expand_t {
  static constexpr const char* name = "expand";
  using options = expand_options;
  static constexpr result<tensor> infer(const expand_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    const shape& x = in[0].shape;
    if (o.newShape.size() < x.rank || o.newShape.size() > max_rank)
      return error{code::rank, name, "newShape", x.rank, o.newShape.size()};
    shape s{o.newShape.size(), {}};
    for (int i = 0; i < s.rank; ++i) s.extent[i] = o.newShape[i];
    for (int i = 0; i < s.rank; ++i) {
      const int own = i - (s.rank - x.rank);
      if (s.extent[i] < 1) return error{code::extent, name, "newShape", 1, s.extent[i]};
      if (own >= 0 && x[own] != 1 && x[own] != s.extent[i])
        return error{code::broadcast, name, "newShape", x, s};
    }
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const expand_options&, list<int> in, const tensor& out) {
    movement m{};
    m.step = broadcast(r.at(in[0]).shape, out.shape);
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "expand: the new shape must have the input's axes or more");
    static_assert(E.what != code::broadcast,
                  "expand: only extents of 1 repeat; use tile() for others");
    static_assert(E.what != code::extent, "expand: every extent must be at least 1");
  }
};

/// WebNN tile: the whole tensor `repetitions[i]` times along axis i.
struct tile_options {
  axis_list repetitions{};
  constexpr bool operator==(const tile_options&) const = default;
};
struct tile_t {
  static constexpr const char* name = "tile";
  using options = tile_options;
  static constexpr result<tensor> infer(const tile_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    tensor t = in[0];
    if (o.repetitions.size() != t.shape.rank)
      return error{code::rank, name, "repetitions", t.shape.rank, o.repetitions.size()};
    for (int i = 0; i < t.shape.rank; ++i) {
      if (o.repetitions[i] < 1 || o.repetitions[i] > (i64{1} << 24))
        return error{code::extent, name, "repetitions", 1, o.repetitions[i]};
      const i64 most = (i64{1} << 40) / t.shape.extent[i];  // no overflow, and refused later anyway
      if (o.repetitions[i] > most)
        return error{code::extent, name, "repetitions", most, o.repetitions[i]};
      t.shape.extent[i] *= o.repetitions[i];
    }
    return t;
  }
  /// Axis by axis: [outer, extent * inner] is read again and again.
  static constexpr int record(recorder& r, const tile_options& o, list<int> in, const tensor& out) {
    const tensor x = r.at(in[0]);
    int y = in[0];
    shape now = x.shape;
    r.open(name);
    for (int i = x.shape.rank - 1; i >= 0; --i) {
      if (o.repetitions[i] == 1) continue;
      i64 outer = 1, inner = 1;
      for (int k = 0; k < x.shape.rank; ++k) (k < i ? outer : inner) *= now[k];
      movement m{};
      m.step.step[0] = inner;
      m.step.step[2] = 1;
      const int flat = r.reshape(name, y, extents(outer, inner));
      const int repeated = r.move(name, m, flat, {x.type, extents(outer, o.repetitions[i], inner)});
      now.extent[i] *= o.repetitions[i];
      y = r.reshape(name, repeated, now);
    }
    if (y == in[0]) y = r.reshape(name, y, out.shape);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "tile: give one repetition per axis");
    static_assert(E.what != code::extent, "tile: every repetition must be at least 1");
  }
};

/// WebNN reverse: the order of the elements along axes; not given: all axes.
struct reverse_options {
  axis_list axes{};
  constexpr bool operator==(const reverse_options&) const = default;
};
struct reverse_t {
  static constexpr const char* name = "reverse";
  using options = reverse_options;
  static constexpr bool turns(const reverse_options& o, int axis) {
    bool found = !o.axes.given();
    for (int i = 0; i < o.axes.count; ++i) found = found || o.axes[i] == axis;
    return found;
  }
  static constexpr result<tensor> infer(const reverse_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    std::uint32_t seen = 0;
    for (int i = 0; i < o.axes.count; ++i) {
      const i64 axis = i < max_rank ? o.axes[i] : -1;
      if (axis < 0 || axis >= in[0].shape.rank || (seen >> axis & 1u) != 0)
        return error{code::axis, name, "axes", in[0].shape.rank, axis};
      seen |= 1u << axis;
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

/// WebNN pad: what stands outside is `value` as an element (rounded; truncated for integers, which
/// must have room for it), the nearest element, or the mirror image without the border itself.
struct pad_options {
  axis_list beginningPadding{}, endingPadding{};
  padding_mode mode = padding_mode::constant;
  any_number value{};
  constexpr bool operator==(const pad_options&) const = default;
};
struct pad_t {
  static constexpr const char* name = "pad";
  using options = pad_options;
  /// Truncated, the number is one of an integer type.
  static constexpr bool has_room(type t, const any_number& x) {
    if (is_real(t) || numbers::inside(t, x)) return true;
    return !x.whole && x.value < 0 && x.value > numbers::begin_of(t) - 1;
  }
  static constexpr result<tensor> infer(const pad_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    tensor t = in[0];
    if (o.mode == padding_mode::constant && !has_room(t.type, o.value))
      return error{code::option, name, "value", t.type, "a number beyond it"};
    const axis_list* all[] = {&o.beginningPadding, &o.endingPadding};
    for (const axis_list* side : all) {
      const char* operand = side == all[0] ? "beginningPadding" : "endingPadding";
      if (side->size() != t.shape.rank)
        return error{code::rank, name, operand, t.shape.rank, side->size()};
      for (int i = 0; i < t.shape.rank; ++i) {
        const i64 n = (*side)[i];
        if (n < 0) return error{code::padding, name, operand, 0, n};
        if (n > (i64{1} << 24)) return error{code::capacity, name, operand, i64{1} << 24, n};
        if (o.mode == padding_mode::reflection && n >= in[0].shape[i])
          return error{code::window, name, operand, in[0].shape[i] - 1, n};
        t.shape.extent[i] += n;
      }
    }
    return t;
  }
  static constexpr int record(recorder& r, const pad_options& o, list<int> in, const tensor& out) {
    movement m{};
    m.is = movement::form::pad;
    m.mode = o.mode;
    m.value = o.value;
    for (int i = 0; i < out.shape.rank; ++i) m.begin[i] = o.beginningPadding[i];
    return r.move(name, m, in[0], out);
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::option,
                  "pad: the value must be a number that the element type can hold; cast() the "
                  "input");
    static_assert(E.what != code::rank, "pad: give one padding per axis on both sides");
    static_assert(E.what != code::padding, "pad: padding must not be negative; use slice()");
    static_assert(E.what != code::window,
                  "pad: a reflection must be shorter than the axis that it mirrors");
  }
};

/// WebNN triangular options: `diagonal` counts diagonals to the right of the main one.
struct triangular_options {
  bool upper = true;
  i64 diagonal = 0;
  constexpr bool operator==(const triangular_options&) const = default;
};
/// The upper or lower triangle of every matrix in the last two axes, with zeros in the place of the
/// rest.
struct triangular_t {
  static constexpr const char* name = "triangular";
  using options = triangular_options;
  static constexpr result<tensor> infer(const triangular_options& o, list<tensor> in) {
    constexpr i64 most = (i64{1} << 31) - 1;
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (in[0].shape.rank < 2) return error{code::rank, name, "input", 2, in[0].shape.rank};
    if (o.diagonal < -most - 1 || o.diagonal > most)
      return error{code::option, name, "diagonal", most, o.diagonal};
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

/// `reshape<1, 800>(x)`: the same elements in another shape; never a copy inside a graph.
template <i64... Extent, operand_like X> constexpr auto reshape(X x) {
  static_assert(sizeof...(Extent) <= max_rank, "reshape: a tensor has at most 8 axes; merge some");
  return apply<reshape_t, reshape_options{.newShape = {Extent...}}>(x);
}
/// `transpose<1, 0>(x)`; `transpose<>(x)` reverses the axes.
template <i64... Axis, operand_like X> constexpr auto transpose(X x) {
  if constexpr (sizeof...(Axis) == 0)
    return apply<transpose_t>(x);
  else
    return apply<transpose_t, transpose_options{.permutation = {Axis...}}>(x);
}
/// A box of a tensor: `slice<slice_options{.starts = {0, 1}, .sizes = {2, 3}}>(x)`. Type: any.
template <slice_options O, operand_like X> constexpr auto slice(X x) {
  return apply<slice_t, O>(x);
}
/// `concat<1>(a, b, c)`: one behind the other along axis 1. Type: any, the same. Cost: none where
/// the operands can be computed in place.
template <i64 Axis, operand_like... X> constexpr auto concat(X... x) {
  return apply<concat_t, concat_options{Axis}>(x...);
}
/// Parts of `Size...` positions along an axis: `auto [a, b] = split<1, 2, 3>(x);`. Type: any.
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
/// `expand<4, 3>(x)`: extents of 1 repeat. Type: any. Cost: none where the users read it in place.
template <i64... Extent, operand_like X> constexpr auto expand(X x) {
  static_assert(sizeof...(Extent) <= max_rank, "expand: a tensor has at most 8 axes");
  return apply<expand_t, expand_options{.newShape = {Extent...}}>(x);
}
/// `tile<2, 3>(x)`: the whole tensor twice along axis 0 and three times along axis 1. Type: any.
template <i64... Repetition, operand_like X> constexpr auto tile(X x) {
  return apply<tile_t, tile_options{.repetitions = {Repetition...}}>(x);
}
/// `reverse<1>(x)`; `reverse<>(x)` turns all axes. Type: any.
template <i64... Axis, operand_like X> constexpr auto reverse(X x) {
  if constexpr (sizeof...(Axis) == 0)
    return apply<reverse_t>(x);
  else
    return apply<reverse_t, reverse_options{.axes = {Axis...}}>(x);
}
/// `triangular(x)`, `triangular<triangular_options{.upper = false, .diagonal = -1}>(x)`. Type: any.
template <triangular_options O = triangular_options{}, operand_like X>
constexpr auto triangular(X x) {
  return apply<triangular_t, O>(x);
}
/// `pad<pad_options{.beginningPadding = {1, 1}, .endingPadding = {1, 1}}>(x)`. Type: any.
template <pad_options O, operand_like X> constexpr auto pad(X x) { return apply<pad_t, O>(x); }

}  // namespace tenon
