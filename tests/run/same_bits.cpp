// The same bits however a model runs: static or built at run time, its programs constant or
// interpreted, on one thread or many, with work split in any way.
// SPDX-License-Identifier: MIT
#include <tenon/load/safetensors.hpp>
#include <tenon/run/thread_pool.hpp>
#include "../catch.hpp"
#include "same_bits_models.hpp"
#include <fstream>
#include <optional>

using namespace tenon_test;

namespace {

/// The first difference of two lists of outputs, or nothing.
std::string apart(const results& wanted, const results& found) {
  if (wanted.empty() || wanted.size() != found.size()) return "a run failed";
  for (std::size_t o = 0; o < wanted.size(); ++o)
    if (const std::string off = difference(wanted[o], found[o]); !off.empty())
      return "output " + std::to_string(o) + ": " + off;
  return "";
}

/// All ways to run one graph on `cpu`.
template <class Graph> void check_all_ways(const contents& c) {
  const results wanted = run_static<tenon::cpu, Graph>(c);
  REQUIRE(!wanted.empty());
  {
    INFO("built at run time");
    CHECK(apart(wanted, run_dynamic<tenon::cpu>(Graph::view(), c)) == "");
  }
  for (const int threads : {1, 2, 3, 7}) {
    INFO("pool of " << threads);
    tenon::thread_pool pool(threads);
    CHECK(pool.threads() == threads);
    CHECK(apart(wanted, run_static<tenon::cpu, Graph>(c, pool)) == "");
    CHECK(apart(wanted, run_dynamic<tenon::cpu>(Graph::view(), c, pool)) == "");
  }
  using order = splitting_executor::order;
  for (const order how : {order::singles_backwards, order::uneven, order::shuffled})
    for (const int threads : {2, 3, 7}) {
      INFO("split in order " << static_cast<int>(how) << " between " << threads);
      splitting_executor split(threads, how, seed());
      CHECK(apart(wanted, run_static<tenon::cpu, Graph>(c, split)) == "");
      CHECK(apart(wanted, run_dynamic<tenon::cpu>(Graph::view(), c, split)) == "");
      CHECK(split.pieces() > 0);
    }
  const results defined = run_static<tenon::reference, Graph>(c);
  REQUIRE(defined.size() == wanted.size());
  CHECK(apart(defined, run_dynamic<tenon::reference>(Graph::view(), c)) == "");
  for (std::size_t o = 0; o < wanted.size(); ++o)
    CHECK((has_fma ? difference(defined[o], wanted[o]) : std::string()) == "");
}

}  // namespace

TEST_CASE("models have the same bits however they run") {
  int number = 0;
  each_model([&]<class Graph>(const char* name) {
    INFO(name);
    dice d = dice_of(41, number++);
    check_all_ways<Graph>(random_contents(Graph::view(), d));
  });
}

TEST_CASE("models have the same bits with NaN and infinities in their data") {
  int number = 0;
  each_model([&]<class Graph>(const char* name) {
    INFO(name);
    dice d = dice_of(42, number++);
    check_all_ways<Graph>(random_contents(Graph::view(), d, 300));
  });
}

TEST_CASE("the trained lenet reads ten digits with the same bits however it runs") {
  const std::string folder = std::string(TENON_SHARED_DATA) + "/models/lenet/";
  const auto file = tenon::safetensors::open((folder + "lenet.safetensors").c_str());
  if (!file.ok()) tenon_test::skip("no lenet.safetensors in " + folder);
  const tenon::table_view t = lenet::view();
  for (int digit = 0; digit < 10; ++digit) {
    INFO("digit " << digit);
    std::ifstream idx(folder + std::to_string(digit) + ".idx", std::ios::binary);
    std::vector<char> bytes(16 + 28 * 28);
    if (!idx.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
      tenon_test::skip("no digits in " + folder);
    contents c;
    c.inputs.emplace_back();
    for (std::size_t i = 16; i < bytes.size(); ++i)
      c.inputs[0].push_back(static_cast<float>(static_cast<unsigned char>(bytes[i])) / 255.0f);
    for (const int w : t.weights) {
      const tenon::const_view v = file->find(t.name_of(t.nodes[w]));
      REQUIRE(v.data != nullptr);
      const auto n = static_cast<std::size_t>(v.shape.count());
      c.weights.emplace_back(n);
      std::memcpy(c.weights.back().data(), v.data, n * sizeof(float));
    }
    check_all_ways<lenet>(c);
    const results r = run_static<tenon::cpu, lenet>(c);
    CHECK(std::max_element(r[1].begin(), r[1].end()) - r[1].begin() == digit);
  }
}

TEST_CASE("every model has on cpu the bits of reference, where the target has fma") {
  each_model([]<class Graph>(const char* name) {
    INFO(name);
    const std::uint64_t own = hash_of_model<tenon::cpu, Graph>(),
                        defined = hash_of_model<tenon::reference, Graph>();
    std::printf("bits: %s %016llx\n", name, static_cast<unsigned long long>(own));
    if (has_fma) CHECK(own == defined);
    CHECK(own != hash_of({}));
  });
}

TEST_CASE("the hash notices one changed bit") {
  CHECK(hash_of({{1.0f, 0.0f}}) != hash_of({{1.0f, -0.0f}}));
  CHECK(hash_of({{1.0f, 2.0f}}) != hash_of({{2.0f, 1.0f}}));
}
