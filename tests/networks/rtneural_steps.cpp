// A recurrent network of RTNeural's test suite as an audio plug-in runs it: a sample a call, its
// state kept between the calls, without allocation, lock or system call.
// SPDX-License-Identifier: MIT
#include "../support/strict_child.hpp"
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

using namespace tenon_test;
using json = nlohmann::json;
namespace tn = tenon;

namespace {

inline constexpr tn::gruCell_options with_biases{.bias = true, .recurrentBias = true};
inline constexpr auto tail = [](auto h) {
  auto y =
      tn::sigmoid(tn::gemm(h, tn::weight<"dense.w", float, 8, 8>, tn::weight<"dense.b", float, 8>));
  return tn::gemm(y, tn::weight<"out.w", float, 8, 1>, tn::weight<"out.b", float, 1>);
};
template <tn::i64 In> inline constexpr auto unit = [](auto x, auto h) {
  return tn::gruCell<with_biases>(x, tn::weight<"gru.w", float, 24, In>,
                                  tn::weight<"gru.r", float, 24, 8>, h,
                                  tn::weight<"gru.b", float, 24>, tn::weight<"gru.rb", float, 24>);
};
inline constexpr auto gru_1d = [](auto x, auto h) {
  auto now = unit<1>(x, h);
  tn::next(h, now);
  return tail(now);
};
inline constexpr auto gru = [](auto x, auto h) {
  auto a = tn::tanh(tn::gemm(x, tn::weight<"in.w", float, 1, 8>, tn::weight<"in.b", float, 8>));
  auto now = unit<8>(a, h);
  tn::next(h, now);
  return tail(now);
};
template <auto Model> using graph_of =
    tn::graph<Model, tn::input<"x", float, 1, 1>, tn::state<"h", float, 1, 8>>;

const std::string folder = std::string(TENON_SHARED_DATA) + "/models/rtneural/";
std::vector<double> column(const std::string& path) {
  std::ifstream file(path);
  std::vector<double> r;
  for (double x; file >> x;) r.push_back(x);
  return r;
}
/// Keras' weights under our names; those of the recurrent layer the other way round.
struct keras {
  std::map<std::string, std::vector<float>> all{};
  explicit keras(const std::string& name) {
    json model;
    std::ifstream(folder + name + ".json") >> model;
    int dense = 0;
    for (const json& l : model["layers"]) {
      const json& w = l["weights"];
      const std::string type = l["type"];
      const std::string label = type == "gru"                      ? "gru"
                                : type == "time-distributed-dense" ? "in"
                                : dense++ == 0                     ? "dense"
                                                                   : "out";
      add(label + ".w", w[0], type == "gru");
      if (type != "gru") {
        add(label + ".b", json::array({w[1]}), false);
        continue;
      }
      add("gru.r", w[1], true);
      add("gru.b", json::array({w[2][0]}), false);
      add("gru.rb", json::array({w[2][1]}), false);
    }
  }
  void add(const std::string& label, const json& rows, bool turned) {
    std::vector<float>& to = all[label];
    for (std::size_t c = 0; turned && c < rows[0].size(); ++c)
      for (const json& row : rows) to.push_back(row[c].get<float>());
    for (std::size_t r = 0; !turned && r < rows.size(); ++r)
      for (const json& x : rows[r]) to.push_back(x.get<float>());
  }
  tn::const_view find(const tn::name& wanted) const noexcept {
    const auto found = all.find(wanted.c_str());
    if (found == all.end()) return {};
    const tn::shape s = tn::extents(static_cast<tn::i64>(found->second.size()));
    return {found->second.data(), tn::type::float32, s, tn::dense(s), false};
  }
};

/// A call for each sample; returns how many did well.
template <class Instance>
int play(Instance& own, const std::vector<float>& x, std::vector<float>& y) {
  int done = 0;
  own.reset();
  for (std::size_t i = 0; i < x.size(); ++i)
    done += own(std::span{&x[i], 1}, std::span{&y[i], 1}).ok();
  return done;
}
template <class Instance> void check_instance(Instance& own, const std::vector<float>& x,
                                              const std::vector<double>& wanted, const char* how) {
  INFO(how);
  std::vector<float> y(x.size()), again(x.size());
  const int all = static_cast<int>(x.size());
  REQUIRE(play(own, x, y) == all);
  double most = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    most = std::max(most, std::abs(static_cast<double>(y[i]) - wanted[i]));
  std::printf("%s: largest difference %.2g\n", how, most);
  CHECK(most < 1e-5);
  const ending e = in_strict_child([&](ledger& ledger) {
    ledger.calls = play(own, x, again);
    ledger.bits = std::memcmp(y.data(), again.data(), y.size() * sizeof(float)) == 0;
  });
  INFO("signal " << e.signal << ", status " << e.status << ", " << e.left.forbidden
                 << " forbidden calls, the first of " << e.left.which);
  CHECK(e.clean());
  CHECK(e.left.calls == all);
  CHECK(e.left.bits == 1);
}
template <class Policy, class Graph> void check_policy(const std::string& name,
                                                       const std::vector<float>& x,
                                                       const std::vector<double>& wanted) {
  const keras source(name);
  const tn::model<Graph, Policy> model(source);
  INFO(name << ", " << Policy::name << ": " << tn::text_of(model.fault().what) << " "
            << model.fault().operand.c_str());
  REQUIRE(model.fault().ok());
  static tn::instance<tn::model<Graph, Policy>, tn::embedded>* embedded = nullptr;
  alignas(64) static std::byte place[sizeof *embedded];
  embedded = new (place) tn::instance<tn::model<Graph, Policy>, tn::embedded>(model);
  check_instance(*embedded, x, wanted, (name + ", " + Policy::name + ", static, embedded").c_str());
  embedded->~instance();
  const tn::model<tn::dynamic, Policy> built(Graph::view(), source);
  tn::instance own(built);
  check_instance(own, x, wanted, (name + ", " + Policy::name + ", built at run time").c_str());
}
template <class Graph> void check_samples(const std::string& name) {
  if (!std::ifstream(folder + name + ".json")) tenon_test::skip("no " + folder + name + ".json");
  if (!strict_mode_works()) tenon_test::skip("strict seccomp is not to be had here");
  const std::vector<double> given = column(folder + name + "_x_python.csv"),
                            wanted = column(folder + name + "_y_python.csv");
  std::vector<float> x;
  for (const double v : given) x.push_back(static_cast<float>(v));
  REQUIRE(x.size() == wanted.size());
  check_policy<tn::cpu, Graph>(name, x, wanted);
  check_policy<tn::reference, Graph>(name, x, wanted);
}

}  // namespace

TEST_CASE("a gru, a sample a call") { check_samples<graph_of<gru_1d>>("gru_1d"); }
TEST_CASE("a gru between dense layers, a sample a call") { check_samples<graph_of<gru>>("gru"); }
