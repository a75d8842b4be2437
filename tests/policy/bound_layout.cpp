// Memory that policies bind groups in is laid out, and measured, by one function.
// SPDX-License-Identifier: MIT
#include <tenon/policy/bound_layout.hpp>
#include "../catch.hpp"

namespace tn = tenon;

namespace {

struct header {
  double scale = 2;
  int steps = 0;
};
struct laid_out {
  header* first = nullptr;
  std::int32_t* table = nullptr;
  float* none = nullptr;
  std::byte* last = nullptr;
  tn::i64 bytes = 0;
};
constexpr laid_out lay_out(std::byte* at, tn::i64 entries) {
  tn::bound_layout memory(at);
  laid_out all;
  all.first = memory.take<header>();
  all.table = memory.take<std::int32_t>(entries);
  all.none = memory.take<float>(0);
  all.last = memory.take<std::byte>(3);
  all.bytes = memory.bytes();
  return all;
}

static_assert(lay_out(nullptr, 17).bytes == 64 + 128 + 64);  // 16, 68, 0 and 3 bytes, aligned
static_assert(lay_out(nullptr, 17).table == nullptr, "without memory it only counts");
static_assert(tn::bound_layout(nullptr).bytes() == 0);

}  // namespace

TEST_CASE("objects and tables lie one behind another, each aligned") {
  alignas(tn::arena_align) std::byte memory[256];
  const laid_out all = lay_out(memory, 17);
  REQUIRE(all.bytes == static_cast<tn::i64>(sizeof(memory)));
  CHECK(static_cast<void*>(all.first) == memory);
  CHECK(static_cast<void*>(all.table) == memory + 64);
  CHECK(static_cast<void*>(all.none) == memory + 192);
  CHECK(all.last == memory + 192);
  const header* made = new (all.first) header{};
  CHECK(made->scale == 2);
}
