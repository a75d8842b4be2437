// A Vulkan device that is opened, and its queue: our own, or the application's.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/device_facts.hpp>
#include <tenon/policy/vulkan/instance.hpp>
#include <vector>

namespace tenon {

/// The handles of a device and of what it is opened with. Our own are destroyed at the end of its
/// life, those of an application never.
class vulkan_handles {
 public:
  vulkan_handles() = default;
  vulkan_handles(const vulkan_handles&) = delete;
  vulkan_handles& operator=(const vulkan_handles&) = delete;
  ~vulkan_handles() {
    if (device_ && is_owned()) device_.destroy(nullptr, functions());
  }

  /// Opens a device of our own; `enabled` receives what of `vulkan_features` it has.
  /// Error: no_device, with the name that was asked for; feature; memory; device.
  template <class = void> error open(const vulkan_options& options, vulkan_features& enabled);
  /// Takes the application's; `enabled` receives what it switched on.
  /// Error: null; no_device; feature.
  template <class = void> error adopt(const vulkan_adopted& a, vulkan_features& enabled) noexcept;

  const vulkan_instance& instance() const noexcept { return instance_; }
  bool is_owned() const noexcept { return instance_.is_owned(); }
  vulkan_functions& functions() noexcept { return instance_.functions(); }
  const vulkan_functions& functions() const noexcept { return instance_.functions(); }
  vk::PhysicalDevice physical() const noexcept { return physical_; }
  vk::Device device() const noexcept { return device_; }
  vk::Queue queue() const noexcept { return queue_; }
  std::uint32_t family() const noexcept { return family_; }

 private:
  /// Discrete before integrated, before virtual, before CPU.
  static int rank_of(vk::PhysicalDeviceType t) noexcept {
    switch (t) {
      case vk::PhysicalDeviceType::eDiscreteGpu: return 4;
      case vk::PhysicalDeviceType::eIntegratedGpu: return 3;
      case vk::PhysicalDeviceType::eVirtualGpu: return 2;
      case vk::PhysicalDeviceType::eCpu: return 1;
      default: return 0;
    }
  }
  /// The first device of the highest rank that has Vulkan 1.2 and is what the options ask for.
  error choose(const vulkan_options& options) {
    std::uint32_t count = 0;
    vk::Result r = instance_.handle().enumeratePhysicalDevices(&count, nullptr, functions());
    std::vector<vk::PhysicalDevice> all(count);
    if (r == vk::Result::eSuccess && count > 0)
      r = instance_.handle().enumeratePhysicalDevices(&count, all.data(), functions());
    if (r != vk::Result::eSuccess && r != vk::Result::eIncomplete)
      return vulkan_result::error_of(r, "enumeratePhysicalDevices");
    int best = -1;
    for (std::uint32_t i = 0; i < count; ++i) {
      vk::PhysicalDeviceProperties p{};
      all[i].getProperties(&p, functions());
      if (p.apiVersion < VK_API_VERSION_1_2) continue;
      if (options.index >= 0 && static_cast<std::uint32_t>(options.index) != i) continue;
      const char* const name = static_cast<const char*>(p.deviceName);
      if (options.device != nullptr && std::strstr(name, options.device) == nullptr) continue;
      if (rank_of(p.deviceType) <= best) continue;
      best = rank_of(p.deviceType);
      physical_ = all[i];
    }
    if (best >= 0) return {};
    return {code::no_device, "vulkan", "device",
            options.device ? options.device : "a device with Vulkan 1.2", static_cast<int>(count)};
  }
  /// The first family of queues that can compute; those can also copy, as Vulkan guarantees.
  error find_family() {
    std::uint32_t count = 0;
    physical_.getQueueFamilyProperties(&count, nullptr, functions());
    std::vector<vk::QueueFamilyProperties> all(count);
    physical_.getQueueFamilyProperties(&count, all.data(), functions());
    for (family_ = 0; family_ < count; ++family_)
      if (all[family_].queueFlags & vk::QueueFlagBits::eCompute) return {};
    return {code::no_device, "vulkan", "queue", "a compute queue", "none"};
  }

  std::vector<vk::ExtensionProperties> extensions_of() const {
    std::uint32_t count = 0;
    std::vector<vk::ExtensionProperties> all;
    if (physical_.enumerateDeviceExtensionProperties(nullptr, &count, nullptr, functions()) !=
        vk::Result::eSuccess)
      return all;
    all.resize(count);
    const vk::Result r =
        physical_.enumerateDeviceExtensionProperties(nullptr, &count, all.data(), functions());
    all.resize(r == vk::Result::eSuccess || r == vk::Result::eIncomplete ? count : 0);
    return all;
  }
  /// Switches on whatever of `vulkan_features` the device has.
  error make_device(bool by_address, vulkan_features& enabled) {
    vk::PhysicalDeviceProperties about{};
    physical_.getProperties(&about, functions());
    const bool has_13 = about.apiVersion >= VK_API_VERSION_1_3;
    const auto all = extensions_of();
    std::vector<const char*> names;
    const auto ask = [&](const char* extension) {
      const bool there = vulkan_device::contains(all, extension);
      if (there) names.push_back(extension);
      return there;
    };
    const bool has_matrix = ask("VK_KHR_cooperative_matrix");
    const bool has_bfloat = ask("VK_KHR_shader_bfloat16");
    ask("VK_KHR_portability_subset");  // must be named where it is offered

    vulkan_feature_chain offered;
    offered.link(has_13, has_matrix, has_bfloat);
    physical_.getFeatures2(&offered.core, functions());
    enabled = offered.read();
    enabled.buffer_device_address &= by_address;
    enabled.external_memory_host = ask("VK_EXT_external_memory_host");
    enabled.external_memory_fd = ask("VK_KHR_external_memory_fd");
    enabled.dma_buf = ask("VK_EXT_external_memory_dma_buf");

    vulkan_feature_chain chain;
    vk::DeviceCreateInfo info{};
    info.pNext = chain.link(has_13, has_matrix, has_bfloat);
    chain.write(enabled);
    info.enabledExtensionCount = static_cast<std::uint32_t>(names.size());
    info.ppEnabledExtensionNames = names.data();
    return create(info);
  }
  /// Creates the device with one queue, and looks its functions up.
  error create(vk::DeviceCreateInfo& info) noexcept {
    const float priority = 1;
    vk::DeviceQueueCreateInfo queue{};
    queue.queueFamilyIndex = family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    const vk::Result r = physical_.createDevice(&info, nullptr, &device_, functions());
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createDevice");
    functions().init(vk::Device(device_));
    device_.getQueue(family_, 0, &queue_, functions());
    return {};
  }
  /// What an application's create info switches on. Features of an extension count only where the
  /// extension is named as well.
  vulkan_features enabled_by(const vk::DeviceCreateInfo* info, bool by_address) const noexcept {
    if (info == nullptr) return {};
    vulkan_feature_chain chain;
    if (info->pEnabledFeatures != nullptr) chain.core.features = *info->pEnabledFeatures;
    chain.adopt(info->pNext);
    vulkan_features f = chain.read();
    f.buffer_device_address &= by_address;
    const auto named = [&](const char* extension) {
      return vulkan_device::contains(info->ppEnabledExtensionNames, info->enabledExtensionCount,
                                     extension);
    };
    f.external_memory_host = named("VK_EXT_external_memory_host");
    f.external_memory_fd = named("VK_KHR_external_memory_fd");
    f.dma_buf = named("VK_EXT_external_memory_dma_buf");
    f.cooperative_matrix = f.cooperative_matrix && named("VK_KHR_cooperative_matrix");
    f.bfloat16 = f.bfloat16 && named("VK_KHR_shader_bfloat16");
    return f;
  }

  vulkan_instance instance_;
  vk::PhysicalDevice physical_{};
  vk::Device device_{};
  vk::Queue queue_{};
  std::uint32_t family_ = 0;
};

// Not inline: see tenon/compiled_vulkan.hpp.
template <class>
error vulkan_handles::open(const vulkan_options& options, vulkan_features& enabled) {
  if (error e = instance_.make(options); !e.ok()) return e;
  if (error e = choose(options); !e.ok()) return e;
  if (error e = find_family(); !e.ok()) return e;
  const bool by_address = options.addressing == vulkan_addressing::address;
  if (error e = make_device(by_address, enabled); !e.ok()) return e;
  // SwiftShader has addresses and no 64-bit integers, and ends the program on kernels with
  // addresses.
  if (by_address && !enabled.int64)
    return {code::feature, "vulkan", "addresses", "shaderInt64, or addressing by descriptor",
            "none"};
  return {};
}
template <class>
error vulkan_handles::adopt(const vulkan_adopted& a, vulkan_features& enabled) noexcept {
  if (!a.instance || !a.physical || !a.device)
    return {code::null, "vulkan", "adopted", "instance, physical device and device", "null"};
  if (error e = instance_.adopt(a); !e.ok()) return e;
  physical_ = a.physical, queue_ = a.queue, family_ = a.family;
  functions().init(vk::Device(a.device));
  if (functions().vkGetBufferDeviceAddress == nullptr || functions().vkWaitSemaphores == nullptr)
    return {code::feature, "vulkan", "Vulkan 1.2", "an instance and device of it", "an older one"};
  device_ = a.device;
  const bool by_address = a.addressing == vulkan_addressing::address;
  enabled = enabled_by(a.created, by_address);
  if (a.created == nullptr && by_address)
    return {code::feature, "vulkan", "adopted", "the device's create info", "null"};
  return {};
}

}  // namespace tenon
