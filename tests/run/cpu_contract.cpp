// Contractions on `cpu`: the bits of `reference` for every layout and option, and no access outside.
// SPDX-License-Identifier: MIT
#include "../catch.hpp"
#include "cpu_testing.hpp"

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::shape, tenon::i64;

namespace {

/// Builds one random graph. Leaves are inputs or weights by chance.
struct maker {
  dice& d;
  builder b{};
  int leaves = 0;

  builder::value leaf(const shape& s, bool may_be_weight = true) {
    const tenon::name called = tenon::name("x") + leaves++;
    const tenon::tensor t{tenon::type::float32, s};
    return may_be_weight && d.one_in(2) ? b.weight(called, t) : b.input(called, t);
  }
  shape shape_of(builder::value v) const { return b.type_of_value(v).shape; }

  /// A leaf of this shape, sometimes made of a transposed one.
  builder::value operand(const shape& s) {
    if (s.rank < 2 || !d.one_in(4)) return leaf(s);
    shape turned = s;
    tenon::axis_list permutation;
    permutation.count = s.rank;
    for (int i = 0; i < s.rank; ++i) permutation.item[i] = i;
    for (int i = s.rank; i > 1; --i) std::swap(permutation.item[i - 1], permutation.item[d.in(0, i - 1)]);
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
      case 0: case 1: return y;
      case 2: return b.add<tenon::relu_t>({}, {y});
      case 3: return b.add<tenon::clamp_t>({-0.5f, 0.75f}, {y});
      case 4: return b.add<tenon::add_t>({}, {y, leaf(narrower(s))});
      case 5: return b.add<tenon::relu_t>({}, {b.add<tenon::add_t>({}, {leaf(s), y})});
      case 6: return b.map<2>([](auto x, auto z) { return x * z + tanh(x); }, {y, leaf(narrower(s))});
      case 7: return b.map<3>([](auto u, auto x, auto v) { return select(x < u, x * v, u - x); }, {leaf(narrower(s)), y, leaf(narrower(s))});
      // what tiles close themselves: a bias, and a residual with its own
      case 8: return b.add<tenon::clamp_t>({-0.5f, 0.75f}, {b.add<tenon::add_t>({}, {b.add<tenon::add_t>({}, {y, leaf(constant(s))}), leaf(s)})});
      case 9: return b.map<4>([](auto x, auto u, auto v, auto w) { return max((v + w) + (x + u), 0.25f); }, {y, leaf(constant(s)), leaf(s), leaf(constant(s))});
      case 10: return b.map<3>([](auto x, auto u, auto v) { return min((v + x) + u, 0.25f); }, {y, leaf(d.one_in(2) ? s : constant(s)), leaf(constant(s))});
      default: return b.map<4>([](auto x, auto u, auto v, auto w) { return max(x * u + v, w); }, {y, leaf(narrower(s)), leaf(narrower(s)), leaf(narrower(s))});
    }
  }
  builder::value convolution() {
    constexpr int sizes[] = {1, 2, 3, 4, 5, 7, 8, 11, 13, 16, 17, 19, 20, 33};
    constexpr tenon::filter_layout layouts[] = {tenon::filter_layout::oihw, tenon::filter_layout::hwio, tenon::filter_layout::ohwi, tenon::filter_layout::ihwo};
    tenon::conv2d_options o;
    o.inputLayout = d.one_in(2) ? tenon::image_layout::nchw : tenon::image_layout::nhwc;
    o.filterLayout = d.pick(layouts);
    const int channels_of_group = d.one_in(3) ? 1 : d.in(1, 6), filters_of_group = d.one_in(4) ? 1 : d.one_in(4) ? 8 * d.in(1, 3) : d.in(1, 9);
    o.groups = d.one_in(3) ? d.in(2, 5) : d.one_in(8) ? 17 : 1;
    const i64 n = d.one_in(3) ? d.in(2, 3) : 1, c = o.groups * channels_of_group, f = o.groups * filters_of_group;
    const i64 extent[] = {d.pick(sizes), d.one_in(3) ? 28 : d.pick(sizes)};
    i64 taps[2];
    for (int i = 0; i < 2; ++i) taps[i] = d.one_in(6) ? d.in(1, 11) : d.in(1, 5);
    if (d.one_in(4)) taps[0] = taps[1] = 1;
    if (d.one_in(2)) o.padding = {d.in(0, 3), d.in(0, 3), d.in(0, 3), d.in(0, 3)};
    if (d.one_in(12)) o.padding = {d.in(0, 12), d.in(0, 12), d.in(0, 12), d.in(0, 12)};
    if (d.one_in(3)) o.strides = {d.in(1, 4), d.in(1, 4)};
    if (d.one_in(3)) o.dilations = {d.in(1, 3), d.in(1, 3)};
    const bool nchw = o.inputLayout == tenon::image_layout::nchw;
    const shape image = nchw ? extents(n, c, extent[0], extent[1]) : extents(n, extent[0], extent[1], c);
    const i64 by_role[] = {f, c / o.groups, taps[0], taps[1]};
    shape filter{4, {}};
    for (int what = 0; what < 4; ++what) filter.extent[tenon::conv2d_t::filter_axis(o.filterLayout, what)] = by_role[what];
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
    const int batches = d.in(0, 2), of_a = d.one_in(4) ? d.in(0, batches) : batches, of_c = d.one_in(4) ? d.in(0, batches) : batches;
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
    const builder::value a = operand(o.aTranspose ? extents(k, m) : extents(m, k)), c = operand(o.bTranspose ? extents(n, k) : extents(k, n));
    if (d.one_in(3)) return b.add<tenon::gemm_t>(o, {a, c});
    const shape biases[] = {extents(n), extents(m, 1), extents(m, n), extents(1), extents(1, n), shape{}};
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

/// Runs `count` random graphs of one kind. One value in `specials` is NaN, infinite or subnormal.
template <class Make> void compare(int test, int count, int specials, const Make& make) {
  int ran = 0, failed = 0;
  for (int i = 0; ran < count && i < 20 * count && failed < 5; ++i) {
    dice d = dice_of(test, i);
    maker m{d};
    const builder::value y = make(m);
    const tenon::result<tenon::table> made = m.b.finish({y});
    if (!made.ok()) {  // a window may be larger than its image; nothing else may be refused
      if (made.error().what != tenon::code::window) FAIL("case " << i << ": " << tenon::text_of(made.error().what) << " of " << made.error().op.c_str());
      continue;
    }
    const tenon::table_view t = made->view();
    if (maker::work(t) > 3000000) continue;
    ++ran;
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(t));
    const std::string problem = compare_policies(t, random_contents(t, d, has_fma ? specials : 0), d);
    if (!problem.empty()) {
      ++failed;
      FAIL_CHECK(problem);
    }
  }
  CHECK(ran == count);
}

}  // namespace

TEST_CASE("random convolutions on cpu have the bits of reference") {
  compare(1, times(500), 0, [](maker& m) { return m.epilogue(m.convolution()); });
}
TEST_CASE("convolutions of NaN, infinities and subnormals on cpu have the bits of reference") {
  compare(2, times(100), 30, [](maker& m) { return m.epilogue(m.convolution()); });
}
TEST_CASE("random matmul on cpu has the bits of reference") {
  compare(3, times(250), 0, [](maker& m) { return m.epilogue(m.matrices()); });
}
TEST_CASE("random gemm on cpu has the bits of reference") {
  compare(4, times(250), 0, [](maker& m) { return m.epilogue(m.gemm()); });
}
TEST_CASE("products of NaN, infinities and subnormals on cpu have the bits of reference") {
  compare(5, times(100), 30, [](maker& m) { return m.epilogue(m.d.one_in(2) ? m.gemm() : m.matrices()); });
}
TEST_CASE("two contractions in a row on cpu have the bits of reference") {
  compare(6, times(100), 0, [](maker& m) {
    const builder::value y = m.epilogue(m.convolution());
    const shape s = m.shape_of(y);
    if (s.rank != 4) return y;
    if (m.d.one_in(2)) return m.b.add<tenon::matmul_t>({}, {y, m.operand(extents(s[3], m.size()))});
    const builder::value flat = m.b.add<tenon::reshape_t>({{s[0], s[1] * s[2] * s[3]}}, {y});
    return m.epilogue(m.b.add<tenon::gemm_t>({.bTranspose = true}, {flat, m.operand(extents(m.d.in(1, 20), s[1] * s[2] * s[3]))}));
  });
}
TEST_CASE("an operand that is used twice by a product on cpu has the bits of reference") {
  compare(7, times(40), 0, [](maker& m) {
    const i64 n = m.size();
    const builder::value x = m.leaf(extents(n, n));
    const builder::value y = m.b.add<tenon::matmul_t>({}, {x, m.d.one_in(2) ? x : m.b.add<tenon::transpose_t>({}, {x})});
    return m.b.map<2>([](auto p, auto q) { return p - q; }, {y, x});
  });
}
TEST_CASE("contractions with more work than a piece is worth are split, with the bits of reference") {
  const long before = split_loops();
  int graphs = 0;
  for (int i = 0; i < times(24); ++i) {
    dice d = dice_of(8, i);
    maker m{d};
    const i64 channels = d.in(20, 40), extent = d.in(30, 50);
    tenon::conv2d_options o{.padding = {1, 1, 1, 0}, .inputLayout = i % 2 ? tenon::image_layout::nhwc : tenon::image_layout::nchw};
    if (i % 3 == 0) o.strides = {2, 1};
    const shape image = i % 2 ? extents(2, extent, extent, channels) : extents(2, channels, extent, extent);
    const builder::value product = i % 4 == 3 ? m.b.add<tenon::matmul_t>({}, {m.operand(extents(3, 90, 150)), m.operand(extents(3, 150, extent * 2))})
                                              : m.b.add<tenon::conv2d_t>(o, {m.operand(image), m.operand(extents(d.in(20, 40), channels, 3, 3))});
    const builder::value y = m.epilogue(product);
    const tenon::result<tenon::table> made = m.b.finish({y});
    REQUIRE(made.ok());
    ++graphs;
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(made->view()));
    const std::string problem = compare_policies(made->view(), random_contents(made->view(), d), d);
    if (!problem.empty()) FAIL(problem);
  }
  CHECK(split_loops() - before == graphs);
}
TEST_CASE("convolutions of more terms and pixels than one piece takes have the bits of reference") {
  for (int i = 0; i < times(24); ++i) {
    dice d = dice_of(9, i);
    maker m{d};
    const bool nchw = i % 4 != 3, point = i % 3 == 0;
    const i64 channels = point ? d.in(500, 1100) : d.in(58, 70), groups = i % 5 == 4 ? 2 : 1, filters = groups * d.in(1, 50), height = d.in(1, 20), width = d.in(1, 20);
    tenon::conv2d_options o{.strides = {d.in(1, 2), d.in(1, 2)}, .groups = groups, .inputLayout = nchw ? tenon::image_layout::nchw : tenon::image_layout::nhwc};
    if (!point) o.padding = {1, d.in(0, 2), 1, d.in(0, 2)};
    const i64 taps = point ? 1 : d.in(1, 3), images = d.in(1, 2);
    const shape image = nchw ? extents(images, groups * channels, height, width) : extents(images, height, width, groups * channels);
    const builder::value y = m.b.add<tenon::conv2d_t>(o, {m.operand(image), m.operand(extents(filters, channels, taps, taps)), m.leaf(extents(filters))});
    if (!m.b.fault().ok()) continue;
    const tenon::result<tenon::table> made = m.b.finish({m.epilogue(y)});
    REQUIRE(made.ok());
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(made->view()));
    const std::string problem = compare_policies(made->view(), random_contents(made->view(), d), d);
    if (!problem.empty()) FAIL_CHECK(problem);
  }
}
TEST_CASE("a residual is added where the outputs stand, and not where the image's pixels do") {
  for (int i = 0; i < times(8); ++i) {
    dice d = dice_of(10, i);
    maker m{d};
    const i64 filters = d.in(1, 9), height = d.in(4, 9), width = d.in(14, 24), taps = d.in(2, 5);  // read in place, lines with gaps
    const builder::value y = m.b.add<tenon::conv2d_t>({.dilations = {1, 2}}, {m.operand(extents(1, 1, height, width)), m.operand(extents(filters, 1, 2, taps))});
    const builder::value sum = m.b.add<tenon::add_t>({}, {y, m.operand(m.b.type_of_value(y).shape)});
    const tenon::result<tenon::table> made = m.b.finish({sum});
    REQUIRE(made.ok());
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(made->view()));
    CHECK(compare_policies(made->view(), random_contents(made->view(), d), d) == "");
  }
}
TEST_CASE("a comparison of policies notices one wrong bit") {
  const float wanted[] = {1.0f, 0.0f}, other[] = {1.0f, -0.0f}, near[] = {1.0000001f, 0.0f};
  CHECK(difference(wanted, wanted).empty());
  CHECK_FALSE(difference(wanted, other).empty());
  CHECK_FALSE(difference(wanted, near).empty());
  guarded_bytes g(12, wall::behind);
  CHECK(g.untouched());
  g.floats()[-1] = 0;
  CHECK_FALSE(g.untouched());
}
