// Random graphs on `cpu` have the bits of `reference`; and what `differential` says of policies
// that are wrong in one way.
//   TENON_GRAPHS=100000 TENON_SEED=7 trial_differential
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/trial.hpp>
#include "../../examples/custom_policy/careful.hpp"
#include "../catch.hpp"
#include "../support/seed.hpp"
#include <chrono>
#include <random>
#include <string>

namespace {
namespace tn = tenon;
using tenon_test::seed;
using tn::trial::choices;

int graphs() { return tenon_test::number_of_graphs(1000); }
bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// ---- policies that are wrong in one way
// --------------------------------------------------------------

/// `cpu`, node by node; `Wrong::spoil(node, result)` runs after each.
template <class Wrong> struct wrapped_cpu : tn::cpu {
  static constexpr const char* name = "wrapped";
  static constexpr bool fuses = false;
  struct work {
    tn::cpu::work own{};
    const tn::plan_view* plan = nullptr;
    int node = -1;
  };
  static void bind(const tn::binding<function>& b, work& w) noexcept {
    tn::cpu::bind(b, w.own);
    w.plan = b.plan;
    w.node = b.plan->groups[b.group].anchor;
  }
  static void run(const work& w, const tn::frame& f) noexcept {
    tn::cpu::run(w.own, f);
    const tn::node& n = w.plan->table.nodes[w.node];
    if (n.out.type != tn::type::float32) return;
    const tn::plans::location& v = w.plan->locations[w.node];  // its holder may be a concat's
    Wrong::spoil(
        n, {f.at<float>(v.holder, v.offset), static_cast<std::size_t>(n.out.shape.count())}, f);
  }
};
/// Notices when it is bound once more, for other extents.
struct minds_extents : tn::cpu {
  static constexpr const char* name = "minds extents";
  static constexpr bool fuses = false;
  struct work {
    tn::cpu::work own{};
    const tn::plan_view* plan = nullptr;
    int node = -1, times = 0;
  };
  static void bind(const tn::binding<function>& b, work& w) noexcept {
    tn::cpu::bind(b, w.own);
    w.plan = b.plan;
    w.node = b.plan->groups[b.group].anchor;
    ++w.times;
  }
  static void run(const work& w, const tn::frame& f) noexcept {
    tn::cpu::run(w.own, f);
    const tn::plans::location& v = w.plan->locations[w.node];
    const tn::node& n = w.plan->table.nodes[w.node];
    if (w.times > 2 && n.out.type == tn::type::float32 && tn::name(n.op) == tn::name("tanh"))
      *f.at<float>(v.holder, v.offset) = 7;
  }
};
float one_up(float x) { return std::nextafter(x, std::numeric_limits<float>::infinity()); }

inline const char* spoiled_op = "";
/// Spoils one element in the last place, where results are large enough to have a third one.
struct last_place {
  static void spoil(const tn::node& n, std::span<float> y, const tn::frame&) {
    if (tn::name(n.op) == tn::name(spoiled_op) && y.size() > 2) y[2] = one_up(y[2]);
  }
};
inline int calls = 0;
struct forgets_nothing {
  static void spoil(const tn::node& n, std::span<float> y, const tn::frame&) {
    if (tn::name(n.op) == tn::name("tanh") && ++calls % 2 == 0) y[0] = 7;
  }
};
struct minds_threads {
  static void spoil(const tn::node& n, std::span<float> y, const tn::frame& f) {
    if (tn::name(n.op) == tn::name("tanh") && f.threads.threads > 2) y[0] = 7;
  }
};
struct writes_too_far {
  static void spoil(const tn::node& n, std::span<float> y, const tn::frame&) {
    if (tn::name(n.op) == tn::name("exp")) y.data()[y.size()] = 7;
  }
};
static_assert(tn::backend<wrapped_cpu<last_place>>);

/// Rounds everything to 18 bits, and says what it does, or not.
struct coarse : careful {
  static constexpr double rounding = 0x1p-17;
  static void run(const work& w, const tn::frame& f) noexcept {
    careful::run(w, f);
    const tn::plans::location& v = w.plan->locations[w.node];
    auto* y = f.at<float>(v.holder, v.offset);
    for (tn::i64 i = 0, n = w.plan->table.nodes[w.node].out.shape.count(); i < n; ++i)
      if (std::isnormal(y[i]))
        y[i] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(y[i]) & ~0x3fu);
  }
};
struct boasting : coarse {
  static constexpr double rounding = 0x1p-24;
};
/// Takes subnormal numbers for zero, and says so, or not.
struct flushing : careful {
  static constexpr double rounding = 0x1p-24;
  static constexpr bool flushes_subnormals = true;
  static void run(const work& w, const tn::frame& f) noexcept {
    careful::run(w, f);
    const tn::node& n = w.plan->table.nodes[w.node];
    if (n.kind != tn::family::map || n.out.type != tn::type::float32) return;
    const tn::plans::location& v = w.plan->locations[w.node];
    auto* y = f.at<float>(v.holder, v.offset);
    for (tn::i64 i = 0, count = n.out.shape.count(); i < count; ++i)
      if (std::fpclassify(y[i]) == FP_SUBNORMAL) y[i] = 0;
  }
};
struct secretly_flushing : flushing {
  static constexpr bool flushes_subnormals = false;
};

// ---- a static graph
// ----------------------------------------------------------------------------------

inline constexpr auto small_model = [](auto x) {
  auto a = tn::tanh(tn::matmul(x, tn::weight<"w", float, 7, 5>) + tn::weight<"b", float, 5>);
  return tn::outputs(tn::softmax<1>(a), tn::reduceSum(a));
};
using small_net = tn::graph<small_model, tn::input<"x", float, 9, 7>>;

void progress(int done) {
  if (done % 10000 == 0) std::printf("%d graphs\n", done), std::fflush(stdout);
}

}  // namespace

TEST_CASE("random graphs have the bits of reference on cpu", "[long]") {
  const auto start = std::chrono::steady_clock::now();
  const auto r = tn::differential<tn::dynamic, tn::cpu>(
      {.seed = seed(), .graphs = graphs(), .progress = progress});
  INFO(r.text);
  CHECK(r.ok());
  CHECK(r.graphs == graphs());
  CHECK(r.skipped == 0);
  CHECK((tn::cpu::rounding > 0 || r.unchecked == 0));
  if (graphs() >= 1000)
    for (int i = 0; i < tn::trial::operators().size; ++i) {
      INFO(tn::trial::operators()[i].name);
      CHECK(r.operators[static_cast<std::size_t>(i)] > graphs() / 50);
    }
  const tn::trial::call_counts& n = r.calls;
  if (graphs() >= 1000) {
    CHECK(n.graphs > graphs() / 3);
    CHECK(n.with_states > graphs() / 8);
    CHECK(n.varied > graphs());
    CHECK(n.accepted > n.varied / 2);
    CHECK(n.beyond < n.varied / 20);
  }
  std::printf(
      "%d graphs with limits or states (%d with states), %d calls with other extents: %d "
      "succeeded, operators refused %d, "
      "plans %d\n",
      n.graphs, n.with_states, n.varied, n.accepted, n.refused, n.beyond);
  std::printf("%d graphs, %lld elements, %.1f s\n", r.graphs, static_cast<long long>(r.elements),
              std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

TEST_CASE("random graphs run on lists of policies", "[long]") {
  const auto both = tn::differential<tn::dynamic, tn::cpu, tn::reference>(
      {.seed = seed(), .graphs = graphs() / 4});
  INFO(both.text);
  CHECK(both.ok());
  const auto turned = tn::differential<tn::dynamic, tn::reference, tn::cpu, tn::cpu>(
      {.seed = seed() + 1, .graphs = graphs() / 4});
  INFO(turned.text);
  CHECK(turned.ok());
}

TEST_CASE("static graphs are compared too") {
  const auto r = tn::differential<small_net, tn::cpu>({.seed = seed(), .graphs = 40});
  INFO(r.text);
  CHECK(r.ok());
  CHECK(r.graphs == 40);
  CHECK(r.elements == 40 * (9 * 5 + 1));
}

TEST_CASE("a policy that rounds otherwise is held to what it declares") {
  const auto r = tn::differential<tn::dynamic, careful, tn::reference>(
      {.seed = seed(), .graphs = graphs() / 8});
  INFO(r.text);
  CHECK(r.ok());
  CHECK(r.unchecked < r.elements / 2);
  const auto honest = tn::differential<tn::dynamic, coarse, tn::reference>(
      {.seed = seed(), .graphs = graphs() / 8});
  INFO(honest.text);
  CHECK(honest.ok());
  const auto boast =
      tn::differential<tn::dynamic, boasting, tn::reference>({.seed = seed(), .graphs = 100});
  CHECK(!boast.ok());
  CHECK(contains(boast.text, "allowed "));
  const auto flushes = tn::differential<tn::dynamic, flushing, tn::reference>(
      {.seed = seed(), .graphs = graphs() / 8});
  INFO(flushes.text);
  CHECK(flushes.ok());
  CHECK(!tn::differential<tn::dynamic, secretly_flushing, tn::reference>(
             {.seed = seed(), .graphs = 1000})
             .ok());
  CHECK(tn::differential<tn::dynamic, tn::cpu>({.seed = seed(), .graphs = 100, .rounding = 0x1p-24})
            .ok());
}

TEST_CASE("the report names the operator that one policy spoils, and little else") {
  for (const char* op :
       {"tanh", "gemm", "conv2d", "reduceMax", "maxPool2d", "instanceNormalization", "reverse"}) {
    spoiled_op = op;
    const auto r =
        tn::differential<tn::dynamic, wrapped_cpu<last_place>>({.seed = seed(), .graphs = 4000});
    INFO(op << ": " << r.text);
    REQUIRE(!r.ok());
    CHECK(contains(r.text, std::string("operator: ") + op));
    CHECK(contains(r.text, "seed " + std::to_string(seed())));
    if (op !=
        std::string(
            "instanceNormalization")) {  // there also what its own later steps read is spoiled
      CHECK(contains(r.text, "first difference: element 2 at ["));
      CHECK((contains(r.text, "1 ulp apart") || contains(r.text, "one is NaN")));
    }
    CHECK(contains(r.text, std::string("b.add<tn::") + op + "_t>("));
    CHECK(count(r.text, "b.add<") + count(r.text, "b.map<") == 1);
    CHECK(count(r.text, "const auto v") <= 4);
    CHECK(r.text ==
          tn::differential<tn::dynamic, wrapped_cpu<last_place>>({.seed = seed(), .graphs = 4000})
              .text);
  }
}

TEST_CASE("the report of a static graph names the operator") {
  spoiled_op = "tanh";
  const auto r = tn::differential<small_net, wrapped_cpu<last_place>>({.seed = seed()});
  INFO(r.text);
  REQUIRE(!r.ok());
  CHECK(contains(r.text, "operator: tanh (map)"));
  CHECK(count(r.text, " of ") <= 2);
}

TEST_CASE("state that leaks, work that minds its threads, and writing too far are found") {
  const auto leaks = tn::differential<tn::dynamic, wrapped_cpu<forgets_nothing>>(
      {.seed = seed(), .graphs = 4000, .threads = 0});
  CHECK(contains(leaks.text, " of one instance"));
  const auto minds = tn::differential<tn::dynamic, wrapped_cpu<minds_threads>>(
      {.seed = seed(), .graphs = 4000, .threads = 3});
  CHECK((contains(minds.text, "split between several threads") ||
         contains(minds.text, "with a thread pool")));
  const auto writes =
      tn::differential<tn::dynamic, wrapped_cpu<writes_too_far>>({.seed = seed(), .graphs = 4000});
  INFO(writes.text);
  CHECK(contains(writes.text, "wrote "));
}

TEST_CASE("policies that mind other extents are found") {
  const auto r = tn::differential<tn::dynamic, minds_extents>({.seed = seed(), .graphs = 4000});
  INFO(r.text);
  REQUIRE(!r.ok());
  CHECK(contains(r.text, "tn::tanh_t>("));
  CHECK(contains(r.text, " of one instance, "));
  CHECK(contains(r.text, "}, {"));  // an input with limits
  CHECK(
      contains(r.text, "first difference: element 0 "));  // the spoiled one, or what was made of it
  CHECK(count(r.text, "b.add<") + count(r.text, "b.map<") <= 8);  // 4 to 6 in 40 seeds
  CHECK(r.text ==
        tn::differential<tn::dynamic, minds_extents>({.seed = seed(), .graphs = 4000}).text);
}

TEST_CASE("a graph with limits and states is built once more as it was, and with other extents") {
  int with_limits = 0;
  for (std::uint64_t s = 0; s < 200; ++s) {
    choices d = choices::from_seed(s);
    const auto g = tn::trial::make_graph(d, {});
    REQUIRE(g.fault.ok());
    const tn::table_view t = g.net.view();
    const auto same = tn::trial::build_again(g, nullptr);
    REQUIRE(same.ok());
    REQUIRE(same->nodes.size() == t.nodes.size);
    CHECK(same->states == t.states);
    for (int i = 0; i < t.nodes.size; ++i) CHECK(same->nodes[i].out == t.nodes[i].out);
    if (t.limits.size == 0) continue;
    ++with_limits;
    std::vector<tn::shape> shapes;
    for (int i = 0; i < t.call_inputs(); ++i) shapes.push_back(t.nodes[t.inputs[i]].out.shape);
    const auto fixed = tn::trial::build_again(g, &shapes);
    REQUIRE(fixed.ok());
    CHECK(fixed->limits.size() == 0);
  }
  CHECK(with_limits > 40);
}

TEST_CASE("a graph follows from its seed, and from its decisions") {
  for (std::uint64_t s = 0; s < 50; ++s) {
    choices one = choices::from_seed(s), two = choices::from_seed(s);
    const auto a = tn::trial::make_graph(one, {}), b = tn::trial::make_graph(two, {});
    choices three = choices::from_list(a.decisions);
    const auto c = tn::trial::make_graph(three, {});
    REQUIRE(a.fault.ok());
    REQUIRE(a.steps.size() == b.steps.size());
    REQUIRE(a.steps.size() == c.steps.size());
    for (std::size_t i = 0; i < a.steps.size(); ++i) {
      CHECK(a.steps[i].code == b.steps[i].code);
      CHECK(a.steps[i].code == c.steps[i].code);
    }
  }
}

TEST_CASE("decisions shrink to the smallest list that fails") {
  choices d = choices::from_seed(seed());
  for (int i = 0; i < 200; ++i) d.below(1000);
  choices::list start = d.taken();
  start[70] = 500;
  const auto small = tn::trial::shrink(start, 20000, [](const choices::list& l) {
    for (const std::uint32_t v : l)
      if (v >= 500) return true;
    return false;
  });
  CHECK(small == choices::list{500});
}

TEST_CASE("intervals hold what rounding can give") {
  using tn::trial::interval;
  const auto of = [](auto f, interval x) {
    return tn::trial::intervals::program_intervals(tn::record_program<1>(f).view(),
                                                   tn::trial::inexact{0x1p-24})(&x);
  };
  const interval third = of([](auto x) { return x / 3.0f; }, interval::point(1));
  CHECK(third.holds(static_cast<double>(1.0f / 3.0f)));
  CHECK(third.holds(1.0 / 3));
  CHECK(!third.holds(0.333333));
  CHECK(of([](auto x) { return x - x; }, interval::point(std::numeric_limits<double>::infinity()))
            .only_nan());
  CHECK(
      of([](auto x) { return select(x < 1.0f, 5.0f, 7.0f); }, interval{0.9, 1.1, false}).holds(5));
  CHECK(
      of([](auto x) { return select(x < 1.0f, 5.0f, 7.0f); }, interval{0.9, 1.1, false}).holds(7));
  CHECK(
      !of([](auto x) { return select(x < 1.0f, 5.0f, 7.0f); }, interval{0.5, 0.9, false}).holds(7));
  CHECK(of([](auto x) { return x * 1e38f; }, interval::point(3.4028))
            .holds(std::numeric_limits<double>::infinity()) == false);
  CHECK(of([](auto x) { return x * 1e38f; }, interval::point(3.4028235))
            .holds(std::numeric_limits<double>::infinity()));
  CHECK(of([](auto x) { return 1.0f / (x - 1.0f); }, interval::point(1)).anything());
}

namespace {
/// Both policies on one table.
std::string compared(const tn::result<tn::table>& net) {
  REQUIRE(net.ok());
  return tn::differential<tn::cpu>(net->view(), {.seed = seed(), .graphs = 8}).text;
}
}  // namespace

// What random graphs and fuzzed ones found.

TEST_CASE("maps that a tag keeps apart share a group whose rows fit into their buffer") {
  for (const tn::i64 n : {24, 8192, 20000}) {  // one piece of a row, and several
    tn::builder b;
    const auto x = b.input("x", {tn::type::float32, tn::extents(n)});
    const auto y = b.on(0, b.add<tn::exp_t>({}, {x}));
    CHECK(compared(b.finish({b.add<tn::tanh_t>({}, {y})})) == "");
  }
}

TEST_CASE("a comparison that passes through identity stays a uint8") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(1000)});
  CHECK(compared(b.finish({b.add<tn::identity_t>({}, {b.add<tn::isNaN_t>({}, {x})})})) == "");
}

TEST_CASE("a uint8 becomes an int32") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::uint8, tn::extents(5)});
  CHECK(compared(b.finish({b.add<tn::cast_t>({tn::type::int32}, {x})})) == "");
}

TEST_CASE("what the builder refuses keeps its shape until the graph ends") {
  const tn::tensor large{tn::type::float32, tn::extents(tn::i64{1} << 40, tn::i64{1} << 40)};
  for (std::uint64_t s = 0; s < 200; ++s) {  // conv2d divides by what an operand's shape says
    choices decide = choices::from_seed(s);
    const tn::trial::limits most{};
    tn::trial::maker m(decide, most);
    if (s % 2 == 0) m.leaf({tn::type::float32, tn::extents(7)});
    CHECK(m.at(m.leaf(large)) == large);
    REQUIRE(m.refused());
    CHECK(tn::trial::draw::conv2d(m) == -1);
    CHECK(m.shape_of(m.any_of_rank(4, 4)).rank == 4);
    const auto g = m.finish();
    CHECK(g.fault.what == tn::code::extent);
    CHECK(g.net.nodes.size() == 0);
  }
}

TEST_CASE("split and tile refuse numbers that would overflow") {
  const tn::tensor x{tn::type::float32, tn::extents(4)},
      large{tn::type::float32, tn::extents(tn::i64{1} << 39)};
  CHECK(tn::split_t::infer({0, std::numeric_limits<tn::i64>::min(), 1}, {&x, 1})
            .error()
            .is(tn::code::extent, "split"));
  CHECK(tn::split_t::infer({0, 4, 1}, {&x, 1}).error().is(tn::code::extent, "split"));
  CHECK(tn::tile_t::infer({.repetitions = {1 << 24}}, {&large, 1})
            .error()
            .is(tn::code::extent, "tile"));
}

TEST_CASE("extents with which a state would change its shape are refused") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(5)}, {0});
  const auto s = b.state("s", {tn::type::float32, tn::extents(5)});
  b.next(s, x);
  const auto net = b.finish({b.add<tn::tanh_t>({}, {s})});
  REQUIRE(net.ok());
  const tn::model<tn::dynamic, tn::cpu> m(*net, tn::weights<0>{});
  tn::instance caller(m);
  std::vector<float> in(5, 1), out(5, 3);
  const tn::const_view short_view{in.data(), tn::type::float32, tn::extents(3),
                                  tn::dense(tn::extents(3)), true};
  CHECK(caller(short_view, std::span(out)).what == tn::code::extent);
  CHECK(out == std::vector<float>(5, 3));
  CHECK(caller(std::span(in), std::span(out)).ok());
  CHECK(out == std::vector<float>(5, 0));
}

TEST_CASE("extents that would make a result larger than its limit are refused") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(1, 1, 9, 9)});
  const auto f = b.input("f", {tn::type::float32, tn::extents(1, 1, 5, 3)}, {2});
  const auto net = b.finish({b.add<tn::tanh_t>({}, {b.add<tn::conv2d_t>({}, {x, f})})});
  REQUIRE(net.ok());
  CHECK(compared(net) == "");
  const tn::model<tn::dynamic, tn::cpu> m(*net, tn::weights<0>{});
  tn::instance caller(m);
  std::vector<float> image(81, 1), filter(9, 1), out(49, 3);
  CHECK(caller(std::span(image), std::span(filter), std::span(out)).what == tn::code::capacity);
  CHECK(out == std::vector<float>(49, 3));
  tn::builder c;
  const auto data = c.input("x", {tn::type::float32, tn::extents(2, 9, 7)});
  const auto at = c.input("i", {tn::type::int32, tn::extents(2)}, {0});
  CHECK(compared(c.finish({c.add<tn::tanh_t>({}, {c.add<tn::gatherND_t>({}, {data, at})})})) == "");
}

TEST_CASE(
    "axes with the same limit in one group may have other extents from each other, or are "
    "refused") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(5)}, {0});
  const auto y = b.input("y", {tn::type::float32, tn::extents(5)}, {0});
  const auto net =
      b.finish({b.add<tn::div_t>({}, {y, b.add<tn::reduceLogSum_t>({{}, true}, {x})})});
  CHECK(compared(net) == "");
}

TEST_CASE("expand does not repeat an axis that is whole with its limit") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(2, 7, 2)}, {1});
  const auto y = b.add<tn::abs_t>({}, {b.add<tn::expand_t>({{2, 7, 2}}, {x})});
  const auto net = b.finish({b.add<tn::reduceProduct_t>({{}, false}, {y})});
  CHECK(compared(net) == "");
  const tn::model<tn::dynamic, tn::cpu> m(*net, tn::weights<0>{});
  tn::instance caller(m);
  std::vector<float> in(28, 1), out(1, 3);
  CHECK(caller(std::span(in.data(), 4), std::span(out)).what == tn::code::broadcast);
  CHECK(out[0] == 3);
  CHECK(caller(std::span(in), std::span(out)).ok());
}

TEST_CASE("attention refuses other extents of what its scale follows from, every time") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(1, 3, 8)}, {2});
  const auto net = b.finish({b.add<tn::attention_t>({1}, {x, x, x})});
  REQUIRE(net.ok());
  const tn::model<tn::dynamic, tn::cpu> m(*net, tn::weights<0>{});
  tn::instance caller(m);
  std::vector<float> in(24, 1), out(24, 3);
  for (int i = 0; i < 3; ++i)
    CHECK(caller(std::span(in.data(), 12), std::span(out.data(), 12)).what == tn::code::capacity);
  CHECK(out == std::vector<float>(24, 3));
  CHECK(caller(std::span(in), std::span(out)).ok());
  CHECK(compared(net) == "");
}

TEST_CASE("numbers that an element type cannot hold are refused") {
  using tn::can_hold;
  using tn::type;
  static_assert(can_hold(type::uint8, 255) && !can_hold(type::uint8, 256) &&
                !can_hold(type::uint8, -1) && !can_hold(type::uint8, 0.5));
  static_assert(can_hold(type::int8, -128) && !can_hold(type::int8, 128));
  static_assert(can_hold(type::int32, -0x1p31) && !can_hold(type::int32, 0x1p31));
  static_assert(can_hold(type::int64, -0x1p63) && !can_hold(type::int64, 0x1p63));
  static_assert(can_hold(type::uint64, 0x1p63) && !can_hold(type::uint64, 0x1p64));
  constexpr double infinity = std::numeric_limits<double>::infinity(),
                   none = std::numeric_limits<double>::quiet_NaN();
  static_assert(can_hold(type::float32, -infinity) && can_hold(type::float32, none) &&
                !can_hold(type::float32, 1e300));
  static_assert(!can_hold(type::int32, infinity) && !can_hold(type::int32, none));
  const tn::tensor bytes{type::uint8, tn::extents(4)}, whole{type::int32, tn::extents(4)};
  const tn::pad_options o{{1}, {0}, tn::padding_mode::constant, none},
      edge{{1}, {0}, tn::padding_mode::edge, none};
  CHECK(tn::pad_t::infer(o, {&bytes, 1}).error().is(tn::code::option, "pad"));
  CHECK(tn::pad_t::infer(edge, {&bytes, 1}).ok());
  using plus = tn::maps::with_number<tn::add_t, false>;
  CHECK(plus::infer({0x1p31}, {&whole, 1}).error().is(tn::code::option, "add"));
  CHECK(plus::infer({0.5}, {&whole, 1}).error().is(tn::code::option, "add"));
  tn::builder b;
  const auto x = b.input("x", whole);
  const auto net = b.finish({b.add<plus>({16777217}, {x})});  // float has no such number
  CHECK(compared(net) == "");
  const tn::model<tn::dynamic, tn::cpu> m(*net, tn::weights<0>{});
  tn::instance caller(m);
  std::vector<std::int32_t> in(4, 1), out(4);
  REQUIRE(caller(std::span(in), std::span(out)).ok());
  CHECK(out == std::vector<std::int32_t>(4, 16777218));
}
