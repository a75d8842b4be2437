// Contractions of dequantized numbers in integers: where they are, and that they have every bit of
// reference.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/describe.hpp>
#include "dot_net.hpp"

using namespace tenon_test;
using namespace tenon;

namespace {

shape ones(int rank) {
  shape s{rank, {}};
  for (int i = 0; i < rank; ++i) s.extent[i] = 1;
  return s;
}
double least_of(type t) { return t == type::int8 ? -128 : 0; }

/// A graph around one contraction of dequantized numbers, at random, and its weights.
struct product {
  builder b;
  dice& d;
  type image_type, filter_type;
  std::vector<array> weights{}, inputs{};
  int made = 0;

  builder::value weight(array a) {
    weights.push_back(std::move(a));
    return b.weight(name("w") + made++, weights.back().is);
  }
  double power() { return std::ldexp(1.0, -d.in(0, 9)); }
  builder::value dequantized(builder::value x, const array& scale, const array& zero) {
    const builder::value s = weight(scale), z = weight(zero);
    return b.add<dequantizeLinear_t>({}, {x, s, z});
  }
  builder::value image(const shape& s) {
    shape given = s;  // sometimes seen through a transpose
    const bool turned = d.in(0, 2) == 0;
    transpose_options turn;
    turn.permutation.count = s.rank;
    for (int i = 0; i < s.rank; ++i) turn.permutation.item[i] = s.rank - 1 - i;
    for (int i = 0; i < s.rank && turned; ++i) given.extent[i] = s[s.rank - 1 - i];
    inputs.push_back(random_array({image_type, given}, d));
    builder::value x = b.input("x", inputs.back().is);
    if (turned) x = b.add<transpose_t>(turn, {x});
    return dequantized(
        x, made_of(ones(s.rank), [&] { return power(); }),
        typed(image_type, ones(s.rank), [&] { return least_of(image_type) + d.in(0, 255); }));
  }
  template <class F> array made_of(const shape& s, F f) {
    return made_array({type::float32, s}, f);
  }
  template <class F> array typed(type t, const shape& s, F f) { return made_array({t, s}, f); }
  template <class F> array made_array(const tensor& t, F f) {
    return tenon_test::made(t, [&](i64) { return static_cast<double>(f()); });
  }
  /// Weights around the middle of their type; `axis`: of filters with scales of their own, or -1.
  builder::value filter(const shape& s, int axis, int reach) {
    const double middle = filter_type == type::int8 ? 0 : 128;
    shape by = ones(s.rank);
    if (axis >= 0) by.extent[axis] = s[axis];
    const builder::value w =
        weight(typed(filter_type, s, [&] { return middle + d.in(-reach, reach); }));
    return dequantized(w, made_of(by, [&] { return power(); }),
                       typed(filter_type, by, [&] { return middle + d.in(-3, 3); }));
  }
  builder::value closed(builder::value y) {
    const shape s = b.type_of_value(y).shape;
    if (d.in(0, 1) == 0) y = b.add<relu_t>({}, {y});
    if (d.in(0, 2) == 0) return y;
    const array scale = made_of(ones(s.rank), [&] { return 0.37; });
    const array zero =
        typed(image_type, ones(s.rank), [&] { return least_of(image_type) + d.in(0, 255); });
    const builder::value by = weight(scale), z = weight(zero);
    return b.add<quantizeLinear_t>({}, {y, by, z});
  }
  builder::value convolution() {
    conv2d_options o;
    const bool last = d.in(0, 1) == 1;
    o.inputLayout = last ? image_layout::nhwc : image_layout::nchw;
    o.filterLayout = static_cast<filter_layout>(d.in(0, 3));
    o.groups = d.in(0, 2) == 0 ? d.in(2, 3) : 1;
    o.strides = {d.in(1, 3), d.in(1, 3)};
    o.dilations = {d.in(1, 2), d.in(1, 2)};
    const i64 channels = d.in(3, 21), filters = d.in(1, 40), height = d.in(1, 3),
              width = d.in(1, 3);
    for (int i = 0; i < 2; ++i) {
      const i64 reach = (i == 0 ? height - 1 : width - 1) * o.dilations[i];
      (i == 0 ? o.padding.beginningHeight : o.padding.beginningWidth) =
          d.in(0, static_cast<int>(reach) + 1);
      (i == 0 ? o.padding.endingHeight : o.padding.endingWidth) =
          d.in(0, static_cast<int>(reach) + 1);
    }
    const i64 y = d.in(1, 12) + (height - 1) * o.dilations[0],
              x = d.in(1, 40) + (width - 1) * o.dilations[1];
    const i64 all = channels * o.groups, items = d.in(1, 2);
    const builder::value a = image(last ? extents(items, y, x, all) : extents(items, all, y, x));
    shape s = ones(4);
    const i64 of[] = {filters * o.groups, channels, height, width};
    for (int i = 0; i < 4; ++i) s.extent[conv2d_t::filter_axis(o.filterLayout, i)] = of[i];
    const builder::value w =
        filter(s, d.in(0, 1) == 0 ? -1 : conv2d_t::filter_axis(o.filterLayout, 0), 50);
    if (d.in(0, 1) == 0) return closed(b.add<conv2d_t>(o, {a, w}));
    return closed(
        b.add<conv2d_t>(o, {a, w, weight(random_array(reals(extents(filters * o.groups)), d))}));
  }
  builder::value matrices() {
    const i64 rows = d.in(1, 70), columns = d.in(1, 120), terms = d.in(3, 200), batch = d.in(1, 3);
    const bool stacked = d.in(0, 1) == 0;
    const builder::value a =
        image(d.in(0, 1) == 0 ? extents(batch, 2, rows, terms) : extents(batch, 1, rows, terms));
    const shape s = stacked ? extents(2, terms, columns) : extents(1, terms, columns);
    return closed(b.add<matmul_t>({}, {a, filter(s,
                                                 d.in(0, 1) == 0   ? -1
                                                 : d.in(0, 1) == 0 ? 0
                                                                   : 2,
                                                 70)}));
  }
  builder::value general() {
    const gemm_options o{.alpha = d.in(0, 1) == 0 ? 1.0f : 0.3f,
                         .aTranspose = d.in(0, 1) == 0,
                         .bTranspose = d.in(0, 1) == 0};
    const i64 rows = d.in(1, 70), columns = d.in(1, 120), terms = d.in(3, 200);
    const builder::value a = image(o.aTranspose ? extents(terms, rows) : extents(rows, terms));
    const builder::value w =
        filter(o.bTranspose ? extents(columns, terms) : extents(terms, columns),
               d.in(0, 1) == 0 ? -1 : !o.bTranspose, 70);
    if (d.in(0, 1) == 0) return closed(b.add<gemm_t>(o, {a, w}));
    return closed(b.add<gemm_t>(o, {a, w, weight(random_array(reals(extents(columns)), d))}));
  }
};
template <class Model> std::vector<multiplied> products_of(const Model& m) {
  std::vector<multiplied> all;
  for (int g = 0; g < m.plan_of().groups.size; ++g)
    if (m.plan_of().groups[g].kind == family::contract) all.push_back(m.multiplication(g));
  return all;
}
using all_of = std::vector<multiplied>;

/// Runs a model between walls, with an arena of ones and threads in an unkind order.
template <class Model>
std::vector<array> call_walled(const Model& m, const std::vector<array>& inputs, dice& d) {
  REQUIRE(m.fault().ok());
  std::vector<guarded_bytes> in, out;
  std::vector<const_view> given;
  std::vector<mutable_view> wanted;
  const wall at = d.in(0, 1) == 0 ? wall::behind : wall::before;
  for (const array& a : inputs) {
    in.emplace_back(a.is.bytes(), at);
    const std::vector<std::byte> memory = memory_of(a);
    std::memcpy(in.back().data(), memory.data(), memory.size());
    given.push_back({in.back().data(), a.is.type, a.is.shape, dense(a.is.shape), true});
  }
  const std::vector<tensor> results = outputs_of(m.plan_of().table);
  for (const tensor& t : results) {
    out.emplace_back(t.bytes(), at);
    wanted.push_back({out.back().data(), t.type, t.shape, dense(t.shape), true});
  }
  if (d.in(0, 1) == 0) {
    guarded_bytes arena(aligned(instance<Model, borrowed>::bytes_needed(m)), wall::behind);
    std::memset(arena.data(), 0xff, arena.size());
    instance caller(m, arena.span());
    REQUIRE(caller.run(given, wanted).ok());
    REQUIRE(arena.untouched());
  } else {
    using order = splitting_executor::order;
    splitting_executor threads(
        d.in(2, 5), d.in(0, 1) == 0 ? order::shuffled : order::singles_backwards, d.next());
    instance caller(m, threads);
    REQUIRE(caller.run(given, wanted).ok());
  }
  std::vector<array> r;
  for (std::size_t i = 0; i < results.size(); ++i) {
    REQUIRE(out[i].untouched());
    r.push_back(array_of(results[i], {out[i].data(), out[i].data() + out[i].size()}));
  }
  return r;
}

/// One row of `terms` numbers of 1 - `offset` times a column of weights.
struct sum {
  table graph;
  std::vector<array> weights;
  sum(i64 terms, double weight, double zero, double scale, double other) {
    builder b;
    const builder::value x = b.input("x", {type::int8, extents(1, terms)});
    const auto constant = [&](type t, const shape& s, double value) {
      weights.push_back(made({t, s}, [&](i64) { return value; }));
      return b.weight(name("w") + static_cast<int>(weights.size()), weights.back().is);
    };
    const builder::value s = constant(type::float32, extents(1, 1), scale),
                         z = constant(type::int8, extents(1, 1), 0);
    const builder::value a = b.add<dequantizeLinear_t>({}, {x, s, z});
    const builder::value w = constant(type::uint8, extents(terms, 1), weight),
                         t = constant(type::float32, extents(1, 1), other),
                         y = constant(type::uint8, extents(1, 1), zero);
    const builder::value f = b.add<dequantizeLinear_t>({}, {w, t, y});
    result<table> built = b.finish({b.add<matmul_t>({}, {a, f})});
    REQUIRE(built.ok());
    graph = static_cast<table&&>(*built);
  }
  /// How cpu multiplies; its result must be that of reference for the largest numbers and for
  /// others.
  multiplied way(dice& d) const {
    const array_source source(graph.view(), weights);
    const model<dynamic, cpu> fast(graph, source);
    const model<dynamic, reference> defining(graph, source);
    const tensor& is = graph.nodes[graph.inputs[0]].out;
    const bool exact = products_of(fast)[0] == multiplied::integers;
    if (exact || has_fma)  // without fma numbers overflow earlier
      for (const array& x : {made(is, [](i64) { return -128.0; }), random_array(is, d)})
        check_same(call(defining, {x}), call(fast, {x}), "cpu", 0);
    return products_of(fast)[0];
  }
};

}  // namespace

TEST_CASE("products of integers have every bit of reference", "[cpu]") {
  for (int round = 0; round < times(300); ++round) {
    dice d = dice_of(9301, round);
    product p{{},
              d,
              d.in(0, 1) == 0 ? type::int8 : type::uint8,
              d.in(0, 1) == 0 ? type::int8 : type::uint8};
    const int what = d.in(0, 3);
    const builder::value y = what < 2 ? p.convolution() : what == 2 ? p.matrices() : p.general();
    const result<table> built = p.b.finish({y});
    INFO("round " << round << ", kind " << what);
    REQUIRE(built.ok());
    const array_source source(built->view(), p.weights);
    const model<dynamic, cpu> fast(*built, source);
    REQUIRE(fast.fault().ok());
    REQUIRE(products_of(fast) == all_of{multiplied::integers});
    const model<dynamic, reference> defining(*built, source);
    check_same(call(defining, p.inputs), call_walled(fast, p.inputs, d), "cpu");
  }
}

TEST_CASE("integers are multiplied as long as no sum of float32 would round", "[cpu]") {
  dice d = dice_of(9307, 0);
  CHECK(sum(2048, 64, 0, 1, 0.5).way(d) == multiplied::integers);  // 2048 * 64 * 128 = 2^24
  CHECK(sum(2049, 64, 0, 1, 0.5).way(d) == multiplied::sums);
  CHECK(sum(2049, 64, 1, 1, 0.5).way(d) == multiplied::integers);
  CHECK(sum(20, 128, 0, 1, 1).way(d) == multiplied::weights);
  CHECK(sum(20, 128, 1, 1, 1).way(d) == multiplied::integers);
  CHECK(sum(20, 0, 128, 1, 1).way(d) == multiplied::integers);
  CHECK(sum(20, 0, 129, 1, 1).way(d) == multiplied::weights);
  CHECK(sum(20, 7, 0, 0.75, 2.5).way(d) == multiplied::integers);  // 3 and 5 leave room
  CHECK(sum(20, 7, 0, 0.1f, 1).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, 1, 0.1f).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, -1, 1).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, 0, 1).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, infinite, 1).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, not_a_number, 1).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, 0x1p-140, 1).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, 0x1p-80, 0x1p-80).way(d) == multiplied::scales);
  CHECK(sum(20, 7, 0, 0x1p-75, 0x1p-74).way(d) == multiplied::integers);  // subnormal, and exact
  CHECK(sum(20, 7, 0, 0x1p60, 0x1p60).way(d) == multiplied::scales);
  CHECK(sum(2, 7, 0, 1, 1).way(d) == multiplied::nothing);
}

TEST_CASE("a static network multiplies integers, and what dequantizes them is left out", "[cpu]") {
  static_assert(tenon::plan<bytes_net, cpu>::view().groups.size > 0);
  for (int round = 0; round < times(3); ++round) {
    dice d = dice_of(9311, round);
    const std::vector<array> weights = byte_weights(bytes_net::view(), d);
    const std::vector<array> inputs{
        random_array(bytes_net::view().nodes[bytes_net::view().inputs[0]].out, d)};
    const array_source source(bytes_net::view(), weights);
    const model<bytes_net, cpu> fast(source);
    CHECK(products_of(fast) == all_of(3, multiplied::integers));
    const model<bytes_net, reference> defining(source);
    const std::vector<array> wanted = call(defining, inputs);
    check_same(wanted, call_walled(fast, inputs, d), "static");
    const model<dynamic, cpu> built(bytes_net::view(), source);
    CHECK(products_of(built) == all_of(3, multiplied::integers));
    check_same(wanted, call_walled(built, inputs, d), "built");
    const std::string text = describe(fast);
    int left_out = 0;
    for (std::size_t at = 0; (at = text.find("left out", at)) != std::string::npos; ++at)
      ++left_out;
    CHECK(left_out == 5);  // of three images and three weights the second image has another reader
    CHECK(text.find("multiplies integers, which gives the same bits") != std::string::npos);
    CHECK(describe(fast.plan_of()).find("is offered the integers") != std::string::npos);
  }
}

TEST_CASE("a network whose scales round multiplies float32, with the same results and reasons",
          "[cpu]") {
  dice d = dice_of(9319, 0);
  const std::vector<array> weights = byte_weights(bytes_net::view(), d, 0.1f);
  const std::vector<array> inputs{
      random_array(bytes_net::view().nodes[bytes_net::view().inputs[0]].out, d)};
  const array_source source(bytes_net::view(), weights);
  const model<bytes_net, cpu> fast(source);
  CHECK(products_of(fast) == all_of(3, multiplied::scales));
  const std::vector<array> found = call_walled(fast, inputs, d);
  if (has_fma)
    check_same(call(model<bytes_net, reference>(source), inputs), found,
               "static");  // else some round to another integer
  CHECK(describe(fast).find("it would not with powers of two") != std::string::npos);
  CHECK(describe(fast).find("left out") == std::string::npos);
}

TEST_CASE("integers are offered where weights decide, and every sum has one scale") {
  const auto offers = [](const shape& x, const shape& x_scale, const shape& w_scale, bool weights,
                         i64 groups) {
    builder b;
    const bool image = x.rank == 4;
    const shape w = image ? extents(6, x[1] / groups, 3, 3) : extents(x[1], 6);
    const auto leaf = [&](const char* label, type t, const shape& s) {
      return weights ? b.weight(label, {t, s}) : b.input(label, {t, s});
    };
    const builder::value in = b.input("x", {type::int8, x}),
                         xs = b.weight("xs", {type::float32, x_scale}),
                         xz = b.weight("xz", {type::int8, x_scale}), of = leaf("w", type::uint8, w),
                         ws = b.weight("ws", {type::float32, w_scale}),
                         wz = b.weight("wz", {type::uint8, w_scale});
    const builder::value a = b.add<dequantizeLinear_t>({}, {in, xs, xz}),
                         f = b.add<dequantizeLinear_t>({}, {of, ws, wz});
    conv2d_options o;
    o.groups = groups;
    const result<table> built =
        b.finish({image ? b.add<conv2d_t>(o, {a, f}) : b.add<matmul_t>({}, {a, f})});
    REQUIRE(built.ok());
    const policy_facts facts[] = {facts_of<cpu>()};
    int n = 0;
    for (const node& c : plans::prepare(built->view(), {facts, 1}).nodes) n += offers_integers(c);
    return n;
  };
  const shape image = extents(1, 6, 5, 5), one = ones(4);
  CHECK(offers(image, one, one, true, 1) == 1);
  CHECK(offers(image, one, one, false, 1) == 0);
  CHECK(offers(image, one, extents(6, 1, 1, 1), true, 1) == 1);
  CHECK(offers(image, one, extents(1, 6, 1, 1), true, 1) == 0);
  CHECK(offers(image, one, extents(1, 1, 3, 1), true, 1) == 0);
  CHECK(offers(image, one, extents(3, 1, 1, 1), true, 1) == 0);  // blocks of two filters
  CHECK(offers(image, extents(1, 6, 1, 1), one, true, 1) == 0);
  CHECK(offers(image, one, one, true, 2) == 1);
  CHECK(offers(image, one, one, true, 3) == 0);
  CHECK(offers(image, one, one, true, 6) == 0);
  const shape rows = extents(4, 7);
  CHECK(offers(rows, ones(2), ones(2), true, 1) == 1);
  CHECK(offers(rows, ones(2), extents(1, 6), true, 1) == 1);
  CHECK(offers(rows, ones(2), extents(7, 1), true, 1) == 0);
  CHECK(offers(extents(4, 2), ones(2), ones(2), true, 1) == 0);
}

TEST_CASE("a graph with limits multiplies float32") {
  builder b;
  const builder::value x = b.input("x", {type::int8, extents(9, 7)}, {0});
  const auto w = [&](const char* label, type t, const shape& s) { return b.weight(label, {t, s}); };
  const builder::value a = b.add<dequantizeLinear_t>(
                           {}, {x, w("s", type::float32, ones(2)), w("z", type::int8, ones(2))}),
                       f = b.add<dequantizeLinear_t>(
                           {}, {w("w", type::int8, extents(7, 3)), w("t", type::float32, ones(2)),
                                w("y", type::int8, ones(2))});
  const result<table> built = b.finish({b.add<matmul_t>({}, {a, f})});
  REQUIRE(built.ok());
  const policy_facts facts[] = {facts_of<cpu>()};
  for (const node& n : plans::prepare(built->view(), {facts, 1}).nodes)
    CHECK_FALSE(offers_integers(n));
}

TEST_CASE("only policies that ask for integers are offered them") {
  constexpr plan_view p = tenon::plan<bytes_net, reference>::view();
  for (const node& n : p.table.nodes) CHECK_FALSE(offers_integers(n));
  dice d = dice_of(9323, 0);
  const model<bytes_net, reference> m{
      array_source(bytes_net::view(), byte_weights(bytes_net::view(), d))};
  REQUIRE(m.fault().ok());
  CHECK(m.multiplication(0) == multiplied::nothing);
}
