// expect: static assertion failed
// expect: 2 == 0
// at most: 2500 bytes
// Two copies on the way to a device that does not use the caller's memory, and back.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/vulkan.hpp>
namespace tn = tenon;

inline constexpr auto split = [](auto x) { return tn::on<1>(tn::relu(x)); };
using mixed = tn::graph<split, tn::input<"x", float, 64>>;
static_assert(tn::plan<mixed, tn::cpu, tn::vulkan>::copies == 0);
static_assert(tn::plan<mixed, tn::cpu, tn::vulkan_staged>::copies == 0);  // here
