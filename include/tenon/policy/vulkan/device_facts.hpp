// What one Vulkan device is and has, as plain values that are read once, when the device is opened.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/features.hpp>
#include <algorithm>
#include <span>

namespace tenon {

/// One form of matrix product that VK_KHR_cooperative_matrix offers: result = a * b + c.
struct vulkan_matrix_form {
  /// The registry's numbers of component types.
  enum : std::uint32_t {
    f16 = 0,
    f32 = 1,
    f64 = 2,
    s8 = 3,
    s32 = 5,
    u8 = 7,
    u32 = 9,
    bf16 = 1000141000
  };
  std::uint32_t m = 0, n = 0, k = 0;
  std::uint32_t a = 0, b = 0, c = 0, result = 0;
  bool saturating = false;
  bool subgroup_scope = false;  ///< one subgroup computes it; otherwise another scope
};

/// Facts about a device; limits in the unit of their names. Sources: the Vulkan structure that each
/// `read_` function below takes.
struct vulkan_facts {
  name device{}, driver{};
  std::uint32_t vendor_id = 0, device_id = 0;
  std::uint32_t api_version = 0;  ///< VK_MAKE_API_VERSION
  bool cpu = false;               ///< a driver that runs on the CPU
  bool unified_memory = false;    ///< device memory is host memory
  vulkan_features has{};          ///< and enabled

  bool host_import = false;          ///< host memory of anybody can be used where it lies
  i64 host_import_align_bytes = 0;   ///< of address and size: memory.hpp rounds
  bool opaque_fd = false;            ///< export and import between processes
  bool opaque_fd_dedicated = false;  ///< only as allocations of one buffer
  bool dma_buf = false;              ///< import

  bool signed_zero_inf_nan_32 = false;  ///< SignedZeroInfNanPreserve for float32
  bool signed_zero_inf_nan_16 = false;
  bool denorm_preserve_32 = false, denorm_preserve_16 = false, denorm_flush_32 = false;
  bool round_even_32 = false, round_even_16 = false;  ///< RoundingModeRTE
  bool denorm_apart = false,
       round_apart = false;  ///< float32 may have other such modes than float16

  std::uint32_t subgroup_size = 0;  ///< and, with subgroup_size_control, its limits:
  std::uint32_t subgroup_size_least = 0, subgroup_size_most = 0;
  bool subgroup_size_chosen = false;  ///< compute pipelines may ask for full ones of one of these
  bool subgroup_compute = false;      ///< subgroup operations in compute shaders: of these kinds:
  bool subgroup_arithmetic = false, subgroup_shuffle = false, subgroup_shuffle_relative = false,
       subgroup_ballot = false, subgroup_clustered = false;

  std::uint32_t push_bytes = 0;
  std::uint32_t storage_buffers = 0;  ///< per stage
  i64 storage_buffer_bytes = 0;       ///< range of one descriptor
  i64 storage_align_bytes = 0;        ///< of a descriptor's offset
  i64 allocation_bytes = 0;           ///< the largest allocation
  std::uint32_t groups[3]{};          ///< of one dispatch
  std::uint32_t group_size[3]{};      ///< invocations per axis of a workgroup...
  std::uint32_t invocations = 0;      ///< ...and in all
  i64 shared_bytes = 0;               ///< shared memory of a workgroup
  i64 device_memory_bytes = 0;        ///< the largest device-local heap

  static constexpr int most_matrix_forms = 64;
  int matrix_forms = 0;
  vulkan_matrix_form matrix[most_matrix_forms]{};
};

namespace vulkan_device {

/// As VkCooperativeMatrixPropertiesKHR, which older Vulkan headers lack.
struct cooperative_matrix_properties {
  std::uint32_t type = 1000506001;
  void* next = nullptr;
  std::uint32_t m, n, k, a, b, c, result;
  VkBool32 saturating;
  std::uint32_t scope;
};

/// Whether `extension` is among `all`: what a driver offers, or what an application has named.
inline bool contains(std::span<const vk::ExtensionProperties> all, const char* extension) noexcept {
  for (const vk::ExtensionProperties& e : all)
    if (std::strcmp(static_cast<const char*>(e.extensionName), extension) == 0) return true;
  return false;
}
inline bool contains(const char* const* all, std::uint32_t count, const char* extension) noexcept {
  for (std::uint32_t i = 0; i < count; ++i)
    if (std::strcmp(all[i], extension) == 0) return true;
  return false;
}

/// Drivers answer 2^64 - 1 for "no limit": more than an i64 holds.
inline i64 bytes_of(vk::DeviceSize n) noexcept {
  constexpr auto limit = static_cast<vk::DeviceSize>(INT64_MAX);
  return static_cast<i64>(n < limit ? n : limit);
}

/// What a storage buffer can do with external handles of one kind.
inline vk::ExternalMemoryFeatureFlags external(const vulkan_functions& d, vk::PhysicalDevice device,
                                               vk::ExternalMemoryHandleTypeFlagBits kind) noexcept {
  vk::PhysicalDeviceExternalBufferInfo query{};
  query.usage = vk::BufferUsageFlagBits::eStorageBuffer;
  query.handleType = kind;
  vk::ExternalBufferProperties properties{};
  device.getExternalBufferProperties(&query, &properties, d);
  return properties.externalMemoryProperties.externalMemoryFeatures;
}

/// What memory the device can share, with whom. An extension alone says little: the driver is asked
/// for storage buffers, which is what kernels use.
inline void read_sharing(const vulkan_functions& d, vk::PhysicalDevice device,
                         vulkan_facts& f) noexcept {
  using kind = vk::ExternalMemoryHandleTypeFlagBits;
  using feature = vk::ExternalMemoryFeatureFlagBits;
  const auto can = [&](kind k, feature what) {
    return static_cast<bool>(external(d, device, k) & what);
  };
  // Some drivers import what they do not advertise. Later versions may not: it is not used.
  f.host_import = f.has.external_memory_host && can(kind::eHostAllocationEXT, feature::eImportable);
  f.opaque_fd = f.has.external_memory_fd && can(kind::eOpaqueFd, feature::eImportable) &&
                can(kind::eOpaqueFd, feature::eExportable);
  f.opaque_fd_dedicated = f.opaque_fd && can(kind::eOpaqueFd, feature::eDedicatedOnly);
  f.dma_buf =
      f.has.dma_buf && f.has.external_memory_fd && can(kind::eDmaBufEXT, feature::eImportable);
}

/// Limits of buffers, dispatches and workgroups.
inline void read_limits(const vk::PhysicalDeviceLimits& l, vulkan_facts& f) noexcept {
  f.push_bytes = l.maxPushConstantsSize;
  f.storage_buffers = l.maxPerStageDescriptorStorageBuffers;
  f.storage_buffer_bytes = l.maxStorageBufferRange;
  f.storage_align_bytes = bytes_of(l.minStorageBufferOffsetAlignment);
  for (int i = 0; i < 3; ++i) f.groups[i] = l.maxComputeWorkGroupCount[static_cast<unsigned>(i)];
  for (int i = 0; i < 3; ++i) f.group_size[i] = l.maxComputeWorkGroupSize[static_cast<unsigned>(i)];
  f.invocations = l.maxComputeWorkGroupInvocations;
  f.shared_bytes = l.maxComputeSharedMemorySize;
}

/// Which modes of float arithmetic a kernel may ask for. Where `denorm_apart` or `round_apart` is
/// false, the modes of float32 and float16 have to be the same, so asking for one of them is an
/// error.
inline void read_floats(const vk::PhysicalDeviceVulkan12Properties& p, vulkan_facts& f) noexcept {
  f.signed_zero_inf_nan_32 = p.shaderSignedZeroInfNanPreserveFloat32 != VK_FALSE;
  f.signed_zero_inf_nan_16 = p.shaderSignedZeroInfNanPreserveFloat16 != VK_FALSE;
  f.denorm_preserve_32 = p.shaderDenormPreserveFloat32 != VK_FALSE;
  f.denorm_preserve_16 = p.shaderDenormPreserveFloat16 != VK_FALSE;
  f.denorm_flush_32 = p.shaderDenormFlushToZeroFloat32 != VK_FALSE;
  f.round_even_32 = p.shaderRoundingModeRTEFloat32 != VK_FALSE;
  f.round_even_16 = p.shaderRoundingModeRTEFloat16 != VK_FALSE;
  f.denorm_apart = p.denormBehaviorIndependence != vk::ShaderFloatControlsIndependence::eNone;
  f.round_apart = p.roundingModeIndependence != vk::ShaderFloatControlsIndependence::eNone;
}

/// Subgroups. Vulkan 1.2 knows one size; with 1.3 a pipeline may ask for another one and for full
/// subgroups, if the compute stage is among those that may.
inline void read_subgroups(const vk::PhysicalDeviceVulkan11Properties& p,
                           const vk::PhysicalDeviceVulkan13Properties& size, bool has_13,
                           vulkan_facts& f) noexcept {
  using kind = vk::SubgroupFeatureFlagBits;
  const auto offers = [&](kind k) { return static_cast<bool>(p.subgroupSupportedOperations & k); };
  f.subgroup_size = p.subgroupSize;
  f.subgroup_size_least = has_13 ? size.minSubgroupSize : p.subgroupSize;
  f.subgroup_size_most = has_13 ? size.maxSubgroupSize : p.subgroupSize;
  f.subgroup_size_chosen =
      has_13 && f.has.subgroup_size_control && f.has.full_subgroups &&
      static_cast<bool>(size.requiredSubgroupSizeStages & vk::ShaderStageFlagBits::eCompute);
  f.subgroup_compute =
      static_cast<bool>(p.subgroupSupportedStages & vk::ShaderStageFlagBits::eCompute);
  f.subgroup_arithmetic = offers(kind::eArithmetic);
  f.subgroup_shuffle = offers(kind::eShuffle);
  f.subgroup_shuffle_relative = offers(kind::eShuffleRelative);
  f.subgroup_ballot = offers(kind::eBallot);
  f.subgroup_clustered = offers(kind::eClustered);
}

/// The largest heap of the device itself: integrated GPUs and CPU drivers count the host's memory.
inline void read_memory(const vulkan_functions& d, vk::PhysicalDevice device,
                        vulkan_facts& f) noexcept {
  vk::PhysicalDeviceMemoryProperties memory{};
  device.getMemoryProperties(&memory, d);
  for (std::uint32_t i = 0; i < memory.memoryHeapCount; ++i) {
    const vk::MemoryHeap& heap = memory.memoryHeaps[i];
    if (heap.flags & vk::MemoryHeapFlagBits::eDeviceLocal)
      if (bytes_of(heap.size) > f.device_memory_bytes) f.device_memory_bytes = bytes_of(heap.size);
  }
}

/// The matrix products that the device computes, up to 64 of them. A driver that has more answers
/// VK_INCOMPLETE, which is a success. The function is looked up by name: older headers lack it.
inline void read_matrix_forms(const vulkan_functions& d, vk::Instance instance,
                              vk::PhysicalDevice device, vulkan_facts& f) noexcept {
  using query =
      VkResult(VKAPI_PTR*)(VkPhysicalDevice, std::uint32_t*, cooperative_matrix_properties*);
  const auto ask = reinterpret_cast<query>(d.vkGetInstanceProcAddr(
      static_cast<VkInstance>(instance), "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR"));
  if (ask == nullptr) return;
  cooperative_matrix_properties forms[vulkan_facts::most_matrix_forms];
  std::uint32_t count = vulkan_facts::most_matrix_forms;
  if (ask(static_cast<VkPhysicalDevice>(device), &count, forms) < VK_SUCCESS) return;
  f.matrix_forms = static_cast<int>(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto& p = forms[i];
    constexpr std::uint32_t subgroup = 3;  // VK_SCOPE_SUBGROUP_KHR
    f.matrix[i] = {
        p.m, p.n, p.k, p.a, p.b, p.c, p.result, p.saturating != VK_FALSE, p.scope == subgroup};
  }
}

/// Reads all facts of `device`, of which `enabled` is switched on. `version` is what the instance
/// was made for: it knows no structures of later ones, even where the device does.
inline void read(const vulkan_functions& d, vk::Instance instance, vk::PhysicalDevice device,
                 std::uint32_t version, const vulkan_features& enabled, vulkan_facts& f) noexcept {
  // structures of a version or an extension that is not there may not be in the chain
  vk::PhysicalDeviceExternalMemoryHostPropertiesEXT host{};
  vk::PhysicalDeviceVulkan13Properties v13{};
  vk::PhysicalDeviceVulkan12Properties v12{};
  vk::PhysicalDeviceVulkan11Properties v11{};
  vk::PhysicalDeviceMaintenance3Properties maintenance{};
  vk::PhysicalDeviceProperties2 core{};
  device.getProperties(&core.properties, d);
  const bool has_13 = std::min(version, core.properties.apiVersion) >= VK_API_VERSION_1_3;
  v11.pNext = &maintenance;
  v12.pNext = &v11;
  v13.pNext = &v12;
  core.pNext = has_13 ? static_cast<void*>(&v13) : &v12;
  if (enabled.external_memory_host) {
    host.pNext = core.pNext;
    core.pNext = &host;
  }
  device.getProperties2(&core, d);

  f.has = enabled;
  f.device = static_cast<const char*>(core.properties.deviceName);
  f.driver = static_cast<const char*>(v12.driverName);
  f.vendor_id = core.properties.vendorID;
  f.device_id = core.properties.deviceID;
  f.api_version = core.properties.apiVersion;
  f.cpu = core.properties.deviceType == vk::PhysicalDeviceType::eCpu;
  f.unified_memory = f.cpu || core.properties.deviceType == vk::PhysicalDeviceType::eIntegratedGpu;
  f.host_import_align_bytes = bytes_of(host.minImportedHostPointerAlignment);
  f.allocation_bytes = bytes_of(maintenance.maxMemoryAllocationSize);
  read_limits(core.properties.limits, f);
  read_floats(v12, f);
  read_subgroups(v11, v13, has_13, f);
  read_sharing(d, device, f);
  read_memory(d, device, f);
  if (enabled.cooperative_matrix) read_matrix_forms(d, instance, device, f);
}

}  // namespace vulkan_device

}  // namespace tenon
