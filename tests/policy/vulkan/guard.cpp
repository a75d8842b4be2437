// Inputs, weights and outputs of random graphs directly before and behind forbidden pages, where a
// CPU driver works on them as they lie: no kernel reads or writes one element too far.
//   TENON_GRAPHS=5000 TENON_SEED=7 policy_vulkan_guard
// SPDX-License-Identifier: MIT
#include <tenon/trial.hpp>
#include "../cpu/testing.hpp"
#include "policies.hpp"
#include "spirv/emitted.hpp"
#include <csignal>
#include <unistd.h>

namespace tn = tenon;
using namespace tenon_test;
namespace trial = tn::trial;

namespace {

/// Says which graph it was, when a kernel met a forbidden page. Drivers run kernels on threads of
/// their own.
char about[200];
void report(int) {
  (void)!::write(2, about, std::strlen(about));
  std::_Exit(1);
}

guarded_bytes guarded_elements(const trial::elements& from, wall at) {
  guarded_bytes g(static_cast<i64>(from.size()), at);
  if (!from.empty()) std::memcpy(g.data(), from.data(), from.size());
  g.seal();
  return g;
}

/// What a call touches, in memory with walls.
struct guarded_call {
  std::vector<guarded_bytes> inputs, weights, outputs;
  table_weights source;
  std::vector<tn::const_view> in;
  std::vector<tn::mutable_view> out;

  guarded_call(const tn::table_view& t, const trial::contents& c, wall at) : source{t, {}} {
    const auto of = [&](int i) -> const trial::elements& { return c[static_cast<std::size_t>(i)]; };
    for (const int i : t.weights) {
      weights.push_back(guarded_elements(of(i), at));
      source.data.push_back(weights.back().floats());
    }
    for (const int i : t.inputs) {
      const tn::tensor& x = t.nodes[i].out;
      inputs.push_back(guarded_elements(of(i), at));
      in.push_back({inputs.back().data(), x.type, x.shape, dense(x.shape), true});
    }
    for (const int i : t.outputs) {
      const tn::tensor& y = t.nodes[i].out;
      outputs.emplace_back(y.bytes(), at);
      out.push_back({outputs.back().data(), y.type, y.shape, dense(y.shape), true});
    }
  }
  bool untouched() const {
    for (const guarded_bytes& g : outputs)
      if (!g.untouched()) return false;
    return true;
  }
  /// The first output that is not as expected; empty if all are.
  std::string difference(const tn::table_view& t, const trial::expectation& e) const {
    for (int o = 0; o < t.outputs.size; ++o) {
      const auto k = static_cast<std::size_t>(o);
      const guarded_bytes& g = outputs[k];
      const i64 at = trial::first_difference(t.nodes[t.outputs[o]].out, e.wanted[k],
                                             {g.data(), g.data() + g.size()},
                                             e.allowed.empty() ? nullptr : &e.allowed[k]);
      if (at >= 0) return "output " + std::to_string(o) + ", element " + std::to_string(at);
    }
    return {};
  }
};

/// Runs one graph twice; what is wrong.
template <class Policy = tn::vulkan>
std::string differs(trial::tester<tn::vulkan>& test, const tn::table_view& t,
                    std::uint64_t own_seed, int number, wall at) {
  const trial::contents c = trial::any_contents(t, own_seed, trial::mood_of(number));
  std::string problem;
  const auto wanted = test.expected(t, c, problem);
  if (!wanted) return problem;
  guarded_call call(t, c, at);
  const tn::model<tn::dynamic, Policy> m(t, call.source);
  if (!m.fault().ok()) return "binding: " + describe(m.fault());
  tn::instance caller(m);
  for (int k = 0; k < 2; ++k)
    if (const tn::status s = caller.run(call.in, call.out); !s.ok()) return "call: " + describe(s);
  if (!call.untouched()) return "something was written around an output";
  return call.difference(t, *wanted);
}

void check_graphs(wall at, const char* where) {
  need_device<tn::vulkan>();
  if (!tn::vulkan::standard().facts().cpu) skip("not a driver whose kernels run on the CPU");
  const int graphs = number_of_graphs(150);
  trial::tester<tn::vulkan> test({.threads = 0});
  int ran = 0;
  for (int i = 0; ran < graphs; ++i) {
    const std::uint64_t own_seed = trial::seed_of(seed(), static_cast<std::uint64_t>(i));
    trial::choices decide = trial::choices::from_seed(own_seed);
    const trial::random_graph g = trial::make_graph(decide, test.options.most);
    REQUIRE(g.fault.ok());
    if (trial::has_history(g.net.view())) continue;  // other extents: run/vulkan_differential.cpp
    std::snprintf(about, sizeof about,
                  "a kernel of graph %d met the forbidden page %s its buffers, TENON_SEED=%llu\n",
                  i, where, static_cast<unsigned long long>(seed()));
    INFO("graph " << i << ", walls " << where << text_of(g.net.view()));
    REQUIRE(differs(test, g.net.view(), own_seed, i, at) == "");
    ++ran;
  }
  CHECK(tn::vulkan::standard().live() == 0);
}

}  // namespace

TEST_CASE("no kernel goes beyond the end of a buffer") {
  std::signal(SIGSEGV, report);
  check_graphs(wall::behind, "behind");
  std::signal(SIGSEGV, SIG_DFL);
}
TEST_CASE("no kernel goes before the start of a buffer") {
  std::signal(SIGSEGV, report);
  check_graphs(wall::before, "before");
  std::signal(SIGSEGV, SIG_DFL);
}

namespace {

/// A product or a convolution of float16 with a bias and `relu`, of random extents and layouts.
tn::result<tn::table> halves_net(trial::choices& d) {
  tn::builder b;
  const auto leaf = [&](const char* label, bool constant, const tn::shape& s) {
    const tn::tensor t{tn::type::float16, s};
    return constant ? b.weight(label, t) : b.input(label, t);
  };
  const auto size = [&](i64 least, i64 most) {
    return least + d.below(static_cast<int>(most - least + 1));
  };
  if (d.one_in(2)) {
    const i64 whole = d.one_in(2) ? 8 : 1;  // whole quads, or any number
    const i64 rows = whole * size(1, 48 / whole), terms = whole * size(1, 48 / whole),
              columns = whole * size(1, 48 / whole), batches = size(1, 3);
    const auto x = leaf("x", d.one_in(3), tn::extents(batches, rows, terms)),
               y = leaf("y", d.one_in(2), tn::extents(d.one_in(2) ? batches : 1, terms, columns));
    constexpr tn::transpose_options turn{.permutation = {0, 2, 1}};
    const auto right = d.one_in(3) && terms == columns ? b.add<tn::transpose_t>(turn, {y}) : y;
    const auto product = b.add<tn::matmul_t>({}, {x, right});
    return b.finish({b.add<tn::relu_t>(
        {}, {b.add<tn::add_t>({}, {product, leaf("c", true, tn::extents(columns))})})});
  }
  tn::conv2d_options o;
  o.groups = d.one_in(4) ? 2 : 1;
  o.padding = {size(0, 2), size(0, 2), size(0, 2), size(0, 2)};
  o.strides = {size(1, 2), size(1, 2)};
  o.inputLayout = d.one_in(3) ? tn::image_layout::nhwc : tn::image_layout::nchw;
  const i64 channels = o.groups * size(1, 6), filters = o.groups * size(1, 20), high = size(4, 18),
            wide = size(4, 18);
  const bool nchw = o.inputLayout == tn::image_layout::nchw;
  const auto image =
      leaf("image", false,
           nchw ? tn::extents(1, channels, high, wide) : tn::extents(1, high, wide, channels));
  const auto w =
      leaf("w", !d.one_in(3), tn::extents(filters, channels / o.groups, size(1, 3), size(1, 3)));
  return b.finish({b.add<tn::relu_t>(
      {}, {b.add<tn::conv2d_t>(o, {image, w, leaf("bias", true, tn::extents(filters))})})});
}
/// What the kernels of devices other than this one are, with buffers of a bare device.
struct emitted_halves : any_family {
  static constexpr bool takes_halves = true;
};
void emit_in_form(int i) {
  spirv::target& t = emission_target();
  t.by = i % 2 == 0 ? spirv::addressing::address : spirv::addressing::descriptor;
  t.cpu_driver = i / 2 % 2 == 0;
  t.shuffles = t.cpu_driver && i / 4 % 2 == 0;
  t.subgroup = t.shuffles ? 8 : 0;
  t.unaligned = t.shuffles;
  t.matrix = {};
  t.float16 = i % 3 == 0;
  if (i % 5 != 0) return;  // fragments, as arrays
  t.cpu_driver = t.shuffles = t.unaligned = false;
  t.subgroup = 32;
  t.shared_bytes = 32768;
  t.matrix.emulated = true;
  t.matrix.products = spirv::precision::float16;
  t.matrix.half = {16, 16, 16};
}
void check_halves(wall at, const char* where) {
  need_device<tn::vulkan>();
  if (!tn::vulkan::standard().facts().cpu) skip("not a driver whose kernels run on the CPU");
  trial::tester<tn::vulkan> test({.threads = 0});
  const int nets = number_of_graphs(150) * 2 / 5;  // each has kernels of its own to compile
  for (int i = 0; i < nets; ++i) {
    const std::uint64_t own_seed = trial::seed_of(seed() + 1, static_cast<std::uint64_t>(i));
    trial::choices decide = trial::choices::from_seed(own_seed);
    const auto net = halves_net(decide);
    REQUIRE(net.ok());
    std::snprintf(
        about, sizeof about,
        "a kernel of float16 net %d met the forbidden page %s its buffers, TENON_SEED=%llu\n", i,
        where, static_cast<unsigned long long>(seed()));
    INFO("net " << i << ", walls " << where << text_of(net->view()));
    constexpr tn::policy_facts facts = tn::facts_of<tn::vulkan>();
    const auto plan = tn::make_plan(net->view(), {&facts, 1});
    REQUIRE(plan.ok());
    CHECK(plan->view().groups.size == 1);  // no cast has a pass of its own
    REQUIRE(differs(test, net->view(), own_seed, i, at) == "");
    emit_in_form(i);
    REQUIRE(differs<emitted_halves>(test, net->view(), own_seed, i, at) == "");
    REQUIRE(bare_device::instance().fault == "");
  }
  CHECK(tn::vulkan::standard().live() == 0);
}

}  // namespace

TEST_CASE("contractions read float16 where it lies, and no element beyond") {
  std::signal(SIGSEGV, report);
  check_halves(wall::behind, "behind");
  check_halves(wall::before, "before");
  std::signal(SIGSEGV, SIG_DFL);
}
