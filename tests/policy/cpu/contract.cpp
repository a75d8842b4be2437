// Contractions on `cpu`: the bits of `reference` for every layout and option, and no access
// outside.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "../../support/contract_maker.hpp"

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::shape, tenon::i64;

namespace {

/// Runs `count` random graphs of one kind. One value in `specials` is NaN, infinite or subnormal.
template <class Make> void compare(int test, int count, int specials, const Make& make) {
  int ran = 0, failed = 0;
  for (int i = 0; ran < count && i < 20 * count && failed < 5; ++i) {
    dice d = dice_of(test, i);
    maker m{d};
    const builder::value y = make(m);
    const tenon::result<tenon::table> made = m.b.finish({y});
    if (!made.ok()) {  // a window may be larger than its image; nothing else may be refused
      if (made.error().what != tenon::code::window)
        FAIL("case " << i << ": " << tenon::text_of(made.error().what) << " of "
                     << made.error().op.c_str());
      continue;
    }
    const tenon::table_view t = made->view();
    if (maker::work(t) > 3000000) continue;
    ++ran;
    INFO("TENON_SEED=" << seed() << " case " << i << text_of(t));
    const std::string problem =
        compare_policies(t, random_contents(t, d, has_fma ? specials : 0), d);
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
  compare(5, times(100), 30,
          [](maker& m) { return m.epilogue(m.d.one_in(2) ? m.gemm() : m.matrices()); });
}
TEST_CASE("two contractions in a row on cpu have the bits of reference") {
  compare(6, times(100), 0, [](maker& m) {
    const builder::value y = m.epilogue(m.convolution());
    const shape s = m.shape_of(y);
    if (s.rank != 4) return y;
    if (m.d.one_in(2)) return m.b.add<tenon::matmul_t>({}, {y, m.operand(extents(s[3], m.size()))});
    const builder::value flat = m.b.add<tenon::reshape_t>({{s[0], s[1] * s[2] * s[3]}}, {y});
    return m.epilogue(m.b.add<tenon::gemm_t>(
        {.bTranspose = true}, {flat, m.operand(extents(m.d.in(1, 20), s[1] * s[2] * s[3]))}));
  });
}
TEST_CASE("an operand that is used twice by a product on cpu has the bits of reference") {
  compare(7, times(40), 0, [](maker& m) {
    const i64 n = m.size();
    const builder::value x = m.leaf(extents(n, n));
    const builder::value y =
        m.b.add<tenon::matmul_t>({}, {x, m.d.one_in(2) ? x : m.b.add<tenon::transpose_t>({}, {x})});
    return m.b.map<2>([](auto p, auto q) { return p - q; }, {y, x});
  });
}
TEST_CASE(
    "contractions with more work than a piece is worth are split, with the bits of reference") {
  const long before = split_loops();
  int graphs = 0;
  for (int i = 0; i < times(24); ++i) {
    dice d = dice_of(8, i);
    maker m{d};
    const i64 channels = d.in(20, 40), extent = d.in(30, 50);
    tenon::conv2d_options o{
        .padding = {1, 1, 1, 0},
        .inputLayout = i % 2 ? tenon::image_layout::nhwc : tenon::image_layout::nchw};
    if (i % 3 == 0) o.strides = {2, 1};
    const shape image =
        i % 2 ? extents(2, extent, extent, channels) : extents(2, channels, extent, extent);
    const builder::value product =
        i % 4 == 3 ? m.b.add<tenon::matmul_t>({}, {m.operand(extents(3, 90, 150)),
                                                   m.operand(extents(3, 150, extent * 2))})
                   : m.b.add<tenon::conv2d_t>(
                         o, {m.operand(image), m.operand(extents(d.in(20, 40), channels, 3, 3))});
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
    const i64 channels = point ? d.in(500, 1100) : d.in(58, 70), groups = i % 5 == 4 ? 2 : 1,
              filters = groups * d.in(1, 50), height = d.in(1, 20), width = d.in(1, 20);
    tenon::conv2d_options o{
        .strides = {d.in(1, 2), d.in(1, 2)},
        .groups = groups,
        .inputLayout = nchw ? tenon::image_layout::nchw : tenon::image_layout::nhwc};
    if (!point) o.padding = {1, d.in(0, 2), 1, d.in(0, 2)};
    const i64 taps = point ? 1 : d.in(1, 3), images = d.in(1, 2);
    const shape image = nchw ? extents(images, groups * channels, height, width)
                             : extents(images, height, width, groups * channels);
    const builder::value y = m.b.add<tenon::conv2d_t>(
        o, {m.operand(image), m.operand(extents(filters, channels, taps, taps)),
            m.leaf(extents(filters))});
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
    const i64 filters = d.in(1, 9), height = d.in(4, 9), width = d.in(14, 24),
              taps = d.in(2, 5);  // read in place, lines with gaps
    const builder::value y = m.b.add<tenon::conv2d_t>(
        {.dilations = {1, 2}},
        {m.operand(extents(1, 1, height, width)), m.operand(extents(filters, 1, 2, taps))});
    const builder::value sum =
        m.b.add<tenon::add_t>({}, {y, m.operand(m.b.type_of_value(y).shape)});
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
