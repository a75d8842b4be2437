// What the contenders of `tools/bench models` work on, and how a model of ours enters a race.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/cpu.hpp>
#include <tenon/run/thread_pool.hpp>
#include "../examples/networks/weights.hpp"
#include "race.hpp"
#include <memory>
namespace tn = tenon;

/// Floating-point operations of a call: those of the sums of products; where there are none, one
/// for each element-wise operator and element.
inline double operations_of(const tn::table_view& t) {
  double sum = 0, others = 0;
  for (const tn::node& n : t.nodes) {
    double products = n.kind == tn::family::contract ? 1 : 0;
    for (int k = 0; products > 0 && k < t.contraction_of(n).axes; ++k)
      products *= static_cast<double>(t.contraction_of(n).axis[k].extent);
    sum += 2 * products;
    others += n.kind == tn::family::map ? static_cast<double>(n.out.shape.count()) : 0;
  }
  return sum > 0 ? sum : others;
}

struct task {
  std::string name;    ///< in the table
  std::string model;   ///< the peers' name of the network
  std::string output;  ///< the peers' name of the result
  tn::table_view table{};
  double operations = 0;  ///< of one call
  numbers weights{};      ///< one behind the other, in the order in which the table names them
  std::vector<numbers> inputs{};
  std::vector<std::string> input_names{};
  std::size_t output_size = 0;

  networks::weights_in_order source() const { return {table, weights}; }
};

/// A bound model and one caller of it.
template <class Model> struct caller {
  Model model;
  tn::thread_pool pool;
  tn::instance<Model> instance;
  std::vector<tn::const_view> in;
  numbers out;
  tn::mutable_view result;

  template <class... Graph> caller(const task& t, int threads, const Graph&... graph)
      : model(graph..., t.source()),
        pool(threads),
        instance(model, pool),
        out(t.output_size),
        result(tn::flat_view_of(out.data(), static_cast<tn::i64>(out.size()))) {
    for (const numbers& x : t.inputs)
      in.push_back(tn::flat_view_of(x.data(), static_cast<tn::i64>(x.size())));
  }
  void call() {
    if (!instance.run(in, {&result, 1}).ok()) fail("a call was refused");
    asm volatile("" ::: "memory");  // somebody reads the result
  }
};
template <class Model, class... Graph>
contender enter(const char* name, const task& t, int threads, const Graph&... graph) {
  const auto own = std::make_shared<caller<Model>>(t, threads, graph...);
  return {name, [own](double seconds) { return time_calls(seconds, [&] { own->call(); }); },
          [own] { return own->out; }};
}

/// A network as the benchmark knows it. Its static graph is compiled where it is described: in a
/// translation unit of its own.
struct network {
  const char* name;    ///< in the table
  const char* model;   ///< the peers' name of it
  const char* output;  ///< the peers' name of the result
  tn::table_view table;
  tn::result<tn::table> built;  ///< by the run-time builder
  contender (*enter)(const task&, int threads);
};
template <class Graph> network describe(const char* name, const char* model, const char* output,
                                        const tn::result<tn::table>& built) {
  return {name, model, output, Graph::view(), built, [](const task& t, int threads) {
            return enter<tn::model<Graph, tn::cpu>>("cpu", t, threads);
          }};
}
