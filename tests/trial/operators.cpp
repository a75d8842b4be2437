// Every operator of the library is drawn, and none twice.
// SPDX-License-Identifier: MIT
#include <tenon/trial/operators.hpp>
#include "../catch.hpp"
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

TEST_CASE("random graphs are made of every operator of the language") {
  std::multiset<std::string> drawn;
  const auto all = tenon::trial::operators();
  for (int i = 0; i < all.size; ++i) drawn.insert(all[i].name);

  const std::regex declared("^struct ([A-Za-z0-9]+)_t\\b.*");
  int found = 0;
  for (const auto& file : std::filesystem::directory_iterator("include/tenon/language")) {
    std::ifstream lines(file.path());
    std::smatch name;
    for (std::string line; std::getline(lines, line);)
      if (std::regex_match(line, name, declared)) {
        INFO(name[1] << " of " << file.path().filename());
        CHECK(drawn.count(name[1]) == 1);
        ++found;
      }
  }
  CHECK(found > 80);
  // Programs of maps, and the four ways to write a number beside an operand.
  CHECK(static_cast<int>(drawn.size()) == found + 5);
}
