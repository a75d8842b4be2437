// The compose family: operators that are expansions into the other families. Their nodes keep the
// operator's name as a region.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/expr/contract.hpp>
#include <tenon/expr/map.hpp>
#include <tenon/expr/move.hpp>
#include <tenon/expr/reduce.hpp>

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

struct softmax_options {
  i64 axis = 0;
  constexpr bool operator==(const softmax_options&) const = default;
};
/// exp(x - max) / sum(exp(x - max)) along an axis; see WebNN softmax.
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
/// Scaled dot-product attention of several heads: softmax(q k^T / sqrt(d)) v, the columns of q, k and
/// v being divided among the heads (d = columns / heads). A fourth operand is added to the scores.
/// Source: Vaswani et al. 2017, equation 1.
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
    const tensor table = r.at(scores);
    const float root = arithmetic::constant::sqrt(static_cast<float>(columns / o.heads));
    scores = r.map(name, record_program<1>([&](scalar s) { return s / root; }), {scores}, table);
    if (in.size == 4)
      scores = r.map(name, record_program<2>([](scalar s, scalar m) { return s + m; }),
                     {scores, in[3]}, table);
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

/// `softmax<1>(x)`: probabilities along axis 1. Type: float32 or float16.
template <i64 Axis, operand_like X> constexpr auto softmax(X x) {
  return apply<softmax_t, softmax_options{Axis}>(x);
}
/// `attention<attention_options{.heads = 12}>(q, k, v)`.
/// Shape: [b, m, c], [b, n, c], [b, n, d] -> [b, m, d]; the mask broadcasts to [b, heads, m, n].
/// Type: float32 or float16.
template <attention_options O = attention_options{}, operand_like... H>
constexpr auto attention(H... h) {
  return apply<attention_t, O>(h...);
}

}  // namespace tenon
