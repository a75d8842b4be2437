// A buffer of a Vulkan device with memory of its own: the kind of memory, what is imported into it
// or exported from it, and where the host sees it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/context.hpp>
#include <cstddef>

namespace tenon {

/// Where and for whom memory is allocated. Both ends of an exported allocation must say the same.
struct vulkan_usage {
  enum class home : std::uint8_t {
    device,  ///< the device's fastest memory; with unified memory the host sees it too
    host     ///< the host sees it, always
  };
  home where = home::device;
  bool exportable = false;         ///< for `export_fd`
  vk::BufferUsageFlags more = {};  ///< beyond storage and transfer
};

/// What an allocation is made from.
struct vulkan_recipe {
  i64 bytes = 0;
  vulkan_usage usage{};
  vk::ExternalMemoryHandleTypeFlags external{};
  void* chain = nullptr;      ///< of the allocation: what is imported or exported
  std::uint32_t types = ~0u;  ///< of memory that are allowed
  i64 allocation_bytes = 0;   ///< 0: what the buffer needs
  i64 offset = 0;             ///< of the first byte in the buffer
  void* data = nullptr;       ///< where the host sees it already
  bool* consumed = nullptr;   ///< set when the allocation took over what was imported
};

/// The handles of an allocation; `vulkan_memory` owns them.
struct vulkan_allocation {
  vk::Buffer buffer{};
  vk::DeviceMemory memory{};
  std::byte* data = nullptr;  ///< the first byte for the host; null where it cannot see it

  /// Error: size, memory, device. What was made before the error has to be freed, too.
  error make(vulkan_context& c, const vulkan_recipe& r) noexcept {
    if (error e = make_buffer(c, r); !e.ok()) return e;
    if (error e = make_memory(c, r); !e.ok()) return e;
    return map(c, r);
  }
  void free(vulkan_context& c) noexcept {
    const vulkan_functions& d = c.functions();
    if (buffer) c.device().destroyBuffer(buffer, nullptr, d), c.count(-1);
    if (memory) c.device().freeMemory(memory, nullptr, d), c.count(-1);
  }

 private:
  using memory_bit = vk::MemoryPropertyFlagBits;
  vk::MemoryPropertyFlags type_{};

  error make_buffer(vulkan_context& c, const vulkan_recipe& r) noexcept {
    vk::ExternalMemoryBufferCreateInfo external{};
    external.handleTypes = r.external;
    vk::BufferCreateInfo info{};
    if (r.external) info.pNext = &external;
    info.size = static_cast<vk::DeviceSize>(r.offset + r.bytes);
    info.usage = vk::BufferUsageFlagBits::eStorageBuffer | vk::BufferUsageFlagBits::eTransferSrc |
                 vk::BufferUsageFlagBits::eTransferDst | r.usage.more;
    if (c.facts().has.buffer_device_address)
      info.usage |= vk::BufferUsageFlagBits::eShaderDeviceAddress;
    const auto& d = c.functions();
    const vk::Result answer = c.device().createBuffer(&info, nullptr, &buffer, d);
    if (answer == vk::Result::eSuccess) c.count(1);
    return vulkan_result::error_of(answer, "createBuffer");
  }
  error make_memory(vulkan_context& c, const vulkan_recipe& r) noexcept {
    const auto& d = c.functions();
    vk::MemoryRequirements requirements{};
    c.device().getBufferMemoryRequirements(buffer, &requirements, d);
    const i64 needed_bytes = vulkan_device::bytes_of(requirements.size);
    if (r.allocation_bytes != 0 && r.allocation_bytes < needed_bytes)
      return {code::size, "vulkan", "memory", needed_bytes, r.allocation_bytes};
    const int type = type_of_memory(c, requirements.memoryTypeBits & r.types, r.usage);
    if (type < 0) return {code::memory, "vulkan", "memory type", {}, "none"};

    vk::MemoryAllocateInfo info{};
    info.allocationSize =
        static_cast<vk::DeviceSize>(r.allocation_bytes ? r.allocation_bytes : needed_bytes);
    info.memoryTypeIndex = static_cast<std::uint32_t>(type);
    info.pNext = r.chain;
    vk::MemoryDedicatedAllocateInfo dedicated{};
    dedicated.buffer = buffer;
    if (r.external & vk::ExternalMemoryHandleTypeFlagBits::eOpaqueFd &&
        c.facts().opaque_fd_dedicated)
      dedicated.pNext = info.pNext, info.pNext = &dedicated;
    vk::MemoryAllocateFlagsInfo flags{};
    flags.flags = vk::MemoryAllocateFlagBits::eDeviceAddress;
    if (c.facts().has.buffer_device_address) flags.pNext = info.pNext, info.pNext = &flags;
    vk::Result answer = c.device().allocateMemory(&info, nullptr, &memory, d);
    if (answer != vk::Result::eSuccess) return vulkan_result::error_of(answer, "allocateMemory");
    c.count(1);
    if (r.consumed != nullptr) *r.consumed = true;
    // Vulkan-Hpp's forms without pointers throw where exceptions are on; the C form does not.
    answer = static_cast<vk::Result>(d.vkBindBufferMemory(c.device(), buffer, memory, 0));
    return vulkan_result::error_of(answer, "bindBufferMemory");
  }

  /// The best of the allowed types of memory, or -1. Where it lies counts most (4 points), then
  /// whether the host sees it as wanted, then whether its caches hold it. Types that need more care
  /// (lazily allocated, protected, AMD's uncached) are left out.
  int type_of_memory(const vulkan_context& c, std::uint32_t allowed,
                     const vulkan_usage& usage) noexcept {
    const auto& all = c.memory();
    const bool host = usage.where == vulkan_usage::home::host;
    int best = -1, best_score = -1;
    for (std::uint32_t i = 0; i < all.memoryTypeCount; ++i) {
      const vk::MemoryPropertyFlags properties = all.memoryTypes[i].propertyFlags;
      const auto is = [&](vk::MemoryPropertyFlags f) { return (properties & f) == f; };
      const vk::MemoryPropertyFlags host_visible =
          memory_bit::eHostVisible | memory_bit::eHostCoherent;
      if ((allowed >> i & 1u) == 0 || properties & memory_bit::eLazilyAllocated ||
          properties & memory_bit::eProtected || properties & memory_bit::eDeviceCoherentAMD)
        continue;
      if (host && !is(host_visible)) continue;
      // The host sees only a small window of a GPU's memory: it is left to those that need it.
      const bool prefers_host = host || c.facts().unified_memory;
      int score = is(host_visible) == prefers_host ? 1 : 0;
      score += is(memory_bit::eHostCached) && prefers_host ? 1 : 0;
      score += is(memory_bit::eDeviceLocal) == (!host || c.facts().unified_memory) ? 4 : 0;
      if (score > best_score) best = static_cast<int>(i), best_score = score, type_ = properties;
    }
    return best;
  }
  error map(vulkan_context& c, const vulkan_recipe& r) noexcept {
    data = static_cast<std::byte*>(r.data);
    const vk::MemoryPropertyFlags host_visible =
        memory_bit::eHostVisible | memory_bit::eHostCoherent;
    if (data != nullptr || (type_ & host_visible) != host_visible) return {};
    if (r.usage.where == vulkan_usage::home::device && !c.facts().unified_memory) return {};
    void* at = nullptr;
    const vk::Result mapped =
        c.device().mapMemory(memory, 0, VK_WHOLE_SIZE, {}, &at, c.functions());
    data = static_cast<std::byte*>(at);
    return vulkan_result::error_of(mapped, "mapMemory");
  }
};

}  // namespace tenon
