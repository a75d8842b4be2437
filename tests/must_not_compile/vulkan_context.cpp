// expect: model: give one context for each policy that runs on a device
// A model that is given something else for its device.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/vulkan.hpp>
namespace tn = tenon;

inline constexpr auto model = [](auto x) { return tn::relu(x); };
using net = tn::graph<model, tn::input<"x", float, 64>>;
tn::vulkan_options device;
const tn::weights<0> none;
const tn::model<net, tn::vulkan> bound{none, device};  // here
