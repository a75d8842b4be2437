// Modules that the compiler writes are the ones that are written at run time.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/spirv/constant.hpp>
#include <tenon/vulkan.hpp>
#include "../testing.hpp"

namespace {

using namespace tenon_test;
namespace spirv = tn::spirv;

inline constexpr auto model = [](auto x) { return tn::relu(x + x); };
using net = tn::graph<model, tn::input<"x", float, 4, 16>>;

constexpr tn::sequence<spirv::word> first_group() {
  return spirv::emit(tn::plan<net, tn::vulkan>::view(), 0, spirv::target{})[0].words;
}
constexpr auto& words = spirv::constant<first_group>;
static_assert(words[0] == 0x07230203 && words.size() > 50);

}  // namespace

TEST_CASE("a constant module is what the emitter writes at run time") {
  const tn::sequence<spirv::word> now = first_group();
  REQUIRE(now.size() == static_cast<int>(words.size()));
  CHECK(std::equal(words.begin(), words.end(), now.data()));
}

TEST_CASE("a device takes a constant module") {
  tn::vulkan_context c;
  need(c);
  const auto made = c.kernel(words, 2);
  INFO(describe(made.error()));
  CHECK(made);
}
