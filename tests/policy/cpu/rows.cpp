// Row groups, reductions, pools, broadcasts and moves on `cpu`: the bits of `reference`, and no
// access outside.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "testing.hpp"

using namespace tenon_test;
using tenon::builder, tenon::extents, tenon::shape, tenon::i64;

namespace {

struct maker {
  dice& d;
  builder b{};
  int leaves = 0;

  builder::value leaf(const shape& s) {
    const tenon::name label = tenon::name("x") + leaves++;
    return d.one_in(4) ? b.weight(label, {tenon::type::float32, s})
                       : b.input(label, {tenon::type::float32, s});
  }
  shape shape_of(builder::value v) const { return b.type_of_value(v).shape; }
  /// A shape of this rank with at most about `most` elements.
  shape any_shape(int rank, i64 most = 20000) {
    constexpr i64 sizes[] = {1,  1,  2,  3,  4,  5,   7,   8,    15,   16,  17,
                             31, 32, 33, 63, 65, 130, 257, 1024, 8191, 9000};
    shape s{rank, {}};
    for (int i = 0; i < rank; ++i) s.extent[i] = 1;
    for (int tries = 0; tries < 3 * rank; ++tries) {
      shape next = s;
      next.extent[d.in(0, rank - 1)] = d.pick(sizes);
      if (next.count() <= most) s = next;
    }
    return s;
  }
  /// A shape that broadcasts to `s`, of any lower rank.
  shape narrower(const shape& s) {
    const int rank = d.one_in(3) ? d.in(0, s.rank) : s.rank;
    shape r{rank, {}};
    for (int i = 0; i < rank; ++i) r.extent[i] = d.one_in(3) ? 1 : s[s.rank - rank + i];
    return r;
  }
  tenon::axis_list permutation(int rank) {
    tenon::axis_list p;
    p.count = rank;
    for (int i = 0; i < rank; ++i) p.item[i] = i;
    for (int i = rank; i > 1; --i) std::swap(p.item[i - 1], p.item[d.in(0, i - 1)]);
    return p;
  }
  builder::value turned(builder::value v) {
    return b.add<tenon::transpose_t>({permutation(shape_of(v).rank)}, {v});
  }
  builder::value flattened(builder::value v) {
    const shape s = shape_of(v);
    if (s.rank < 2 || d.one_in(2)) return b.add<tenon::reshape_t>({{s.count()}}, {v});
    tenon::axis_list merged;
    merged.count = s.rank - 1;
    for (int i = 0; i + 1 < s.rank; ++i) merged.item[i] = s[i];
    merged.item[s.rank - 2] *= s[s.rank - 1];
    return b.add<tenon::reshape_t>({merged}, {v});
  }
  builder::value reduced(builder::value v, std::uint32_t axes, bool keep, bool sum) {
    tenon::axis_list list;
    list.count = 0;
    for (int i = 0; i < shape_of(v).rank; ++i)
      if (axes >> i & 1u) list.item[list.count++] = i;
    if (sum) return b.add<tenon::reduceSum_t>({list, keep}, {v});
    return b.add<tenon::reduceMax_t>({list, keep}, {v});
  }
  /// Axes [first, rank).
  static std::uint32_t trailing(int first, int rank) {
    return ((1u << rank) - 1) & ~((1u << first) - 1);
  }
  static constexpr auto scale(float f) {
    return [f](auto x) { return x * f; };
  }
};

/// Compares one graph; false after a failure.
bool same(maker& m, std::initializer_list<builder::value> outputs, const std::string& what,
          int specials) {
  const tenon::result<tenon::table> made = m.b.finish(outputs);
  if (!made.ok()) {
    FAIL_CHECK(what << ": " << tenon::text_of(made.error().what) << " of "
                    << made.error().op.c_str());
    return false;
  }
  const tenon::table_view t = made->view();
  INFO("TENON_SEED=" << seed() << " " << what << text_of(t));
  const std::string problem =
      compare_policies(t, random_contents(t, m.d, has_fma ? specials : 0), m.d);
  if (!problem.empty()) FAIL_CHECK(problem);
  return problem.empty();
}
template <class Make> void compare(int test, int count, int specials, const Make& make) {
  int failed = 0;
  for (int i = 0; i < count && failed < 4; ++i) {
    dice d = dice_of(test, i);
    maker m{d};
    const builder::value y = make(m);
    failed += !same(m, {y}, "case " + std::to_string(i), specials);
  }
}

}  // namespace

TEST_CASE("softmax over every axis on cpu has the bits of reference") {
  constexpr i64 lengths[] = {1, 2, 3, 7, 15, 16, 17, 31, 33, 64, 100, 1000, 1025};
  int failed = 0, number = 0;
  for (const i64 n : lengths)
    for (int rank = 1; rank <= 4; ++rank)
      for (int axis = 0; axis < rank && failed < 4; ++axis) {
        dice d = dice_of(21, number++);
        maker m{d};
        shape s{rank, {3, 2, 5, 4}};
        s.extent[axis] = n;
        failed += !same(m, {m.b.add<tenon::softmax_t>({axis}, {m.leaf(s)})},
                        "softmax " + text_of(s) + " axis " + std::to_string(axis),
                        number % 3 == 0 ? 40 : 0);
      }
}

TEST_CASE("reductions over every subset of axes on cpu have the bits of reference") {
  int failed = 0, number = 0;
  for (int rank = 1; rank <= 5; ++rank)
    for (std::uint32_t axes = 0; axes < 1u << rank; ++axes)
      for (int kind = 0; kind < 4 && failed < 4; ++kind) {
        dice d = dice_of(22, number++);
        maker m{d};
        const builder::value x = m.leaf(m.any_shape(rank));
        failed += !same(m, {m.reduced(x, axes, kind % 2 == 1, kind < 2)},
                        "axes " + std::to_string(axes), kind == 1 ? 50 : 0);
      }
}

TEST_CASE("a reduction of a map and a map of a reduction on cpu have the bits of reference") {
  compare(23, times(150), 0, [](maker& m) {
    const int rank = m.d.in(1, 5);
    const shape s = m.any_shape(rank);
    const auto axes = static_cast<std::uint32_t>(m.d.in(1, (1 << rank) - 1));
    builder::value x =
        m.b.map<2>([](auto a, auto b) { return a * b + 0.5f; }, {m.leaf(s), m.leaf(m.narrower(s))});
    const builder::value r = m.reduced(
        x, m.d.one_in(2) ? maker::trailing(m.d.in(0, rank - 1), rank) : axes, true, m.d.one_in(2));
    if (m.d.one_in(3)) x = m.leaf(s);
    return m.b.map<2>([](auto a, auto b) { return a - tanh(b); }, {x, r});
  });
}

TEST_CASE("layer normalization as a composite on cpu has the bits of reference") {
  compare(24, times(120), 0, [](maker& m) {
    const int rank = m.d.in(1, 5), first = m.d.in(0, rank - 1);
    const shape s = m.any_shape(rank);
    shape row{rank - first, {}};
    for (int i = first; i < rank; ++i) row.extent[i - first] = s[i];
    const float n = static_cast<float>(row.count());
    const std::uint32_t axes = maker::trailing(first, rank);
    const builder::value x = m.leaf(s);
    const builder::value mean =
        m.b.map<1>(maker::scale(1.0f / n), {m.reduced(x, axes, true, true)});
    const builder::value centred = m.b.add<tenon::sub_t>({}, {x, mean});
    const builder::value square = m.b.add<tenon::mul_t>({}, {centred, centred});
    const builder::value variance = m.b.map<1>([n](auto v) { return sqrt(v * (1.0f / n) + 1e-5f); },
                                               {m.reduced(square, axes, true, true)});
    builder::value y = m.b.add<tenon::div_t>({}, {centred, variance});
    if (m.d.one_in(2)) y = m.b.add<tenon::mul_t>({}, {y, m.leaf(row)});
    if (m.d.one_in(2)) y = m.b.add<tenon::add_t>({}, {y, m.leaf(m.narrower(s))});
    return y;
  });
}

TEST_CASE("chains of softmax, maps and reductions on cpu have the bits of reference") {
  compare(25, times(120), 0, [](maker& m) {
    const int rank = m.d.in(1, 4);
    const shape s = m.any_shape(rank, 6000);
    builder::value y = m.leaf(s);
    for (int k = m.d.in(2, 6); k > 0; --k) {
      const shape now = m.shape_of(y);
      switch (m.d.in(0, 6)) {
        case 0: y = m.b.add<tenon::softmax_t>({now.rank - 1}, {y}); break;
        case 1: y = m.b.add<tenon::softmax_t>({m.d.in(0, now.rank - 1)}, {y}); break;
        case 2:
          y = m.b.map<2>([](auto a, auto b) { return max(a - b, a * b); },
                         {y, m.leaf(m.narrower(now))});
          break;
        case 3:
          y = m.b.add<tenon::sub_t>(
              {}, {y, m.reduced(y, maker::trailing(m.d.in(0, now.rank - 1), now.rank), true,
                                m.d.one_in(2))});
          break;
        case 4: y = m.turned(y); break;
        case 5: y = m.flattened(y); break;
        default: y = m.b.add<tenon::tanh_t>({}, {y}); break;
      }
    }
    return y;
  });
}

TEST_CASE("several outputs that share intermediates on cpu have the bits of reference") {
  int failed = 0;
  for (int i = 0; i < times(60) && failed < 4; ++i) {
    dice d = dice_of(26, i);
    maker m{d};
    const int rank = d.in(1, 4);
    const shape s = m.any_shape(rank, 6000);
    const builder::value x = m.leaf(s), e = m.b.add<tenon::exp_t>({}, {x});
    const builder::value sum =
        m.reduced(e, maker::trailing(d.in(0, rank - 1), rank), d.one_in(2), true);
    const builder::value soft = m.b.add<tenon::softmax_t>({d.in(0, rank - 1)}, {e});
    failed += !same(m, {e, sum, soft, x, m.turned(soft), m.flattened(e), e},
                    "case " + std::to_string(i), 0);
  }
}

TEST_CASE("broadcasting maps up to rank 5 on cpu have the bits of reference") {
  compare(27, times(300), 40, [](maker& m) {
    const shape s = m.any_shape(m.d.in(1, 5), 40000);
    if (m.d.one_in(4)) {
      const builder::value sum = m.b.map<4>(
          [](auto a, auto b, auto c, auto d) { return a * b + c * d; },
          {m.leaf(m.narrower(s)), m.leaf(m.narrower(s)), m.leaf(s), m.leaf(m.narrower(s))});
      return m.b.add<tenon::relu_t>({}, {sum});
    }
    if (m.d.one_in(3))
      return m.b.add<tenon::sub_t>({}, {m.leaf(m.narrower(s)), m.leaf(m.narrower(s))});
    return m.b.map<2>([](auto a, auto b) { return select(a < b, a / b, b - a); },
                      {m.d.one_in(2) ? m.leaf(m.narrower(s)) : m.leaf(s), m.leaf(s)});
  });
}

TEST_CASE("transposes and reshapes, copied and as views, on cpu have the bits of reference") {
  compare(28, times(300), 0, [](maker& m) {
    builder::value y = m.leaf(m.any_shape(m.d.in(1, 5)));
    if (m.d.one_in(3)) y = m.b.add<tenon::relu_t>({}, {y});
    for (int k = m.d.in(1, 3); k > 0; --k) y = m.d.one_in(3) ? m.flattened(y) : m.turned(y);
    const shape s = m.shape_of(y);
    switch (m.d.in(0, 4)) {
      case 0: return y;
      case 1: return m.b.add<tenon::add_t>({}, {y, m.leaf(m.narrower(s))});
      case 2:
        return m.reduced(y, static_cast<std::uint32_t>(m.d.in(0, (1 << s.rank) - 1)), m.d.one_in(2),
                         true);
      case 3: return m.b.add<tenon::softmax_t>({m.d.in(0, s.rank - 1)}, {y});
      default:
        return s.rank < 2 || s.count() > 8000
                   ? m.turned(m.b.add<tenon::exp_t>({}, {y}))
                   : m.b.add<tenon::matmul_t>({}, {y, m.leaf(extents(s[s.rank - 1], 5))});
    }
  });
}

TEST_CASE("pools with all options on cpu have the bits of reference") {
  int failed = 0, ran = 0;
  for (int i = 0; ran < times(500) && failed < 4; ++i) {
    dice d = dice_of(29, i);
    maker m{d};
    const tenon::pool2d_options o = any_pool(d);
    const shape s =
        extents(d.in(1, 3), d.in(1, 20), d.in(1, 20), d.one_in(3) ? d.in(20, 70) : d.in(1, 20));
    builder::value x = m.leaf(s);
    if (d.one_in(4)) x = m.b.add<tenon::relu_t>({}, {x});
    if (d.one_in(8)) x = m.turned(x);
    const bool max = d.one_in(2);
    builder::value y =
        max ? m.b.add<tenon::maxPool2d_t>(o, {x}) : m.b.add<tenon::averagePool2d_t>(o, {x});
    if (!m.b.fault().ok()) {
      REQUIRE(m.b.fault().what == tenon::code::window);
      continue;
    }
    if (d.one_in(4)) y = m.b.add<tenon::relu_t>({}, {y});
    ++ran;
    failed += !same(m, {y}, "case " + std::to_string(i), d.one_in(3) ? 40 : 0);
  }
}

TEST_CASE("windows of two and three columns that halve an image have the bits of reference") {
  // Lines of up to five registers, ends and beginnings between them, with and without padding; tall
  // and flat images.
  int failed = 0, ran = 0;
  for (int i = 0; i < times(400) && failed < 4; ++i) {
    dice d = dice_of(30, i);
    maker m{d};
    tenon::pool2d_options o;
    const int columns = d.in(2, 3);
    o.windowDimensions = {d.one_in(2) ? columns : d.in(1, 4), columns};
    o.strides = {d.one_in(4) ? d.in(1, 3) : 2, 2};
    if (d.one_in(2))
      o.padding = {d.in(0, 2), d.in(0, 3), d.in(0, columns - 1), d.in(0, columns - 1)};
    if (d.one_in(6)) o.dilations = {d.in(1, 3), 1};
    if (d.one_in(3)) o.outputShapeRounding = tenon::rounding::ceil;
    const int height = d.one_in(8) ? d.in(50, 120) : d.one_in(4) ? 1 : d.in(2, 9);
    builder::value x = m.leaf(extents(d.in(1, 2), d.in(1, 4), height, d.in(2, 83)));
    if (d.one_in(4)) x = m.b.add<tenon::relu_t>({}, {x});
    builder::value y;
    switch (d.in(0, 2)) {
      case 0: y = m.b.add<tenon::averagePool2d_t>(o, {x}); break;
      case 1: y = m.b.add<tenon::l2Pool2d_t>(o, {x}); break;
      default: y = m.b.add<tenon::maxPool2d_t>(o, {x}); break;
    }
    if (!m.b.fault().ok()) {
      REQUIRE(m.b.fault().what == tenon::code::window);
      continue;
    }
    ++ran;
    failed += !same(m, {y}, "case " + std::to_string(i), d.one_in(2) ? d.in(2, 40) : 0);
  }
  CHECK(ran > times(200));
}

TEST_CASE("groups with more rows than a piece is worth are split, with the bits of reference") {
  const long before = split_loops();
  int graphs = 0;
  for (int i = 0; i < times(24); ++i) {
    dice d = dice_of(31, i);
    maker m{d};
    const i64 channels = d.in(20, 40), extent = d.in(40, 70);
    const shape s = extents(channels, d.in(2, 4), extent, d.in(33, 70));
    const builder::value x = m.leaf(s);
    builder::value y = x;
    switch (i % 6) {
      case 0: y = m.b.add<tenon::softmax_t>({d.in(0, 3)}, {x}); break;
      case 1:
        y = m.b.add<tenon::maxPool2d_t>(
            {.windowDimensions = {2, 3},
             .layout = d.one_in(2) ? tenon::image_layout::nchw : tenon::image_layout::nhwc},
            {x});
        break;
      case 2: y = m.reduced(x, static_cast<std::uint32_t>(d.in(1, 14)), d.one_in(2), true); break;
      case 3:
        y = m.b.map<2>([](auto a, auto b) { return a * b + a; }, {x, m.leaf(m.narrower(s))});
        break;
      case 4:
        y = m.b.add<tenon::transpose_t>(
            {d.one_in(2) ? tenon::axis_list{0, 3, 1, 2} : tenon::axis_list{3, 1, 2, 0}}, {x});
        break;
      default: y = m.b.add<tenon::tanh_t>({}, {m.flattened(x)}); break;
    }
    ++graphs;
    if (!same(m, {y}, "case " + std::to_string(i), 0)) return;
  }
  CHECK(split_loops() - before == graphs);
}

namespace {
/// All families in one static model; layer normalization out of handles.
inline constexpr auto normalized = [](auto x) {
  constexpr tenon::reduce_options rows{.axes = {1}, .keepDimensions = true};
  auto mean = tenon::reduceSum<rows>(x) * (1.0f / 37);
  auto centred = x - mean;
  auto variance = tenon::reduceSum<rows>(centred * centred) * (1.0f / 37);
  auto y = tenon::map([](auto c, auto v) { return c / sqrt(v + 1e-5f); })(centred, variance);
  return tenon::outputs(y * tenon::weight<"gain", float, 37> + tenon::weight<"shift", float, 37>,
                        variance, tenon::softmax<1>(y));
};
using norm = tenon::graph<normalized, tenon::input<"x", float, 5, 37>>;
}  // namespace

TEST_CASE("layer normalization out of handles runs as one group, with the bits of reference") {
  STATIC_REQUIRE(tenon::plan<norm, tenon::cpu>::groups == 1);
  dice d = dice_of(30, 0);
  const contents c = random_contents(norm::view(), d);
  const std::string problem = compare_policies(norm::view(), c, d);
  if (!problem.empty()) FAIL(problem);
  scene s(norm::view(), c, wall::behind);
  const tenon::model<norm, tenon::cpu> model(s.source);
  tenon::instance caller(model);
  REQUIRE(caller.run(s.in, s.out).ok());
  const results once = s.take();
  std::string bad;
  const results wanted = run_table<tenon::reference>(norm::view(), c, wall::behind, bad);
  REQUIRE(bad.empty());
  for (std::size_t o = 0; o < once.size(); ++o)
    CHECK(difference_of_policies(wanted[o], once[o]) == "");
}
