// Shows the plan of a network: as text, as pictures of its groups and of its memory, and as
// diagrams for Graphviz and Mermaid.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/diagram.hpp>
#include "../policies.hpp"
#include "graph.hpp"
#include "memory.hpp"
#include "networks.hpp"
#include <cstdio>
#include <string_view>

enum exit_code { success = 0, cannot_write = 1, bad_usage = 2 };

struct options {
  std::string_view network, policy = "cpu";
  std::string folder;
  bool help = false;
};

void print_help() {
  std::string known, runs;
  networks::each([&]<class Network>() { known += std::string(" ") + Network::name; });
  for (const char* name : policies::names) runs += std::string(" ") + name;
  std::printf(
      "usage: inspect [--policy NAME] NETWORK [FOLDER]\n"
      "Prints the plan of a network. With a folder it also writes there:\n"
      "  memory.svg  the arena: groups from left to right, addresses upwards\n"
      "  graph.svg   the groups and what flows between them\n"
      "  graph.dot   every node, for Graphviz: dot -Tsvg graph.dot\n"
      "  graph.mmd   every node, for Mermaid\n"
      "networks:%s\npolicies:%s\n",
      known.c_str(), runs.c_str());
}

/// Fills `o`. Error: what is wrong with the arguments, in words; empty if nothing is.
std::string parse(int argc, char** argv, options& o) {
  int words = 0;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--help") {
      o.help = true;
    } else if (word == "--policy") {
      if (++i == argc) return "--policy needs a name";
      o.policy = argv[i];
    } else if (word.starts_with("--")) {
      return "unknown option " + std::string(word);
    } else if (++words == 1) {
      o.network = word;
    } else if (words == 2) {
      o.folder = word;
    } else {
      return "too many arguments";
    }
  }
  return words == 0 && !o.help ? "no network given" : "";
}

bool write(const std::string& path, const std::string& text) {
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) return false;
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && whole;
}

int show(const tenon::plan_view& plan, const std::string& text, const std::string& title,
         const std::string& folder) {
  std::fputs(text.c_str(), stdout);
  if (folder.empty()) return std::fflush(stdout) == 0 ? success : cannot_write;
  const std::pair<const char*, std::string> files[] = {{"memory.svg", memory::draw(plan, title)},
                                                       {"graph.svg", graph::draw(plan, title)},
                                                       {"graph.dot", tenon::graphviz(plan)},
                                                       {"graph.mmd", tenon::mermaid(plan)}};
  for (const auto& [name, content] : files)
    if (const std::string path = folder + "/" + name; !write(path, content)) {
      std::fprintf(stderr, "inspect: %s: cannot be written\n", path.c_str());
      return cannot_write;
    }
  return std::fflush(stdout) == 0 ? success : cannot_write;
}

int main(int argc, char** argv) {
  options o;
  if (const std::string wrong = parse(argc, argv, o); !wrong.empty()) {
    std::fprintf(stderr, "inspect: %s\ninspect --help says more\n", wrong.c_str());
    return bad_usage;
  }
  if (o.help) {
    print_help();
    return success;
  }
  int code = bad_usage;
  networks::each([&]<class Network>() {
    policies::each([&]<class Policy>() {
      if (o.network != Network::name || o.policy != Policy::name) return;
      using graph = typename Network::graph;
      code = show(tenon::plan<graph, Policy>::view(), tenon::describe<graph, Policy>(),
                  std::string(Network::name) + " on " + Policy::name, o.folder);
    });
  });
  if (code == bad_usage)
    std::fprintf(stderr, "inspect: unknown network or policy\ninspect --help says more\n");
  return code;
}
