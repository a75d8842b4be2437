// A growing array, in memory of its own and in lent memory.
// SPDX-License-Identifier: MIT
#include <tenon/base/sequence.hpp>
#include "../catch.hpp"

namespace tn = tenon;

namespace {

constexpr int sum(const tn::sequence<int>& s) {
  int n = 0;
  for (const int x : s) n += x;
  return n;
}
static_assert([] {
  tn::sequence<int> s;
  for (int i = 0; i < 100; ++i) s.push(i);
  const tn::sequence<int> copy = s;
  tn::sequence<int> moved = static_cast<tn::sequence<int>&&>(s);
  moved.resize(101, 50);
  return s.empty() && copy.size() == 100 && sum(copy) == 4950 && sum(moved) == 5000 &&
         moved.grows();
}());
static_assert([] {
  int room[3]{};
  tn::sequence<int> s(room, 3);
  bool right = !s.grows() && s.push(1) == 0 && s.push(2) == 1 && s.push(4) == 2 && room[2] == 4;
  right = right && s.push(8) == 2 && s.push(s[0]) == 2 && s.size() == 3 && sum(s) == 4;  // full
  s.reserve(10);
  s.resize(10, 7);
  return right && s.capacity() == 3 && s.size() == 3 && sum(s) == 4;
}());
static_assert([] {
  int room[2]{}, nothing[1] = {5};
  tn::sequence<int> large, s(room, 2), none(nothing, 0);
  for (int i = 1; i < 9; ++i) large.push(i);
  s = large;
  return s.size() == 2 && room[1] == 2 && none.push(3) == -1 && none.empty() && nothing[0] == 5;
}());

}  // namespace

TEST_CASE("a sequence in lent memory writes there and nowhere else") {
  int room[6] = {-1, -1, -1, -1, -1, -1};
  {
    tn::sequence<int> s(room + 1, 4), own;
    for (int i = 0; i < 9; ++i) s.push(i);
    CHECK((room[0] == -1 && room[1] == 0 && room[3] == 2 && room[4] == 8 && room[5] == -1));
    s.clear();
    own.push(6);
    own = static_cast<tn::sequence<int>&&>(s);  // takes the memory along
    CHECK(own.data() == room + 1);
    CHECK_FALSE(own.grows());
    CHECK(s.grows());
    CHECK((s.size() == 1 && s[0] == 6));
  }
  CHECK(room[1] == 0);
}
