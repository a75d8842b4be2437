// The contract family: sums of products (matrix products and convolutions).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/expr/half.hpp>
#include <tenon/expr/map.hpp>
#include <tenon/expr/window.hpp>

namespace tenon {

namespace contracts {
/// Adds a loop axis and returns its number.
constexpr int loop(contraction& c, i64 extent, i64 a, i64 b, i64 out, bool reduced = false) {
  c.axis[c.axes] = {extent, a, b, out, reduced};
  return c.axes++;
}
inline constexpr const char* matrices[] = {"a", "b", "c"};
inline constexpr const char* images[] = {"input", "filter", "bias"};
/// Element types of all operands, and their number.
constexpr error accept(const char* op, const char* const* names, list<tensor> in, int least,
                       int most) {
  if (in.size < least || in.size > most) return {code::operand_count, op, "", least, in.size};
  return check_reals(op, names, in);
}
}  // namespace contracts

/// WebNN matmul: the last two axes are matrices, the others broadcast.
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
    const strides pa = broadcast(a, batch_of(s, a)), pb = broadcast(b, batch_of(s, b)),
                  po = dense(s);
    const int m = s.rank - 2, n = s.rank - 1;
    contraction c;
    for (int i = 0; i < m; ++i) contracts::loop(c, s[i], pa[i], pb[i], po[i]);
    contracts::loop(c, s[m], dense(a)[a.rank - 2], 0, po[m]);
    contracts::loop(c, s[n], 0, dense(b)[b.rank - 1], po[n]);
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
  static constexpr shape batch_of(shape s, const shape& own) {
    s.extent[s.rank - 2] = own[own.rank - 2];
    s.extent[s.rank - 1] = own[own.rank - 1];
    return s;
  }
};

/// WebNN gemm: `alpha * A * B + beta * C`.
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

/// Where output channels (o), input channels (i), height and width of a filter stand.
enum class filter_layout : std::uint8_t { oihw, hwio, ohwi, ihwo };

/// WebNN conv2d options.
struct conv2d_options {
  border padding{};
  pair strides{1, 1};
  pair dilations{1, 1};
  i64 groups = 1;
  image_layout inputLayout = image_layout::nchw;
  filter_layout filterLayout = filter_layout::oihw;
  constexpr bool operator==(const conv2d_options&) const = default;
};
struct conv2d_t {
  static constexpr const char* name = "conv2d";
  using options = conv2d_options;

  /// Filter axis of output channels (0), input channels (1), height (2), width (3).
  static constexpr int filter_axis(filter_layout l, int what) {
    constexpr int axes[4][4] = {{0, 1, 2, 3}, {3, 2, 0, 1}, {0, 3, 1, 2}, {3, 0, 1, 2}};
    return axes[static_cast<int>(l)][what];
  }
  static constexpr result<tensor> infer(const conv2d_options& o, list<tensor> in) {
    if (const error e = contracts::accept(name, contracts::images, in, 2, 3); !e.ok()) return e;
    const shape &x = in[0].shape, &w = in[1].shape;
    if (x.rank != 4) return error{code::rank, name, "input", 4, x.rank};
    if (w.rank != 4) return error{code::rank, name, "filter", 4, w.rank};
    if (const error e = check_window(name, o.strides, o.dilations, o.padding); !e.ok()) return e;
    const i64 channels = x[channel_axis(o.inputLayout)],
              filters = w[filter_axis(o.filterLayout, 0)];
    if (o.groups < 1 || channels % o.groups != 0 || filters % o.groups != 0)
      return error{code::groups, name, "groups", channels, o.groups};
    if (w[filter_axis(o.filterLayout, 1)] != channels / o.groups)
      return error{code::input_channels, name, "filter", channels / o.groups,
                   w[filter_axis(o.filterLayout, 1)]};
    shape s = x;
    s.extent[channel_axis(o.inputLayout)] = filters;
    for (int i = 0; i < 2; ++i) {
      i64& extent = s.extent[spatial_axis(o.inputLayout, i)];
      const i64 taps = w[filter_axis(o.filterLayout, 2 + i)];
      const i64 padded = extent + o.padding.begin(i) + o.padding.end(i);
      if (taps > max_taps) return error{code::window, name, "filter", max_taps, taps};
      extent = slide(extent, taps, o.strides[i], o.dilations[i], o.padding.begin(i),
                     o.padding.end(i), rounding::floor);
      if (extent < 1)
        return error{code::window, name, "filter", padded, o.dilations[i] * (taps - 1) + 1};
    }
    if (in.size == 3 && (in[2].shape.rank != 1 || in[2].shape[0] != filters))
      return error{code::bias, name, "bias", extents(filters), in[2].shape};
    return tensor{in[0].type, s};
  }
  static constexpr int record(recorder& r, const conv2d_options& o, list<int> in,
                              const tensor& out) {
    if (takes_half(r, in)) return record_in_float32<conv2d_t>(r, o, in, out);
    const shape x = r.at(in[0]).shape, w = r.at(in[1]).shape;
    const strides px = dense(x), pw = dense(w), po = dense(out.shape);
    const int channel = channel_axis(o.inputLayout);
    const auto filter = [&](int what) { return filter_axis(o.filterLayout, what); };
    const i64 per_group = w[filter(1)], filters = w[filter(0)] / o.groups;
    contraction c;
    contracts::loop(c, x[0], px[0], 0, po[0]);
    contracts::loop(c, o.groups, per_group * px[channel], filters * pw[filter(0)],
                    filters * po[channel]);
    contracts::loop(c, filters, 0, pw[filter(0)], po[channel]);
    for (int i = 0; i < 2; ++i) {
      const int axis = spatial_axis(o.inputLayout, i);
      c.swept[i].out_axis = contracts::loop(c, out.shape[axis], 0, 0, po[axis]);
    }
    contracts::loop(c, per_group, px[channel], pw[filter(1)], 0, true);
    for (int i = 0; i < 2; ++i) {
      const int axis = spatial_axis(o.inputLayout, i);
      const int tap = contracts::loop(c, w[filter(2 + i)], 0, pw[filter(2 + i)], 0, true);
      c.swept[i] = {c.swept[i].out_axis, tap,     w[filter(2 + i)], o.strides[i], o.dilations[i],
                    o.padding.begin(i),  x[axis], px[axis]};
    }
    c.sweeps = 2;
    r.open(name);
    int y = r.contract(name, c, in[0], in[1], out);
    if (in.size == 3) {
      const i64 all = filters * o.groups;
      const int bias =
          o.inputLayout == image_layout::nchw ? r.reshape(name, in[2], extents(all, 1, 1)) : in[2];
      y = r.map(name, constant_program<2>([](auto a, auto b) { return a + b; }), {y, bias}, out);
    }
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "conv2d: input and filter must have 4 axes; reshape() them");
    static_assert(E.what != code::groups,
                  "conv2d: groups must divide the input channels and the filters; check "
                  "inputLayout and filterLayout");
    if constexpr (E.what == code::input_channels)
      static_assert(E.found.number == E.expected.number,
                    "conv2d: the filter's input channels must equal the input's channels divided "
                    "by groups; check filterLayout");
    static_assert(E.what != code::window,
                  "conv2d: the filter must fit into the padded input; add padding or shrink the "
                  "filter or its dilations");
    static_assert(E.what != code::bias,
                  "conv2d: the bias must have one axis with one element per filter; reshape() it");
    static_assert(E.what != code::stride, "conv2d: strides and dilations must be at least 1");
    static_assert(E.what != code::padding,
                  "conv2d: padding must not be negative; slice the input instead");
  }
};

/// Matrix product. Shape: [..., m, k] x [..., k, n] -> [..., m, n]. Type: float32 or float16.
template <operand_like A, operand_like B> constexpr auto matmul(A a, B b) {
  return apply<matmul_t>(a, b);
}
/// General matrix product with an optional third operand that broadcasts to the result.
/// Type: float32 or float16.
template <gemm_options O = gemm_options{}, operand_like... H> constexpr auto gemm(H... h) {
  return apply<gemm_t, O>(h...);
}
/// 2-D convolution (cross-correlation): `conv2d<options>(input, filter)` or `(input, filter, bias)`.
/// Shape: [n, c, h, w] * [o, c / groups, kh, kw] -> [n, o, h', w'], in the layouts of the options.
/// Type: float32 or float16.
template <conv2d_options O = conv2d_options{}, operand_like... H> constexpr auto conv2d(H... h) {
  return apply<conv2d_t, O>(h...);
}

}  // namespace tenon
