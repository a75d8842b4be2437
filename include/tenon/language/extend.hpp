// Moves whose result has more elements than the operand: expand, tile and pad.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>

namespace tenon {

/// WebNN expand options. Extents of 1, and leading axes that the operand lacks, repeat.
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
      const int axis = i - (s.rank - x.rank);
      if (s.extent[i] < 1) return error{code::extent, name, "newShape", 1, s.extent[i]};
      if (axis >= 0 && x[axis] != 1 && x[axis] != s.extent[i])
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

/// WebNN tile options: the whole tensor stands `repetitions[i]` times along axis i.
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
      // Beyond 2^40 elements the result is refused in any case; here the product cannot overflow.
      const i64 limit = (i64{1} << 40) / t.shape.extent[i];
      if (o.repetitions[i] > limit)
        return error{code::extent, name, "repetitions", limit, o.repetitions[i]};
      t.shape.extent[i] *= o.repetitions[i];
    }
    return t;
  }
  /// Axis by axis, from the last: the tensor is seen as [outer, extent * inner], and a move with
  /// stride 0 between both reads every row `repetitions` times.
  static constexpr int record(recorder& r, const tile_options& o, list<int> in, const tensor& out) {
    const tensor x = r.at(in[0]);
    int y = in[0];
    shape extended = x.shape;  // what the axes up to here have made of it
    r.open(name);
    for (int i = x.shape.rank - 1; i >= 0; --i) {
      if (o.repetitions[i] == 1) continue;
      i64 outer = 1, inner = 1;
      for (int k = 0; k < x.shape.rank; ++k) (k < i ? outer : inner) *= extended[k];
      movement m{};
      m.step.step[0] = inner;
      m.step.step[2] = 1;
      const int flat = r.reshape(name, y, extents(outer, inner));
      const int repeated = r.move(name, m, flat, {x.type, extents(outer, o.repetitions[i], inner)});
      extended.extent[i] *= o.repetitions[i];
      y = r.reshape(name, repeated, extended);
    }
    // An operator must record at least one node, also where it repeats nothing.
    if (y == in[0]) y = r.reshape(name, y, out.shape);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "tile: give one repetition per axis");
    static_assert(E.what != code::extent, "tile: every repetition must be at least 1");
  }
};

/// WebNN pad options. By `mode`, positions outside of the operand show
/// - constant: `value` as an element: rounded for floats; truncated for integers, whose type must
///   be able to hold it;
/// - edge: the nearest element;
/// - reflection: the mirror image, in which the edge itself is not repeated.
struct pad_options {
  axis_list beginningPadding{}, endingPadding{};
  padding_mode mode = padding_mode::constant;
  any_number value{};
  constexpr bool operator==(const pad_options&) const = default;
};
struct pad_t {
  static constexpr const char* name = "pad";
  using options = pad_options;
  /// Whether the type can hold the number after truncation.
  static constexpr bool has_room(type t, const any_number& x) {
    if (is_real(t) || numbers::inside(t, x)) return true;
    // Between the least number and the one before it: truncation leads inside.
    return !x.whole && x.value < 0 && x.value > numbers::begin_of(t) - 1;
  }
  static constexpr result<tensor> infer(const pad_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    tensor t = in[0];
    if (o.mode == padding_mode::constant && !has_room(t.type, o.value))
      return error{code::option, name, "value", t.type, "a number beyond it"};
    const axis_list* sides[] = {&o.beginningPadding, &o.endingPadding};
    for (const axis_list* side : sides) {
      const char* operand = side == sides[0] ? "beginningPadding" : "endingPadding";
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

/// Repeats extents of 1: `expand<4, 3>(x)`.
/// Shape: the new one; each extent of the operand, right-aligned, is 1 or the new one.
/// Type: any.
/// Error: rank, extent, broadcast.
/// Cost: none where the users can read it in place.
/// Source: WebNN expand.
template <i64... Extent, operand_like X> constexpr auto expand(X x) {
  static_assert(sizeof...(Extent) <= max_rank, "expand: a tensor has at most 8 axes");
  return apply<expand_t, expand_options{.newShape = {Extent...}}>(x);
}
/// Repeats the whole tensor: `tile<2, 3>(x)`, twice along axis 0 and three times along axis 1.
/// Shape: each extent times its repetition.
/// Type: any.
/// Error: rank, extent.
/// Source: WebNN tile.
template <i64... Repetition, operand_like X> constexpr auto tile(X x) {
  return apply<tile_t, tile_options{.repetitions = {Repetition...}}>(x);
}
/// Adds positions around a tensor:
/// `pad<pad_options{.beginningPadding = {1, 1}, .endingPadding = {1, 1}}>(x)`.
/// Shape: each extent plus its padding on both sides.
/// Type: any.
/// Error: rank, padding, capacity, option, window (a reflection as long as its axis, or longer).
/// Source: WebNN pad.
template <pad_options O, operand_like X> constexpr auto pad(X x) { return apply<pad_t, O>(x); }

}  // namespace tenon
