// An application's own Vulkan: instance, device and queue made without tenon; and a loader entry
// that answers for the driver where a test says so.
// SPDX-License-Identifier: MIT
#pragma once
#include "testing.hpp"
#include <map>

namespace tenon_test {

/// The features that kernels and submissions of ours want, as an application enables them.
struct usual_features {
  vk::PhysicalDeviceVulkan12Features v12{};
  vk::PhysicalDeviceFeatures2 core{};
  usual_features() {
    v12.bufferDeviceAddress = v12.timelineSemaphore = VK_TRUE;
    core.features.shaderInt64 = VK_TRUE;
    core.pNext = &v12;
  }
  usual_features(const usual_features&) = delete;
  usual_features& operator=(const usual_features&) = delete;
};

/// What an application does before it lends its device to us.
struct application {
  tn::vulkan_functions d;
  vk::Instance instance{};
  vk::PhysicalDevice physical{};
  vk::Device device{};
  vk::Queue queue{};
  vk::DeviceCreateInfo info{};
  vk::DeviceQueueCreateInfo queue_info{};
  float priority = 1;
  std::vector<const char*> extensions;

  /// `next` is the chain of features that it enables.
  explicit application(void* next, std::vector<const char*> names = {}) : extensions(names) {
    const auto entry = tn::vulkan_loader::open();
    if (!entry) return;
    d.init(*entry);
    vk::ApplicationInfo about{};
    about.apiVersion = VK_API_VERSION_1_3;
    vk::InstanceCreateInfo create{};
    create.pApplicationInfo = &about;
    if (vk::createInstance(&create, nullptr, &instance, d) != vk::Result::eSuccess) return;
    d.init(vk::Instance(instance));
    std::uint32_t one = 1;
    (void)instance.enumeratePhysicalDevices(&one, &physical, d);
    if (one == 0 || !physical) return;
    queue_info.queueCount = 1;
    queue_info.pQueuePriorities = &priority;
    info.pNext = next;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue_info;
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    if (physical.createDevice(&info, nullptr, &device, d) != vk::Result::eSuccess) return;
    d.init(vk::Device(device));
    device.getQueue(0, 0, &queue, d);
  }
  application(const application&) = delete;
  application& operator=(const application&) = delete;
  ~application() {
    if (device) device.destroy(nullptr, d);
    if (instance) instance.destroy(nullptr, d);
  }
  tn::vulkan_adopted lend(tn::vulkan_addressing addressing) const {
    tn::vulkan_adopted a;
    a.instance = instance;
    a.physical = physical;
    a.device = device;
    a.queue = queue;
    a.created = &info;
    a.addressing = addressing;
    return a;
  }
  void need() const {
    if (!device) skip("no Vulkan device");
  }
};

/// Functions that stand before the driver's.
inline std::map<std::string, PFN_vkVoidFunction> replaced;
inline PFN_vkGetInstanceProcAddr real_instance = nullptr;
inline PFN_vkGetDeviceProcAddr real_device = nullptr;

inline VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL device_entry(VkDevice device, const char* name) {
  if (std::string(name) == "vkGetDeviceProcAddr")
    return reinterpret_cast<PFN_vkVoidFunction>(device_entry);
  const auto at = replaced.find(name);
  return at != replaced.end() ? at->second : real_device(device, name);
}
inline VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL instance_entry(VkInstance instance,
                                                               const char* name) {
  if (const auto at = replaced.find(name); at != replaced.end()) return at->second;
  const PFN_vkVoidFunction real = real_instance(instance, name);
  if (std::string(name) == "vkGetInstanceProcAddr")
    return reinterpret_cast<PFN_vkVoidFunction>(instance_entry);
  if (std::string(name) != "vkGetDeviceProcAddr" || real == nullptr) return real;
  real_device = reinterpret_cast<PFN_vkGetDeviceProcAddr>(real);
  return reinterpret_cast<PFN_vkVoidFunction>(device_entry);
}

/// A function of the driver and what stands before it.
struct fake {
  const char* name;
  PFN_vkVoidFunction function;
};
/// One of the driver's functions, of type F, that always answers `Answer`.
template <VkResult Answer, class... A> VKAPI_ATTR VkResult VKAPI_CALL answer(A...) {
  return Answer;
}
template <VkResult Answer, class... A> PFN_vkVoidFunction answering(VkResult(VKAPI_PTR*)(A...)) {
  return reinterpret_cast<PFN_vkVoidFunction>(&answer<Answer, A...>);
}
template <VkResult Answer, class F> fake answers(const char* name) {
  return {name, answering<Answer>(F{})};
}

/// Options for a context in whose driver `f` stands before the real function.
inline tn::vulkan_options failing(const fake& f) {
  replaced = {{f.name, f.function}};
  const auto entry = tn::vulkan_loader::open();
  if (!entry) skip("no Vulkan loader");
  real_instance = *entry;
  tn::vulkan_options o;
  o.get_proc_addr = instance_entry;
  return o;
}

}  // namespace tenon_test
