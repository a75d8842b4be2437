// Networks on the policy `cpu` beside ONNX Runtime, oneDNN and loops written by hand:
//   models [--threads N] [--peers DIR] [--json FILE] [--only NAME] [--seconds S]
// DIR is what peers.py prepared. docs/benchmarks.md says what is compared and how.
// SPDX-License-Identifier: MIT
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

task make_task(const options& o, const network& net) {
  task t{net.name, net.model, net.output, net.table, operations_of(net.table)};
  const auto n = static_cast<std::size_t>(t.source().count());
  if (!o.peers.empty() && n > 0) {
    t.weights = read_floats(o.peers + "/models/" + t.model + ".w");
    if (t.weights.size() != n)
      fail("the peers' weights of " + t.model + " are not those of the network");
  } else {
    const std::vector<float> scaled = networks::random_weights(net.table, 7);
    t.weights.assign(scaled.begin(), scaled.end());
  }
  for (const int id : net.table.inputs) {
    const auto count = static_cast<std::size_t>(net.table.nodes[id].out.shape.count());
    t.inputs.push_back(random_numbers(count, static_cast<std::uint32_t>(id) + 1, 1));
    t.input_names.push_back(net.table.name_of(net.table.nodes[id]).c_str());
  }
  const int result = net.table.outputs[0];
  t.output_size = static_cast<std::size_t>(net.table.nodes[result].out.shape.count());
  return t;
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

/// The peers of a network beside ONNX Runtime.
std::vector<contender> other_peers(const task& t, int threads) {
  const auto listed = [](std::optional<contender> one) {
    return one ? std::vector<contender>{std::move(*one)} : std::vector<contender>{};
  };
  if (t.name == "conv100") return listed(onednn::conv(100, 100, t.inputs[0], t.weights, threads));
  if (t.name.starts_with("gemm"))
    return listed(onednn::gemm(std::atoi(t.name.c_str() + 4), t.inputs[0], t.weights, threads));
  if (t.name == "chain1m")
    return {enter_hand("hand", hand::vectors, t, threads),
            enter_hand("hand (std::tanh)", hand::plain, t, threads)};
  return {};
}

struct session {
  options o;
  double call_ms = 0;
  std::vector<row> rows{};

  void run(const network& net) {
    if (!o.only.empty() && o.only != net.name) return;
    if (!net.built.ok()) fail(std::string(net.name) + " cannot be built at run time");
    const task t = make_task(o, net);
    for (const int threads : o.threads) {
      std::vector<contender> ours, peers = other_peers(t, threads);
      ours.push_back(net.enter(t, threads));
      ours.push_back(enter<tn::model<tn::dynamic, tn::cpu>>("cpu (run-time built)", t, threads,
                                                            net.built.value()));
      if (auto other = enter_ort(o, t, threads)) peers.insert(peers.begin(), std::move(*other));
      compare(o, t, threads, std::move(ours), peers, call_ms, rows);
    }
  }
};

void run_all(session& s) {
  s.run(nets::lenet5());
  s.run(nets::dscnn());
  s.run(nets::mobilenetv2());
  s.run(nets::squeezenet11());
  s.run(nets::resnet50());
  s.run(nets::encoder1());
  s.run(nets::encoder12());
  s.run(nets::conv100(1));
  s.run(nets::conv100(2));
  for (const int n : {64, 128, 256, 512, 1024}) s.run(nets::gemm(n));
  s.run(nets::chain1m());
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
