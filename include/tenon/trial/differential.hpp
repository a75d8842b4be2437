// Tests policies: random graphs, or a graph of yours, with random contents, on any list of policies
// against `reference`. What differs is made small and put into words. Not part of tenon.hpp: it
// allocates as it likes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/thread_pool.hpp>
#include <tenon/trial/calls.hpp>
#include <tenon/trial/operators.hpp>
#include <tenon/trial/report.hpp>
#include <memory>

namespace tenon {

/// How much `differential` tests.
struct differential_options {
  std::uint64_t seed = 1;
  int graphs = 100;  ///< random graphs, or calls with other contents of a graph that is given
  int first = 0;     ///< number of the first of them: what a report names
  double rounding =
      -1;  ///< relative error of an operation; 0: the same bits; -1: what the policies say
  /// Whether subnormal numbers may count as zero; true too where a policy says so and `rounding`
  /// does not.
  bool flushes_subnormals = false;
  int threads = 2;                       ///< of a thread pool that also calls; below 2: none
  int attempts = 3000;                   ///< to make a failing graph smaller
  trial::limits most{};                  ///< of random graphs
  void (*progress)(int done) = nullptr;  ///< called behind every graph
};

/// What `differential` found. It ends at the first failure.
struct differential_report {
  int graphs = 0;    ///< that ran
  int skipped = 0;   ///< that no policy of the list supports
  i64 elements = 0;  ///< of outputs that were compared, and how many of them may be anything
  i64 unchecked = 0;
  std::vector<int> operators;  ///< of random graphs, by entry of `trial::operators`
  trial::call_counts calls;    ///< of graphs with limits or states
  std::string text;            ///< what differs; empty: nothing
  bool ok() const { return text.empty(); }
};

/// The relative error with which a policy rounds. A policy says it with `static constexpr double
/// rounding`; 0 promises the bits of `reference`. Else it computes in float32, in any order.
template <class P> inline constexpr double rounding_of = 0x1p-24;
template <class P>
requires requires { P::rounding; }
inline constexpr double rounding_of<P> = P::rounding;

/// Whether a policy may take subnormal numbers for zero, as a device that does not promise to keep
/// them. It says so with `static constexpr bool flushes_subnormals = true`.
template <class P> inline constexpr bool may_flush_subnormals = false;
template <class P>
requires requires { P::flushes_subnormals; }
inline constexpr bool may_flush_subnormals<P> = P::flushes_subnormals;

namespace trial {

/// One list of policies under test.
template <class... Policies> class tester {
 public:
  explicit tester(const differential_options& o) : options(o) {
    if (o.threads > 1) pool_ = std::make_unique<thread_pool>(o.threads);
    if (options.rounding < 0) {
      options.rounding = std::max({0.0, rounding_of<Policies>...});
      options.flushes_subnormals |= (may_flush_subnormals<Policies> || ...);
    }
    options.most.policies = static_cast<int>(sizeof...(Policies));
  }
  differential_options options;
  differential_report report;

  /// What is wrong with a run-time model of a table; nothing if it does as the reference, or if no
  /// policy supports it.
  std::optional<difference> differs(const table_view& t, const contents& c, std::uint64_t seed) {
    const weight_set w(t, c, seed);
    const model<dynamic, Policies...> m(t, w);
    return differs(m, t, c, seed);
  }
  /// Any random graph.
  std::optional<difference> differs(const random_graph& g, std::uint64_t seed, mood kind) {
    const table_view t = g.net.view();
    const contents c = any_contents(t, seed, kind);
    if (!has_history(t)) return differs(t, c, seed);
    const weight_set w(t, c, seed);
    const model<dynamic, Policies...> m(t, w);
    return differs(
        m, t, [&](const std::vector<shape>& s) { return build_again(g, &s); }, seed, kind);
  }
  /// A graph with limits or states: the same calls in several ways.
  template <class Model> std::optional<difference> differs(const Model& m, const table_view& t,
                                                           const fixed_maker& fixed,
                                                           std::uint64_t seed, mood kind) {
    unsupported = m.fault().what == code::unsupported;
    if (unsupported) return {};
    if (!m.fault().ok()) return difference{"binding", words_of(m.fault())};
    ++report.calls.graphs;
    report.calls.with_states += t.states > 0;
    using borrowing = instance<Model, borrowed>;
    const i64 bytes = borrowing::bytes_needed(m);
    poisoned arena(bytes);
    borrowing first(m, {arena.data(), static_cast<std::size_t>(bytes)});
    call_sequence all(t, fixed, seed, kind, error());
    std::vector<planned_call> calls;
    for (int k = 0; k < call_sequence::length; ++k) {
      std::string problem;
      auto c = all.next(problem);
      if (!c) return difference{"the reference", problem};
      bool happened = false;
      if (auto d = call_as_planned(first, t, *c, seed, happened)) return d;
      count(*c, happened);
      if (happened) all.took_place(*c);
      if (!arena.intact()) return difference{c->way, "wrote beyond the arena"};
      c->refused = !happened;
      calls.push_back(std::move(*c));
    }
    splitting_executor split(static_cast<int>(2 + seed % 6), seed);
    if (auto d = call_again(m, t, calls, split, "split between several threads", seed)) return d;
    if (pool_ != nullptr) return call_again(m, t, calls, *pool_, "with a thread pool", seed);
    return {};
  }
  template <class Model> std::optional<difference> differs(const Model& m, const table_view& t,
                                                           const contents& c, std::uint64_t seed) {
    unsupported = m.fault().what == code::unsupported;
    if (unsupported) return {};
    if (!m.fault().ok()) return difference{"binding", words_of(m.fault()), -1, -1, {}};
    std::string problem;
    const auto e = expected(t, c, problem);
    if (!e) return difference{"the reference", problem, -1, -1, {}};
    return call_all_ways(m, t, c, *e, seed, pool_.get());
  }
  bool unsupported = false;  ///< said the last `differs`

  std::optional<expectation> expected(const table_view& t, const contents& c,
                                      std::string& problem) {
    auto results = results_of_reference(t, c, problem);
    if (!results) return {};
    expectation e{std::move(*results), {}};
    if (options.rounding > 0) {
      const node_intervals all = intervals_of(t, c, error());
      for (const int o : t.outputs) e.allowed.push_back(all[static_cast<std::size_t>(o)]);
    }
    for (const int o : t.outputs) report.elements += t.nodes[o].out.shape.count();
    for (const auto& one : e.allowed)
      for (const interval& r : one) report.unchecked += r.anything();
    return e;
  }

 private:
  void count(const planned_call& c, bool happened) {
    if (c.net.nodes.size() > 0)
      for (std::size_t o = 0; o < c.e.wanted.size() && happened; ++o) {
        report.elements += c.net.nodes[c.net.outputs[static_cast<int>(o)]].out.shape.count();
        for (std::size_t i = 0; o < c.e.allowed.size() && i < c.e.allowed[o].size(); ++i)
          report.unchecked += c.e.allowed[o][i].anything();
      }
    report.calls.varied += c.varied;
    report.calls.accepted += c.varied && happened;
    report.calls.refused += c.varied && !happened && c.refused;
    report.calls.beyond += c.varied && !happened && !c.refused;
  }
  template <class Model, class Executor>
  static std::optional<difference> call_again(const Model& m, const table_view& t,
                                              const std::vector<planned_call>& calls,
                                              Executor& threads, const char* way,
                                              std::uint64_t seed) {
    instance caller(m, threads);
    for (const planned_call& c : calls) {
      bool happened = false;
      if (auto d = call_as_planned(caller, t, c, seed, happened)) {
        d->way += std::string(", ") + way;
        return d;
      }
      if (!happened && !c.refused) return difference{c.way, "the call failed this time"};
    }
    return {};
  }
  /// What an operation of the policies may be off by.
  inexact error() const {
    return {options.rounding, options.flushes_subnormals ? smallest_normal : smallest_float};
  }
  std::unique_ptr<thread_pool> pool_;
};

constexpr mood mood_of(int number) {
  constexpr mood moods[] = {mood::calm, mood::wide, mood::calm, mood::special};
  return moods[number % 4];
}

/// One random graph; makes it small if it fails.
template <class... Policies> void test_random(tester<Policies...>& test, int number) {
  const std::uint64_t seed = seed_of(test.options.seed, static_cast<std::uint64_t>(number));
  const mood m = mood_of(number);
  const auto failure_of = [&](const random_graph& g) -> std::optional<difference> {
    if (!g.fault.ok()) return difference{"building", words_of(g.fault), -1, -1, {}};
    return test.differs(g, seed, m);
  };
  limits sizes = test.options.most;
  if (number % 16 == 15) sizes.elements *= 8;  // large enough to be split between threads
  choices d = choices::from_seed(seed);
  const random_graph g = make_graph(d, sizes, &test.report.operators);
  const auto failure = failure_of(g);
  test.report.skipped += test.unsupported;
  ++test.report.graphs;
  if (!failure) return;
  const choices::list small =
      shrink(g.decisions, test.options.attempts, [&](const choices::list& l) {
        choices again = choices::from_list(l);
        return failure_of(make_graph(again, sizes)).has_value();
      });
  choices again = choices::from_list(small);
  const random_graph least = make_graph(again, sizes);
  const auto what = failure_of(least);
  test.report.text = report_of(test, least, *what, seed, m, number);
}

/// A given table, with whatever history it has.
template <class Test, class Model>
std::optional<difference> differs_as_it_is(Test& test, const Model& m, const table_view& t,
                                           const contents& c, std::uint64_t seed, mood kind) {
  if (!has_history(t)) return test.differs(m, t, c, seed);
  return test.differs(
      m, t, [&](const std::vector<shape>& s) { return fixed_table(t, s); }, seed, kind);
}

/// A static graph with other contents; cuts its table if that fails too.
template <class Graph, class... Policies> void test_static(tester<Policies...>& test, int number) {
  const std::uint64_t seed = seed_of(test.options.seed, static_cast<std::uint64_t>(number));
  const table_view t = Graph::view();
  const contents c = any_contents(t, seed, mood_of(number));
  const weight_set w(t, c, seed);
  const auto m = std::make_unique<model<Graph, Policies...>>(w);  // it may be large
  ++test.report.graphs;
  if (const auto failure = differs_as_it_is(test, *m, t, c, seed, mood_of(number)))
    test.report.text = report_of(test, t, c, *failure, seed, number);
}

}  // namespace trial

/// Runs `options.graphs` graphs on a list of policies, as `model<Graph, Policies...>` does, and
/// compares every call with `reference`:
/// ```cpp
/// auto random = differential<dynamic, cpu>({.seed = 7, .graphs = 1000});
/// auto one = differential<net, npu, cpu>();  // a static graph of yours
/// ```
/// Graphs with limits or states are called with other extents each time, and compared with the same
/// graph of exactly these extents, whose states are inputs and outputs.
/// Each model is called over poisoned memory, a second time, after a call with other inputs, with
/// work split in an unkind way, and with a thread pool. Elements must have the same bits, or lie
/// within what `options.rounding` allows (see docs/differential.md); NaN equals NaN. A failing
/// graph is made small and described in the report's text, with the code to build it again.
template <class Graph = dynamic, class... Policies>
differential_report differential(const differential_options& options = {}) {
  constexpr bool random = std::is_same_v<Graph, dynamic>, given = requires { Graph::view(); };
  static_assert(random || given,
                "differential: the first argument is a graph, or dynamic for random graphs, and "
                "the policies follow; differential<dynamic, cpu>()");
  static_assert(sizeof...(Policies) > 0,
                "differential: name the policies to test; differential<dynamic, cpu>()");
  trial::tester<Policies...> test(options);
  for (int i = 0; i < options.graphs && test.report.ok(); ++i) {
    if constexpr (random)
      trial::test_random(test, options.first + i);
    else if constexpr (given)
      trial::test_static<Graph>(test, options.first + i);
    if (options.progress != nullptr) options.progress(i + 1);
  }
  return std::move(test.report);
}
/// Compares policies on one table, with `options.graphs` sets of contents.
template <class... Policies>
differential_report differential(const table_view& t, const differential_options& options = {}) {
  trial::tester<Policies...> test(options);
  for (int i = options.first; i < options.first + options.graphs && test.report.ok(); ++i) {
    const std::uint64_t seed = trial::seed_of(options.seed, static_cast<std::uint64_t>(i));
    const trial::contents c = trial::any_contents(t, seed, trial::mood_of(i));
    ++test.report.graphs;
    const trial::weight_set w(t, c, seed);
    const model<dynamic, Policies...> m(t, w);
    if (const auto failure = trial::differs_as_it_is(test, m, t, c, seed, trial::mood_of(i)))
      test.report.text = report_of(test, t, c, *failure, seed, i);
    test.report.skipped += test.unsupported;
  }
  return std::move(test.report);
}

}  // namespace tenon
