// Scans with bodies of any families: an operator of our own against plain loops, and what the
// verifier says to plans that break a body's rules.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/describe.hpp>
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

struct walk_options {
  bool backward = false;
  constexpr bool operator==(const walk_options&) const = default;
};
/// A body with a product, a row group, moves, two states and every kind of border:
/// t = tanh(x + s w), s' = softmax(t), c' = c + max(t). Results: all c', all t transposed, the last
/// s', the last sum(x).
struct walk_t {
  static constexpr const char* name = "walk";
  using options = walk_options;
  static constexpr int results(const options&) { return 4; }
  static constexpr tn::result<tn::tensor> infer_result(const options&, tn::list<tn::tensor> in,
                                                       int which) {
    if (in.size != 4) return tn::error{code::operand_count, name, "", 4, in.size};
    const tn::shape x = in[0].shape;  // [n, b, k]
    if (which == 0) return tn::tensor{in[0].type, tn::extents(x[0], x[1], tn::i64{1})};
    if (which == 1) return tn::tensor{in[0].type, tn::extents(x[0], x[2], x[1])};
    return tn::tensor{in[0].type, which == 2 ? tn::extents(x[1], x[2]) : tn::extents(x[1])};
  }
  static constexpr tn::result<tn::tensor> infer(const options& o, tn::list<tn::tensor> in) {
    return infer_result(o, in, 0);
  }
  static constexpr int record(tn::recorder& r, const options& o, tn::list<int> in,
                              const tn::tensor&) {
    const tn::shape x = r.at(in[0]).shape;
    r.open(name);
    r.begin_scan(name, x[0], o.backward);
    const int now = r.slice_of_step(name, in[0]), s = r.state_of_step(name, in[2]),
              c = r.state_of_step(name, in[3]);
    const tn::tensor one = r.at(now), row{one.type, r.at(c).shape};
    const int product = tn::part<tn::matmul_t>(r, {}, {s, in[1]});
    const int t = r.map(name, tn::record_program<2>([](auto a, auto b) { return tanh(a + b); }),
                        {now, product}, one);
    const int next_s = r.result_of_step(name, tn::part<tn::softmax_t>(r, {1}, {t}));
    const int top = r.reduce(name, {tn::combine::max, 2u, true}, t, row);
    const int next_c =
        r.map(name, tn::record_program<2>([](auto a, auto b) { return a + b; }), {c, top}, row);
    const int turned =
        r.result_of_step(name, tn::part<tn::transpose_t>(r, {.permutation = {1, 0}}, {t}));
    const int sum =
        r.reduce(name, {tn::combine::sum, 2u, false}, now, {one.type, tn::extents(x[1])});
    r.end_scan();
    const int first = r.all_steps(name, next_c, tn::extents(x[0], x[1], tn::i64{1}), c);
    (void)r.all_steps(name, turned, tn::extents(x[0], x[2], x[1]));
    (void)r.last_step(name, next_s, one.shape, s);
    (void)r.last_step(name, sum, tn::extents(x[1]));
    r.close();
    return first;
  }
};
template <walk_options O, tn::operand_like... H> constexpr auto walk(H... h) {
  return tn::apply_all<walk_t, O>(h...);
}

std::vector<array> by_loops(const walk_options& o, const std::vector<array>& in) {
  const tn::shape x = in[0].is.shape;
  const tn::i64 n = x[0], b = x[1], k = x[2];
  array all = zeros(reals(tn::extents(n, b, 1))), turned = zeros(reals(tn::extents(n, k, b))),
        s = in[2], c = in[3], sum = zeros(reals(tn::extents(b)));
  for (tn::i64 step = 0; step < n; ++step) {
    const tn::i64 at = o.backward ? n - 1 - step : step;
    array next = s;
    for (tn::i64 i = 0; i < b; ++i) {
      double most = -infinite, total = 0, of_x = 0;
      for (tn::i64 j = 0; j < k; ++j) {
        double v = in[0][(at * b + i) * k + j];
        of_x += v;
        for (tn::i64 q = 0; q < k; ++q) v += s[i * k + q] * in[1][q * k + j];
        turned[(at * k + j) * b + i] = std::tanh(v);
        most = std::max(most, std::tanh(v));
      }
      for (tn::i64 j = 0; j < k; ++j) total += std::exp(turned[(at * k + j) * b + i]);
      for (tn::i64 j = 0; j < k; ++j)
        next[i * k + j] = std::exp(turned[(at * k + j) * b + i]) / total;
      all[at * b + i] = c[i] += most;
      sum[i] = of_x;
    }
    s = next;
  }
  return {all, turned, s, sum};
}
std::vector<array> operands(dice& d, tn::i64 n, tn::i64 b, tn::i64 k) {
  return {random_array(reals(tn::extents(n, b, k)), d), random_array(reals(tn::extents(k, k)), d),
          random_array(reals(tn::extents(b, k)), d), random_array(reals(tn::extents(b, 1)), d)};
}
tn::result<tn::table> build(const walk_options& o, const std::vector<array>& in,
                            std::initializer_list<int> outputs, int place = -1) {
  tn::builder b;
  std::vector<tn::builder::value> x, y;
  for (std::size_t i = 0; i < in.size(); ++i)
    x.push_back(i == 1 ? b.weight("w", in[i].is)
                       : b.input(tn::name("x") + static_cast<int>(i), in[i].is));
  const auto all = b.add_all<walk_t>(o, {x[0], x[1], x[2], x[3]});
  if (place >= 0) (void)b.on(place, all[0]);
  for (const int i : outputs) y.push_back(all[i]);
  return b.finish({y.data(), static_cast<int>(y.size())});
}

inline constexpr auto model = [](auto x, auto s, auto c) {
  auto [all, turned, last, sum] =
      walk<walk_options{.backward = true}>(x, tn::weight<"w", float, 9, 9>, s, c);
  auto [again, t, more, none] = walk<walk_options{}>(tn::transpose<0, 2, 1>(turned) * 0.5f,
                                                     tn::weight<"w", float, 9, 9>, last, c);
  return tn::outputs(again + all, tn::concat<0>(more, last), sum, none);
};
using net = tn::graph<model, tn::input<"x", float, 6, 4, 9>, tn::input<"s", float, 4, 9>,
                      tn::input<"c", float, 4, 1>>;
static_assert(tn::plan<net, tn::cpu>::view().steps_of(0) == 6 ||
              tn::plan<net, tn::cpu>::view().steps_of(0) == 1);

/// Runs products alone: the rest of a body goes to the next policy.
struct only_products : tn::reference {
  static constexpr const char* name = "only products";
  static constexpr bool supports(const tn::table_view& t, const tn::node& n) {
    return n.kind == tn::family::contract && tn::reference::supports(t, n);
  }
};

/// A plan of a scan that has all kinds of border.
tn::owned_plan a_plan() {
  dice d = dice_of(3304, 0);
  const tn::result<tn::table> t = build({}, operands(d, 3, 2, 5), {0, 1, 2, 3});
  const tn::policy_facts facts[] = {tn::facts_of<tn::reference>()};
  return *tn::make_plan(t->view(), {facts, 1});
}
template <class F> tn::plans::defect broken_by(F&& change) {
  tn::owned_plan p = a_plan();
  REQUIRE(tn::plans::verify(p.view()).ok());
  change(p);
  return tn::plans::verify(p.view()).what;
}

}  // namespace

TEST_CASE("a body of products, row groups and moves computes what loops do") {
  for (int round = 0; round < times(40); ++round) {
    dice d = dice_of(3301, round);
    const tn::i64 n = d.in(1, 7), b = d.in(1, 5), k = d.in(1, 20);
    const walk_options o{.backward = d.one_in(2)};
    const std::vector<array> in = operands(d, n, b, k);
    INFO("round " << round << ", " << n << " steps, batch " << b << ", " << k << " columns, seed "
                  << seed());
    const tn::result<tn::table> t = build(o, in, {0, 1, 2, 3});
    REQUIRE(t.ok());
    const std::vector<array> found = run_both(t->view(), {in[0], in[2], in[3]}, {in[1]}),
                             wanted = by_loops(o, in);
    for (std::size_t i = 0; i < 4; ++i) {
      INFO("result " << i);
      CHECK(difference(wanted[i], found[i], 1e-4) == "");
    }
  }
}

TEST_CASE("states advance whichever of the results are used") {
  dice d = dice_of(3302, 0);
  const std::vector<array> in = operands(d, 5, 3, 8), wanted = by_loops({}, in);
  for (int i = 0; i < 4; ++i) {
    const tn::result<tn::table> t = build({}, in, {i});
    REQUIRE(t.ok());
    INFO("result " << i);
    CHECK(difference(wanted[static_cast<std::size_t>(i)],
                     run_both(t->view(), {in[0], in[2], in[3]}, {in[1]})[0], 1e-4) == "");
  }
  const tn::result<tn::table> twice = build({}, in, {2, 2, 0, 0});
  REQUIRE(twice.ok());
  const std::vector<array> found = run_both(twice->view(), {in[0], in[2], in[3]}, {in[1]});
  check_same({found[0], found[2]}, {found[1], found[3]}, "an output twice", 0);
}

TEST_CASE("a static graph runs two scans, one after the other") {
  dice d = dice_of(3303, 0);
  const array x = random_array(floats(6, 4, 9), d), s = random_array(floats(4, 9), d),
              c = random_array(floats(4, 1), d), w = random_array(floats(9, 9), d);
  const std::vector<array> found = run_static_both<net>({x, s, c}, {w}),
                           first = by_loops({.backward = true}, {x, w, s, c});
  array half = x;
  for (tn::i64 n = 0; n < 6; ++n)
    for (tn::i64 b = 0; b < 4; ++b)
      for (tn::i64 k = 0; k < 9; ++k)
        half[(n * 4 + b) * 9 + k] = 0.5 * first[1][(n * 9 + k) * 4 + b];
  const std::vector<array> second = by_loops({}, {half, w, first[2], c});
  array sum = second[0], both = zeros(reals(tn::extents(8, 9)));
  for (tn::i64 i = 0; i < 24; ++i) sum[i] += first[0][i];
  for (tn::i64 i = 0; i < 36; ++i) both[i] = second[2][i], both[36 + i] = first[2][i];
  CHECK(difference(sum, found[0], 1e-4) == "");
  CHECK(difference(both, found[1], 1e-4) == "");
  CHECK(difference(first[3], found[2], 1e-4) == "");
  CHECK(difference(second[3], found[3], 1e-4) == "");
}

TEST_CASE("a scan runs where it is told to, or where each of its nodes can run") {
  dice d = dice_of(3305, 0);
  const std::vector<array> in = operands(d, 4, 3, 6);
  const tn::result<tn::table> t = build({}, in, {0, 1, 2, 3}, 1);
  REQUIRE(t.ok());
  const array_source source(t->view(), {in[1]});
  const tn::model<tn::dynamic, tn::cpu, tn::reference> there(t->view(), source);
  const tn::model<tn::dynamic, tn::reference> defining(t->view(), source);
  CHECK(defining.fault().is(code::policy, "on") == false);
  for (const tn::plans::group& g : there.plan_of().groups) CHECK(g.policy == 1);
  const tn::result<tn::table> plain = build({}, in, {0, 1, 2, 3});
  const tn::model<tn::dynamic, tn::reference> wanted(plain->view(), source);
  check_same(call(wanted, {in[0], in[2], in[3]}), call(there, {in[0], in[2], in[3]}),
             "on the second policy", 0);
  const tn::model<tn::dynamic, only_products, tn::cpu> apart(plain->view(), source);
  REQUIRE(apart.fault().ok());
  int groups_of[2]{};
  for (const tn::plans::group& g : apart.plan_of().groups) ++groups_of[g.policy];
  CHECK((groups_of[0] == 1 && groups_of[1] > 1));
  CHECK(apart.plan_of().moved.copies == 0);
  check_same(call(wanted, {in[0], in[2], in[3]}), call(apart, {in[0], in[2], in[3]}),
             "a body on two policies");
}

TEST_CASE("a scan in the body of a scan is refused") {
  tn::recorder r;
  const int x = r.input("x", floats(3, 4));
  r.begin_scan("outer", 3, false);
  const int now = r.slice_of_step("outer", x);
  r.begin_scan("inner", 4, false);
  CHECK(r.fault.is(code::capacity, "inner"));
  CHECK(r.at(now) == floats(4));
}

TEST_CASE("the verifier sees broken bodies") {
  using tn::plans::defect;
  const tn::owned_plan good = a_plan();
  const tn::table_view t = good.table.view();
  int slice = -1, all = -1, last = -1, inside = -1;
  for (const tn::scanning& s : t.scans) {
    if (s.is == tn::scanning::part::slice) slice = s.node;
    if (s.is == tn::scanning::part::all && t.nodes[s.node].operands == 2) all = s.node;
    if (s.is == tn::scanning::part::last && t.nodes[s.node].operands == 2) last = s.node;
  }
  for (int i = 0; i < t.nodes.size; ++i)
    if (t.nodes[i].loop >= 0 && good.buffers[i].in == tn::plans::buffer::storage::arena &&
        t.nodes[i].kind != tn::family::scan)
      inside = i;
  REQUIRE((slice >= 0 && all >= 0 && last >= 0 && inside >= 0));
  const auto next_of = [&](int id) { return t.nodes[id].in[0]; };
  CHECK(broken_by([&](tn::owned_plan& p) { p.table.nodes[inside].loop = -1; }) == defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) { p.table.nodes[slice].loop = -1; }) == defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) { p.table.nodes[all].in[0] = next_of(last); }) ==
        defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) { p.table.nodes[all].operands = 1; }) == defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) {
          p.table.nodes[all].in[1] = p.table.nodes[last].in[1];
        }) == defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) {
          p.buffers[next_of(all)].in = tn::plans::buffer::storage::arena;
        }) == defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) { p.table.scans[0].steps = 0; }) == defect::scan);
  CHECK(broken_by([&](tn::owned_plan& p) { --p.buffers[p.table.nodes[last].in[1]].last; }) ==
        defect::overlap);
}

TEST_CASE("a plan for people names the steps") {
  const std::string text = tn::describe(a_plan().view());
  for (const char* part :
       {"this step of ", "a state, at first ", "moves with the steps", "walk, which has 3 steps"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(tn::cost_of(a_plan().view(), 0).flops % 3 == 0);
}
