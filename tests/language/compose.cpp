// Composite operators against their definitions in double precision.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

// WebNN's defaults.
static_assert(tn::layerNormalization_options{}.epsilon == 1e-5f &&
              !tn::layerNormalization_options{}.axes.given());
static_assert(tn::batchNormalization_options{}.epsilon == 1e-5f &&
              tn::batchNormalization_options{}.axis == 1);
static_assert(tn::instanceNormalization_options{}.epsilon == 1e-5f &&
              tn::instanceNormalization_options{}.layout == tn::image_layout::nchw);

template <class Op, class... T>
constexpr tn::error fault(const typename Op::options& o, T... types) {
  const tn::tensor in[] = {types...};
  return Op::infer(o, {in, sizeof...(T)}).error();
}
using namespace tenon;
static_assert(
    fault<layerNormalization_t>({.axes = {2}}, floats(4, 5)).is(code::axis, "layerNormalization"));
static_assert(fault<layerNormalization_t>({.axes = {1}}, floats(4, 5), floats(4))
                  .is(code::extent, "layerNormalization"));
static_assert(fault<layerNormalization_t>({.axes = {1, 0}}, floats(4, 5), floats(4, 5))
                  .is(code::extent, "layerNormalization"));
static_assert(fault<layerNormalization_t>({.axes = {1, 0}}, floats(4, 5), floats(5, 4)).ok());
static_assert(fault<layerNormalization_t>({}, floats(4, 5), floats(5), floats(5), floats(5))
                  .is(code::operand_count, "layerNormalization"));
static_assert(fault<batchNormalization_t>({}, floats(4, 5), floats(5), floats(4))
                  .is(code::extent, "batchNormalization"));
static_assert(fault<batchNormalization_t>({.axis = 2}, floats(4, 5), floats(5), floats(5))
                  .is(code::axis, "batchNormalization"));
static_assert(fault<batchNormalization_t>({}, floats(4, 5), floats(5))
                  .is(code::operand_count, "batchNormalization"));
static_assert(
    fault<instanceNormalization_t>({}, floats(4, 5, 6)).is(code::rank, "instanceNormalization"));
static_assert(fault<instanceNormalization_t>({}, floats(2, 3, 4, 5), floats(5))
                  .is(code::extent, "instanceNormalization"));
static_assert(fault<attention_t>({.heads = 3}, floats(1, 4, 8), floats(1, 4, 8), floats(1, 4, 8))
                  .is(code::option, "attention"));
static_assert(fault<attention_t>({.heads = 0}, floats(1, 4, 8), floats(1, 4, 8), floats(1, 4, 8))
                  .is(code::option, "attention"));
static_assert(fault<attention_t>({}, floats(4, 8), floats(1, 4, 8), floats(1, 4, 8))
                  .is(code::rank, "attention"));
static_assert(fault<attention_t>({}, floats(1, 4, 8), floats(1, 5, 6), floats(1, 5, 8))
                  .is(code::extent, "attention"));
static_assert(fault<attention_t>({}, floats(1, 4, 8), floats(1, 5, 8), floats(1, 4, 8))
                  .is(code::extent, "attention"));
static_assert(fault<attention_t>({.heads = 2}, floats(1, 4, 8), floats(1, 5, 8), floats(1, 5, 8),
                                 floats(3, 5))
                  .is(code::broadcast, "attention"));
static_assert(fault<attention_t>({.heads = 2}, floats(1, 4, 8), floats(1, 5, 8), floats(1, 5, 8),
                                 floats(2, 1, 2, 4, 5))
                  .is(code::broadcast, "attention"));

void check_close(const std::vector<double>& wanted, const array& found, double allowed) {
  REQUIRE(wanted.size() == found.at.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    INFO("element " << i << ": wanted " << wanted[i] << ", found " << found.at[i]);
    REQUIRE(std::abs(wanted[i] - found.at[i]) <= allowed * std::max(1.0, std::abs(wanted[i])));
  }
}
/// (x - mean) / sqrt(variance + epsilon), with the moments of all elements that `part` puts
/// together.
template <class F> std::vector<double> standardized(const array& x, double epsilon, F&& part) {
  std::vector<double> sum, square, count;
  const auto at = [](std::vector<double>& v, tn::i64 i) -> double& {
    if (static_cast<std::size_t>(i) >= v.size()) v.resize(static_cast<std::size_t>(i) + 1);
    return v[static_cast<std::size_t>(i)];
  };
  each_position(x.is.shape, [&](const tn::i64* p, tn::i64 n) {
    at(sum, part(p)) += x[n], at(count, part(p)) += 1;
  });
  each_position(x.is.shape, [&](const tn::i64* p, tn::i64 n) {
    const double off = x[n] - at(sum, part(p)) / at(count, part(p));
    at(square, part(p)) += off * off;
  });
  std::vector<double> r;
  each_position(x.is.shape, [&](const tn::i64* p, tn::i64 n) {
    const double m = at(sum, part(p)) / at(count, part(p)),
                 v = at(square, part(p)) / at(count, part(p));
    r.push_back((x[n] - m) / std::sqrt(v + epsilon));
  });
  return r;
}
/// Random numbers whose variance is not small, so that the quotient is well conditioned.
array spread_array(const tn::tensor& t, dice& d) {
  return made(t,
              [&](tn::i64 i) { return static_cast<double>(4 * d.real()) + (i % 2 == 0 ? 1 : -1); });
}
array rounded(array x) {
  for (double& v : x.at) v = static_cast<double>(static_cast<float>(v));
  return x;
}

}  // namespace

TEST_CASE("softmax along every axis is what plain loops compute") {
  for (int round = 0; round < times(16); ++round) {
    dice d = dice_of(761, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 9);
    const int axis = d.in(0, s.rank - 1);
    array x = random_array(reals(s), d);
    const double scale = round % 2 ? 40 : 1;
    for (double& v : x.at) v *= scale;
    x = rounded(x);
    std::vector<double> sum(static_cast<std::size_t>(s.count() / s[axis])),
        wanted(static_cast<std::size_t>(s.count()));
    const auto part = [&](const tn::i64* p) {
      tn::i64 n = 0;
      for (int i = 0; i < s.rank; ++i)
        if (i != axis) n = n * s[i] + p[i];
      return static_cast<std::size_t>(n);
    };
    each_position(s, [&](const tn::i64* p, tn::i64 n) { sum[part(p)] += std::exp(x[n] - 200); });
    each_position(s, [&](const tn::i64* p, tn::i64 n) {
      wanted[static_cast<std::size_t>(n)] = std::exp(x[n] - 200) / sum[part(p)];
    });
    INFO(text_of(s) << " axis " << axis);
    check_close(wanted, operate<softmax_t>({axis}, {x}), 1e-6);
  }
}

TEST_CASE("resample2d interpolates along both axes") {
  for (int round = 0; round < times(30); ++round) {
    dice d = dice_of(767, round);
    const tn::shape s = random_shape(d, 4, 9);
    resample2d_options o{.mode = interpolation::linear};
    const int first = d.in(0, 3), axes[2] = {first, (first + d.in(1, 3)) % 4};
    o.axes = {axes[0], axes[1]};
    o.sizes = {d.in(1, 20), d.in(1, 20)};
    tn::shape out = s;
    for (int i = 0; i < 2; ++i) out.extent[axes[i]] = o.sizes[i];
    const array x = random_array(reals(s), d);
    std::vector<double> wanted;
    each_position(out, [&](const tn::i64* at, tn::i64) {
      double sum = 0;
      for (int corner = 0; corner < 4; ++corner) {  // WebNN's formula, in double
        tn::i64 from[4] = {at[0], at[1], at[2], at[3]};
        double weight = 1;
        for (int i = 0; i < 2; ++i) {
          const double extent = static_cast<double>(s[axes[i]]),
                       scale = static_cast<double>(out[axes[i]]) / extent;
          const double c =
              std::clamp((static_cast<double>(at[axes[i]]) + 0.5) / scale - 0.5, 0.0, extent - 1);
          from[axes[i]] =
              static_cast<tn::i64>((corner >> i & 1) != 0 ? std::ceil(c) : std::floor(c));
          weight *= (corner >> i & 1) != 0 ? c - std::floor(c) : 1 - (c - std::floor(c));
        }
        sum += weight * x[number_of(s, from)];
      }
      wanted.push_back(sum);
    });
    INFO(text_of(s) << " to " << text_of(out));
    check_close(wanted, operate<resample2d_t>(o, {x}), 1e-6);
  }
  const array ramp = made(floats(1, 1, 4, 4),
                          [](tn::i64 i) { return static_cast<double>(i % 4 + (i >= 8 ? 12 : 0)); });
  const double row[] = {0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3},
               down[] = {0, 0, 0, 3, 9, 12, 12, 12};  // the specification's own example
  const array y = operate<resample2d_t>({.mode = interpolation::linear, .scales = {2, 2}}, {ramp});
  for (int i = 0; i < 64; ++i) CHECK(y[i] == row[i % 8] + down[i / 8]);
}

TEST_CASE("resample2d of bytes is that of float32, rounded once") {
  for (int round = 0; round < times(20); ++round) {
    dice d = dice_of(768, round);
    const resample2d_options o{.mode = interpolation::linear, .sizes = {d.in(1, 12), d.in(1, 12)}};
    for (const tn::type t : {tn::type::int8, tn::type::uint8}) {
      const array x = random_array({t, random_shape(d, 4, 6)}, d);
      array wanted = operate<resample2d_t>(o, {array{reals(x.is.shape), x.at}});
      wanted.is.type = t;
      for (double& n : wanted.at) n = std::nearbyint(n);
      INFO(text_of(x.is.shape) << ", seed " << seed());
      CHECK(difference(wanted, operate<resample2d_t>(o, {x})) == "");
    }
  }
}

TEST_CASE("layerNormalization over any axes, in any order, with and without scale and bias") {
  for (int round = 0; round < times(30); ++round) {
    dice d = dice_of(762, round);
    tn::shape s = random_shape(d, d.in(1, 4), 6);
    const bool given = d.in(0, 3) > 0;
    layerNormalization_options o{.epsilon = d.one_in(2) ? 1e-5f : 0.25f, .scale = d.one_in(2)};
    std::vector<int> axes;
    for (int i = given ? 0 : 1; i < s.rank; ++i)
      if (!given || d.one_in(2)) axes.push_back(i);
    if (given) {
      for (std::size_t i = axes.size(); i > 1; --i) std::swap(axes[i - 1], axes[d.next() % i]);
      o.axes = axis_list({});
      for (const int a : axes) o.axes.item[o.axes.count++] = a;
    }
    const array x = rounded(spread_array(reals(s), d));
    tn::shape affine{static_cast<int>(axes.size()), {}};
    for (std::size_t i = 0; i < axes.size(); ++i) affine.extent[i] = s[axes[i]];
    std::vector<array> in{x};
    for (int extra = d.in(0, 2); extra > 0; --extra) in.push_back(random_array(reals(affine), d));
    std::vector<double> wanted =
        standardized(x, static_cast<double>(o.epsilon), [&](const tn::i64* p) {
          tn::i64 n = 0;
          for (int i = 0; i < s.rank; ++i)
            if (std::find(axes.begin(), axes.end(), i) == axes.end()) n = n * s[i] + p[i];
          return n;
        });
    each_position(s, [&](const tn::i64* p, tn::i64 n) {
      tn::i64 at[tn::max_rank]{};
      for (std::size_t i = 0; i < axes.size(); ++i) at[i] = p[axes[i]];
      const tn::i64 k = number_of(affine, at);
      double& y = wanted[static_cast<std::size_t>(n)];
      const bool biased = in.size() == 2 && !o.scale;
      if (in.size() > 1) y = biased ? y + in[1][k] : y * in[1][k];
      if (in.size() > 2) y += in[2][k];
    });
    INFO(text_of(s) << ", " << axes.size() << " axes, " << in.size() << " operands");
    // A single element has no deviation at all: exactly its bias.
    check_close(wanted, operate<layerNormalization_t>(o, in), 2e-5);
  }
}

TEST_CASE("batchNormalization with every choice of operands is what plain loops compute") {
  for (int round = 0; round < times(30); ++round) {
    dice d = dice_of(763, round);
    const tn::shape s = random_shape(d, d.in(1, 4), 6);
    const int axis = s.rank == 1 ? 0 : d.in(0, s.rank - 1), operands = 3 + round % 3;
    const batchNormalization_options o{
        .axis = axis, .epsilon = d.one_in(2) ? 1e-5f : 0.5f, .scale = d.one_in(2)};
    std::vector<array> in{random_array(reals(s), d)};
    for (int i = 1; i < operands; ++i) in.push_back(random_array(floats(s[axis]), d));
    for (double& v : in[2].at) v = static_cast<double>(static_cast<float>(std::abs(v) + 0.1));
    std::vector<double> wanted;
    each_position(s, [&](const tn::i64* p, tn::i64 n) {
      const tn::i64 c = p[axis];
      double y = (in[0][n] - in[1][c]) / std::sqrt(in[2][c] + static_cast<double>(o.epsilon));
      if (operands == 5) y = y * in[3][c] + in[4][c];
      if (operands == 4) y = o.scale ? y * in[3][c] : y + in[3][c];
      wanted.push_back(y);
    });
    INFO(text_of(s) << " axis " << axis << ", " << operands << " operands, scale " << o.scale);
    check_close(wanted, operate<batchNormalization_t>(o, in), 4e-6);
  }
}

TEST_CASE(
    "instanceNormalization in both layouts with every choice of operands is what plain loops "
    "compute") {
  for (int round = 0; round < times(24); ++round) {
    dice d = dice_of(764, round);
    const tn::shape s = tn::extents(d.in(1, 3), d.in(2, 6), d.in(2, 6), d.in(2, 6));
    const bool nchw = round % 2 == 0;
    const int channel = nchw ? 1 : 3, operands = 1 + round / 2 % 3;
    const instanceNormalization_options o{.epsilon = d.one_in(2) ? 1e-5f : 0.125f,
                                          .layout = nchw ? image_layout::nchw : image_layout::nhwc,
                                          .scale = d.one_in(2)};
    const array x = rounded(spread_array(reals(s), d));
    std::vector<array> in{x};
    for (int i = 1; i < operands; ++i) in.push_back(random_array(floats(s[channel]), d));
    std::vector<double> wanted =
        standardized(x, static_cast<double>(o.epsilon),
                     [&](const tn::i64* p) { return p[0] * s[channel] + p[channel]; });
    each_position(s, [&](const tn::i64* p, tn::i64 n) {
      double& y = wanted[static_cast<std::size_t>(n)];
      if (operands == 3) y = y * in[1][p[channel]] + in[2][p[channel]];
      if (operands == 2) y = o.scale ? y * in[1][p[channel]] : y + in[1][p[channel]];
    });
    INFO(text_of(s) << (nchw ? " nchw, " : " nhwc, ") << operands << " operands, scale "
                    << o.scale);
    check_close(wanted, operate<instanceNormalization_t>(o, in), 2e-5);
  }
}

TEST_CASE("attention of several heads, with masks that broadcast") {
  for (int round = 0; round < times(24); ++round) {
    dice d = dice_of(765, round);
    const int b = d.in(1, 3), m = d.in(1, 7), n = d.in(1, 9), heads = d.in(1, 3),
              c = heads * d.in(1, 5), e = heads * d.in(1, 4);
    std::vector<array> in{random_array(floats(b, m, c), d), random_array(floats(b, n, c), d),
                          random_array(floats(b, n, e), d)};
    const tn::shape masks[] = {
        tn::extents(m, n),        tn::extents(1, n), tn::extents(b, 1, m, n),
        tn::extents(heads, 1, 1), tn::shape{},       tn::extents(b, heads, m, n)};
    const tn::shape scores = tn::extents(b, heads, m, n);
    if (d.in(0, 3) > 0) {
      in.push_back(random_array(reals(d.pick(masks)), d));
      if (in[3].count() > 1 && in[3].is.shape[in[3].is.shape.rank - 1] == n && n > 1)
        for (tn::i64 i = 0; i < in[3].count(); i += n)
          in[3][i] = -infinite;  // keys that nobody sees
    }
    std::vector<double> wanted(static_cast<std::size_t>(b * m * e));
    const int width = c / heads, out = e / heads;
    for (int i = 0; i < b; ++i)
      for (int h = 0; h < heads; ++h)
        for (int q = 0; q < m; ++q) {
          std::vector<double> w(static_cast<std::size_t>(n));
          double sum = 0;
          for (int k = 0; k < n; ++k) {
            double s = 0;
            for (int j = 0; j < width; ++j)
              s += in[0][(i * m + q) * c + h * width + j] * in[1][(i * n + k) * c + h * width + j];
            s /= std::sqrt(width);
            const tn::i64 at[] = {i, h, q, k};
            if (in.size() == 4) s += in[3][broadcast_number(in[3].is.shape, scores, at)];
            sum += w[static_cast<std::size_t>(k)] = std::exp(s);
          }
          for (int k = 0; k < n; ++k)
            for (int j = 0; j < out; ++j)
              wanted[static_cast<std::size_t>((i * m + q) * e + h * out + j)] +=
                  w[static_cast<std::size_t>(k)] / sum * in[2][(i * n + k) * e + h * out + j];
        }
    INFO(b << " x " << m << " queries, " << n << " keys, " << heads << " heads of " << width
           << " and " << out << ", " << in.size() << " operands");
    check_close(wanted, operate<attention_t>({.heads = heads}, in), 4e-6);
  }
}

TEST_CASE("static graphs of composite operators are their tables") {
  constexpr auto model = [](auto x, auto scale, auto mask) {
    auto image = reshape<2, 3, 4, 2>(x);
    auto n = layerNormalization<layerNormalization_options{.axes = {3, 1}}>(image,
                                                                            transpose<1, 0>(scale));
    auto i = instanceNormalization<instanceNormalization_options{.layout = image_layout::nhwc,
                                                                 .scale = false}>(
        image, reduceMax<reduce_options{.axes = {0}}>(scale));
    auto b = batchNormalization<batchNormalization_options{.axis = 2}>(
        image, weight<"mean", float, 4>, weight<"variance", float, 4>, weight<"factor", float, 4>,
        weight<"bias", float, 4>);
    auto s = reshape<2, 4, 6>(n + gelu(i));
    return outputs(n, i, b,
                   attention<attention_options{.heads = 3}>(s, s, tn::reshape<2, 4, 6>(b), mask),
                   softmax<1>(s));
  };
  using net = graph<model, input<"x", float, 2, 24>, input<"scale", float, 3, 2>,
                    input<"mask", float, 4, 4>>;
  dice d = dice_of(766, 0);
  array variance = random_array(floats(4), d);
  for (double& v : variance.at) v = static_cast<double>(static_cast<float>(std::abs(v) + 0.1));
  const array x = rounded(spread_array(floats(2, 24), d)), scale = random_array(floats(3, 2), d),
              mask = random_array(floats(4, 4), d);
  const array mean = random_array(floats(4), d), factor = random_array(floats(4), d),
              bias = random_array(floats(4), d);
  const std::vector<array> y =
      run_static_both<net>({x, scale, mask}, {mean, variance, factor, bias});
  std::vector<double> wanted;
  each_position(y[2].is.shape, [&](const tn::i64* p, tn::i64 n) {
    wanted.push_back((x[n] - mean[p[2]]) / std::sqrt(variance[p[2]] + 1e-5) * factor[p[2]] +
                     bias[p[2]]);
  });
  check_close(wanted, y[2], 4e-6);
}
