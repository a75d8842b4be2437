// Runs conformance cases on a policy:
//   conformance --data DIR --policy NAME [--mode table|eager] [--filter TEXT] [--json FILE]
// `table` runs a case as one graph, `eager` each operator as its own. Prints a line for every case
// that fails or that the policy declares not to support, and the numbers. Exit: 0, 1 when a case
// fails, 2 for wrong arguments, 77 when there are no cases or the policy's device is not there.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/reference.hpp>
#include "run.hpp"
#if __has_include(<vulkan/vulkan.hpp>)
#include "../policy/vulkan/driver.hpp"
#include "../policy/vulkan/validated.hpp"
#endif
#include <cstdio>

using namespace conformance;

namespace {

/// Why nothing can run on a policy here: its device.
template <class P> tn::error missing_device() {
  if constexpr (tn::device_backend<P>)
    return P::standard().fault();
  else
    return {};
}
/// What the validation layer says about a policy's device.
template <class P> std::string complaints() {
  if constexpr (requires { P::said(); })
    return P::standard().complaints() > 0 ? P::said() : "";
  else
    return {};
}
/// The policies: a later one is one line here.
struct policy {
  const char* name;
  void (*run)(const single_case&, way);
  tn::error (*fault)();
  std::string (*said)();
};
template <class P>
constexpr policy entry{P::name, &run_case<P>, &missing_device<P>, &complaints<P>};
constexpr policy policies[] = {
    entry<tn::reference>,
    entry<tn::cpu>,
#if __has_include(<vulkan/vulkan.hpp>)
    entry<tn::vulkan>,
    entry<tn::vulkan_staged>,
    entry<tenon_test::vulkan_validated>,
    entry<tenon_test::vulkan_descriptors>,
#endif
};

struct settings {
  std::filesystem::path data, report;
  std::string filter;
  const policy* on = nullptr;
  way how = way::table;
};

struct outcome {
  const char* result = "passed";
  std::string reason{};
};
outcome run_one(const json& j, const settings& s) {
  try {
    s.on->run(read_case(j), s.how);
    return {};
  } catch (const unsupported& e) {
    return {"skipped", std::string(s.on->name) + " declares no support for " + e.what()};
  } catch (const std::exception& e) {
    return {"failed", e.what()};
  }
}

int run_all(const settings& s) {
  int passed = 0, failed = 0, skipped = 0;
  json report = json::array();
  for (const std::filesystem::path& file : files_of(s.data)) {
    const json content = read_file(file);
    for (const json& j : content.at("cases")) {
      const std::string name = file.stem().string() + "/" + j.at("name").get<std::string>();
      if (name.find(s.filter) == std::string::npos) continue;
      const outcome o = run_one(j, s);
      const std::string_view result = o.result;
      ++(result == "passed" ? passed : result == "failed" ? failed : skipped);
      if (result != "passed") std::printf("%s %s: %s\n", o.result, name.c_str(), o.reason.c_str());
      report.push_back({{"case", name}, {"result", o.result}, {"reason", o.reason}});
    }
  }
  if (!s.report.empty()) std::ofstream(s.report) << report.dump(1) << "\n";
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  if (const std::string said = s.on->said(); !said.empty()) {
    std::printf("the validation layer complains: %s\n", said.c_str());
    return 1;
  }
  return failed == 0 ? 0 : 1;
}

int refuse(const std::string& why) {
  std::fprintf(stderr,
               "conformance: %s\nconformance --data DIR --policy NAME [--mode table|eager] "
               "[--filter TEXT] [--json FILE]\npolicies:",
               why.c_str());
  for (const policy& p : policies) std::fprintf(stderr, " %s", p.name);
  std::fputs("\n", stderr);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  settings s;
  for (int i = 1; i < argc; i += 2) {
    const std::string key = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (i + 1 == argc) return refuse(key + " wants a value");
    if (key == "--data")
      s.data = value;
    else if (key == "--filter")
      s.filter = value;
    else if (key == "--json")
      s.report = value;
    else if (key == "--mode" && (value == "table" || value == "eager"))
      s.how = value == "table" ? way::table : way::eager;
    else if (key == "--policy") {
      for (const policy& p : policies)
        if (value == p.name) s.on = &p;
      if (s.on == nullptr) return refuse("no policy '" + value + "'");
    } else
      return refuse("'" + key + " " + value + "' means nothing");
  }
  if (s.on == nullptr) return refuse("--policy is missing");
  if (files_of(s.data).empty()) {
    std::printf("conformance: no cases in '%s'; see the option shared_data\n", s.data.c_str());
    return 77;
  }
  if (const tn::error e = s.on->fault(); !e.ok()) {
    std::printf("conformance: %s\n", describe(e).c_str());
    const bool absent =
        e.what == tn::code::no_device || e.operand == tn::name("VK_LAYER_KHRONOS_validation");
    return absent ? 77 : 1;
  }
  return run_all(s);
}
