// States: what a call leaves is what the next one finds, as in a loop by hand.
// SPDX-License-Identifier: MIT
#include "../support/arrays.hpp"

using namespace tenon_test;
using tn::code;

namespace {

template <tn::i64... E> using x_of = tn::input<"x", float, E...>;

// A state is an input of the table, and no view of a call.
constexpr auto leaky = [](auto x, auto h) {
  const auto now = tn::tanh(h * 0.5f + x);
  tn::next(h, now);
  return now * 2.0f;
};
using leaky_net = tn::graph<leaky, x_of<9>, tn::state<"h", float, 9>>;
static_assert(leaky_net::view().states == 1 && leaky_net::view().call_inputs() == 1 &&
              leaky_net::view().call_outputs() == 1);
static_assert(tn::plan<leaky_net, tn::cpu>::view().state_bytes() == 2 * 64);
static_assert(tn::model<leaky_net, tn::cpu>::inputs == 1 &&
              tn::model<leaky_net, tn::cpu>::outputs == 1);

// Errors as values.
constexpr auto forgotten = [](auto x, auto) { return x; };
constexpr auto twice = [](auto x, auto h) {
  tn::next(h, x);
  tn::next(h, x);
  return h;
};
constexpr auto no_state = [](auto x, auto h) {
  tn::next(x, h);
  tn::next(h, x);
  return h;
};
static_assert(tn::check<tn::graph<forgotten, x_of<9>, tn::state<"h", float, 9>>>.is(code::output,
                                                                                    "state"));
static_assert(tn::check<tn::graph<twice, x_of<9>, tn::state<"h", float, 9>>>.is(code::output,
                                                                                "next"));
static_assert(tn::check<tn::graph<no_state, x_of<9>, tn::state<"h", float, 9>>>.is(code::output,
                                                                                   "next"));
static_assert(tn::check<tn::graph<leaky, x_of<9>, tn::state<"x", float, 9>>>.is(code::name_conflict,
                                                                                "state"));

/// Calls in a row with one instance; all outputs of all calls.
template <class Instance> std::vector<array> calls(Instance& own, const std::vector<array>& inputs,
                                                   const std::vector<tn::tensor>& outputs) {
  std::vector<array> all;
  for (const array& x : inputs) {
    arrays_call c({x}, outputs);
    REQUIRE(own.run(c.in, c.out).ok());
    for (array& y : c.take()) all.push_back(std::move(y));
  }
  return all;
}
std::vector<array> random_inputs(const tn::tensor& t, int count, dice& d) {
  std::vector<array> r;
  for (int i = 0; i < count; ++i) r.push_back(random_array(t, d));
  return r;
}
/// The first word of a sequence comes again after `reset`, on every policy and in every kind of
/// memory.
template <class Graph> std::vector<array> run_everywhere(const std::vector<array>& inputs) {
  const std::vector<tn::tensor> outputs = outputs_of(Graph::view());
  const auto again = [&](auto& own) {
    const std::vector<array> first = calls(own, inputs, outputs);
    own.reset();
    check_same(first, calls(own, inputs, outputs), "after reset", 0);
    return first;
  };
  const tn::weights<0> none;
  const tn::model<Graph, tn::reference> defining(none);
  tn::instance a{defining};
  const std::vector<array> wanted = again(a);
  const tn::model<Graph, tn::cpu> fast(none);
  using model_type = tn::model<Graph, tn::cpu>;
  tn::instance b{fast};
  check_same(wanted, again(b), "cpu");
  tn::instance<model_type, tn::embedded> c{fast};
  check_same(wanted, again(c), "embedded");
  guarded_bytes arena(tn::instance<model_type, tn::borrowed>::bytes_needed(fast), wall::behind);
  std::memset(arena.data(), 0xff, arena.size());
  tn::instance borrowed{fast, arena.span()};
  check_same(wanted, again(borrowed), "borrowed");
  CHECK(arena.untouched());
  const tn::model<tn::dynamic, tn::cpu> built(Graph::view(), none);
  tn::instance e{built};
  check_same(wanted, again(e), "built at run time");
  const tn::model<tn::dynamic, tn::reference> slow(Graph::view(), none);
  tn::instance f{slow};
  check_same(wanted, again(f), "built at run time, reference", 0);
  return wanted;
}

}  // namespace

TEST_CASE("a state is what next said, and zeros at first") {
  dice d = dice_of(831, 0);
  const std::vector<array> x = random_inputs(floats(9), 12, d), y = run_everywhere<leaky_net>(x);
  std::vector<double> h(9);
  for (std::size_t t = 0; t < x.size(); ++t)
    for (std::size_t i = 0; i < 9; ++i) {
      h[i] = std::tanh(h[i] * 0.5 + x[t].at[i]);
      REQUIRE(std::abs(y[t].at[i] - 2 * h[i]) < 4e-6);
    }
}

TEST_CASE("next is an input, a view, another state or the state itself") {
  constexpr auto model = [](auto x, auto last, auto turned, auto a, auto b, auto kept) {
    tn::next(last, x);                         // the input itself
    tn::next(turned, tn::transpose<1, 0>(x));  // a view of it
    tn::next(a, b + tn::reduceSum(x));         // two states change places, one of them changed
    tn::next(b, a);
    tn::next(kept, kept);  // stays zero
    return tn::outputs(last, turned * 1.0f, a, b, kept, tn::reshape<12>(last));
  };
  using net =
      tn::graph<model, x_of<3, 4>, tn::state<"last", float, 3, 4>, tn::state<"turned", float, 4, 3>,
                tn::state<"a", float, 5>, tn::state<"b", float, 5>, tn::state<"kept", float, 2>>;
  dice d = dice_of(832, 0);
  std::vector<array> x = random_inputs(floats(3, 4), 9, d);
  for (array& a : x)
    for (double& v : a.at) v = std::floor(8 * v);  // whole numbers: sums are exact
  const std::vector<array> y = run_everywhere<net>(x);
  std::vector<double> last(12), a(5), b(5);
  for (std::size_t t = 0; t < x.size(); ++t) {
    const array* out = y.data() + 6 * t;
    CHECK(out[0].at == last);
    for (std::size_t i = 0; i < 12; ++i) REQUIRE(out[1].at[i % 4 * 3 + i / 4] == last[i]);
    CHECK(out[2].at == a);
    CHECK(out[3].at == b);
    CHECK(out[4].at == std::vector<double>(2));
    CHECK(out[5].at == last);
    double sum = 0;
    for (const double v : x[t].at) sum += v;
    std::swap(a, b);
    for (double& v : a) v += sum;
    last = x[t].at;
  }
}

TEST_CASE("two states swapped keep their values for ever") {
  constexpr auto model = [](auto x, auto a, auto b, auto first) {
    const auto one = tn::where(first == 0, x, a);  // the first call fills a
    tn::next(a, b);
    tn::next(b, one);
    tn::next(first, first + 1);
    return tn::outputs(a, b);
  };
  using net = tn::graph<model, x_of<3>, tn::state<"a", float, 3>, tn::state<"b", float, 3>,
                        tn::state<"n", std::int32_t, 1>>;
  dice d = dice_of(833, 0);
  const std::vector<array> x = random_inputs(floats(3), 7, d), y = run_everywhere<net>(x);
  const std::vector<double> zero(3);
  for (std::size_t t = 0; t < 7; ++t) {
    CHECK(y[2 * t].at == (t > 0 && t % 2 == 0 ? x[0].at : zero));
    CHECK(y[2 * t + 1].at == (t % 2 == 1 ? x[0].at : zero));
  }
}

TEST_CASE("a value that is next of two states and an output, and states of other types") {
  constexpr auto model = [](auto x, auto a, auto b, auto count, auto seen) {
    const auto sum = a + b + x;
    tn::next(a, sum);
    tn::next(b, sum);
    tn::next(count, count + 3);
    tn::next(seen, seen || x > 0.0f);
    return tn::outputs(sum, count, seen, tn::cast<float>(seen) + a);
  };
  using net = tn::graph<model, x_of<4>, tn::state<"a", float, 4>, tn::state<"b", float, 4>,
                        tn::state<"n", std::int32_t, 2>, tn::state<"s", std::uint8_t, 4>>;
  dice d = dice_of(834, 0);
  std::vector<array> x = random_inputs(floats(4), 10, d);
  for (array& v : x)
    for (double& e : v.at) e = std::floor(2 * e);
  const std::vector<array> y = run_everywhere<net>(x);
  std::vector<double> a(4), seen(4);
  for (std::size_t t = 0; t < x.size(); ++t) {
    std::vector<double> sum(4), mixed(4);
    for (std::size_t i = 0; i < 4; ++i) sum[i] = 2 * a[i] + x[t].at[i], mixed[i] = seen[i] + a[i];
    CHECK(y[4 * t].at == sum);
    CHECK(y[4 * t + 1].at == std::vector<double>(2, 3.0 * static_cast<double>(t)));
    CHECK(y[4 * t + 2].at == seen);
    CHECK(y[4 * t + 3].at == mixed);
    a = sum;
    for (std::size_t i = 0; i < 4; ++i) seen[i] = seen[i] != 0 || x[t].at[i] > 0;
  }
}

TEST_CASE("a refused call leaves the states alone, and instances have their own") {
  const tn::model<leaky_net, tn::cpu> model{tn::weights<0>{}};
  tn::instance one{model};
  tn::instance two{model};
  dice d = dice_of(835, 0);
  const std::vector<array> x = random_inputs(floats(9), 4, d);
  const std::vector<array> wanted = calls(one, x, {floats(9)});
  std::vector<float> buffer(16);
  for (std::size_t t = 0; t < x.size(); ++t) {
    CHECK(two(std::span<const float>(buffer.data(), 8), std::span<float>(buffer.data(), 9)).what ==
          code::size);
    CHECK(two(std::span<const float>(buffer.data(), 9), std::span<float>(buffer.data() + 4, 9))
              .what == code::aliasing);
    check_same({wanted[t]}, calls(two, {x[t]}, {floats(9)}), "between refused calls", 0);
  }
}

TEST_CASE("the builder has states with the same errors") {
  tn::builder b;
  const auto x = b.input("x", floats(9));
  const auto h = b.state("h", floats(9));
  const auto now = b.map<2>([](auto s, auto v) { return tanh(s * 0.5f + v); }, {h, x});
  b.next(h, now);
  const auto twice_now = b.map<1>([](auto v) { return v * 2.0f; }, {now});
  const tn::result<tn::table> net = b.finish({twice_now});
  REQUIRE(net.ok());
  dice d = dice_of(836, 0);
  const std::vector<array> inputs = random_inputs(floats(9), 5, d);
  const tn::model<leaky_net, tn::cpu> written{tn::weights<0>{}};
  const tn::model<tn::dynamic, tn::cpu> built{*net, tn::weights<0>{}};
  tn::instance a{written};
  tn::instance c{built};
  check_same(calls(a, inputs, {floats(9)}), calls(c, inputs, {floats(9)}), "builder", 0);

  const auto fault = [](auto&& body) {
    tn::builder w;
    const auto v = w.input("x", floats(9)), s = w.state("h", floats(9));
    body(w, v, s);
    return w.finish({v}).error();
  };
  CHECK(fault([](auto&, auto, auto) {}).is(code::output, "state"));
  CHECK(
      fault([](auto& w, auto v, auto s) { w.next(s, v), w.next(s, v); }).is(code::output, "next"));
  CHECK(fault([](auto& w, auto v, auto s) { w.next(v, s); }).is(code::output, "next"));
  CHECK(fault([](auto& w, auto v, auto s) {
          w.next(s, w.template add<tn::reshape_t>({.newShape = {3, 3}}, {v}));
        }).is(code::extent, "next"));
  CHECK(fault([](auto& w, auto v, auto s) {
          w.next(s, w.template add<tn::cast_t>({tn::type::int32}, {v}));
        }).is(code::element_type, "next"));
  CHECK(fault([](auto& w, auto, auto s) { w.next(s, {}); }).is(code::output, "next"));
  CHECK(
      fault([](auto& w, auto, auto) { w.state("x", floats(9)); }).is(code::name_conflict, "state"));
}

TEST_CASE("states live beside extents that vary") {
  constexpr auto model = [](auto x, auto h) {
    const auto mean = tn::reduceMean<tn::reduce_options{.axes = {0}}>(x) + h * 0.5f;
    tn::next(h, mean);
    return tn::outputs(x + h, mean);
  };
  using net = tn::graph<model, tn::input<"x", float, tn::upto<6>, 3>, tn::state<"h", float, 3>>;
  const tn::model<net, tn::cpu> fast{tn::weights<0>{}};
  const tn::model<net, tn::reference> defining{tn::weights<0>{}};
  tn::instance a{fast};
  tn::instance b{defining};
  dice d = dice_of(837, 0);
  std::vector<double> h(3);
  for (int t = 0; t < 20; ++t) {
    const int n = d.in(1, 6);
    const array x = random_array(floats(n, 3), d);
    const std::vector<array> y = calls(a, {x}, {floats(n, 3), floats(3)});
    check_same(calls(b, {x}, {floats(n, 3), floats(3)}), y, "cpu");
    for (std::size_t i = 0; i < 3; ++i) {
      double mean = h[i] * 0.5;
      for (std::size_t r = 0; r < static_cast<std::size_t>(n); ++r) {
        REQUIRE(std::abs(y[0].at[3 * r + i] - (x.at[3 * r + i] + h[i])) < 2e-6);
        mean += x.at[3 * r + i] / n;
      }
      REQUIRE(std::abs(y[1].at[i] - mean) < 2e-6);
      h[i] = mean;
    }
    if (t == 11) a.reset(), b.reset(), h.assign(3, 0.0);
  }
}
