// Networks on the policy `cpu` beside ONNX Runtime, oneDNN and loops written by hand:
//   models [--threads N] [--peers DIR] [--json FILE] [--only NAME] [--seconds S]
// DIR is what peers.py prepared. docs/benchmarks.md says what is compared and how.
// SPDX-License-Identifier: MIT
#include <tenon/run/cpu.hpp>
#include <tenon/run/thread_pool.hpp>
#include "hand.hpp"
#include "nets.hpp"
#include "onednn.hpp"
#include "ort.hpp"
#include "report.hpp"
#include <filesystem>
namespace tn = tenon;

struct options {
  std::vector<int> threads{1, 2};
  std::string peers, json, only;
  double seconds = 1;  ///< for each contender
};

/// A network's weights one behind the other, in the order in which its table names them.
struct weights {
  tn::table_view table;
  numbers values;

  tn::const_view find(const tn::name& wanted) const noexcept {
    const float* at = values.data();
    for (const int id : table.weights) {
      const tn::i64 count = table.nodes[id].out.shape.count();
      if (table.name_of(table.nodes[id]) == wanted) return tn::run_of(at, count);
      at += count;
    }
    return {};
  }
  std::size_t count() const {
    tn::i64 n = 0;
    for (const int id : table.weights) n += table.nodes[id].out.shape.count();
    return static_cast<std::size_t>(n);
  }
};

/// What all contenders of a race work on.
struct task {
  std::string name;       ///< in the table
  std::string model;      ///< the peers' name of the network
  std::string output;     ///< the peers' name of the result
  double operations = 0;  ///< of one call
  weights given{};
  std::vector<numbers> inputs{};
  std::vector<std::string> input_names{};
  std::size_t output_size = 0;
};

template <class Net> task make_task(const options& o, std::string name, std::string model,
                                    std::string output, double operations) {
  task t{std::move(name), std::move(model), std::move(output), operations};
  const tn::table_view table = tn::plan<typename Net::graph, tn::cpu>::view().table;
  t.given.table = table;
  const std::size_t n = t.given.count();
  if (!o.peers.empty() && n > 0) {
    t.given.values = read_floats(o.peers + "/models/" + t.model + ".w");
    if (t.given.values.size() != n)
      fail("the peers' weights of " + t.model + " are not those of the network");
  } else {
    t.given.values = random_numbers(n, 7, 0.1f);
  }
  for (const int id : table.inputs) {
    const auto count = static_cast<std::size_t>(table.nodes[id].out.shape.count());
    t.inputs.push_back(random_numbers(count, static_cast<std::uint32_t>(id) + 1, 1));
    t.input_names.push_back(table.name_of(table.nodes[id]).c_str());
  }
  t.output_size = static_cast<std::size_t>(table.nodes[table.outputs[0]].out.shape.count());
  return t;
}

/// A bound model and one caller of it.
template <class Model> struct caller {
  Model model;
  tn::thread_pool pool;
  tn::instance<Model> instance;
  std::vector<tn::const_view> in;
  numbers out;
  tn::mutable_view result;

  template <class... Graph> caller(const task& t, int threads, const Graph&... graph)
      : model(graph..., t.given),
        pool(threads),
        instance(model, pool),
        out(t.output_size),
        result(tn::run_of(out.data(), static_cast<tn::i64>(out.size()))) {
    for (const numbers& x : t.inputs)
      in.push_back(tn::run_of(x.data(), static_cast<tn::i64>(x.size())));
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

/// ONNX Runtime on the task, with what an empty call costs there.
std::optional<contender> enter_ort(const options& o, const task& t, int threads) {
  if (o.peers.empty()) return {};
  std::vector<ort::array> inputs;
  for (std::size_t i = 0; i < t.inputs.size(); ++i)
    inputs.push_back({t.input_names[i], &t.inputs[i]});
  auto entered = ort::run(o.peers, t.model, inputs, t.output, threads);
  if (!entered) fail("ONNX Runtime does not run " + t.model);
  return entered;
}
double empty_call_ms(const options& o) {
  if (o.peers.empty()) return 0;
  const numbers one{1};
  const auto identity = ort::run(o.peers, "identity", {{"x", &one}}, "y", 1);
  return identity ? identity->run(0.3).min : 0;
}

using hand_loop = void (*)(hand::operands, float*, std::ptrdiff_t, std::ptrdiff_t);
contender enter_hand(const char* name, hand_loop loop, const task& t, int threads) {
  struct state {
    hand::operands in;
    numbers out;
    tn::thread_pool pool;
    state(hand::operands operands, std::size_t n, int count) : in(operands), out(n), pool(count) {}
  };
  const auto own = std::make_shared<state>(
      hand::operands{t.inputs[0].data(), t.inputs[1].data(), t.inputs[2].data(), t.inputs[3].data(),
                     t.inputs[4].data()},
      t.output_size, threads);
  const auto call = [own, loop] {
    constexpr tn::i64 piece = 1 << 15;
    tn::refer(own->pool)(
        static_cast<tn::i64>(own->out.size()), piece,
        [&](tn::i64 begin, tn::i64 end, int) { loop(own->in, own->out.data(), begin, end); });
    asm volatile("" ::: "memory");
  };
  return {name, [call](double seconds) { return time_calls(seconds, call); },
          [own] { return own->out; }};
}

/// Races ours against the peers and adds a row for every pair.
void compare(const options& o, const task& t, int threads, std::vector<contender> ours,
             const std::vector<contender>& peers, double call_ms, std::vector<row>& rows) {
  const std::size_t own = ours.size();
  std::vector<contender> all = std::move(ours);
  all.insert(all.end(), peers.begin(), peers.end());
  const std::vector<timing> times = race(all, o.seconds);
  for (std::size_t i = 0; i < own; ++i) {
    row r{t.name, all[i].name, "f32", threads, times[i], "", {}, 0, 0, t.operations};
    for (std::size_t k = own; k < all.size(); ++k) {
      r.peer = all[k].name;
      r.theirs = times[k];
      r.peer_call_ms = r.peer == "ONNX Runtime" ? call_ms : 0;
      r.apart = difference(all[i].output(), all[k].output());
      rows.push_back(r);
      print(r);
    }
    if (all.size() > own) continue;
    rows.push_back(r);
    print(r);
  }
}

struct session {
  options o;
  double call_ms = 0;
  std::vector<row> rows{};

  /// `more(task, threads)` gives the peers beside ONNX Runtime.
  template <class Net, class More> void run(const char* name, const char* model, const char* output,
                                            double operations, const More& more) {
    if (!o.only.empty() && o.only != name) return;
    const task t = make_task<Net>(o, name, model, output, operations);
    const tn::result<tn::table> built = Net::build();
    if (!built.ok()) fail(t.name + " cannot be built at run time");
    for (const int threads : o.threads) {
      std::vector<contender> ours, peers = more(t, threads);
      ours.push_back(enter<tn::model<typename Net::graph, tn::cpu>>("cpu", t, threads));
      ours.push_back(enter<tn::model<tn::dynamic, tn::cpu>>("cpu (run-time built)", t, threads,
                                                            built.value()));
      if (auto other = enter_ort(o, t, threads)) peers.insert(peers.begin(), std::move(*other));
      compare(o, t, threads, std::move(ours), peers, call_ms, rows);
    }
  }
};
std::vector<contender> listed(std::optional<contender> one) {
  return one ? std::vector<contender>{std::move(*one)} : std::vector<contender>{};
}

template <int N> void run_gemm(session& s) {
  const std::string name = "gemm" + std::to_string(N);
  s.run<nets::gemm<N>>(name.c_str(), name.c_str(), "y", 2.0 * N * N * N,
                       [](const task& t, int threads) {
                         return listed(onednn::gemm(N, t.inputs[0], t.given.values, threads));
                       });
}
void run_all(session& s) {
  s.run<nets::lenet5>("lenet5", "lenet5", "t14", 833040,
                      [](const task&, int) { return listed({}); });
  s.run<nets::conv100>("conv100", "conv100", "t2", 1.8e9, [](const task& t, int threads) {
    return listed(onednn::conv(100, 100, t.inputs[0], t.given.values, threads));
  });
  run_gemm<64>(s);
  run_gemm<128>(s);
  run_gemm<256>(s);
  run_gemm<512>(s);
  run_gemm<1024>(s);
  s.run<nets::chain1m>(
      "chain1m", "ew1m", "y", 6.0 * nets::chain1m::n, [](const task& t, int threads) {
        return std::vector{enter_hand("hand", hand::vectors, t, threads),
                           enter_hand("hand (std::tanh)", hand::plain, t, threads)};
      });
}

/// Error: false when the words are not understood.
bool parse(int argc, char** argv, options& o) {
  for (int i = 1; i < argc; i += 2) {
    const std::string word = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (value.empty()) return false;
    int count = 0;
    if (word == "--peers")
      o.peers = std::filesystem::absolute(value);
    else if (word == "--json")
      o.json = value;
    else if (word == "--only")
      o.only = value;
    else if (word == "--seconds")
      o.seconds = std::atof(value.c_str());
    else if (word == "--threads" && std::sscanf(value.c_str(), "%d", &count) == 1 && count > 0)
      o.threads = {count};
    else
      return false;
  }
  return true;
}

int main(int argc, char** argv) {
  session s;
  if (!parse(argc, argv, s.o)) {
    std::fputs(
        "usage: models [--threads N] [--peers DIR] [--json FILE] [--only NAME] [--seconds S]\n",
        stderr);
    return 2;
  }
  s.call_ms = empty_call_ms(s.o);
  if (s.call_ms > 0)
    std::printf("An empty call of ONNX Runtime from JavaScript takes %.4f ms.\n", s.call_ms);
  print_heading();
  run_all(s);
  if (!s.o.json.empty() && !write_json(s.o.json, "models", s.rows))
    fail(s.o.json + " cannot be written");
  const bool all_agree =
      std::ranges::all_of(s.rows, [](const row& r) { return r.peer.empty() || r.comparable(); });
  return all_agree ? 0 : 1;
}
