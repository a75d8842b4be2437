// Inputs, weights and outputs of random graphs directly before and behind forbidden pages, where a CPU
// driver works on them as they lie: no kernel reads or writes one element too far.
//   TENON_GRAPHS=5000 TENON_SEED=7 run_vulkan_guard
// SPDX-License-Identifier: MIT
#include "cpu_testing.hpp"
#include "vulkan_policies.hpp"
#include <tenon/run/differential.hpp>
#include <csignal>
#include <unistd.h>

namespace tn = tenon;
using namespace tenon_test;
namespace trial = tn::trial;

namespace {

/// Says which graph it was, when a kernel met a forbidden page. Drivers run kernels on threads of their own.
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
      const i64 at = trial::first_difference(t.nodes[t.outputs[o]].out, e.wanted[k], {g.data(), g.data() + g.size()},
                                             e.allowed.empty() ? nullptr : &e.allowed[k]);
      if (at >= 0) return "output " + std::to_string(o) + ", element " + std::to_string(at);
    }
    return {};
  }
};

/// Runs one graph twice; what is wrong.
std::string differs(trial::tester<tn::vulkan>& test, const tn::table_view& t, std::uint64_t own_seed, int number, wall at) {
  const trial::contents c = trial::any_contents(t, own_seed, trial::mood_of(number));
  std::string problem;
  const auto wanted = test.expected(t, c, problem);
  if (!wanted) return problem;
  guarded_call call(t, c, at);
  const tn::model<tn::dynamic, tn::vulkan> m(t, call.source);
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
    std::snprintf(about, sizeof about, "a kernel of graph %d met the forbidden page %s its buffers, TENON_SEED=%llu\n", i, where,
                  static_cast<unsigned long long>(seed()));
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
