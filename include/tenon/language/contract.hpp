// Matrix products, of the contract family: sums of products. Convolutions are the other ones.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/half.hpp>
#include <tenon/language/map.hpp>

namespace tenon {

namespace contracts {
/// Adds a loop axis and returns its number. `a`, `b` and `out` are the strides of the operands and
/// the result along it, in elements; 0 where a tensor does not have the axis.
constexpr int loop(contraction& c, i64 extent, i64 a, i64 b, i64 out, bool reduced = false) {
  c.axis[c.axes] = {extent, a, b, out, reduced};
  return c.axes++;
}
inline constexpr const char* matrices[] = {"a", "b", "c"};
/// Checks the number of operands and their element types. Error: operand_count, element_type.
constexpr error accept(const char* op, const char* const* names, list<tensor> in, int min_count,
                       int max_count) {
  if (in.size < min_count || in.size > max_count)
    return {code::operand_count, op, "", min_count, in.size};
  return check_reals(op, names, in);
}

}  // namespace contracts

/// Matrix products of stacks: the last two axes are matrices, the axes before them broadcast.
struct matmul_t {
  static constexpr const char* name = "matmul";
  using options = no_options;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    if (const error e = contracts::accept(name, contracts::matrices, in, 2, 2); !e.ok()) return e;
    const shape &a = in[0].shape, &b = in[1].shape;
    if (a.rank < 2) return error{code::rank, name, "a", 2, a.rank};
    if (b.rank < 2) return error{code::rank, name, "b", 2, b.rank};
    if (a[a.rank - 1] != b[b.rank - 2])
      return error{code::inner_extent, name, "b", a[a.rank - 1], b[b.rank - 2]};
    shape s = a.rank > b.rank ? a : b;
    for (int i = 3; i <= s.rank; ++i) {
      const i64 p = i <= a.rank ? a[a.rank - i] : 1, q = i <= b.rank ? b[b.rank - i] : 1;
      if (p != q && p != 1 && q != 1) return error{code::broadcast, name, "b", a, b};
      s.extent[s.rank - i] = p == 1 ? q : p;
    }
    s.extent[s.rank - 2] = a[a.rank - 2];
    s.extent[s.rank - 1] = b[b.rank - 1];
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, no_options o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<matmul_t>(r, o, in, out);
    const shape a = r.at(in[0]).shape, b = r.at(in[1]).shape, &s = out.shape;
    const strides a_step = broadcast(a, batch_of(s, a)), b_step = broadcast(b, batch_of(s, b)),
                  out_step = dense(s);
    const int m = s.rank - 2, n = s.rank - 1;
    contraction c;
    for (int i = 0; i < m; ++i) contracts::loop(c, s[i], a_step[i], b_step[i], out_step[i]);
    contracts::loop(c, s[m], dense(a)[a.rank - 2], 0, out_step[m]);
    contracts::loop(c, s[n], 0, dense(b)[b.rank - 1], out_step[n]);
    contracts::loop(c, a[a.rank - 1], dense(a)[a.rank - 1], dense(b)[b.rank - 2], 0, true);
    return r.contract(name, c, in[0], in[1], out);
  }
  template <error E> static consteval void explain() {
    static_assert(
        E.what != code::rank,
        "matmul: both operands must have at least 2 axes; reshape() a vector to a matrix");
    if constexpr (E.what == code::inner_extent)
      static_assert(E.found.number == E.expected.number,
                    "matmul: columns of the left operand must equal rows of the right; transpose() "
                    "one of them");
    static_assert(E.what != code::broadcast,
                  "matmul: leading axes must broadcast, every pair of extents equal or 1; "
                  "reshape() an operand");
  }

 private:
  /// The output's leading extents around an operand's own matrix.
  static constexpr shape batch_of(shape s, const shape& operand) {
    s.extent[s.rank - 2] = operand[operand.rank - 2];
    s.extent[s.rank - 1] = operand[operand.rank - 1];
    return s;
  }
};

/// WebNN gemm options: `alpha * A * B + beta * C`. A factor of 1 is not multiplied with, so that it
/// costs nothing and rounds nothing.
struct gemm_options {
  float alpha = 1.0f, beta = 1.0f;
  bool aTranspose = false, bTranspose = false;
  constexpr bool operator==(const gemm_options&) const = default;
};
struct gemm_t {
  static constexpr const char* name = "gemm";
  using options = gemm_options;
  static constexpr result<tensor> infer(const gemm_options& o, list<tensor> in) {
    if (const error e = contracts::accept(name, contracts::matrices, in, 2, 3); !e.ok()) return e;
    const shape &a = in[0].shape, &b = in[1].shape;
    if (a.rank != 2) return error{code::rank, name, "a", 2, a.rank};
    if (b.rank != 2) return error{code::rank, name, "b", 2, b.rank};
    const i64 m = a[o.aTranspose], n = b[!o.bTranspose], k = a[!o.aTranspose], l = b[o.bTranspose];
    if (k != l) return error{code::inner_extent, name, "b", k, l};
    const tensor out{in[0].type, extents(m, n)};
    if (in.size == 3) {
      const shape& c = in[2].shape;
      if (c.rank > 2) return error{code::rank, name, "c", 2, c.rank};
      for (int i = 1; i <= c.rank; ++i)
        if (c[c.rank - i] != 1 && c[c.rank - i] != out.shape[2 - i])
          return error{code::broadcast, name, "c", out.shape, c};
    }
    return out;
  }
  static constexpr int record(recorder& r, const gemm_options& o, list<int> in, const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<gemm_t>(r, o, in, out);
    const shape a = r.at(in[0]).shape, b = r.at(in[1]).shape;
    const i64 m = out.shape[0], n = out.shape[1];
    contraction c;
    contracts::loop(c, m, o.aTranspose ? 1 : a[1], 0, n);
    contracts::loop(c, n, 0, o.bTranspose ? b[1] : 1, 1);
    contracts::loop(c, a[!o.aTranspose], o.aTranspose ? a[1] : 1, o.bTranspose ? 1 : b[1], 0, true);
    r.open(name);
    int y = r.contract(name, c, in[0], in[1], out);
    if (in.size == 3 && o.alpha == 1.0f && o.beta == 1.0f)
      y = r.map(name, constant_program<2>([](auto x, auto z) { return x + z; }), {y, in[2]}, out);
    else if (in.size == 3)
      y = r.map(name, record_program<2>([&](auto x, auto z) {
                  return scaled(x, o.alpha) + scaled(z, o.beta);
                }),
                {y, in[2]}, out);
    else if (o.alpha != 1.0f)
      y = r.map(name, record_program<1>([&](auto x) { return x * o.alpha; }), {y}, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(!(E.what == code::rank && E.operand == tenon::name("c")),
                  "gemm: c must have at most 2 axes; reshape() it");
    static_assert(E.what != code::rank || E.operand == tenon::name("c"),
                  "gemm: a and b must have 2 axes; use matmul() for stacks of matrices");
    if constexpr (E.what == code::inner_extent)
      static_assert(E.found.number == E.expected.number,
                    "gemm: columns of a must equal rows of b; set aTranspose or bTranspose");
    static_assert(
        E.what != code::broadcast,
        "gemm: c must broadcast to the product's shape; reshape() it to [columns] or [rows, 1]");
  }

 private:
  static constexpr scalar scaled(scalar x, float factor) { return factor == 1.0f ? x : x * factor; }
};

/// Matrix product.
/// Shape: [..., m, k] x [..., k, n] -> [..., m, n]; the leading axes broadcast.
/// Type: float32 or float16, the same for both; float16 is summed in float32 and rounded once.
/// Error: element_type, rank, inner_extent, broadcast.
/// Source: WebNN matmul.
template <operand_like A, operand_like B> constexpr auto matmul(A a, B b) {
  return apply<matmul_t>(a, b);
}
/// General matrix product with an optional third operand that broadcasts to the result.
/// Shape: [m, k] x [k, n] (+ [m, n]) -> [m, n]; a and b as they are after their transposition.
/// Type: float32 or float16, the same for all; float16 is computed in float32 and rounded once.
/// Error: operand_count, element_type, rank, inner_extent, broadcast.
/// Cost: a transposition costs nothing by itself, strides take it in.
/// Source: WebNN gemm.
template <gemm_options O = gemm_options{}, operand_like... H> constexpr auto gemm(H... h) {
  return apply<gemm_t, O>(h...);
}
}  // namespace tenon
