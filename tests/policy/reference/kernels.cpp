// The policy `reference` against loops in double precision, written here for the purpose: every
// operator and option on random shapes; NaN and infinities. Bounds: u = 2^-24 per rounding, see
// each test.
// SPDX-License-Identifier: MIT
#include "../../catch.hpp"
#include "../../run/net.hpp"
#include <algorithm>
#include <cmath>
#include <limits>

namespace tn = tenon;
using namespace tenon_test;
using tn::extents, tn::i64, tn::shape;

namespace {

constexpr double u = 0x1p-24;
constexpr float inf = std::numeric_limits<float>::infinity(),
                none = std::numeric_limits<float>::quiet_NaN();

/// Element access by coordinates; `c` beyond the rank of `s` is ignored from the left
/// (broadcasting).
struct reader {
  const floats_of& data;
  shape s;
  double at(const i64* c, int rank) const {
    i64 i = 0;
    for (int k = 0; k < s.rank; ++k) i = i * s[k] + (s[k] == 1 ? 0 : c[rank - s.rank + k]);
    return static_cast<double>(data[static_cast<std::size_t>(i)]);
  }
};
/// Calls `f(coordinates)` for all positions of a shape, row-major.
template <class F> void each(const shape& s, F f) {
  i64 c[tn::max_rank]{};
  for (i64 i = 0, n = s.count(); i < n; ++i) {
    i64 rest = i;
    for (int k = s.rank - 1; k >= 0; --k) {
      c[k] = rest % s[k];
      rest /= s[k];
    }
    f(static_cast<std::size_t>(i), c);
  }
}
/// The most that |got - wanted| exceeds its bound; at most 0 when everything is within.
struct excess {
  double worst = -1;
  void see(float got, double wanted, double bound) {
    const double over = std::abs(static_cast<double>(got) - wanted) - bound;
    worst = std::max(worst, std::isnan(over) ? inf : over);
  }
};

tn::result<tn::tensor> infer_conv(const tn::conv2d_options& o, const shape& x, const shape& w) {
  const tn::tensor in[] = {{tn::type::float32, x}, {tn::type::float32, w}};
  return tn::conv2d_t::infer(o, {in, 2});
}

}  // namespace

TEST_CASE("conv2d with all options is what its definition says") {
  std::mt19937 random = fresh("conv2d");
  int cases = 0;
  for (int layout = 0; layout < 8; ++layout)
    for (int round = 0; round < 25; ++round) {
      const bool nhwc = layout % 2 == 1;
      const auto filter = static_cast<tn::filter_layout>(layout / 2);
      const i64 groups = 1 + below(random, 3), ci = 1 + below(random, 3),
                co = groups * (1 + below(random, 3)), n = 1 + below(random, 2);
      const i64 h = 1 + below(random, 8), w = 1 + below(random, 8), kh = 1 + below(random, 3),
                kw = 1 + below(random, 4);
      const auto any = [&](int most) { return i64{below(random, most + 1)}; };
      const tn::conv2d_options o{
          .padding = {any(3), any(3), any(3), any(3)},
          .strides = {1 + any(2), 1 + any(2)},
          .dilations = {1 + any(2), 1 + any(2)},
          .groups = groups,
          .inputLayout = nhwc ? tn::image_layout::nhwc : tn::image_layout::nchw,
          .filterLayout = filter};
      const shape xs = nhwc ? extents(n, h, w, ci * groups) : extents(n, ci * groups, h, w);
      const shape ws = filter == tn::filter_layout::oihw   ? extents(co, ci, kh, kw)
                       : filter == tn::filter_layout::hwio ? extents(kh, kw, ci, co)
                       : filter == tn::filter_layout::ohwi ? extents(co, kh, kw, ci)
                                                           : extents(ci, kh, kw, co);
      const auto ys = infer_conv(o, xs, ws);
      if (!ys.ok()) continue;
      ++cases;
      const bool biased = below(random, 2) == 0;
      const floats_of x = noise(random, xs.count()), k = noise(random, ws.count()),
                      b = noise(random, co);
      const floats_of y = biased ? apply<tn::conv2d_t>(o, {xs, ws, extents(co)}, {x, k, b})
                                 : apply<tn::conv2d_t>(o, {xs, ws}, {x, k});
      REQUIRE(static_cast<i64>(y.size()) == ys->shape.count());
      excess e;
      each(ys->shape, [&](std::size_t i, const i64* at) {
        const i64 image = at[0], oc = at[nhwc ? 3 : 1], oy = at[nhwc ? 1 : 2],
                  ox = at[nhwc ? 2 : 3];
        double sum = 0, size = 0;
        for (i64 c = 0; c < ci; ++c)
          for (i64 ky = 0; ky < kh; ++ky)
            for (i64 kx = 0; kx < kw; ++kx) {
              const i64 iy =
                  oy * o.strides.height + ky * o.dilations.height - o.padding.beginningHeight;
              const i64 ix =
                  ox * o.strides.width + kx * o.dilations.width - o.padding.beginningWidth;
              if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
              const i64 ic = oc / (co / groups) * ci + c;
              const i64 xi = nhwc ? ((image * h + iy) * w + ix) * ci * groups + ic
                                  : ((image * ci * groups + ic) * h + iy) * w + ix;
              const i64 wi =
                  filter == tn::filter_layout::oihw   ? ((oc * ci + c) * kh + ky) * kw + kx
                  : filter == tn::filter_layout::hwio ? ((ky * kw + kx) * ci + c) * co + oc
                  : filter == tn::filter_layout::ohwi ? ((oc * kh + ky) * kw + kx) * ci + c
                                                      : ((c * kh + ky) * kw + kx) * co + oc;
              const double p = static_cast<double>(x[static_cast<std::size_t>(xi)]) *
                               static_cast<double>(k[static_cast<std::size_t>(wi)]);
              sum += p;
              size += std::abs(p);
            }
        if (biased) {
          sum += static_cast<double>(b[static_cast<std::size_t>(oc)]);
          size += std::abs(static_cast<double>(b[static_cast<std::size_t>(oc)]));
        }
        e.see(y[i], sum,
              static_cast<double>(ci * kh * kw + 2) * u * size);  // one rounding per term
      });
      CHECK(e.worst <= 0);
    }
  CHECK(cases > 80);
}

TEST_CASE("pools with all options, and windows in padding alone, are what their definition says") {
  std::mt19937 random = fresh("pools");
  int cases = 0, empty = 0, whole = 0;
  for (int round = 0; round < 400; ++round) {
    const auto any = [&](int most) { return i64{below(random, most + 1)}; };
    const bool nhwc = below(random, 2) == 0;
    const i64 n = 1 + any(1), c = 1 + any(3), h = 1 + any(8), w = 1 + any(8);
    const bool all = below(random, 4) == 0;  // not given: the whole image
    tn::pool2d_options o{
        .windowDimensions = {all ? 0 : 1 + any(2), all ? 0 : 1 + any(2)},
        .padding = {any(4), any(4), any(4), any(4)},
        .strides = {1 + any(2), 1 + any(2)},
        .dilations = {1 + any(2), 1 + any(2)},
        .layout = nhwc ? tn::image_layout::nhwc : tn::image_layout::nchw,
        .outputShapeRounding = below(random, 2) == 0 ? tn::rounding::ceil : tn::rounding::floor};
    const i64 kh = all ? h : o.windowDimensions.height, kw = all ? w : o.windowDimensions.width;
    const i64 room_h =
        h + o.padding.beginningHeight + o.padding.endingHeight - o.dilations.height * (kh - 1) - 1;
    const i64 room_w =
        w + o.padding.beginningWidth + o.padding.endingWidth - o.dilations.width * (kw - 1) - 1;
    if (room_h < 0 || room_w < 0) continue;
    bool up = o.outputShapeRounding == tn::rounding::ceil;
    const auto size = [&](i64 room, i64 stride) {
      return static_cast<i64>(
                 up ? std::ceil(static_cast<double>(room) / static_cast<double>(stride))
                    : std::floor(static_cast<double>(room) / static_cast<double>(stride))) +
             1;
    };
    if (below(random, 3) == 0) {  // given output sizes win over the rounding
      up = !up;
      o.outputSizes = {size(room_h, o.strides.height), size(room_w, o.strides.width)};
    }
    const i64 oh = size(room_h, o.strides.height), ow = size(room_w, o.strides.width);
    const shape xs = nhwc ? extents(n, h, w, c) : extents(n, c, h, w),
                ys = nhwc ? extents(n, oh, ow, c) : extents(n, c, oh, ow);
    const floats_of x = noise(random, xs.count());
    const floats_of most = apply<tn::maxPool2d_t>(o, {xs}, {x}),
                    mean = apply<tn::averagePool2d_t>(o, {xs}, {x}),
                    holder = apply<tn::l2Pool2d_t>(o, {xs}, {x});
    REQUIRE(static_cast<i64>(most.size()) == ys.count());
    REQUIRE(mean.size() == most.size());
    REQUIRE(holder.size() == most.size());
    ++cases;
    whole += o.windowDimensions.height == 0;
    excess em, ea, el;
    each(ys, [&](std::size_t i, const i64* at) {
      double top = -1e300, sum = 0, size_of = 0, squares = 0;
      int hits = 0;
      for (i64 ky = 0; ky < kh; ++ky)
        for (i64 kx = 0; kx < kw; ++kx) {
          const i64 iy = at[nhwc ? 1 : 2] * o.strides.height + ky * o.dilations.height -
                         o.padding.beginningHeight;
          const i64 ix = at[nhwc ? 2 : 3] * o.strides.width + kx * o.dilations.width -
                         o.padding.beginningWidth;
          if (iy < 0 || iy >= h || ix < 0 || ix >= w) continue;
          const i64 at_input[] = {at[0], nhwc ? iy : at[1], nhwc ? ix : iy, nhwc ? at[3] : ix};
          const double v = reader{x, xs}.at(at_input, 4);
          top = std::max(top, v);
          sum += v;
          size_of += std::abs(v);
          squares += v * v;
          ++hits;
        }
      empty += hits == 0;
      em.see(most[i], hits ? top : 0.0, 0);
      ea.see(mean[i], hits ? sum / hits : 0.0, hits ? (hits + 1) * u * size_of / hits : 0);
      el.see(holder[i], std::sqrt(squares), (hits + 3) * u * std::sqrt(squares));
    });
    CHECK(em.worst <= 0);
    CHECK(ea.worst <= 0);
    CHECK(el.worst <= 0);
  }
  CHECK(cases > 100);
  CHECK(whole > 10);
  CHECK(empty > 0);  // windows wholly in padding were among them, and gave 0
}

TEST_CASE("gemm: transposes, alpha, beta, every broadcast of c") {
  std::mt19937 random = fresh("gemm");
  for (int round = 0; round < 120; ++round) {
    const i64 m = 1 + below(random, 7), n = 1 + below(random, 7), k = 1 + below(random, 30);
    const float factors[] = {1.0f, 0.0f, -0.5f, 3.25f};
    const tn::gemm_options o{.alpha = factors[below(random, 4)],
                             .beta = factors[below(random, 4)],
                             .aTranspose = round % 2 == 1,
                             .bTranspose = round % 4 >= 2};
    const shape as = o.aTranspose ? extents(k, m) : extents(m, k),
                bs = o.bTranspose ? extents(n, k) : extents(k, n);
    const shape cs[] = {extents(),     extents(n),    extents(1),   extents(m, n),
                        extents(m, 1), extents(1, n), extents(1, 1)};
    const int which = below(random, 8);
    const floats_of a = noise(random, m * k), b = noise(random, k * n),
                    c = noise(random, which < 7 ? cs[which].count() : 1);
    const floats_of y = which < 7 ? apply<tn::gemm_t>(o, {as, bs, cs[which]}, {a, b, c})
                                  : apply<tn::gemm_t>(o, {as, bs}, {a, b});
    REQUIRE(static_cast<i64>(y.size()) == m * n);
    excess e;
    each(extents(m, n), [&](std::size_t i, const i64* at) {
      double sum = 0, size = 0;
      for (i64 t = 0; t < k; ++t) {
        const double p =
            static_cast<double>(
                a[static_cast<std::size_t>(o.aTranspose ? t * m + at[0] : at[0] * k + t)]) *
            static_cast<double>(
                b[static_cast<std::size_t>(o.bTranspose ? at[1] * k + t : t * n + at[1])]);
        sum += p;
        size += std::abs(p);
      }
      const double z =
          which < 7 ? static_cast<double>(o.beta) * reader{c, cs[which]}.at(at, 2) : 0.0;
      const double alpha = static_cast<double>(o.alpha);
      e.see(y[i], alpha * sum + z,
            (static_cast<double>(k) + 4) * u * (std::abs(alpha) * size + std::abs(z)));
    });
    CHECK(e.worst <= 0);
  }
}

TEST_CASE("matmul broadcasts stacks of matrices") {
  std::mt19937 random = fresh("matmul");
  for (int round = 0; round < 120; ++round) {
    const i64 m = 1 + below(random, 6), n = 1 + below(random, 6), k = 1 + below(random, 40);
    const int ra = 2 + below(random, 3), rb = 2 + below(random, 3), rank = std::max(ra, rb);
    shape as{ra, {}}, bs{rb, {}}, ys{rank, {}};
    for (int i = 3; i <= rank; ++i) {
      const i64 full = 1 + below(random, 3);
      if (i <= ra) as.extent[ra - i] = below(random, 3) == 0 && i <= rb ? 1 : full;
      if (i <= rb) bs.extent[rb - i] = below(random, 3) == 0 && i <= ra ? 1 : full;
      ys.extent[rank - i] = std::max(i <= ra ? as[ra - i] : 1, i <= rb ? bs[rb - i] : 1);
    }
    as.extent[ra - 2] = ys.extent[rank - 2] = m;
    as.extent[ra - 1] = bs.extent[rb - 2] = k;
    bs.extent[rb - 1] = ys.extent[rank - 1] = n;
    const floats_of a = noise(random, as.count()), b = noise(random, bs.count());
    const floats_of y = apply<tn::matmul_t>({}, {as, bs}, {a, b});
    REQUIRE(static_cast<i64>(y.size()) == ys.count());
    excess e;
    each(ys, [&](std::size_t i, const i64* at) {
      double sum = 0, size = 0;
      i64 left[tn::max_rank], right[tn::max_rank];
      std::copy_n(at, rank, left);
      std::copy_n(at, rank, right);
      for (i64 t = 0; t < k; ++t) {
        left[rank - 1] = right[rank - 2] = t;
        const double p = reader{a, as}.at(left, rank) * reader{b, bs}.at(right, rank);
        sum += p;
        size += std::abs(p);
      }
      e.see(y[i], sum, static_cast<double>(k + 1) * u * size);
    });
    CHECK(e.worst <= 0);
  }
}

TEST_CASE("reductions over every set of axes, kept and dropped, and over none") {
  std::mt19937 random = fresh("reductions");
  for (int rank = 0; rank <= 5; ++rank)
    for (int set = 0; set <= 1 << rank; ++set)  // the last one: axes not given
      for (const bool keep : {false, true}) {
        shape xs{rank, {}};
        for (int i = 0; i < rank; ++i) xs.extent[i] = 1 + below(random, rank > 3 ? 4 : 12);
        tn::reduce_options o{.keepDimensions = keep};
        const bool all = set == 1 << rank;
        if (!all) o.axes = tn::axis_list(std::initializer_list<i64>{});
        for (int i = rank - 1; i >= 0 && !all; --i)  // in no particular order
          if ((set >> i & 1) != 0) o.axes.item[o.axes.count++] = i;
        const floats_of x = noise(random, xs.count());
        const floats_of sums = apply<tn::reduceSum_t>(o, {xs}, {x}),
                        tops = apply<tn::reduceMax_t>(o, {xs}, {x});
        shape kept{rank, {}};  // the result, with reduced axes of extent 1
        for (int i = 0; i < rank; ++i) kept.extent[i] = all || (set >> i & 1) != 0 ? 1 : xs[i];
        REQUIRE(static_cast<i64>(sums.size()) == kept.count());
        REQUIRE(tops.size() == sums.size());
        std::vector<double> sum(sums.size()), size(sums.size()), top(sums.size(), -1e300);
        each(xs, [&](std::size_t i, const i64* at) {
          std::size_t k = 0;
          for (int d = 0; d < rank; ++d)
            k = k * static_cast<std::size_t>(kept[d]) +
                static_cast<std::size_t>(kept[d] == 1 ? 0 : at[d]);
          const double v = static_cast<double>(x[i]);
          sum[k] += v;
          size[k] += std::abs(v);
          top[k] = std::max(top[k], v);
        });
        const double terms = static_cast<double>(xs.count()) / static_cast<double>(kept.count());
        excess es, et;
        for (std::size_t i = 0; i < sums.size(); ++i) {
          es.see(sums[i], sum[i], (terms / 16 + 5) * u * size[i]);
          et.see(tops[i], top[i], 0);
        }
        CHECK(es.worst <= 0);
        CHECK(et.worst <= 0);
      }
}

TEST_CASE("keepDimensions decides the shape of a reduction") {
  tn::builder b;
  const auto x = b.input("x", floats(2, 3, 4));
  CHECK(b.type_of_value(b.add<tn::reduceSum_t>({.axes = {0, 2}}, {x})) == floats(3));
  CHECK(b.type_of_value(b.add<tn::reduceSum_t>({.axes = {0, 2}, .keepDimensions = true}, {x})) ==
        floats(1, 3, 1));
  CHECK(b.type_of_value(b.add<tn::reduceSum_t>({}, {x})) == floats());
  CHECK(b.type_of_value(b.add<tn::reduceMax_t>({.keepDimensions = true}, {x})) == floats(1, 1, 1));
  CHECK(b.type_of_value(b.add<tn::reduceMax_t>({.axes = {}}, {x})) == floats());
}

TEST_CASE("softmax along every axis is what plain loops compute") {
  std::mt19937 random = fresh("softmax");
  for (int rank = 1; rank <= 4; ++rank)
    for (int axis = 0; axis < rank; ++axis)
      for (const float scale : {1.0f, 30.0f}) {
        shape xs{rank, {}};
        for (int i = 0; i < rank; ++i) xs.extent[i] = 1 + below(random, 20 / rank);
        floats_of x = noise(random, xs.count());
        for (float& v : x) v *= scale;
        const floats_of y = apply<tn::softmax_t>({axis}, {xs}, {x});
        excess e;
        each(xs, [&](std::size_t i, const i64* at) {
          double top = -1e300, sum = 0;
          i64 c[tn::max_rank];
          std::copy_n(at, rank, c);
          for (c[axis] = 0; c[axis] < xs[axis]; ++c[axis])
            top = std::max(top, reader{x, xs}.at(c, rank));
          for (c[axis] = 0; c[axis] < xs[axis]; ++c[axis])
            sum += std::exp(reader{x, xs}.at(c, rank) - top);
          const double distance = top - static_cast<double>(x[i]),
                       wanted = std::exp(-distance) / sum;
          // The difference is rounded once (relative to the result: its size), exp errs by 2 ulp at
          // most, each term of the sum likewise, the sum and the quotient round.
          const double relative = (distance + static_cast<double>(xs[axis]) / 16 + 2 * 4 + 5 + 1 +
                                   4 * static_cast<double>(scale)) *
                                  u;
          e.see(y[i], wanted, relative * wanted + 1e-38);
        });
        CHECK(e.worst <= 0);
      }
}

TEST_CASE("transposes and reshapes move elements and change none") {
  std::mt19937 random = fresh("transpose");
  for (int round = 0; round < 100; ++round) {
    const int rank = below(random, 6);
    shape xs{rank, {}}, ys{rank, {}};
    for (int i = 0; i < rank; ++i) xs.extent[i] = 1 + below(random, 5);
    int order[] = {0, 1, 2, 3, 4};
    std::shuffle(order, order + rank, random);
    tn::transpose_options o;
    if (round % 5 == 0) {
      for (int i = 0; i < rank; ++i) order[i] = rank - 1 - i;  // not given: reversed
    } else {
      o.permutation = tn::axis_list(std::initializer_list<i64>{});
      for (int i = 0; i < rank; ++i) o.permutation.item[o.permutation.count++] = order[i];
    }
    for (int i = 0; i < rank; ++i) ys.extent[i] = xs[order[i]];
    const floats_of x = noise(random, xs.count());
    const floats_of y = apply<tn::transpose_t>(o, {xs}, {x});
    bool equal = true;
    each(ys, [&](std::size_t i, const i64* at) {
      i64 from[tn::max_rank]{};
      for (int k = 0; k < rank; ++k) from[order[k]] = at[k];
      equal = equal && static_cast<double>(y[i]) == reader{x, xs}.at(from, rank);
    });
    CHECK(equal);
    tn::reshape_options flat{.newShape = {1, xs.count(), 1}};
    CHECK(apply<tn::reshape_t>(flat, {xs}, {x}) == x);
  }
}

TEST_CASE("element-wise operators broadcast up to rank 5") {
  std::mt19937 random = fresh("broadcast");
  for (int round = 0; round < 200; ++round) {
    const int rank = below(random, 6);
    shape ys{rank, {}}, s[3];
    for (int i = 0; i < rank; ++i) ys.extent[i] = 1 + below(random, 4);
    for (int k = 0; k < 3; ++k) {
      s[k].rank = k == 0 ? rank : below(random, rank + 1);
      for (int i = 0; i < s[k].rank; ++i)
        s[k].extent[i] = k > 0 && below(random, 3) == 0 ? 1 : ys[rank - s[k].rank + i];
    }
    std::shuffle(s, s + 3, random);
    tn::builder b;
    const auto p = b.input("p", {tn::type::float32, s[0]}),
               q = b.input("q", {tn::type::float32, s[1]}),
               r = b.input("r", {tn::type::float32, s[2]});
    const auto mixed = b.map<3>([](auto f, auto g, auto h) { return f * g - h; }, {p, q, r});
    const auto sum = b.add<tn::add_t>({}, {p, q}), less = b.add<tn::sub_t>({}, {q, r}),
               times = b.add<tn::mul_t>({}, {p, r}), over = b.add<tn::div_t>({}, {r, q});
    const std::vector<floats_of> in{noise(random, s[0].count()), noise(random, s[1].count()),
                                    noise(random, s[2].count())};
    const auto net = b.finish({mixed, b.map<3>([](auto f, auto, auto) { return f; }, {sum, p, r}),
                               b.map<2>([](auto f, auto g) { return f + 0.0f * g; }, {less, p}),
                               b.map<2>([](auto f, auto g) { return max(f, g); }, {times, q}),
                               b.map<2>([](auto f, auto g) { return min(f, g); }, {over, p})});
    const std::vector<floats_of> out = run(net, in);
    excess e;
    each(ys, [&](std::size_t i, const i64* at) {
      const double f = reader{in[0], s[0]}.at(at, rank), g = reader{in[1], s[1]}.at(at, rank),
                   h = reader{in[2], s[2]}.at(at, rank);
      const auto near = [&](std::size_t o, double wanted, double size) {
        e.see(out[o][i], wanted, 1.001 * u * size);
      };
      near(0, f * g - h, std::abs(f * g - h));  // one fma: rounded once
      near(1, f + g, std::abs(f + g));
      near(2, g - h, std::abs(g - h));
      near(3, std::max(f * h, g), std::abs(f * h));
      near(4, std::min(h / g, f), std::abs(h / g));
    });
    CHECK(e.worst <= 0);
  }
}

TEST_CASE("NaN and infinities pass through element-wise operators as IEEE 754 says") {
  const floats_of x{none, inf, -inf, -0.0f, 3.0f};
  const shape s = extents(5);
  const auto same = [](const floats_of& a, const floats_of& b) {
    for (std::size_t i = 0; i < a.size(); ++i)
      if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
    return a.size() == b.size();
  };
  CHECK(same(apply<tn::relu_t>({}, {s}, {x}), {none, inf, 0, 0, 3}));
  CHECK(same(apply<tn::clamp_t>({-1, 2}, {s}, {x}), {none, 2, -1, 0, 2}));
  CHECK(same(apply<tn::clamp_t>({}, {s}, {x}), x));
  CHECK(same(apply<tn::sigmoid_t>({}, {s}, {floats_of{none, inf, -inf, 0, 0}}),
             {none, 1, 0, 0.5f, 0.5f}));
  CHECK(same(apply<tn::tanh_t>({}, {s}, {floats_of{none, inf, -inf, 0, 0}}), {none, 1, -1, 0, 0}));
  CHECK(same(apply<tn::exp_t>({}, {s}, {floats_of{none, inf, -inf, 0, 0}}), {none, inf, 0, 1, 1}));
  const floats_of y{1, -inf, -inf, inf, none};
  CHECK(same(apply<tn::add_t>({}, {s, s}, {x, y}), {none, none, -inf, inf, none}));
  CHECK(same(apply<tn::sub_t>({}, {s, s}, {x, y}), {none, inf, none, -inf, none}));
  CHECK(same(apply<tn::mul_t>({}, {s, s}, {x, y}), {none, -inf, inf, none, none}));
  CHECK(
      same(apply<tn::div_t>({}, {s, s}, {x, {0, 0, inf, -0.0f, 0}}), {none, inf, none, none, inf}));
  tn::builder b;
  const auto p = b.input("p", floats(5)), q = b.input("q", floats(5));
  const auto out = run(b.finish({b.map<2>([](auto f, auto g) { return max(f, g); }, {p, q}),
                                 b.map<2>([](auto f, auto g) { return min(f, g); }, {p, q})}),
                       {x, y});
  CHECK(same(out[0], {none, inf, -inf, inf, none}));
  CHECK(same(out[1], {none, -inf, -inf, -0.0f, none}));
}

TEST_CASE("NaN and infinities pass through pools, reductions, softmax and products") {
  const tn::pool2d_options two{.windowDimensions = {1, 2}, .strides = {1, 2}};
  const floats_of x{1, none, none, 2, -inf, 3, -inf, -inf};
  const shape image = extents(1, 1, 1, 8);
  const floats_of top = apply<tn::maxPool2d_t>(two, {image}, {x}),
                  mean = apply<tn::averagePool2d_t>(two, {image}, {x});
  CHECK((std::isnan(top[0]) && std::isnan(top[1]) && top[2] == 3 && top[3] == -inf));
  CHECK((std::isnan(mean[0]) && std::isnan(mean[1]) && mean[2] == -inf && mean[3] == -inf));

  const shape rows = extents(4, 2);
  const floats_of most = apply<tn::reduceMax_t>({.axes = {1}}, {rows}, {x}),
                  sum = apply<tn::reduceSum_t>({.axes = {1}}, {rows},
                                               {floats_of{inf, -inf, inf, 1, none, 1, -inf, -inf}});
  CHECK((std::isnan(most[0]) && std::isnan(most[1]) && most[2] == 3 && most[3] == -inf));
  CHECK((std::isnan(sum[0]) && sum[1] == inf && std::isnan(sum[2]) && sum[3] == -inf));
  for (int at = 0; at < 40;
       ++at) {  // wherever the NaN stands among 16 partial results and their tree
    floats_of long_row(40, 1.0f);
    long_row[static_cast<std::size_t>(at)] = none;
    CHECK(std::isnan(apply<tn::reduceMax_t>({}, {extents(40)}, {long_row})[0]));
    CHECK(std::isnan(apply<tn::reduceSum_t>({}, {extents(40)}, {long_row})[0]));
  }

  const floats_of p = apply<tn::softmax_t>({1}, {extents(4, 3)},
                                           {{none, 0, 0, inf, 0, 0, -inf, 0, 0, -inf, -inf, -inf}});
  for (const int i : {0, 1, 2, 3, 4, 5, 9, 10, 11})
    CHECK(std::isnan(p[static_cast<std::size_t>(i)]));
  CHECK((p[6] == 0 && p[7] == 0.5f && p[8] == 0.5f));

  const floats_of product =
      apply<tn::matmul_t>({}, {extents(2, 2), extents(2, 2)}, {{inf, 1, 0, 1}, {1, 0, 2, none}});
  CHECK((product[0] == inf && std::isnan(product[1]) && product[2] == 2 && std::isnan(product[3])));
  const floats_of padded = apply<tn::conv2d_t>(
      {.padding = {0, 0, 1, 0}}, {extents(1, 1, 1, 2), extents(1, 1, 1, 2)}, {{1, 1}, {inf, 1}});
  CHECK((std::isnan(padded[0]) && padded[1] == inf));  // padding is a product with zero
}
