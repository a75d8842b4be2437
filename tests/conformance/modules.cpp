// Lets spirv-val look at what the emitter writes: for the conformance cases and for random graphs,
// with addresses and descriptors, for CPU drivers and GPUs.
//   modules --data DIR [--graphs N] [--most N]
// At most `most` different modules, spread evenly over all. Exit: 0, 1 when one is refused, 77
// without spirv-val.
// SPDX-License-Identifier: MIT
#include <tenon/base/describe.hpp>
#include <tenon/trial.hpp>
#include <tenon/vulkan.hpp>
#include "operators.hpp"
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <unistd.h>

using namespace conformance;
namespace spirv = tn::spirv;

namespace {

using words = std::vector<spirv::word>;
struct module_set {
  std::set<words> all;
  long kernels = 0;
};

spirv::target target(spirv::addressing by, bool cpu_driver) {
  spirv::target t;
  t.by = by;
  t.cpu_driver = cpu_driver;
  t.fuses = !cpu_driver;
  t.float64 = true;
  t.subgroup = cpu_driver ? 8 : 32;
  t.invocations = 1024;
  t.shared_bytes = 32768;
  return t;
}

/// Adds the kernels of a graph for every kind of device.
void collect(const tn::table_view& net, module_set& to) {
  const tn::policy_facts facts[] = {tn::facts_of<tn::vulkan>()};
  const tn::result<tn::owned_plan> made = tn::make_plan(net, {facts, 1});
  if (!made.ok()) return;
  const tn::plan_view p = made->view();
  for (const auto by : {spirv::addressing::address, spirv::addressing::descriptor})
    for (const bool cpu_driver : {true, false})
      for (int g = 0; g < p.groups.size; ++g)
        for (const spirv::kernel& k : spirv::kernels_of(p, g, target(by, cpu_driver))) {
          to.all.insert({k.words.data(), k.words.data() + k.words.size()});
          ++to.kernels;
        }
}

/// The graph of a case; nothing where the library refuses it.
void collect_case(const single_case& c, module_set& to) {
  builder b;
  named_values values;
  for (const auto& [name, input] : c.inputs) {
    const tn::name label = tn::name("operand ") + static_cast<int>(values.size());
    values[name] =
        input.constant ? b.weight(label, input.value.of) : b.input(label, input.value.of);
  }
  for (const call& one : c.calls) add(b, one, values);
  std::vector<builder::value> wanted;
  for (const auto& [name, value] : c.expected) wanted.push_back(values[name]);
  const auto net = b.finish({wanted.data(), static_cast<int>(wanted.size())});
  if (net.ok()) collect(net->view(), to);
}
void collect_cases(const std::filesystem::path& data, module_set& to) {
  for (const std::filesystem::path& file : files_of(data)) {
    const json content = read_file(file);
    for (const json& j : content.at("cases")) collect_case(read_case(j), to);
  }
}
void collect_random(std::uint64_t seed, int graphs, module_set& to) {
  for (int i = 0; i < graphs; ++i) {
    tn::trial::choices d =
        tn::trial::choices::from_seed(tn::trial::seed_of(seed, static_cast<std::uint64_t>(i)));
    const tn::trial::random_graph g = tn::trial::make_graph(d, {});
    if (g.fault.ok()) collect(g.net.view(), to);
  }
}

/// Whether spirv-val takes a module; it says itself why it does not.
bool is_valid(const words& module, const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool written =
      std::fwrite(module.data(), sizeof(spirv::word), module.size(), file) == module.size();
  const bool closed = std::fclose(file) == 0;
  return written && closed &&
         std::system(("spirv-val --target-env vulkan1.2 " + path + " 2>&1").c_str()) == 0;
}
int validate(const module_set& m, std::size_t most) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tenon-" + std::to_string(::getpid()) + ".spv"))
          .string();
  std::size_t at = 0, looked = 0;
  int refused = 0;
  for (const words& one : m.all) {
    const bool chosen = looked * m.all.size() <= at * most;
    ++at;
    if (!chosen) continue;
    ++looked;
    if (is_valid(one, path)) continue;
    const std::string kept = path + "." + std::to_string(++refused);
    std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing);
    std::printf("refused: %s\n", kept.c_str());
    if (refused == 10) break;
  }
  std::filesystem::remove(path);
  std::printf("%ld kernels, %zu different modules, %zu looked at, %d refused\n", m.kernels,
              m.all.size(), looked, refused);
  return refused == 0 && looked > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path data;
  int graphs = 100, most = 400;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string key = argv[i];
    if (key == "--data") data = argv[i + 1];
    if (key == "--graphs") graphs = std::atoi(argv[i + 1]);
    if (key == "--most") most = std::atoi(argv[i + 1]);
  }
  if (std::system("spirv-val --version >/dev/null 2>&1") != 0) {
    std::puts("modules: spirv-val is not installed");
    return 77;
  }
  const char* given = std::getenv("TENON_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::printf("seed: TENON_SEED=%llu\n", static_cast<unsigned long long>(seed));
  module_set all;
  collect_cases(data, all);
  collect_random(seed, graphs, all);
  return validate(all, static_cast<std::size_t>(most));
}
