// Plans as diagrams: every node and every edge once, names escaped, syntax that Graphviz takes.
// SPDX-License-Identifier: MIT
#include <tenon/plan/describe/diagram.hpp>
#include "../../catch.hpp"
#include "../random_graph.hpp"
#include <cstdio>
#include <map>
#include <regex>
#include <sstream>

namespace tn = tenon;
using namespace tenon_test;

namespace {

constexpr tn::policy_facts far{"far", tn::sharing::separate, true, &anything, &nothing};
constexpr tn::policy_facts guest{"guest", tn::sharing::importable, true, &anything, &nothing};

/// How often each node and each edge appears, and which node stands in which group.
struct drawing {
  std::map<std::string, int> nodes, edges;
  std::map<std::string, int> group;
};
/// Reads a diagram line by line: `open` and `close` frame a group, `node` and `edge` are its lines.
drawing read(const std::string& text, const std::regex& open, const std::string& close,
             const std::regex& node, const std::regex& edge) {
  drawing d;
  std::istringstream lines(text);
  int group = -1;
  for (std::string line; std::getline(lines, line);) {
    std::smatch m;
    if (std::regex_search(line, m, edge))
      ++d.edges[m[1].str() + " " + m[2].str()];
    else if (std::regex_search(line, m, open))
      group = std::stoi(m[1].str());
    else if (line == close)
      group = -1;
    else if (std::regex_search(line, m, node)) {
      ++d.nodes[m[1].str()];
      d.group[m[1].str()] = group;
    }
  }
  CHECK(group == -1);
  return d;
}
drawing read_dot(const std::string& text) {
  return read(text, std::regex("^  subgraph cluster_(\\d+) \\{$"), "  }",
              std::regex("^ +(n\\d+|out\\d+) \\[label="),
              std::regex("^  (n\\d+) -> (n\\d+|out\\d+)[ ;]"));
}
drawing read_mermaid(const std::string& text) {
  return read(text, std::regex("^  subgraph g(\\d+)\\["), "  end",
              std::regex("^ +(n\\d+|out\\d+)[\\[(]"),
              std::regex("^  (n\\d+) (?:-->|==>|-\\.->)(?:\\|\"[^\"|]*\"\\|)? (n\\d+|out\\d+)$"));
}
/// Checks a drawing against its plan.
void check(const drawing& d, const tn::plan_view& p) {
  std::map<std::string, int> edges;
  for (int i = 0; i < p.table.nodes.size; ++i) {
    const std::string name = tenon::notation::joined("n", i);
    CHECK(d.nodes.count(name) == 1);
    CHECK(d.nodes.at(name) == 1);
    CHECK(d.group.at(name) == p.group_of[i]);
    for (int k = 0; k < p.table.nodes[i].operands; ++k)
      ++edges[tenon::notation::joined("n", p.table.nodes[i].in[k]) + " " + name];
  }
  for (int o = 0; o < p.table.outputs.size; ++o)
    ++edges[tenon::notation::joined("n", p.table.outputs[o]) + tenon::notation::joined(" out", o)];
  CHECK(static_cast<int>(d.nodes.size()) == p.table.nodes.size + p.table.outputs.size);
  CHECK(d.edges == edges);
}
/// Quotes and brackets outside of quotes are balanced; a backslash escapes where `escapes`.
bool balanced(const std::string& text, bool escapes) {
  std::string open;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n' && quoted) return false;
    if (quoted && escapes && c == '\\')
      ++i;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '[' || c == '('))
      open += c == '{' ? '}' : c == '[' ? ']' : ')';
    else if (!quoted && (c == '}' || c == ']' || c == ')')) {
      if (open.empty() || open.back() != c) return false;
      open.pop_back();
    }
  }
  return open.empty() && !quoted;
}
int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// A graph whose names try to end labels early.
tn::result<tn::table> hostile() {
  tn::builder b;
  const tn::tensor t{tn::type::float32, tn::extents(2, 2)};
  const auto x = b.input("a\"]; b -> c; \\", t), y = b.weight("<b>&#34;|{}\n`;", t);
  return b.finish({b.add<tn::add_t>({}, {x, y})});
}

}  // namespace

TEST_CASE("diagrams of random plans have every node and every edge once") {
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 60; ++round) {
    const auto net = any_graph(random, 4 + round % 30, 3);
    REQUIRE(net.ok());
    const auto made = planned(net, std::vector{fusing, far, guest});
    REQUIRE(made.ok());
    const tn::plan_view p = made->view();
    const std::string dot = tn::graphviz(p), chart = tn::mermaid(p);
    check(read_dot(dot), p);
    check(read_mermaid(chart), p);
    CHECK(balanced(dot, true));
    CHECK(balanced(chart, false));
    CHECK((count(dot, "style=bold") > 0) == (p.moved.copies > 0));
    CHECK(count(dot, "style=bold") == count(chart, "==>"));
    CHECK(count(dot, "\"crosses\"") == count(chart, "-.->"));
  }
}

TEST_CASE("states are drawn as such") {
  tn::builder b;
  const tn::tensor t{tn::type::float32, tn::extents(2, 2)};
  const auto x = b.input("x", t), kept = b.state("h", t);
  const auto y = b.add<tn::add_t>({}, {x, kept});
  b.next(kept, y);
  const auto made = planned(b.finish({b.add<tn::greater_t>({}, {y, x})}), fusing);
  REQUIRE(made.ok());
  const std::string dot = tn::graphviz(made->view()), chart = tn::mermaid(made->view());
  check(read_dot(dot), made->view());
  check(read_mermaid(chart), made->view());
  CHECK(count(dot, "h (state)") == 1);
  CHECK(count(dot, "[label=\"next h\"") == 1);
  CHECK(count(dot, "uint8 [2, 2]") == 1);
  CHECK(count(chart, "([\"next h\"])") == 1);
}

TEST_CASE("names cannot break out of their labels") {
  const auto made = planned(hostile(), fusing);
  REQUIRE(made.ok());
  const std::string dot = tn::graphviz(made->view()), chart = tn::mermaid(made->view());
  check(read_dot(dot), made->view());
  check(read_mermaid(chart), made->view());
  CHECK(balanced(dot, true));
  CHECK(balanced(chart, false));
  CHECK(count(dot, R"(label="a\"]; b -> c; \\\n[2, 2]")") == 1);
  CHECK(count(dot, R"(label="<b>&#34;|{}\\x0a`;\n[2, 2]")") == 1);
  CHECK(count(chart, "([\"a#34;]#59; b -#62; c#59; #92;<br/>[2, 2]\"])") == 1);
}

TEST_CASE("Graphviz reads its diagrams") {
  if (std::system("dot -V >/dev/null 2>&1") != 0) skip("dot is not installed");
  std::mt19937 random(11);
  std::vector<tn::result<tn::table>> nets{hostile()};
  for (int round = 0; round < 5; ++round) nets.push_back(any_graph(random, 25, 3));
  for (const auto& net : nets) {
    const auto made = planned(net, std::vector{fusing, far, guest});
    REQUIRE(made.ok());
    std::FILE* pipe = ::popen("dot -Tplain >/dev/null", "w");
    REQUIRE(pipe != nullptr);
    const std::string dot = tn::graphviz(made->view());
    CHECK(std::fwrite(dot.data(), 1, dot.size(), pipe) == dot.size());
    CHECK(::pclose(pipe) == 0);
  }
}
