// The words of a module: what is declared, once, in the order that SPIR-V wants. Needs no device.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/spirv/assembler.hpp>
#include "../../../catch.hpp"

namespace {

using namespace tenon::spirv;

constexpr int count(const tenon::sequence<word>& words, op o) {
  int n = 0;
  for (int at = 5; at < words.size(); at += static_cast<int>(words[at] >> 16))
    n += (words[at] & 0xffff) == static_cast<word>(o);
  return n;
}
constexpr int count(op o, void (*write)(assembler&)) {
  assembler m;
  write(m);
  return count(m.finish(64, 1, 1), o);
}

constexpr auto twice_seven = [](assembler& m) {
  const variable v = m.local(m.integer(7));
  m.set(v, m.integer(7));
};
static_assert(count(op::Constant, twice_seven) == 1, "equal constants are one");
static_assert(count(op::TypeInt, twice_seven) == 1, "and so are types");

constexpr auto unused = [](assembler& m) { (void)m.real(3); };
static_assert(count(op::Constant, unused) == 0, "what nothing names is not declared");

constexpr auto neutral = [](assembler& m) {
  const id n = m.input(builtin::GlobalInvocationId);
  (void)m.plus(m.times(m.over(n, 1), 1), 0);
};
static_assert(count(op::IAdd, neutral) + count(op::IMul, neutral) + count(op::UDiv, neutral) == 0,
              "arithmetic that changes nothing is not written");

constexpr auto nested = [](assembler& m) {
  m.loop(3, [&](id) { m.loop(1, [&](id) { m.loop(5, [](id) {}); }); });
};
static_assert(count(op::LoopMerge, nested) == 2, "a loop of one iteration is none");
constexpr std::int64_t iterations() {
  assembler m;
  nested(m);
  return m.iterations();
}
static_assert(iterations() == 3 + 3 * 5, "iterations of all loops together");

constexpr auto real_sum = [](assembler& m) {
  const variable v = m.local(m.real(1));
  (void)m.add(m.get(v), m.get(v));
};
static_assert(count(op::Decorate, real_sum) == 1, "a sum of floats is rounded by itself");

}  // namespace

TEST_CASE("a module begins with its head, and capabilities follow each other by number") {
  assembler m;
  m.require(capability::VulkanMemoryModel);
  m.require(capability::Float16);
  m.require(capability::Float16);
  const tenon::sequence<word> words = m.finish(64, 2, 1);
  REQUIRE(words.size() > 11);
  CHECK(words[0] == 0x07230203);
  const word capabilities[] = {1, 9, 5345};
  for (int i = 0; i < 3; ++i) {
    CHECK(words[5 + 2 * i] == (2u << 16 | static_cast<word>(op::Capability)));
    CHECK(words[6 + 2 * i] == capabilities[i]);
  }
  CHECK(count(words, op::Function) == 1);
  CHECK(count(words, op::FunctionEnd) == 1);
}
