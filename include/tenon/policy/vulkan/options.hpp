// How a Vulkan device is asked for: one of our own, or one adopted from the application.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/pipelines.hpp>

namespace tenon {

/// What is asked of a device of our own. The default: the fastest kind of device that is there.
struct vulkan_options {
  const char* device = nullptr;  ///< part of a device's name, as `vulkan_facts::device` gives it
  int index = -1;                ///< or the number that the loader gives it
  /// With `descriptor` addresses stay switched off, even where the device has them.
  vulkan_addressing addressing = vulkan_addressing::address;
  bool validation = false;  ///< the validation layer, with synchronization validation
  void (*on_message)(const char* text, void* user) = nullptr;  ///< of the layer; from any thread
  void* user = nullptr;
  const char* loader = nullptr;                       ///< file of the loader; null: the system's
  PFN_vkGetInstanceProcAddr get_proc_addr = nullptr;  ///< the application has opened it already
};

/// A device of the application. Nothing of it is ever destroyed or waited for by us, but what we
/// submitted. All of it must outlive the context.
/// Misuse: others use the queue while a recording of ours is submitted (Vulkan's own rule).
struct vulkan_adopted {
  vk::Instance instance{};                         ///< for Vulkan 1.2 or later:
  std::uint32_t api_version = VK_API_VERSION_1_2;  ///< what its VkApplicationInfo asked for
  vk::PhysicalDevice physical{};
  vk::Device device{};
  vk::Queue queue{};         ///< may be null if nothing is ever submitted through us
  std::uint32_t family = 0;  ///< of the queue and of the command buffers; can compute
  /// What the application gave to vkCreateDevice: a device cannot be asked what is enabled. Read by
  /// the constructor only. Without it nothing counts as enabled.
  const vk::DeviceCreateInfo* created = nullptr;
  vulkan_addressing addressing = vulkan_addressing::address;
  PFN_vkGetInstanceProcAddr get_proc_addr = nullptr;  ///< null: the system's loader
};

}  // namespace tenon
