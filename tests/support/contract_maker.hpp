// Random contractions: what the tests of several policies run.
// SPDX-License-Identifier: MIT
#pragma once
#include "../policy/cpu/testing.hpp"

namespace tenon_test {

using tenon::builder, tenon::extents, tenon::shape;

/// Builds one random graph. Leaves are inputs or weights by chance.
struct maker {
  dice& d;
  builder b{};
  int leaves = 0;

  builder::value leaf(const shape& s, bool may_be_weight = true) {
    const tenon::name label = tenon::name("x") + leaves++;
    const tenon::tensor t{tenon::type::float32, s};
    return may_be_weight && d.one_in(2) ? b.weight(label, t) : b.input(label, t);
  }
  shape shape_of(builder::value v) const { return b.type_of_value(v).shape; }

  /// A leaf of this shape, sometimes made of a transposed one.
  builder::value operand(const shape& s) {
    if (s.rank < 2 || !d.one_in(4)) return leaf(s);
    shape turned = s;
    tenon::axis_list permutation;
    permutation.count = s.rank;
    for (int i = 0; i < s.rank; ++i) permutation.item[i] = i;
    for (int i = s.rank; i > 1; --i)
      std::swap(permutation.item[i - 1], permutation.item[d.in(0, i - 1)]);
    for (int i = 0; i < s.rank; ++i) turned.extent[permutation.item[i]] = s[i];
    return b.add<tenon::transpose_t>({permutation}, {leaf(turned)});
  }
  /// A shape that broadcasts to `s`.
  shape narrower(const shape& s) {
    shape r = s;
    const int how = d.in(0, 5);
    if (how == 0) return s;
    if (how == 1) return extents(s[s.rank - 1]);
    if (how == 2) return extents(1);
    for (int i = 0; i < s.rank; ++i)
      if (how == 3 ? i != 1 : how == 4 ? i == s.rank - 1 : d.one_in(2)) r.extent[i] = 1;
    return r;
  }
  /// A shape that varies along the channels only.
  shape constant(const shape& s) {
    shape r = s;
    for (int i = 0; i < s.rank; ++i)
      if (i != (s.rank == 4 ? 1 : s.rank - 1)) r.extent[i] = 1;
    return r;
  }
  builder::value epilogue(builder::value y) {
    const shape s = shape_of(y);
    int kind = d.in(0, 11);
    if (!has_fma && kind == 7) kind = 6;  // a jump would enlarge what the second rounding leaves
    switch (kind) {
      case 0:
      case 1: return y;
      case 2: return b.add<tenon::relu_t>({}, {y});
      case 3: return b.add<tenon::clamp_t>({-0.5f, 0.75f}, {y});
      case 4: return b.add<tenon::add_t>({}, {y, leaf(narrower(s))});
      case 5: return b.add<tenon::relu_t>({}, {b.add<tenon::add_t>({}, {leaf(s), y})});
      case 6:
        return b.map<2>([](auto x, auto z) { return x * z + tanh(x); }, {y, leaf(narrower(s))});
      case 7:
        return b.map<3>([](auto u, auto x, auto v) { return select(x < u, x * v, u - x); },
                        {leaf(narrower(s)), y, leaf(narrower(s))});
      // what tiles close themselves: a bias, and a residual with its own
      case 8:
        return b.add<tenon::clamp_t>(
            {-0.5f, 0.75f},
            {b.add<tenon::add_t>({}, {b.add<tenon::add_t>({}, {y, leaf(constant(s))}), leaf(s)})});
      case 9:
        return b.map<4>(
            [](auto x, auto u, auto v, auto w) { return max((v + w) + (x + u), 0.25f); },
            {y, leaf(constant(s)), leaf(s), leaf(constant(s))});
      case 10:
        return b.map<3>([](auto x, auto u, auto v) { return min((v + x) + u, 0.25f); },
                        {y, leaf(d.one_in(2) ? s : constant(s)), leaf(constant(s))});
      default:
        return b.map<4>([](auto x, auto u, auto v, auto w) { return max(x * u + v, w); },
                        {y, leaf(narrower(s)), leaf(narrower(s)), leaf(narrower(s))});
    }
  }
  builder::value convolution() {
    constexpr int sizes[] = {1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 19, 20, 33};
    constexpr tenon::filter_layout layouts[] = {
        tenon::filter_layout::oihw, tenon::filter_layout::hwio, tenon::filter_layout::ohwi,
        tenon::filter_layout::ihwo};
    tenon::conv2d_options o;
    o.inputLayout = d.one_in(2) ? tenon::image_layout::nchw : tenon::image_layout::nhwc;
    o.filterLayout = d.pick(layouts);
    const int channels_of_group = d.one_in(3) ? 1 : d.in(1, 6),
              filters_of_group = d.one_in(4)   ? 1
                                 : d.one_in(4) ? 8 * d.in(1, 3)
                                               : d.in(1, 9);
    o.groups = d.one_in(3) ? d.in(2, 5) : d.one_in(8) ? 17 : 1;
    const i64 n = d.one_in(3) ? d.in(2, 3) : 1, c = o.groups * channels_of_group,
              f = o.groups * filters_of_group;
    const i64 extent[] = {d.pick(sizes), d.one_in(3) ? 28 : d.pick(sizes)};
    i64 taps[2];
    for (int i = 0; i < 2; ++i) taps[i] = d.one_in(6) ? d.in(1, 11) : d.in(1, 5);
    if (d.one_in(4)) taps[0] = taps[1] = 1;
    if (d.one_in(2)) o.padding = {d.in(0, 3), d.in(0, 3), d.in(0, 3), d.in(0, 3)};
    if (d.one_in(12)) o.padding = {d.in(0, 12), d.in(0, 12), d.in(0, 12), d.in(0, 12)};
    if (d.one_in(3)) o.strides = {d.in(1, 4), d.in(1, 4)};
    if (d.one_in(3)) o.dilations = {d.in(1, 3), d.in(1, 3)};
    const bool nchw = o.inputLayout == tenon::image_layout::nchw;
    const shape image =
        nchw ? extents(n, c, extent[0], extent[1]) : extents(n, extent[0], extent[1], c);
    const i64 by_role[] = {f, c / o.groups, taps[0], taps[1]};
    shape filter{4, {}};
    for (int what = 0; what < 4; ++what)
      filter.extent[tenon::conv2d_t::filter_axis(o.filterLayout, what)] = by_role[what];
    const builder::value x = operand(image), w = operand(filter);
    if (d.one_in(2)) return b.add<tenon::conv2d_t>(o, {x, w, leaf(extents(f))});
    return b.add<tenon::conv2d_t>(o, {x, w});
  }
  int size() {
    constexpr int sizes[] = {1, 2, 3, 4, 5, 7, 8, 13, 15, 16, 17, 19, 31, 32, 47, 48, 49, 97};
    return d.pick(sizes);
  }
  builder::value matrices() {
    const i64 m = size(), n = size(), k = size();
    shape a = extents(m, k), c = extents(k, n);
    const int batches = d.in(0, 2), of_a = d.one_in(4) ? d.in(0, batches) : batches,
              of_c = d.one_in(4) ? d.in(0, batches) : batches;
    for (int i = 0; i < batches; ++i) {  // the innermost first
      const i64 extent = d.in(1, 4);
      const auto lead = [&](shape& s) {
        for (int at = s.rank++; at > 0; --at) s.extent[at] = s.extent[at - 1];
        s.extent[0] = d.one_in(3) ? 1 : extent;
      };
      if (i < of_a) lead(a);
      if (i < of_c) lead(c);
    }
    return b.add<tenon::matmul_t>({}, {operand(a), operand(c)});
  }
  builder::value gemm() {
    const i64 m = size(), n = size(), k = size();
    tenon::gemm_options o;
    o.aTranspose = d.one_in(2);
    o.bTranspose = d.one_in(2);
    if (d.one_in(3)) o.alpha = 0.7f;
    if (d.one_in(3)) o.beta = -1.3f;
    const builder::value a = operand(o.aTranspose ? extents(k, m) : extents(m, k)),
                         c = operand(o.bTranspose ? extents(n, k) : extents(k, n));
    if (d.one_in(3)) return b.add<tenon::gemm_t>(o, {a, c});
    const shape biases[] = {extents(n), extents(m, 1), extents(m, n),
                            extents(1), extents(1, n), shape{}};
    return b.add<tenon::gemm_t>(o, {a, c, leaf(d.pick(biases))});
  }
  /// Multiply-adds of all contractions.
  static i64 work(const tenon::table_view& t) {
    i64 all = 0;
    for (const tenon::node& n : t.nodes) {
      if (n.kind != tenon::family::contract) continue;
      const tenon::contraction& c = t.contraction_of(n);
      i64 own = 1;
      for (int i = 0; i < c.axes; ++i) own *= c.axis[i].extent;
      all += own;
    }
    return all;
  }
};

}  // namespace tenon_test
