// Fuzzes the run-time builder: any bytes make a graph, with wrong operands and options among them.
// What is wrong is refused as an error; the rest is planned, verified, and runs on `reference` and
// `cpu` with the same bits; with limits or states, in a sequence of calls with other extents.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/trial.hpp>
#include <cstdio>
#include <cstdlib>

namespace tn = tenon;

namespace {

[[noreturn]] void found(const char* what, const std::string& text) {
  std::fprintf(stderr, "%s\n%s\n", what, text.c_str());
  std::abort();
}
std::string words_of(const tn::trial::random_graph& g) {
  std::string r;
  for (const auto& s : g.steps)
    r += "const auto v" + std::to_string(s.node) + " = " + s.code + ";\n";
  for (const auto& c : g.next)
    r += "b.next(v" + std::to_string(c.state) + ", v" + std::to_string(c.next) + ");\n";
  return r;
}
/// Plans of graphs that are too large to run, too.
template <class... Policies> void plan(const tn::trial::random_graph& g) {
  const tn::policy_facts facts[] = {tn::facts_of<Policies>()...};
  const auto made = tn::make_plan(g.net.view(), {facts, sizeof...(Policies)});
  if (!made.ok()) {
    if (made.error().what != tn::code::unsupported && made.error().what != tn::code::policy)
      found("planning", words_of(g));
    return;
  }
  if (!tn::plans::verify(made->view()).ok()) found("verifying", words_of(g));
}
tn::i64 bytes_of(const tn::table_view& t) {
  tn::i64 sum = 0;
  for (const tn::node& n : t.nodes)
    if (sum < tn::i64{1} << 50) sum += n.out.bytes();
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto decide = tn::trial::choices::from_bytes({data, size});
  tn::trial::limits most{
      .operators = 12, .elements = 512, .terms = 50'000, .policies = 2, .spoiled = true};
  if (decide.one_in(16)) most.elements = most.terms = tn::i64{1} << 40;
  const auto g = tn::trial::make_graph(decide, most);
  if (!g.fault.ok()) {
    if (g.net.nodes.size() != 0) found("an error and a table", words_of(g));
    return 0;
  }
  plan<tn::reference>(g);
  plan<tn::cpu, tn::reference>(g);
  const tn::table_view t = g.net.view();
  if (bytes_of(t) > 1 << 20) return 0;
  static tn::trial::tester<tn::cpu, tn::reference> run({.threads = 0});
  const auto moods = static_cast<int>(decide.below(4));
  const std::uint64_t seed = decide.ended() ? 1 : 2;
  if (const auto d = run.differs(g, seed, tn::trial::mood_of(moods)))
    found("running",
          tn::trial::report_of(run, g, *d, seed, tn::trial::mood_of(moods), 0) + words_of(g));
  return 0;
}
