// Moves: what they show, for every element type, and which of them cost nothing.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

constexpr tn::type stored[] = {tn::type::float32, tn::type::int32, tn::type::uint8,
                               tn::type::int64};

/// Which nodes of a plan have a group of their own, by the operator's name.
template <class Plan> constexpr int groups_of(const char* op) {
  int n = 0;
  const tn::plan_view p = Plan::view();
  for (int i = 0; i < p.table.nodes.size; ++i)
    n += p.group_of[i] >= 0 && same_text(p.table.nodes[i].op, op);
  return n;
}
template <auto Model, class... In> constexpr int groups_on_reference(const char* op) {
  return groups_of<tn::plan<tn::graph<Model, In...>, tn::reference>>(op);
}
template <auto Model, class... In> constexpr int groups_on_cpu(const char* op) {
  return groups_of<tn::plan<tn::graph<Model, In...>, tn::cpu>>(op);
}
using x46 = tn::input<"x", float, 4, 6>;
using y46 = tn::input<"y", float, 4, 6>;

// A slice without gaps, a split along the first axis and an expansion of nothing are views for
// everybody.
constexpr auto rows = [](auto x) {
  return tn::relu(tn::slice<tn::slice_options{.starts = {1, 0}, .sizes = {2, 6}}>(x));
};
static_assert(groups_on_reference<rows, x46>("slice") == 0 &&
              groups_on_cpu<rows, x46>("slice") == 0);
constexpr auto halves = [](auto x) {
  auto [a, b] = tn::split<0, 1, 3>(x);
  return tn::outputs(tn::relu(a), tn::softmax<1>(b));
};
static_assert(groups_on_reference<halves, x46>("split") == 0 &&
              groups_on_cpu<halves, x46>("split") == 0);
// Columns have gaps: cpu's element-wise loops read them in place, reference copies them.
constexpr auto columns = [](auto x) {
  return tn::relu(tn::slice<tn::slice_options{.starts = {0, 2}, .sizes = {4, 3}}>(x));
};
static_assert(groups_on_reference<columns, x46>("slice") == 1 &&
              groups_on_cpu<columns, x46>("slice") == 0);
// Products read anything in place.
constexpr auto turned = [](auto x, auto y) {
  return tn::outputs(tn::matmul(x, tn::transpose<1, 0>(y)),
                     tn::matmul(tn::reverse<0>(x), tn::reshape<6, 4>(y)));
};
static_assert(groups_on_cpu<turned, x46, y46>("transpose") == 0 &&
              groups_on_cpu<turned, x46, y46>("reverse") == 0);

// What is computed is computed where the concat wants it.
constexpr auto joined = [](auto x, auto y) {
  return tn::relu(tn::concat<0>(tn::exp(x), tn::softmax<1>(y), tn::tanh(x)));
};
static_assert(groups_on_reference<joined, x46, y46>("concat") == 0 &&
              groups_on_cpu<joined, x46, y46>("concat") == 0);
constexpr auto nested = [](auto x, auto y) {
  return tn::concat<0>(tn::exp(x),
                       tn::concat<0>(tn::tanh(y), tn::concat<0>(tn::sin(x), tn::cos(y))));
};
static_assert(groups_on_reference<nested, x46, y46>("concat") == 0 &&
              groups_on_cpu<nested, x46, y46>("concat") == 0);
// Along another axis the operands have gaps, and inputs, outputs and views are not moved: a copy.
// What can be computed in place is, beside a copy of the rest; also in a concat of concats.
constexpr auto partly = [](auto x, auto y) {
  return tn::concat<0>(tn::concat<0>(tn::exp(x), y), x);
};
static_assert(groups_on_reference<partly, x46, y46>("concat") == 2 &&
              tn::plan<tn::graph<partly, x46, y46>, tn::cpu>::arena_bytes < 1024);
constexpr auto wide = [](auto x, auto y) { return tn::concat<1>(tn::exp(x), tn::tanh(y)); };
static_assert(groups_on_reference<wide, x46, y46>("concat") == 1 &&
              groups_on_cpu<wide, x46, y46>("concat") == 1);
constexpr auto of_inputs = [](auto x, auto y) { return tn::concat<0>(x, y); };
static_assert(groups_on_cpu<of_inputs, x46, y46>("concat") == 1);
constexpr auto of_output = [](auto x, auto y) {
  const auto e = tn::exp(x);
  return tn::outputs(e, tn::concat<0>(e, tn::tanh(y)));
};
static_assert(groups_on_cpu<of_output, x46, y46>("concat") == 1);

constexpr auto many = [](auto x, auto y) {
  const auto e = tn::exp(x);
  const auto t = tn::tanh(y);
  return tn::outputs(
      tn::concat<0>(e, e, t),
      tn::concat<1>(x, e, tn::slice<tn::slice_options{.starts = {0, 1}, .sizes = {4, 2}}>(y)),
      tn::concat<1>(
          tn::concat<0>(tn::sin(x), y),
          tn::concat<0>(
              tn::slice<tn::slice_options{.starts = {1, 0}, .sizes = {3, 6}}>(e), tn::sin(y),
              tn::reshape<1, 6>(tn::relu(tn::expand<6>(tn::reshape<1>(tn::reduceSum(x))))))),
      e);
};
using many_net = tn::graph<many, x46, y46>;

array naive_slice(const array& x, const std::vector<tn::i64>& starts,
                  const std::vector<tn::i64>& sizes, const std::vector<tn::i64>& strides) {
  tn::shape s{x.is.shape.rank, {}};
  for (int i = 0; i < s.rank; ++i)
    s.extent[i] = (sizes[static_cast<std::size_t>(i)] + strides[static_cast<std::size_t>(i)] - 1) /
                  strides[static_cast<std::size_t>(i)];
  array r = zeros({x.is.type, s});
  each_position(s, [&](const tn::i64* at, tn::i64 n) {
    tn::i64 from[tn::max_rank]{};
    for (int i = 0; i < s.rank; ++i)
      from[i] = starts[static_cast<std::size_t>(i)] + at[i] * strides[static_cast<std::size_t>(i)];
    r[n] = x[number_of(x.is.shape, from)];
  });
  return r;
}
array naive_concat(int axis, const std::vector<array>& all) {
  tn::tensor t = all[0].is;
  t.shape.extent[axis] = 0;
  for (const array& a : all) t.shape.extent[axis] += a.is.shape[axis];
  array r = zeros(t);
  tn::i64 before = 0;
  for (const array& a : all) {
    each_position(a.is.shape, [&](const tn::i64* at, tn::i64 n) {
      tn::i64 to[tn::max_rank]{};
      for (int i = 0; i < t.shape.rank; ++i) to[i] = at[i] + (i == axis ? before : 0);
      r[number_of(t.shape, to)] = a[n];
    });
    before += a.is.shape[axis];
  }
  return r;
}
/// Elements that `f` finds: `f(position)` gives the position in `x`, or false.
template <class F> array naive_move(const array& x, const tn::shape& s, double elsewhere, F&& f) {
  array r = zeros({x.is.type, s});
  each_position(s, [&](const tn::i64* at, tn::i64 n) {
    tn::i64 from[tn::max_rank]{};
    r[n] = f(at, from) ? x[number_of(x.is.shape, from)] : elsewhere;
  });
  return r;
}
tn::axis_list list_of(const std::vector<tn::i64>& v) {
  tn::axis_list r({});
  for (const tn::i64 x : v) r.item[r.count++] = x;
  return r;
}

}  // namespace

TEST_CASE("slices and splits show their box of every element type") {
  for (int round = 0; round < times(48); ++round) {
    dice d = dice_of(731, round);
    const tn::shape s = random_shape(d, d.in(0, 4), 6);
    const array x = random_array({stored[round % 4], s}, d);
    std::vector<tn::i64> starts, sizes, strides;
    for (int i = 0; i < s.rank; ++i) {
      starts.push_back(d.in(0, static_cast<int>(s[i]) - 1));
      sizes.push_back(d.in(1, static_cast<int>(s[i] - starts.back())));
      strides.push_back(d.in(1, 3));
    }
    INFO(text_of(s) << " of " << tn::name_of(x.is.type));
    CHECK(difference(naive_slice(x, starts, sizes, strides),
                     operate<tn::slice_t>({list_of(starts), list_of(sizes), list_of(strides)},
                                          {x})) == "");
    std::vector<tn::i64> ones(static_cast<std::size_t>(s.rank), 1);
    CHECK(difference(naive_slice(x, starts, sizes, ones),
                     operate<tn::slice_t>({list_of(starts), list_of(sizes), {}}, {x})) == "");
    if (s.rank == 0) continue;
    const int axis = d.in(0, s.rank - 1);
    std::vector<tn::i64> from(static_cast<std::size_t>(s.rank), 0), whole;
    for (int i = 0; i < s.rank; ++i) whole.push_back(s[i]);
    const auto at = static_cast<std::size_t>(axis);
    from[at] = starts[at], whole[at] = sizes[at];
    CHECK(difference(naive_slice(x, from, whole, ones),
                     operate<tn::split_t>({axis, starts[at], sizes[at]}, {x})) == "");
  }
}

TEST_CASE("concat puts up to 20 operands one behind the other") {
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(732, round);
    tn::shape s = random_shape(d, d.in(1, 4), 4);
    const int axis = d.in(0, s.rank - 1), count = round % 4 == 0 ? 20 : d.in(1, 20);
    const tn::type t = stored[d.in(0, 3)];
    const bool computed = t == tn::type::float32 && d.one_in(2);
    tn::builder b;
    tn::builder::value v[20];
    std::vector<array> all, wanted;
    for (int i = 0; i < count; ++i) {
      s.extent[axis] = d.in(1, 4);
      all.push_back(random_array({t, s}, d));
      wanted.push_back(all.back());
      v[i] = b.input(tn::name("x") + i, all.back().is);
      if (computed && d.in(0, 3) > 0) {
        v[i] = b.add<tn::neg_t>({}, {v[i]});
        for (double& e : wanted.back().at) e = -e;
      }
    }
    for (int i = 1; i < count; ++i)
      if (d.one_in(5))
        v[i] = v[i - 1],
        wanted[static_cast<std::size_t>(i)] = wanted[static_cast<std::size_t>(i) - 1];
    // the builder takes at most 8 operands at once: further ones in groups of up to 8
    std::vector<tn::builder::value> parts(v, v + count);
    const auto join = [&](std::size_t first, std::size_t n) {
      const auto* p = parts.data() + first;
      switch (n) {
        case 1: return b.add<tn::concat_t>({axis}, {p[0]});
        case 2: return b.add<tn::concat_t>({axis}, {p[0], p[1]});
        case 3: return b.add<tn::concat_t>({axis}, {p[0], p[1], p[2]});
        case 4: return b.add<tn::concat_t>({axis}, {p[0], p[1], p[2], p[3]});
        default: return b.add<tn::concat_t>({axis}, {p[0], p[1], p[2], p[3], p[4]});
      }
    };
    while (parts.size() > 5) {
      const std::size_t n = static_cast<std::size_t>(d.in(2, 5)),
                        first =
                            static_cast<std::size_t>(d.in(0, static_cast<int>(parts.size() - n)));
      const auto y = join(first, n);
      parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(first),
                  parts.begin() + static_cast<std::ptrdiff_t>(first + n));
      parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(first), y);
    }
    const auto y = join(0, parts.size());
    const bool also = d.one_in(3);
    const tn::result<tn::table> net = also ? b.finish({y, v[0]}) : b.finish({y});
    REQUIRE(net.ok());
    const std::vector<array> found = run_both(net->view(), all);
    INFO("round " << round << ", " << count << " along axis " << axis << text_of(net->view()));
    CHECK(difference(naive_concat(axis, wanted), found[0]) == "");
    if (also) CHECK(difference(wanted[0], found[1]) == "");
  }
}

TEST_CASE("concat of 20 operands in one call of a static graph") {
  constexpr auto twenty = [](auto x, auto y) {
    const auto a = tn::exp(x);
    const auto b = -y;
    return tn::outputs(
        tn::concat<0>(a, b, x, y, a, b, x, y, a, b, x, y, a, b, x, y, a, b, x, y),
        tn::concat<1>(a, b, x, y, a, b, x, y, a, b, x, y, a, b, x, y, a, b, x, y),
        tn::concat<0>(-x, -y, tn::abs(x), tn::abs(y), tn::relu(x), tn::relu(y), tn::floor(x),
                      tn::floor(y), tn::ceil(x), tn::ceil(y), tn::sign(x), tn::sign(y)));
  };
  dice d = dice_of(733, 0);
  const array x = random_array(floats(4, 6), d), y = random_array(floats(4, 6), d);
  const std::vector<array> found = run_static_both<tn::graph<twenty, x46, y46>>({x, y});
  const auto each = [](const array& v, double (*f)(double)) {
    return made(v.is, [&](tn::i64 i) { return f(v[i]); });
  };
  array a = operate<tn::exp_t>({}, {x}), b = each(y, [](double v) { return -v; });
  std::vector<array> all;
  for (int i = 0; i < 5; ++i) all.insert(all.end(), {a, b, x, y});
  CHECK(difference(naive_concat(0, all), found[0]) == "");
  CHECK(difference(naive_concat(1, all), found[1]) == "");
  std::vector<array> twelve;
  for (const auto f :
       {+[](double v) { return -v; }, +[](double v) { return std::abs(v); },
        +[](double v) { return v > 0 ? v : 0.0; }, +[](double v) { return std::floor(v); },
        +[](double v) { return std::ceil(v); },
        +[](double v) { return v > 0   ? 1.0
                               : v < 0 ? -1.0
                                       : v; }})
    twelve.push_back(each(x, f)), twelve.push_back(each(y, f));
  CHECK(difference(naive_concat(0, twelve), found[2]) == "");
}

TEST_CASE("concat joins views, inputs, outputs and other concats") {
  dice d = dice_of(734, 0);
  const array x = random_array(floats(4, 6), d), y = random_array(floats(4, 6), d);
  const std::vector<array> found = run_static_both<many_net>({x, y});
  const array e = operate<tn::exp_t>({}, {x}), t = operate<tn::tanh_t>({}, {y}),
              sx = operate<tn::sin_t>({}, {x}), sy = operate<tn::sin_t>({}, {y});
  CHECK(difference(naive_concat(0, {e, e, t}), found[0]) == "");
  CHECK(difference(naive_concat(1, {x, e, naive_slice(y, {0, 1}, {4, 2}, {1, 1})}), found[1]) ==
        "");
  const array sum = operate<tn::reduceSum_t>({}, {x});
  const array row = made(floats(1, 6), [&](tn::i64) { return std::max(0.0, sum[0]); });
  CHECK(difference(
            naive_concat(1, {naive_concat(0, {sx, y}),
                             naive_concat(0, {naive_slice(e, {1, 0}, {3, 6}, {1, 1}), sy, row})}),
            found[2]) == "");
  CHECK(difference(e, found[3]) == "");
}

TEST_CASE("expand, tile, reverse and transpose show every element where it belongs") {
  for (int round = 0; round < times(40); ++round) {
    dice d = dice_of(735, round);
    const tn::shape s = random_shape(d, d.in(0, 4), 5);
    const array x = random_array({stored[round % 4], s}, d);
    INFO(text_of(s) << " of " << tn::name_of(x.is.type));

    tn::shape larger{d.in(s.rank, 5), {}};
    std::vector<tn::i64> extents, repetitions, axes, permutation;
    for (int i = 0; i < larger.rank; ++i) {
      const int own = i - (larger.rank - s.rank);
      larger.extent[i] = own >= 0 && s[own] != 1 ? s[own] : d.in(1, 3);
      extents.push_back(larger.extent[i]);
    }
    const array expanded = made({x.is.type, larger}, [](tn::i64) { return 0.0; });
    array w = expanded;
    each_position(larger,
                  [&](const tn::i64* at, tn::i64 n) { w[n] = x[broadcast_number(s, larger, at)]; });
    CHECK(difference(w, operate<tn::expand_t>({list_of(extents)}, {x})) == "");

    tn::shape tiled = s;
    for (int i = 0; i < s.rank; ++i) {
      repetitions.push_back(d.in(1, 3));
      tiled.extent[i] *= repetitions.back();
      permutation.push_back(i);
      if (d.one_in(2)) axes.push_back(i);
    }
    const auto modulo = [&](const tn::i64* at, tn::i64* from) {
      for (int i = 0; i < s.rank; ++i) from[i] = at[i] % s[i];
      return true;
    };
    CHECK(difference(naive_move(x, tiled, 0, modulo),
                     operate<tn::tile_t>({list_of(repetitions)}, {x})) == "");

    const auto mirrored = [&](bool all) {
      return naive_move(x, s, 0, [&](const tn::i64* at, tn::i64* from) {
        for (int i = 0; i < s.rank; ++i) from[i] = at[i];
        for (int i = 0; i < s.rank; ++i)
          if (all) from[i] = s[i] - 1 - at[i];
        if (!all)
          for (const tn::i64 i : axes) from[i] = s[static_cast<int>(i)] - 1 - at[i];
        return true;
      });
    };
    CHECK(difference(mirrored(false), operate<tn::reverse_t>({list_of(axes)}, {x})) == "");
    CHECK(difference(mirrored(true), operate<tn::reverse_t>({}, {x})) == "");

    for (std::size_t i = permutation.size(); i > 1; --i)
      std::swap(permutation[i - 1], permutation[d.next() % i]);
    tn::shape swapped{s.rank, {}};
    for (int i = 0; i < s.rank; ++i)
      swapped.extent[i] = s[static_cast<int>(permutation[static_cast<std::size_t>(i)])];
    const auto permuted = [&](const tn::i64* at, tn::i64* from) {
      for (int i = 0; i < s.rank; ++i) from[permutation[static_cast<std::size_t>(i)]] = at[i];
      return true;
    };
    CHECK(difference(naive_move(x, swapped, 0, permuted),
                     operate<tn::transpose_t>({list_of(permutation)}, {x})) == "");
  }
}

TEST_CASE("pad surrounds with a value, the edge or the mirror image") {
  for (int round = 0; round < times(48); ++round) {
    dice d = dice_of(736, round);
    const tn::shape s = random_shape(d, d.in(0, 4), 5);
    const array x = random_array({stored[round % 4], s}, d);
    const auto mode = static_cast<tn::padding_mode>(d.in(0, 2));
    tn::shape padded = s;
    std::vector<tn::i64> begin, end;
    for (int i = 0; i < s.rank; ++i) {
      const int most = mode == tn::padding_mode::reflection ? static_cast<int>(s[i]) - 1 : 4;
      begin.push_back(d.in(0, most)), end.push_back(d.in(0, most));
      padded.extent[i] += begin.back() + end.back();
    }
    const double value = x.is.type == tn::type::uint8 ? d.in(0, 255) : d.in(-1000, 1000);
    const array wanted = naive_move(x, padded, value, [&](const tn::i64* at, tn::i64* from) {
      for (int i = 0; i < s.rank; ++i) {
        tn::i64 k = at[i] - begin[static_cast<std::size_t>(i)];
        if (mode == tn::padding_mode::constant && (k < 0 || k >= s[i])) return false;
        if (mode == tn::padding_mode::edge) k = k < 0 ? 0 : k >= s[i] ? s[i] - 1 : k;
        if (mode == tn::padding_mode::reflection)
          k = k < 0 ? -k : k >= s[i] ? 2 * (s[i] - 1) - k : k;
        from[i] = k;
      }
      return true;
    });
    INFO(text_of(s) << " of " << tn::name_of(x.is.type) << ", mode " << static_cast<int>(mode));
    CHECK(difference(wanted,
                     operate<tn::pad_t>({list_of(begin), list_of(end), mode, value}, {x})) == "");
  }
}

TEST_CASE("triangular keeps one side of a diagonal") {
  for (int round = 0; round < times(32); ++round) {
    dice d = dice_of(737, round);
    const tn::shape s = random_shape(d, d.in(2, 4), 7);
    const array x = random_array({stored[round % 4], s}, d);
    const bool upper = d.one_in(2);
    const tn::i64 diagonal =
        d.one_in(8) ? (d.one_in(2) ? -2147483648ll : 2147483647ll) : d.in(-8, 8);
    const array wanted = naive_move(x, s, 0, [&](const tn::i64* at, tn::i64* from) {
      std::copy(at, at + s.rank, from);
      const tn::i64 off = at[s.rank - 1] - at[s.rank - 2];
      return upper ? off >= diagonal : off <= diagonal;
    });
    INFO(text_of(s) << " of " << tn::name_of(x.is.type) << ", " << (upper ? "upper " : "lower ")
                    << diagonal);
    CHECK(difference(wanted, operate<tn::triangular_t>({upper, diagonal}, {x})) == "");
  }
}

namespace {

/// The element whose middle is nearest to the middle of part `at` of `to`; of two the lower one.
tn::i64 nearest(tn::i64 at, tn::i64 from, tn::i64 to) {
  const auto far = [&](tn::i64 e) { return std::abs((2 * at + 1) * from - (2 * e + 1) * to); };
  tn::i64 best = 0;
  for (tn::i64 e = 1; e < from; ++e)
    if (far(e) < far(best)) best = e;
  return best;
}

}  // namespace

TEST_CASE("resample2d shows the nearest element along any two axes") {
  for (int round = 0; round < times(48); ++round) {
    dice d = dice_of(738, round);
    const tn::shape s = random_shape(d, 4, 9);
    constexpr tn::type types[] = {tn::type::float32, tn::type::float16, tn::type::int8,
                                  tn::type::uint8};
    const array x = random_array({types[round % 4], s}, d);
    tn::resample2d_options o;
    int axes[2] = {2, 3};
    if (d.one_in(2)) {
      axes[0] = d.in(0, 3);
      axes[1] = (axes[0] + d.in(1, 3)) % 4;
      o.axes = {axes[0], axes[1]};
    }
    const float scales[] = {1, 2, 0.5f, 3, 1.7f, 0.25f};
    const bool sized = d.one_in(2);
    tn::shape out = s;
    float scale[2];
    for (int i = 0; i < 2; ++i) {
      scale[i] = d.pick(scales);
      tn::i64& extent = out.extent[axes[i]];
      extent = sized ? d.in(1, 20)
                     : std::max<tn::i64>(
                           1, static_cast<tn::i64>(std::floor(static_cast<double>(extent) *
                                                              static_cast<double>(scale[i]))));
      if (extent == 1)
        scale[i] = 1.0f / static_cast<float>(s[axes[i]]) + 1e-3f;  // large enough for one element
      if (extent == 1 && s[axes[i]] == 1) scale[i] = 1;
    }
    o.scales = {scale[0], scale[1]};
    if (sized) o.sizes = {out[axes[0]], out[axes[1]]};
    const array wanted = naive_move(x, out, 0, [&](const tn::i64* at, tn::i64* from) {
      for (int i = 0; i < 4; ++i) from[i] = nearest(at[i], s[i], out[i]);
      return true;
    });
    INFO(text_of(s) << " of " << tn::name_of(x.is.type) << " to " << text_of(out));
    CHECK(difference(wanted, operate<tn::resample2d_t>(o, {x})) == "");
  }
}

TEST_CASE("triangles and samples of views in a static graph are those of copies") {
  constexpr auto model = [](auto x) {
    const auto t = tn::transpose<0, 2, 1>(x);  // [2, 7, 5]
    const auto image = tn::reshape<1, 2, 5, 7>(x);
    return tn::outputs(
        tn::triangular(t),
        tn::triangular<tn::triangular_options{.upper = false, .diagonal = -2}>(tn::exp(t)),
        tn::resample2d<tn::resample2d_options{.sizes = {3, 11}}>(tn::transpose<0, 1, 3, 2>(image)));
  };
  using net = tn::graph<model, tn::input<"x", float, 2, 5, 7>>;
  dice d = dice_of(739, 0);
  const array x = random_array(floats(2, 5, 7), d);
  const std::vector<array> y = run_static_both<net>({x});
  const auto upper = [](const tn::i64* at, tn::i64* from) {
    from[0] = at[0], from[1] = at[2], from[2] = at[1];
    return at[2] >= at[1];
  };
  CHECK(difference(naive_move(x, tn::extents(2, 7, 5), 0, upper), y[0]) == "");
  const array e = operate<tn::exp_t>({}, {x});
  const auto lower = [](const tn::i64* at, tn::i64* from) {
    from[0] = at[0], from[1] = at[2], from[2] = at[1];
    return at[2] - at[1] <= -2;
  };
  CHECK(difference(naive_move(e, tn::extents(2, 7, 5), 0, lower), y[1]) == "");
  const auto between = [](const tn::i64* at, tn::i64* from) {
    from[0] = at[1], from[1] = nearest(at[3], 5, 11), from[2] = nearest(at[2], 7, 3);
    return true;
  };
  CHECK(difference(naive_move(x, tn::extents(1, 2, 3, 11), 0, between), y[2]) == "");
}

TEST_CASE("moves refuse what does not fit") {
  const auto fault = []<class Op>(Op, const typename Op::options& o,
                                  std::initializer_list<tn::tensor> in) {
    return Op::infer(o, {in.begin(), static_cast<int>(in.size())}).error();
  };
  const tn::tensor x = floats(4, 6);
  using namespace tenon;
  CHECK(fault(slice_t{}, {{0}, {4}, {}}, {x}).is(code::rank, "slice"));
  CHECK(fault(slice_t{}, {{0, 0}, {4, 7}, {}}, {x}).is(code::extent, "slice"));
  CHECK(fault(slice_t{}, {{0, 6}, {4, 1}, {}}, {x}).is(code::extent, "slice"));
  CHECK(fault(slice_t{}, {{0, 0}, {4, 0}, {}}, {x}).is(code::extent, "slice"));
  CHECK(fault(slice_t{}, {{0, 0}, {4, 6}, {1, 0}}, {x}).is(code::stride, "slice"));
  CHECK(fault(slice_t{}, {{0, 0}, {4, std::numeric_limits<i64>::max()}, {}}, {x})
            .is(code::extent, "slice"));
  CHECK(fault(split_t{}, {2, 0, 1}, {x}).is(code::axis, "split"));
  CHECK(fault(split_t{}, {1, 5, 2}, {x}).is(code::extent, "split"));
  CHECK(fault(concat_t{}, {0}, {x, floats(4, 5)}).is(code::extent, "concat"));
  CHECK(fault(concat_t{}, {2}, {x, x}).is(code::axis, "concat"));
  CHECK(fault(concat_t{}, {0}, {x, ints(extents(4, 6))}).is(code::element_type, "concat"));
  CHECK(fault(concat_t{}, {0}, {x, floats(4, 6, 1)}).is(code::extent, "concat"));
  CHECK(fault(expand_t{}, {{4, 7}}, {x}).is(code::broadcast, "expand"));
  CHECK(fault(expand_t{}, {{6}}, {x}).is(code::rank, "expand"));
  CHECK(fault(expand_t{}, {{0, 4, 6}}, {x}).is(code::extent, "expand"));
  CHECK(fault(tile_t{}, {{2}}, {x}).is(code::rank, "tile"));
  CHECK(fault(tile_t{}, {{2, 0}}, {x}).is(code::extent, "tile"));
  CHECK(fault(reverse_t{}, {{2}}, {x}).is(code::axis, "reverse"));
  CHECK(fault(reverse_t{}, {{1, 1}}, {x}).is(code::axis, "reverse"));
  CHECK(fault(triangular_t{}, {}, {floats(4)}).is(code::rank, "triangular"));
  CHECK(fault(triangular_t{}, {true, i64{1} << 31}, {x}).is(code::option, "triangular"));
  CHECK(fault(triangular_t{}, {}, {x, x}).is(code::operand_count, "triangular"));
  const tn::tensor image = floats(1, 2, 4, 6);
  CHECK(fault(resample2d_t{}, {}, {x}).is(code::rank, "resample2d"));
  CHECK(fault(resample2d_t{}, {.axes = {1}}, {image}).is(code::axis, "resample2d"));
  CHECK(fault(resample2d_t{}, {.axes = {1, 1}}, {image}).is(code::axis, "resample2d"));
  CHECK(fault(resample2d_t{}, {.axes = {1, 4}}, {image}).is(code::axis, "resample2d"));
  CHECK(fault(resample2d_t{}, {.sizes = {1}}, {image}).is(code::option, "resample2d"));
  CHECK(fault(resample2d_t{}, {.sizes = {1, 0}}, {image}).is(code::option, "resample2d"));
  CHECK(fault(resample2d_t{}, {.sizes = {1, i64{1} << 25}}, {image})
            .is(code::capacity, "resample2d"));
  CHECK(fault(resample2d_t{}, {.scales = {1, 0}}, {image}).is(code::option, "resample2d"));
  CHECK(fault(resample2d_t{}, {.scales = {-1, 1}, .sizes = {2, 2}}, {image})
            .is(code::option, "resample2d"));
  CHECK(fault(resample2d_t{}, {.scales = {0.2f, 1}}, {image}).is(code::option, "resample2d"));
  CHECK(fault(resample2d_t{}, {.scales = {3e38f, 1}}, {image}).is(code::capacity, "resample2d"));
  CHECK(fault(resample2d_t{}, {.mode = interpolation::linear}, {ints(image.shape)})
            .is(code::element_type, "resample2d"));
  CHECK(fault(pad_t{}, {{1, 1}, {1}}, {x}).is(code::rank, "pad"));
  CHECK(fault(pad_t{}, {{1, -1}, {1, 1}}, {x}).is(code::padding, "pad"));
  CHECK(fault(pad_t{}, {{4, 0}, {0, 0}, padding_mode::reflection}, {x}).is(code::window, "pad"));
}
