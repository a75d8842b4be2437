// expect: model: give one context for each policy that runs on a device
// Two devices for the one policy that runs on one.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/vulkan.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 64>>;
tn::vulkan_context first, second;
const tn::weights<0> none;
const tn::model<net, tn::cpu, tn::vulkan> bound{none, first, second};  // here
