// Compute pipelines by their SPIR-V, made once per context: groups of equal structure have equal
// words, so a model with many equal layers compiles few pipelines.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/platform.hpp>
#include <tenon/policy/vulkan/loader.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <span>
#include <vector>

namespace tenon {

/// How a kernel reaches its operands.
enum class vulkan_addressing : std::uint8_t {
  address,    ///< push constants: one 64-bit device address per port
  descriptor  ///< storage buffers 0, 1, ... of set 0; push constants: one 32-bit offset per port,
              ///< in elements
};

/// A compute pipeline; lives as long as its context.
struct vulkan_kernel {
  vk::Pipeline pipeline{};
  vk::PipelineLayout layout{};
  vk::DescriptorSetLayout set{};  ///< descriptor addressing only
  int ports = 0;
  vulkan_addressing addressing = vulkan_addressing::address;
  std::uint32_t subgroup = 0;  ///< invocations that every subgroup has; 0: what the driver likes
  std::uint32_t push_bytes() const noexcept {
    return static_cast<std::uint32_t>(ports) * (addressing == vulkan_addressing::address ? 8u : 4u);
  }
};

/// The cache behind `vulkan_context::kernel`. Safe to use from several threads; two that ask for a
/// new module at the same time may both compile it, and one result is dropped.
class vulkan_pipelines {
 public:
  static constexpr int most_ports = 16;  ///< push constants: 128 bytes are all that is guaranteed

  /// The kernel of these words; compiled if no earlier call asked for the same. The words are only
  /// looked at enough to tell that they are SPIR-V: drivers may crash at wrong ones.
  /// Error: corrupt (not SPIR-V), capacity (too many ports), memory, or the driver's refusal.
  result<const vulkan_kernel*> kernel(const vulkan_functions& d, vk::Device device,
                                      std::span<const std::uint32_t> words, int ports,
                                      vulkan_addressing addressing,
                                      std::uint32_t subgroup) noexcept {
    constexpr std::uint32_t magic = 0x07230203;
    if (words.size() < 5 || words[0] != magic)
      return error{code::corrupt, "vulkan", "kernel", "SPIR-V", "other words"};
    if (ports < 0 || ports > most_ports)
      return error{code::capacity, "vulkan", "ports", most_ports, ports};
    const vulkan_kernel blank{{}, {}, {}, ports, addressing, subgroup};
    const std::uint64_t hash = hash_of(words, blank);
    if (const vulkan_kernel* cached = find(hash, words, blank)) return cached;
    return platform::guarded([&] { return make(d, device, hash, words, blank); },
                             []() -> result<const vulkan_kernel*> {
                               return error{code::memory, "vulkan", "kernel"};
                             });
  }
  int size() const noexcept {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(entries_.size());
  }
  /// Destroys everything. Misuse: while the device still runs a kernel.
  void clear(const vulkan_functions& d, vk::Device device) noexcept {
    for (auto& [hash, e] : entries_) device.destroyPipeline(e.kernel.pipeline, nullptr, d);
    entries_.clear();
    for (const auto& of_mode : layouts_)
      for (const layout& l : of_mode) {
        device.destroyPipelineLayout(l.pipeline, nullptr, d);
        device.destroyDescriptorSetLayout(l.set, nullptr, d);
      }
    layouts_ = {};
  }

 private:
  /// The words stay with the kernel: a hash alone might be that of another module.
  struct entry {
    std::vector<std::uint32_t> words;
    vulkan_kernel kernel;
  };
  /// Layouts depend on the number of ports and the addressing alone; kernels share them.
  struct layout {
    vk::PipelineLayout pipeline{};
    vk::DescriptorSetLayout set{};
  };

  /// FNV-1a over words, where the algorithm takes bytes: fewer steps, and as good for a cache that
  /// compares the words anyway. Source: Fowler, Noll and Vo, the 64-bit offset basis and prime.
  static std::uint64_t hash_of(std::span<const std::uint32_t> words,
                               const vulkan_kernel& k) noexcept {
    std::uint64_t h = 14695981039346656037u;
    const auto mix = [&](std::uint64_t w) { h = (h ^ w) * 1099511628211u; };
    for (const std::uint32_t w : words) mix(w);
    mix(static_cast<std::uint64_t>(k.ports) << 1 | static_cast<std::uint64_t>(k.addressing));
    mix(k.subgroup);
    return h ^ h >> 32;
  }
  /// The cached kernel of these words and this form; null if there is none.
  const vulkan_kernel* find(std::uint64_t hash, std::span<const std::uint32_t> words,
                            const vulkan_kernel& k) const noexcept {
    const std::lock_guard lock(mutex_);
    for (auto [at, end] = entries_.equal_range(hash); at != end; ++at) {
      const entry& e = at->second;
      if (e.kernel.ports == k.ports && e.kernel.addressing == k.addressing &&
          e.kernel.subgroup == k.subgroup &&
          std::equal(e.words.begin(), e.words.end(), words.begin(), words.end()))
        return &e.kernel;
    }
    return nullptr;
  }

  /// Compiles without the lock, because drivers take long. If another thread was faster with the
  /// same words, its kernel is used and this one destroyed.
  result<const vulkan_kernel*> make(const vulkan_functions& d, vk::Device device,
                                    std::uint64_t hash, std::span<const std::uint32_t> words,
                                    const vulkan_kernel& blank) {
    const auto pipeline_layout = layout_of(d, device, blank.ports, blank.addressing);
    if (!pipeline_layout) return pipeline_layout.error();
    entry e{{words.begin(), words.end()}, blank};
    e.kernel.layout = pipeline_layout->pipeline, e.kernel.set = pipeline_layout->set;
    if (error bad = compile(d, device, e); !bad.ok()) return bad;
    if (const vulkan_kernel* earlier = find(hash, words, blank)) {
      device.destroyPipeline(e.kernel.pipeline, nullptr, d);
      return earlier;
    }
    const std::lock_guard lock(mutex_);
    return &entries_.emplace(hash, std::move(e))->second.kernel;  // a node of a map does not move
  }
  /// The shader module is not needed once its pipeline exists.
  static error compile(const vulkan_functions& d, vk::Device device, entry& e) noexcept {
    vk::ShaderModuleCreateInfo code{};
    code.codeSize = e.words.size() * sizeof(std::uint32_t);
    code.pCode = e.words.data();
    vk::ShaderModule module{};
    vk::Result r = device.createShaderModule(&code, nullptr, &module, d);
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createShaderModule");
    vk::ComputePipelineCreateInfo info{};
    info.stage.stage = vk::ShaderStageFlagBits::eCompute;
    info.stage.module = module;
    info.stage.pName = "main";
    info.layout = e.kernel.layout;
    vk::PipelineShaderStageRequiredSubgroupSizeCreateInfo size{};
    size.requiredSubgroupSize = e.kernel.subgroup;
    if (e.kernel.subgroup > 0) {
      info.stage.flags = vk::PipelineShaderStageCreateFlagBits::eRequireFullSubgroups;
      info.stage.pNext = &size;
    }
    r = device.createComputePipelines({}, 1, &info, nullptr, &e.kernel.pipeline, d);
    device.destroyShaderModule(module, nullptr, d);
    return vulkan_result::error_of(r, "createComputePipelines");
  }

  /// The layout for so many ports, made at the first call. A descriptor set layout that was made
  /// before an error is kept for the next call.
  result<layout> layout_of(const vulkan_functions& d, vk::Device device, int ports,
                           vulkan_addressing addressing) noexcept {
    const std::lock_guard lock(mutex_);
    layout& l = layouts_[static_cast<std::size_t>(addressing)][static_cast<std::size_t>(ports)];
    if (l.pipeline) return l;
    if (addressing == vulkan_addressing::descriptor && !l.set) {
      const vk::Result r = make_set(d, device, ports, l.set);
      if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createDescriptorSetLayout");
    }
    vk::PushConstantRange push{};
    push.stageFlags = vk::ShaderStageFlagBits::eCompute;
    push.size = vulkan_kernel{{}, {}, {}, ports, addressing, 0}.push_bytes();
    vk::PipelineLayoutCreateInfo info{};
    info.setLayoutCount = l.set ? 1 : 0;
    info.pSetLayouts = &l.set;
    info.pushConstantRangeCount = push.size > 0 ? 1 : 0;
    info.pPushConstantRanges = &push;
    const vk::Result r = device.createPipelineLayout(&info, nullptr, &l.pipeline, d);
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createPipelineLayout");
    return l;
  }
  /// One storage buffer for each port, visible to compute shaders.
  static vk::Result make_set(const vulkan_functions& d, vk::Device device, int ports,
                             vk::DescriptorSetLayout& set) noexcept {
    std::array<vk::DescriptorSetLayoutBinding, most_ports> bindings{};
    for (int i = 0; i < ports; ++i) {
      auto& b = bindings[static_cast<std::size_t>(i)];
      b.binding = static_cast<std::uint32_t>(i);
      b.descriptorType = vk::DescriptorType::eStorageBuffer;
      b.descriptorCount = 1;
      b.stageFlags = vk::ShaderStageFlagBits::eCompute;
    }
    vk::DescriptorSetLayoutCreateInfo info{};
    info.bindingCount = static_cast<std::uint32_t>(ports);
    info.pBindings = bindings.data();
    return device.createDescriptorSetLayout(&info, nullptr, &set, d);
  }

  mutable std::mutex mutex_;
  std::multimap<std::uint64_t, entry> entries_;
  std::array<std::array<layout, most_ports + 1>, 2> layouts_{};
};

}  // namespace tenon
