// What this application had before it met tenon: an instance, a device and a queue of its own,
// buffers, compute pipelines and one command buffer. Vulkan-Hpp with its default dispatcher, which
// the program fills at run time: it links nothing.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/describe.hpp>
#include <tenon/policy/vulkan/context.hpp>
#include <algorithm>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

/// There is no Vulkan here, or no device that this program can use.
struct no_vulkan : std::runtime_error {
  using runtime_error::runtime_error;
};

/// A buffer with its memory.
struct gpu_buffer {
  vk::UniqueDeviceMemory memory;
  vk::UniqueBuffer buffer;
  vk::DeviceSize bytes = 0;
  vk::DeviceAddress address = 0;
  float* host = nullptr;  ///< where the host sees it, if it does

  std::span<float> values() const {
    return {host, static_cast<std::size_t>(bytes / sizeof(float))};
  }
};

/// A compute shader, ready to run.
struct gpu_shader {
  vk::UniquePipelineLayout layout;
  vk::UniquePipeline pipeline;
};

class gpu {
 public:
  gpu() {
    const auto entry = tenon::vulkan_loader::open();  // as vk::DynamicLoader, in all its versions
    if (!entry) throw no_vulkan(describe(entry.error()));
    VULKAN_HPP_DEFAULT_DISPATCHER.init(*entry);
    make_instance();
    choose();
    make_device();
    const vk::CommandPoolCreateInfo pool{vk::CommandPoolCreateFlagBits::eResetCommandBuffer,
                                         family_};
    pool_ = device_->createCommandPoolUnique(pool);
    commands_ = device_->allocateCommandBuffers({*pool_, vk::CommandBufferLevel::ePrimary, 1})[0];
    fence_ = device_->createFenceUnique({});
  }

  /// What tenon needs to work on this device. `created_` says which features are switched on: a
  /// device cannot be asked for them.
  tenon::vulkan_adopted lend() const {
    tenon::vulkan_adopted a;
    a.instance = *instance_;
    a.physical = physical_;
    a.device = *device_;
    a.queue = queue_;
    a.family = family_;
    a.created = &created_.get<vk::DeviceCreateInfo>();
    return a;
  }
  std::string name() const { return physical_.getProperties().deviceName.data(); }

  /// Memory of the device, or (`for_host`) such as the host sees too.
  gpu_buffer make_buffer(vk::DeviceSize bytes, bool for_host = false) const {
    using use = vk::BufferUsageFlagBits;
    gpu_buffer b;
    b.bytes = bytes;
    b.buffer = device_->createBufferUnique(
        {{},
         bytes,
         use::eStorageBuffer | use::eTransferSrc | use::eTransferDst | use::eShaderDeviceAddress});
    const vk::MemoryRequirements needs = device_->getBufferMemoryRequirements(*b.buffer);
    const vk::MemoryAllocateFlagsInfo addresses{vk::MemoryAllocateFlagBits::eDeviceAddress};
    vk::MemoryAllocateInfo info{needs.size, memory_type(needs.memoryTypeBits, for_host)};
    info.pNext = &addresses;
    b.memory = device_->allocateMemoryUnique(info);
    device_->bindBufferMemory(*b.buffer, *b.memory, 0);
    b.address = device_->getBufferAddress({*b.buffer});
    if (for_host) b.host = static_cast<float*>(device_->mapMemory(*b.memory, 0, VK_WHOLE_SIZE));
    return b;
  }
  gpu_shader make_shader(std::span<const std::uint32_t> words) const {
    gpu_shader s;
    const vk::PushConstantRange range{vk::ShaderStageFlagBits::eCompute, 0, 16};
    s.layout = device_->createPipelineLayoutUnique({{}, 0, nullptr, 1, &range});
    const vk::UniqueShaderModule code =
        device_->createShaderModuleUnique({{}, words.size_bytes(), words.data()});
    const vk::PipelineShaderStageCreateInfo stage{
        {}, vk::ShaderStageFlagBits::eCompute, *code, "main"};
    s.pipeline = device_->createComputePipelineUnique({}, {{}, stage, *s.layout}).value;
    return s;
  }

  vk::CommandBuffer begin() const {
    commands_.begin(vk::CommandBufferBeginInfo{vk::CommandBufferUsageFlagBits::eOneTimeSubmit});
    return commands_;
  }
  /// The one submission, and the wait for its end.
  void submit_and_wait() const {
    commands_.end();
    queue_.submit(vk::SubmitInfo{0, nullptr, nullptr, 1, &commands_}, *fence_);
    if (device_->waitForFences(*fence_, VK_TRUE, UINT64_MAX) != vk::Result::eSuccess)
      throw std::runtime_error("the device did not finish");
    device_->resetFences(*fence_);
  }

 private:
  static constexpr const char* host_import = "VK_EXT_external_memory_host";

  void make_instance() {
    const vk::ApplicationInfo about{"vulkan_app", 1, nullptr, 0, VK_API_VERSION_1_2};
    try {
      instance_ = vk::createInstanceUnique({{}, &about});
    } catch (const vk::SystemError& e) {
      throw no_vulkan(e.what());
    }
    VULKAN_HPP_DEFAULT_DISPATCHER.init(*instance_);
  }
  void choose() {
    const auto all = instance_->enumeratePhysicalDevices();
    const auto is_usable = [](vk::PhysicalDevice d) {
      return d.getProperties().apiVersion >= VK_API_VERSION_1_2;
    };
    const auto is_gpu = [&](vk::PhysicalDevice d) {
      return is_usable(d) && d.getProperties().deviceType != vk::PhysicalDeviceType::eCpu;
    };
    auto at = std::ranges::find_if(all, is_gpu);
    if (at == all.end()) at = std::ranges::find_if(all, is_usable);
    if (at == all.end()) throw no_vulkan("no device with Vulkan 1.2");
    physical_ = *at;
  }
  void make_device() {
    const auto families = physical_.getQueueFamilyProperties();
    while (!(families.at(family_).queueFlags & vk::QueueFlagBits::eCompute)) ++family_;
    const auto offered = physical_.enumerateDeviceExtensionProperties();
    const bool imports = std::ranges::any_of(offered, [](const vk::ExtensionProperties& e) {
      return std::string(e.extensionName.data()) == host_import;
    });
    auto& info = created_.get<vk::DeviceCreateInfo>();
    queue_info_ = vk::DeviceQueueCreateInfo{{}, family_, 1, &priority_};
    info.setQueueCreateInfos(queue_info_);
    if (imports) info.setPEnabledExtensionNames(host_import);  // for weights where they lie
    created_.get<vk::PhysicalDeviceFeatures2>().features.shaderInt64 = VK_TRUE;
    created_.get<vk::PhysicalDeviceVulkan12Features>().bufferDeviceAddress = VK_TRUE;
    try {
      device_ = physical_.createDeviceUnique(info);
    } catch (const vk::FeatureNotPresentError&) {
      throw no_vulkan("no device with shaderInt64 and bufferDeviceAddress");
    }
    VULKAN_HPP_DEFAULT_DISPATCHER.init(*device_);
    queue_ = device_->getQueue(family_, 0);
  }
  /// What the host sees should be in its caches: it reads, too.
  std::uint32_t memory_type(std::uint32_t allowed, bool for_host) const {
    using is = vk::MemoryPropertyFlagBits;
    const vk::MemoryPropertyFlags seen = is::eHostVisible | is::eHostCoherent;
    const auto all = physical_.getMemoryProperties();
    for (const auto wanted : {for_host ? seen | is::eHostCached : is::eDeviceLocal,
                              for_host ? seen : vk::MemoryPropertyFlags{}})
      for (std::uint32_t i = 0; i < all.memoryTypeCount; ++i)
        if ((allowed >> i & 1u) != 0 && (all.memoryTypes[i].propertyFlags & wanted) == wanted)
          return i;
    throw std::runtime_error("no memory of the wanted kind");
  }

  vk::UniqueInstance instance_;
  vk::PhysicalDevice physical_;
  std::uint32_t family_ = 0;
  float priority_ = 1;
  vk::DeviceQueueCreateInfo queue_info_;
  vk::StructureChain<vk::DeviceCreateInfo, vk::PhysicalDeviceFeatures2,
                     vk::PhysicalDeviceVulkan12Features>
      created_;
  vk::UniqueDevice device_;
  vk::Queue queue_;
  vk::UniqueCommandPool pool_;
  vk::CommandBuffer commands_;
  vk::UniqueFence fence_;
};
