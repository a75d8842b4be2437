// Who reads each node: every edge of a table is there once, in order.
// SPDX-License-Identifier: MIT
#include <tenon/plan/users.hpp>
#include "../catch.hpp"
#include "toy.hpp"
#include <vector>

namespace tn = tenon;
using namespace tenon_test;

namespace {

constexpr auto square = [](auto x) {
  auto y = tn::exp(x);
  return tn::matmul(y, y) + x;
};
constexpr bool reads(int id, std::initializer_list<int> users) {
  const tn::plans::users all(tn::graph<square, tn::input<"x", float, 4, 4>>::view());
  const tn::list<int> found = all.of(id);
  bool r = found.size == static_cast<int>(users.size());
  for (int i = 0; r && i < found.size; ++i) r = found[i] == users.begin()[i];
  return r;
}
static_assert(reads(0, {1, 3}) && reads(1, {2, 2}) && reads(2, {3}) && reads(3, {}));

}  // namespace

TEST_CASE("the users of a node are those that name it as an operand") {
  const tn::table_view t = lenet_graph::view();
  const tn::plans::users all(t);
  for (int id = 0; id < t.nodes.size; ++id) {
    std::vector<int> expected;
    for (int i = 0; i < t.nodes.size; ++i)
      for (int k = 0; k < t.nodes[i].operands; ++k)
        if (t.nodes[i].in[k] == id) expected.push_back(i);
    const tn::list<int> found = all.of(id);
    CHECK(std::vector<int>(found.begin(), found.end()) == expected);
  }
}
