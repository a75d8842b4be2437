// Emitted kernels do what `reference` does, in every mode of addressing and for every kind of
// device, and touch nothing beside their buffers; constant and run-time words are the same.
//   TENON_GRAPHS=1000 TENON_SEED=7 policy_vulkan_spirv_kernels
// SPDX-License-Identifier: MIT
#include <tenon/reference.hpp>
#include <tenon/tenon.hpp>
#include <tenon/trial.hpp>
#include "../../../catch.hpp"
#include "../../../support/seed.hpp"
#include "emitted.hpp"
#include <random>

using namespace tenon_test;
namespace tn = tenon;

namespace {

bare_device& device() {
  bare_device& d = bare_device::instance();
  if (!d.works()) skip("there is no Vulkan driver for the CPU");
  return d;
}

/// What kernels are emitted for in constant expressions.
inline constexpr spirv::target plain{};
struct emits : tn::reference {
  static constexpr bool fuses = true;
  static constexpr bool supports(const tn::table_view& t, const tn::node& n) {
    return spirv::supports(t, n, plain);
  }
};
template <int N> struct module_words { spirv::word word[N]; };
template <class Net> inline constexpr int words_of = [] {
  const auto all = spirv::emit(tn::plan<Net, emits>::view(), 0, plain);
  return all[0].words.size();
}();
template <class Net> inline constexpr auto module_of = [] {
  module_words<words_of<Net>> m{};
  const auto all = spirv::emit(tn::plan<Net, emits>::view(), 0, plain);
  for (int i = 0; i < words_of<Net>; ++i) m.word[i] = all[0].words[i];
  return m;
}();
template <class Net> bool same_at_run_time() {
  const auto all = spirv::kernels_of(tn::plan<Net, emits>::view(), 0, plain);
  const auto& constant = module_of<Net>;
  bool same = all[0].words.size() == words_of<Net>;
  for (int i = 0; same && i < words_of<Net>; ++i) same = all[0].words[i] == constant.word[i];
  return same;
}

inline constexpr auto swish = [](auto x) {
  return tn::map([](auto v) { return v / (1.0f + exp(-v)); })(x);
};
inline constexpr auto rows = [](auto x) { return tn::softmax<1>(x); };
inline constexpr auto column = [](auto x) {
  return tn::reduceSum<tn::reduce_options{.axes = {0}}>(x);
};
inline constexpr auto padded = [](auto x) {
  return tn::pad<tn::pad_options{.beginningPadding = {1, 2}, .endingPadding = {3, 4}}>(x);
};
using matrix = tn::input<"x", float, 12, 34>;

// A module is a constant: in .rodata, and there for static_assert.
static_assert(module_of<tn::graph<swish, matrix>>.word[0] == 0x07230203);
static_assert(module_of<tn::graph<swish, matrix>>.word[3] < 400, "bound of the numbers");

tn::result<tn::owned_plan> planned(const tn::table& t) {
  static const tn::policy_facts facts[] = {tn::facts_of<emitted>()};
  return tn::make_plan(t.view(), {facts, 1});
}

/// Runs random graphs for one kind of device.
void agrees(const spirv::target& t, bool guards = false) {
  bare_device& d = device();
  emission_target() = t;
  d.guards = guards;
  d.fault.clear();
  tn::differential_options o;
  o.seed = seed();
  o.graphs = number_of_graphs(20);
  o.threads = 1;
  const auto r = tn::differential<tn::dynamic, emitted, tn::reference>(o);
  d.guards = false;
  CHECK(r.text == "");
  CHECK(d.fault == "");
  CHECK(r.graphs == o.graphs);
}
spirv::target lavapipe() {
  spirv::target t;
  t.cpu_driver = true;
  t.fuses = false;
  t.float64 = true;
  return t;
}

/// Runs one graph with contents of its own.
void agrees_once(const tn::result<tn::table>& net) {
  REQUIRE(net.ok());
  tn::differential_options o;
  o.graphs = 1;
  o.threads = 1;
  CHECK(tn::differential<emitted, tn::reference>(net->view(), o).text == "");
}
/// Positions of extremes along an axis: `emitted` finds those of `reference`, the first of equals
/// among them.
template <class T>
void same_positions(tn::type type, const tn::shape& s, tn::i64 axis, std::mt19937& random) {
  tn::builder b;
  const auto x = b.input("x", {type, s});
  const auto net = b.finish(
      {b.add<tn::argMax_t>({.axis = axis}, {x}), b.add<tn::argMin_t>({.axis = axis}, {x})});
  REQUIRE(net.ok());
  std::vector<T> values(static_cast<std::size_t>(s.count()));
  const unsigned different = 2u << random() % 7;
  for (T& v : values) v = static_cast<T>(random() % different);
  if constexpr (std::is_floating_point_v<T>)
    for (T& v : values)
      if (random() % 3000 == 0) v = std::numeric_limits<T>::quiet_NaN();
  const auto positions = [&]<class Policy>(Policy) {
    const tn::model<tn::dynamic, Policy> m(*net, tn::weights<0>{});
    tn::instance caller(m);
    std::vector<std::int32_t> most(
        values.size() / static_cast<std::size_t>(s[static_cast<int>(axis)]), -1),
        least = most;
    CHECK(caller(std::span<const T>(values), std::span(most), std::span(least)).ok());
    most.insert(most.end(), least.begin(), least.end());
    return most;
  };
  CHECK(positions(emitted{}) == positions(tn::reference{}));
}

}  // namespace

TEST_CASE("constant expressions and programs emit the same words") {
  CHECK(same_at_run_time<tn::graph<swish, matrix>>());
  CHECK(same_at_run_time<tn::graph<rows, matrix>>());
  CHECK(same_at_run_time<tn::graph<column, matrix>>());
  CHECK(same_at_run_time<tn::graph<padded, matrix>>());
}

TEST_CASE("the same structure has the same words wherever it stands in a graph") {
  tn::builder b;
  const auto x = b.input("x", {tn::type::float32, tn::extents(5, 7)});
  const auto one = b.add<tn::transpose_t>({}, {b.add<tn::softmax_t>({.axis = 1}, {x})});
  const auto two =
      b.add<tn::softmax_t>({.axis = 1}, {b.add<tn::reshape_t>({.newShape = {5, 7}}, {one})});
  const auto t = b.finish({two});
  REQUIRE(t.ok());
  const auto p = planned(t.value());
  REQUIRE(p.ok());
  const tn::plan_view v = p.value().view();
  std::vector<spirv::kernel> softmax;
  for (int g = 0; g < v.groups.size; ++g)
    if (v.groups[g].columns > 0) softmax.push_back(spirv::kernels_of(v, g, plain)[0]);
  REQUIRE(softmax.size() == 2);
  CHECK(std::vector<spirv::word>(softmax[0].words.begin(), softmax[0].words.end()) ==
        std::vector<spirv::word>(softmax[1].words.begin(), softmax[1].words.end()));
  CHECK(softmax[0].ports[0].holder != softmax[1].ports[0].holder);
}

TEST_CASE("a group of more buffers than push constants is not emitted") {
  tn::builder b;
  constexpr tn::tensor t{tn::type::float32, tn::extents(4, 4)};
  std::vector<tn::builder::value> sums;
  auto all = b.input("x", t);
  for (int i = 0; i < 9; ++i) {
    all = b.add<tn::add_t>({}, {all, b.input(tn::name("a") + i, t)});
    sums.push_back(all);
  }
  const auto built =
      b.finish(tn::list<tn::builder::value>{sums.data(), static_cast<int>(sums.size())});
  REQUIRE(built.ok());
  const auto p = planned(built.value());
  REQUIRE(p.ok());
  const tn::plan_view v = p.value().view();
  REQUIRE(v.groups.size == 1);
  CHECK(spirv::kernels_of(v, 0, plain).empty());
}

TEST_CASE("random graphs agree with reference: addresses, a CPU driver") { agrees(lavapipe()); }

TEST_CASE("random graphs agree with reference: addresses, a GPU") {
  spirv::target t = lavapipe();
  t.cpu_driver = false;
  agrees(t);
}
TEST_CASE("random graphs agree with reference: descriptors, a CPU driver") {
  spirv::target t = lavapipe();
  t.by = spirv::addressing::descriptor;
  agrees(t);
}
TEST_CASE("random graphs agree with reference: descriptors, a GPU with float16") {
  spirv::target t = lavapipe();
  t.by = spirv::addressing::descriptor;
  t.cpu_driver = false;
  t.float16 = true;
  agrees(t);
}
TEST_CASE("no kernel touches an element beside its buffers, or writes into what it reads") {
  agrees(lavapipe(), true);
  spirv::target t = lavapipe();
  t.cpu_driver = false;
  agrees(t, true);
}

TEST_CASE("results beyond one row of workgroups agree with reference") {
  device();
  spirv::target t = lavapipe();
  t.cpu_driver = false;
  emission_target() = t;
  const auto agree = [](const char* what, const tn::tensor& in, auto record) {
    tn::builder b;
    const auto y = record(b, b.input("x", in));
    const auto net = b.finish({y});
    INFO(what);
    agrees_once(net);
  };
  // 65,535 workgroups of 64 invocations of four elements, and one more.
  agree("a map", {tn::type::uint8, tn::extents(65536 * 256 + 1)},
        [](tn::builder& b, auto x) { return b.add<tn::logicalNot_t>({}, {x}); });
  agree("a copy", {tn::type::uint8, tn::extents(3, 1398103)},
        [](tn::builder& b, auto x) { return b.add<tn::transpose_t>({}, {x}); });
  agree("rows, a workgroup each", {tn::type::float32, tn::extents(65537, 33)},
        [](tn::builder& b, auto x) { return b.add<tn::softmax_t>({.axis = 1}, {x}); });
}

TEST_CASE("invocations of a GPU that take four elements agree with reference") {
  device();
  for (const auto by : {spirv::addressing::address, spirv::addressing::descriptor}) {
    spirv::target t = lavapipe();
    t.cpu_driver = false;
    t.by = by;
    emission_target() = t;
    const auto agree = [](const tn::shape& a, const tn::shape& b, auto record) {
      tn::builder g;
      const auto x = g.input("x", {tn::type::float32, a}), y = g.input("y", {tn::type::float32, b});
      const auto net = g.finish({record(g, x, y)});
      agrees_once(net);
    };
    const auto add = [](tn::builder& g, auto x, auto y) { return g.add<tn::add_t>({}, {x, y}); };
    agree(tn::extents(513, 517), tn::extents(517), add);
    agree(tn::extents(512, 512), tn::extents(512, 1), add);
    agree(tn::extents(300, 1024), tn::extents(300, 1024), add);
    agree(tn::extents(521, 511), tn::extents(511, 521), [](tn::builder& g, auto x, auto y) {
      return g.add<tn::add_t>({}, {g.add<tn::transpose_t>({}, {x}), y});
    });
    agree(tn::extents(521, 511), tn::extents(1),
          [](tn::builder& g, auto x, auto) { return g.add<tn::transpose_t>({}, {x}); });
    agree(tn::extents(3, 5003), tn::extents(1), [](tn::builder& g, auto x, auto y) {
      return g.add<tn::mul_t>({}, {g.add<tn::softmax_t>({.axis = 1}, {x}), y});
    });
    agree(tn::extents(2, 2500, 2), tn::extents(1),
          [](tn::builder& g, auto x, auto) { return g.add<tn::reduceSum_t>({.axes = {1}}, {x}); });
  }
}

TEST_CASE("few long reductions are shared, and have the bits of reference on CPU drivers") {
  device();
  emission_target() = lavapipe();
  tn::differential_options o;
  o.graphs = 4;
  o.threads = 1;
  o.rounding = 0;
  for (const auto how : {0, 1, 2}) {
    tn::builder b;
    const auto x = b.input("x", {tn::type::float32, tn::extents(70, 3, 97)});
    const auto y =
        how == 0   ? b.add<tn::reduceSum_t>({.axes = {0, 2}}, {x})
        : how == 1 ? b.add<tn::reduceMax_t>({}, {x})
                   : b.add<tn::reduceSum_t>(
                         {.axes = {1, 2}}, {b.add<tn::reshape_t>({.newShape = {2, 35, 291}}, {x})});
    const auto net = b.finish({y});
    REQUIRE(net.ok());
    INFO("reduction " << how);
    CHECK(tn::differential<emitted, tn::reference>(net.value().view(), o).text == "");
  }
}

TEST_CASE(
    "the first extreme of a long run is found by a workgroup: among equals, behind NaN, of fewer "
    "than its invocations") {
  device();
  INFO("TENON_SEED=" << seed());
  std::mt19937 random(static_cast<std::uint32_t>(seed()));
  for (const bool cpu : {true, false}) {
    emission_target() = lavapipe();
    emission_target().cpu_driver = cpu;
    for (const auto& [shape, axis] : {std::pair{tn::extents(3, 5003), 1},
                                      {tn::extents(4099, 5), 0},
                                      {tn::extents(7, 100), 1},
                                      {tn::extents(2, 64), 1}}) {
      INFO("axis " << axis << (cpu ? " on a CPU driver" : " on a GPU"));
      for (int round = 0; round < 4; ++round) {
        same_positions<std::uint8_t>(tn::type::uint8, shape, axis, random);
        same_positions<std::int32_t>(tn::type::int32, shape, axis, random);
        same_positions<std::int64_t>(tn::type::int64, shape, axis, random);
        same_positions<float>(tn::type::float32, shape, axis, random);
      }
    }
  }
}

TEST_CASE("what needs more rounds than a driver makes is shared or done in turns") {
  device();
  emission_target() = lavapipe();
  emission_target().iterations = 65535;
  const auto agree = [](const char* what, auto record) {
    tn::builder b;
    const auto net = b.finish({record(b)});
    INFO(what);
    agrees_once(net);
  };
  const auto floats = [](tn::builder& b, const char* name, const tn::shape& s) {
    return b.input(name, {tn::type::float32, s});
  };
  const auto places = [](tn::builder& b, const tn::shape& s) {
    return b.input("places", {tn::type::int32, s});
  };
  agree("argMax", [&](tn::builder& b) {
    return b.add<tn::argMax_t>({.axis = 1}, {floats(b, "x", tn::extents(20, 600000))});
  });
  agree("reduceMax", [&](tn::builder& b) {
    return b.add<tn::reduceMax_t>({.axes = {1}}, {floats(b, "x", tn::extents(20, 1100000))});
  });
  agree("scatterElements", [&](tn::builder& b) {
    return b.add<tn::scatterElements_t>(
        {0}, {floats(b, "x", tn::extents(1000, 2)), places(b, tn::extents(140000, 2)),
              floats(b, "updates", tn::extents(140000, 2))});
  });
  agree("scatterND", [&](tn::builder& b) {
    return b.add<tn::scatterND_t>(
        {}, {floats(b, "x", tn::extents(500, 3)), places(b, tn::extents(70000, 1)),
             floats(b, "updates", tn::extents(70000, 3))});
  });
}

TEST_CASE("every module of this test is valid") {
  if (std::system("spirv-val --version >/dev/null 2>&1") != 0) skip("spirv-val is not installed");
  char folder[] = "/tmp/tenon_spirv_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  bare_device& d = device();
  d.folder = folder;
  d.forget();
  for (const auto by : {spirv::addressing::address, spirv::addressing::descriptor})
    for (const bool cpu : {true, false}) {
      spirv::target t = lavapipe();
      t.by = by;
      t.cpu_driver = cpu;
      agrees(t);
    }
  d.folder.clear();
  CHECK(d.pipelines() > 0);
  const std::string run = "for f in " + std::string(folder) +
                          "/*.spv; do spirv-val --target-env vulkan1.2 $f || exit 1; done";
  CHECK(std::system(run.c_str()) == 0);
  CHECK(std::system(("rm -r " + std::string(folder)).c_str()) == 0);
}
