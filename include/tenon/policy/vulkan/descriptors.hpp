// Descriptor sets of a recording: allocated once, and used anew by every recording after.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/context.hpp>

namespace tenon {

/// One operand of a dispatch.
struct vulkan_port {
  std::uint64_t address = 0;  ///< of its first byte: `vulkan_memory::address()` and an offset
  i64 bytes = 0;              ///< that the kernel may touch from there
  int element_bytes = 4;      ///< descriptor kernels count their offset in elements
  bool writes = false;
};

/// Descriptor sets from pools that grow. Not shareable: one thread at a time.
class vulkan_descriptors {
 public:
  explicit vulkan_descriptors(vulkan_context& context) noexcept : context_(&context) {}
  vulkan_descriptors(const vulkan_descriptors&) = delete;
  vulkan_descriptors& operator=(const vulkan_descriptors&) = delete;
  ~vulkan_descriptors() {
    const auto& d = context_->functions();
    for (const vk::DescriptorPool p : pools_)
      context_->device().destroyDescriptorPool(p, nullptr, d);
    context_->count(-static_cast<int>(pools_.size()));
  }

  /// All sets are free again. Misuse: while the device still uses them.
  void reset() noexcept {
    for (const vk::DescriptorPool p : pools_)
      context_->functions().vkResetDescriptorPool(context_->device(), p, 0);
    pool_at_ = 0;
  }
  /// A set of these ports; `offsets` receives for each where it begins in its descriptor, in
  /// elements. Error: capacity (more bytes than a descriptor can have); alignment; memory.
  error take(const vulkan_kernel& kernel, std::span<const vulkan_port> ports,
             const vulkan_range* ranges, vk::DescriptorSet& set, std::uint32_t* offsets) noexcept {
    vk::DescriptorBufferInfo buffers[vulkan_pipelines::most_ports];
    for (std::size_t i = 0; i < ports.size(); ++i)
      if (error e = window(ports[i], ranges[i], buffers[i], offsets[i]); !e.ok()) return e;
    if (error e = take_set(kernel, set); !e.ok()) return e;
    write(set, {buffers, ports.size()});
    return {};
  }

 private:
  /// The descriptor of a port: its bytes alone, as validation compares whole descriptors, from the
  /// nearest place before them where the device lets one begin.
  error window(const vulkan_port& p, const vulkan_range& range, vk::DescriptorBufferInfo& info,
               std::uint32_t& offset) const noexcept {
    const i64 limit = context_->facts().storage_buffer_bytes;
    const i64 align = context_->facts().storage_align_bytes;
    const i64 from = range.offset / align * align, first = range.offset - from;
    if (first + p.bytes > limit) return {code::capacity, "vulkan", "port", limit, first + p.bytes};
    if (first % p.element_bytes != 0)
      return {code::alignment, "vulkan", "port", p.element_bytes, first % p.element_bytes};
    info.buffer = range.buffer;
    info.offset = static_cast<vk::DeviceSize>(from);
    info.range = static_cast<vk::DeviceSize>(first + (p.bytes > 0 ? p.bytes : 1));
    offset = static_cast<std::uint32_t>(first / p.element_bytes);
    return {};
  }
  void write(vk::DescriptorSet set, std::span<const vk::DescriptorBufferInfo> buffers) noexcept {
    vk::WriteDescriptorSet all{};  // consecutive bindings of one type: one write runs over them
    all.dstSet = set;
    all.descriptorType = vk::DescriptorType::eStorageBuffer;
    all.descriptorCount = static_cast<std::uint32_t>(buffers.size());
    all.pBufferInfo = buffers.data();
    context_->device().updateDescriptorSets(1, &all, 0, nullptr, context_->functions());
  }

  /// A set from the current pool, the next one, or a new one.
  error take_set(const vulkan_kernel& kernel, vk::DescriptorSet& set) noexcept {
    for (; pool_at_ < pools_.size(); ++pool_at_)
      if (from_pool(kernel, set) == vk::Result::eSuccess) return {};
    if (error e = grow(); !e.ok()) return e;
    return vulkan_result::error_of(from_pool(kernel, set), "allocateDescriptorSets");
  }
  vk::Result from_pool(const vulkan_kernel& kernel, vk::DescriptorSet& set) noexcept {
    vk::DescriptorSetAllocateInfo info{};
    info.descriptorPool = pools_[pool_at_];
    info.descriptorSetCount = 1;
    info.pSetLayouts = &kernel.set;
    return context_->device().allocateDescriptorSets(&info, &set, context_->functions());
  }
  /// A new pool: 128 sets, with four buffers each on the average. A set with more takes from the
  /// others.
  error grow() noexcept {
    constexpr std::uint32_t sets = 128;
    vk::DescriptorPoolSize size{};
    size.type = vk::DescriptorType::eStorageBuffer;
    size.descriptorCount = 4 * sets;
    vk::DescriptorPoolCreateInfo info{};
    info.maxSets = sets;
    info.poolSizeCount = 1;
    info.pPoolSizes = &size;
    vk::DescriptorPool pool{};
    const auto& d = context_->functions();
    const vk::Result r = context_->device().createDescriptorPool(&info, nullptr, &pool, d);
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createDescriptorPool");
    const bool kept = platform::guarded(
        [&] {
          pools_.push_back(pool);
          return true;
        },
        [] { return false; });
    if (!kept) {
      context_->device().destroyDescriptorPool(pool, nullptr, d);
      return {code::memory, "vulkan", "descriptor pools"};
    }
    context_->count(1);
    pool_at_ = pools_.size() - 1;
    return {};
  }

  vulkan_context* context_;
  std::vector<vk::DescriptorPool> pools_;
  std::size_t pool_at_ = 0;  ///< the one that sets come from now
};

}  // namespace tenon
