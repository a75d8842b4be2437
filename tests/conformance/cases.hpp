// The cases: what stands in a file, as values.
// SPDX-License-Identifier: MIT
#pragma once
#include "distance.hpp"
#include <filesystem>
#include <fstream>
#include <map>

namespace conformance {

/// One operator of a case. Which arguments are operands is the case's own statement.
struct call {
  std::string op;
  json arguments;                     ///< by WebNN's parameter names; "options" is one of them
  std::vector<std::string> operands;  ///< paths such as "input" and "options.bias"
  std::vector<std::string> outputs;
};

struct given {
  buffer value;
  bool constant = false;
};

struct single_case {
  std::string name;
  std::map<std::string, given> inputs;
  std::vector<call> calls;  ///< in topological order
  std::map<std::string, buffer> expected;
  tolerance allowed;
};

inline call read_call(const json& j) {
  call c{j.at("name").get<std::string>(),
         j.at("arguments"),
         j.at("operand_args").get<std::vector<std::string>>(),
         {}};
  const json& outputs = j.at("outputs");
  if (outputs.is_string())
    c.outputs.push_back(outputs.get<std::string>());
  else
    c.outputs = outputs.get<std::vector<std::string>>();
  return c;
}
inline tolerance read_tolerance(const json& j) {
  const std::string how = j.at("type").get<std::string>();
  if (how != "ULP" && how != "ATOL") throw problem("no tolerance of type '" + how + "'");
  return {how == "ULP" ? tolerance::measure::ulp : tolerance::measure::absolute,
          real_of(j.at("value"))};
}
/// Error: throws `problem` when the case uses what the library does not know.
inline single_case read_case(const json& j) {
  single_case c;
  c.name = j.at("name").get<std::string>();
  for (const auto& [name, value] : j.at("inputs").items())
    c.inputs[name] = {read_buffer(value), value.value("constant", false)};
  for (const json& one : j.at("operators")) c.calls.push_back(read_call(one));
  for (const auto& [name, value] : j.at("expected").items()) c.expected[name] = read_buffer(value);
  c.allowed = read_tolerance(j.at("tolerance"));
  return c;
}

/// The files of a folder, in order.
inline std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> all;
  if (std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == ".json") all.push_back(entry.path());
  std::sort(all.begin(), all.end());
  return all;
}
inline json read_file(const std::filesystem::path& file) {
  return json::parse(std::ifstream(file));
}

}  // namespace conformance
