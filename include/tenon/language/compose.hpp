// The compose family: operators that are expansions into the other families. Their nodes keep the
// operator's name as a region.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/language/contract.hpp>
#include <tenon/language/map.hpp>
#include <tenon/language/move.hpp>
#include <tenon/language/reduce.hpp>
#include <tenon/language/window.hpp>

namespace tenon {

/// Records another operator as a part of a composite one: `part<matmul_t>(r, {}, {a, b})`.
/// Misuse: operands that do not fit; the composite's own `infer` refuses them first.
template <class Op>
constexpr int part(recorder& r, const typename Op::options& o, std::initializer_list<int> in) {
  tensor types[max_operands]{};
  int ids[max_operands]{}, n = 0;
  for (const int i : in) {
    types[n] = r.at(i);
    ids[n++] = i;
  }
  return Op::record(r, o, {ids, n}, Op::infer(o, {types, n}).value());
}

enum class interpolation : std::uint8_t { nearest_neighbor, linear };
struct scale_pair {
  float first = 1.0f, second = 1.0f;
  constexpr bool operator==(const scale_pair&) const = default;
  constexpr float operator[](int i) const { return i == 0 ? first : second; }
};
/// WebNN resample2d options: two `axes` (not given: 2 and 3), and for each a size (not given: the
/// scale times the extent, rounded down).
struct resample2d_options {
  interpolation mode = interpolation::nearest_neighbor;
  scale_pair scales{};
  axis_list sizes{};
  axis_list axes{};
  constexpr bool operator==(const resample2d_options&) const = default;
};
/// Resamples two axes of an image. Elements stand in the middle of their positions.
/// - nearest_neighbor: the nearest element; of two equally near ones, the lower.
/// - linear: the weighted sum of the two neighbours, one axis after the other, the last axis first.
/// Positions before the middle of the first element show the first one, positions behind the middle
/// of the last element the last one. Bytes are computed in float32 and rounded, ties to even.
struct resample2d_t {
  static constexpr const char* name = "resample2d";
  using options = resample2d_options;
  static constexpr int axis(const options& o, int i) {
    return o.axes.given() ? static_cast<int>(o.axes[i]) : 2 + i;
  }
  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    const tensor& x = in[0];
    if (!is_real(x.type) && size_bytes(x.type) > 1)
      return error{code::element_type, name, "input", type::float32, x.type};
    if (x.shape.rank != 4) return error{code::rank, name, "input", 4, x.shape.rank};
    if (o.sizes.given() && o.sizes.count != 2)
      return error{code::option, name, "sizes", 2, o.sizes.count};
    if (o.axes.given() && o.axes.count != 2)
      return error{code::axis, name, "axes", 2, o.axes.count};
    if (const error e = reduces::check_axes(name, o.axes, 4); !e.ok()) return e;
    tensor out = x;
    for (int i = 0; i < 2; ++i) {
      i64& extent = out.shape.extent[axis(o, i)];
      const float scale = o.scales[i];
      if (extent > max_taps) return error{code::capacity, name, "input", max_taps, extent};
      if (!(scale > 0)) return error{code::option, name, "scales", "above zero", "not"};
      const double scaled = static_cast<double>(extent) * static_cast<double>(scale);
      if (!o.sizes.given() && !(scaled <= static_cast<double>(max_taps)))
        return error{code::capacity, name, "scales", max_taps, "more"};
      const i64 size = o.sizes.given() ? o.sizes[i] : static_cast<i64>(scaled);
      const char* operand = o.sizes.given() ? "sizes" : "scales";
      if (size < 1) return error{code::option, name, operand, 1, size};
      if (size > max_taps) return error{code::capacity, name, operand, max_taps, size};
      extent = size;
    }
    return out;
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (o.mode == interpolation::nearest_neighbor)
      return sample(r, sampling::nearest, in[0], out, -1);
    if (takes_half(r, in)) return record_in_float32<resample2d_t>(r, o, in, out);
    r.open(name);
    const bool swaps = axis(o, 0) > axis(o, 1), whole = !is_real(out.type);
    const int x = whole ? widened(r, in[0]) : in[0];
    int y = between(r, between(r, x, out, axis(o, !swaps)), out, axis(o, swaps));
    if (whole)
      y = r.map(name, record_program<1>(&nearest, {{type::float32}, true, out.type}), {y}, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank, "resample2d: the input must have 4 axes; reshape() it");
    static_assert(E.what != code::axis,
                  "resample2d: there must be two different axes below 4; count axes from 0");
    static_assert(E.what != code::option,
                  "resample2d: sizes must be two, at least 1, and scales large enough for that");
  }

 private:
  /// Bytes are resampled as float32, and rounded once at the end, ties to even.
  static constexpr int widened(recorder& r, int x) {
    const tensor wide{type::float32, r.at(x).shape};
    const program_types types{{r.at(x).type}, true, wide.type};
    return r.map(name, record_program<1>(&in_float32, types), {x}, wide);
  }
  static constexpr scalar in_float32(scalar s) { return symbols::in_kind(s, type::float32); }
  static constexpr scalar nearest(scalar s) { return symbols::in_kind(round_even(s), type::int32); }
  /// A move that reads, for every position of `axis`, the element below or above it; with
  /// `sampling::nearest` the nearest one along all axes.
  static constexpr int sample(recorder& r, sampling how, int x, const tensor& out, int axis) {
    movement m{};
    m.is = movement::form::sample;
    m.how = how;
    m.axis = axis;
    return r.move(name, m, x, out);
  }
  /// Resamples one axis linearly: reads both neighbours and weights them with the distance to the
  /// lower one.
  static constexpr int between(recorder& r, int x, const tensor& last, int axis) {
    tensor out = r.at(x);
    out.shape.extent[axis] = last.shape[axis];
    const int lower = sample(r, sampling::lower, x, out, axis),
              upper = sample(r, sampling::upper, x, out, axis);
    shape along{4, {1, 1, 1, 1}};
    along.extent[axis] = last.shape[axis];
    const int t = r.reshape(
        name, sample(r, sampling::fraction, x, {out.type, extents(last.shape[axis])}, axis), along);
    return r.map(name, record_program<3>([](scalar a, scalar b, scalar f) {
                   return a * (1.0f - f) + b * f;
                 }),
                 {lower, upper, t}, out);
  }
};

struct softmax_options {
  i64 axis = 0;
  constexpr bool operator==(const softmax_options&) const = default;
};
/// exp(x - max) / sum(exp(x - max)) along an axis. The maximum cancels; without it exp overflows.
struct softmax_t {
  static constexpr const char* name = "softmax";
  using options = softmax_options;
  static constexpr result<tensor> infer(const softmax_options& o, list<tensor> in) {
    if (in.size != 1) return error{code::operand_count, name, "", 1, in.size};
    if (!is_real(in[0].type))
      return error{code::element_type, name, "input", type::float32, in[0].type};
    if (o.axis < 0 || o.axis >= in[0].shape.rank)
      return error{code::axis, name, "axis", in[0].shape.rank, o.axis};
    return in[0];
  }
  static constexpr int record(recorder& r, const softmax_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<softmax_t>(r, o, in, out);
    tensor one = out;
    one.shape.extent[o.axis] = 1;
    const std::uint32_t axes = 1u << o.axis;
    r.open(name);
    const int top = r.reduce(name, {combine::max, axes, true}, in[0], one);
    const int e = r.map(name, constant_program<2>([](auto x, auto m) { return exp(x - m); }),
                        {in[0], top}, out);
    const int sum = r.reduce(name, {combine::sum, axes, true}, e, one);
    const int y =
        r.map(name, constant_program<2>([](auto x, auto s) { return x / s; }), {e, sum}, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::axis,
                  "softmax: the axis must be below the rank; count axes from 0");
  }
};

/// Options of `attention`.
struct attention_options {
  i64 heads = 1;
  constexpr bool operator==(const attention_options&) const = default;
};
/// Scaled dot-product attention of several heads: softmax(q k^T / sqrt(d)) v. The columns of q, k
/// and v are divided among the heads; d = columns / heads. A fourth operand, the mask, is added to
/// the scores before the softmax.
struct attention_t {
  static constexpr const char* name = "attention";
  using options = attention_options;
  static constexpr const char* names[] = {"query", "key", "value", "mask"};

  static constexpr result<tensor> infer(const options& o, list<tensor> in) {
    if (in.size != 3 && in.size != 4) return error{code::operand_count, name, "", 3, in.size};
    if (const error e = check_reals(name, names, in); !e.ok()) return e;
    const shape &q = in[0].shape, &k = in[1].shape, &v = in[2].shape;
    for (int i = 0; i < 3; ++i)
      if (in[i].shape.rank != 3) return error{code::rank, name, names[i], 3, in[i].shape.rank};
    if (k[0] != q[0] || k[2] != q[2]) return error{code::extent, name, "key", q, k};
    if (v[0] != q[0] || v[1] != k[1]) return error{code::extent, name, "value", k, v};
    if (o.heads < 1 || q[2] % o.heads != 0 || v[2] % o.heads != 0)
      return error{code::option, name, "heads", q[2], o.heads};
    const tensor scores[] = {{in[0].type, extents(q[0], o.heads, q[1], k[1])},
                             in.size == 4 ? in[3] : in[0]};
    if (in.size == 4) {
      const result<shape> s = maps::broadcast_shapes(name, {scores, 2});
      if (!s.ok() || !(*s == scores[0].shape))
        return error{code::broadcast, name, "mask", scores[0].shape, in[3].shape};
    }
    return tensor{in[0].type, extents(q[0], q[1], v[2])};
  }
  static constexpr int record(recorder& r, const options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<attention_t>(r, o, in, out);
    const i64 columns = r.at(in[0]).shape[2];
    const auto split = [&](int id, axis_list order) {
      const shape s = r.at(id).shape;
      const int four = r.reshape(name, id, extents(s[0], s[1], o.heads, s[2] / o.heads));
      return part<transpose_t>(r, {.permutation = order}, {four});
    };
    r.open(name);
    const int heads_q = split(in[0], {0, 2, 1, 3}), heads_k = split(in[1], {0, 2, 3, 1}),
              heads_v = split(in[2], {0, 2, 1, 3});
    int scores = part<matmul_t>(r, {}, {heads_q, heads_k});
    const tensor scores_type = r.at(scores);
    const i64 of_a_head = columns / o.heads;  // whole: `infer` refuses other numbers of heads
    const float root = arithmetic::constant::sqrt(static_cast<float>(of_a_head));
    scores =
        r.map(name, record_program<1>([&](scalar s) { return s / root; }), {scores}, scores_type);
    if (in.size == 4)
      scores = r.map(name, record_program<2>([](scalar s, scalar m) { return s + m; }),
                     {scores, in[3]}, scores_type);
    const int weights = part<softmax_t>(r, {3}, {scores});
    const int summed = part<matmul_t>(r, {}, {weights, heads_v});
    const int y =
        r.reshape(name, part<transpose_t>(r, {.permutation = {0, 2, 1, 3}}, {summed}), out.shape);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "attention: query, key and value must be [batch, sequence, columns]");
    static_assert(E.what != code::extent,
                  "attention: key must have the query's batch and columns, value the key's batch "
                  "and sequence");
    static_assert(E.what != code::option, "attention: heads must divide the columns");
    static_assert(E.what != code::broadcast,
                  "attention: the mask must broadcast to [batch, heads, queries, keys]");
  }
};

/// Resizes images: `resample2d<resample2d_options{.mode = interpolation::linear, .scales = {2,
/// 2}}>(x)`.
/// Shape: [n, c, h, w] -> [n, c, h', w'], or two other axes.
/// Type: float32, float16, int8 or uint8.
/// Error: element_type, rank, option, axis, capacity.
/// Source: WebNN resample2d.
template <resample2d_options O = resample2d_options{}, operand_like X>
constexpr auto resample2d(X x) {
  return apply<resample2d_t, O>(x);
}
/// Probabilities along an axis: `softmax<1>(x)`.
/// Shape: that of the operand.
/// Type: float32 or float16; float16 is computed in float32 and rounded once.
/// Error: element_type, axis.
/// Source: WebNN softmax.
template <i64 Axis, operand_like X> constexpr auto softmax(X x) {
  return apply<softmax_t, softmax_options{Axis}>(x);
}
/// Attention of several heads: `attention<attention_options{.heads = 12}>(q, k, v)` or `(q, k, v,
/// mask)`.
/// Shape: [b, m, c], [b, n, c], [b, n, d] -> [b, m, d]; the mask broadcasts to [b, heads, m, n].
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, rank, extent, option, broadcast.
/// Source: Vaswani et al. 2017, equation 1.
template <attention_options O = attention_options{}, operand_like... H>
constexpr auto attention(H... h) {
  return apply<attention_t, O>(h...);
}

}  // namespace tenon
