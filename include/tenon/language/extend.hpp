// Moves whose result has more elements than the operand: expand, tile and pad.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>

namespace tenon {

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

/// `expand<4, 3>(x)`: extents of 1 repeat. Type: any. Cost: none where the users read it in place.
template <i64... Extent, operand_like X> constexpr auto expand(X x) {
  static_assert(sizeof...(Extent) <= max_rank, "expand: a tensor has at most 8 axes");
  return apply<expand_t, expand_options{.newShape = {Extent...}}>(x);
}
/// `tile<2, 3>(x)`: the whole tensor twice along axis 0 and three times along axis 1. Type: any.
template <i64... Repetition, operand_like X> constexpr auto tile(X x) {
  return apply<tile_t, tile_options{.repetitions = {Repetition...}}>(x);
}
/// `pad<pad_options{.beginningPadding = {1, 1}, .endingPadding = {1, 1}}>(x)`. Type: any.
template <pad_options O, operand_like X> constexpr auto pad(X x) { return apply<pad_t, O>(x); }

}  // namespace tenon
