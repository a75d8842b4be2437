// The optional features that kernels want: which of them a device has, or an application enabled.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/loader.hpp>
#include <cstdint>
#include <cstring>

namespace tenon {

/// Features that a device has and that are enabled. Extensions count as features here.
struct vulkan_features {
  bool buffer_device_address = false;
  bool timeline_semaphore = false;
  bool storage_8 = false, storage_16 = false;  ///< such elements in storage buffers
  bool push_8 = false, push_16 = false;        ///< and in push constants
  bool int8 = false, int16 = false, int64 = false, float16 = false,
       float64 = false;  ///< arithmetic
  bool memory_model = false, memory_model_device_scope = false;
  bool subgroup_extended_types = false;  ///< subgroup operations on 8, 16 and 64 bits
  bool subgroup_size_control = false, full_subgroups = false;
  bool variable_pointers = false;
  bool cooperative_matrix = false;                 ///< VK_KHR_cooperative_matrix
  bool bfloat16 = false, bfloat16_matrix = false;  ///< VK_KHR_shader_bfloat16
  bool external_memory_host = false;               ///< VK_EXT_external_memory_host
  bool external_memory_fd = false;                 ///< VK_KHR_external_memory_fd
  bool dma_buf = false;                            ///< VK_EXT_external_memory_dma_buf
  constexpr bool operator==(const vulkan_features&) const = default;
};

/// Feature structures that older Vulkan headers lack, as the registry lays them out.
struct cooperative_matrix_features {
  std::uint32_t type = 1000506000;
  void* next = nullptr;
  VkBool32 matrix = 0, robust = 0;
};
struct bfloat16_features {
  std::uint32_t type = 1000141000;
  void* next = nullptr;
  VkBool32 arithmetic_type = 0, dot = 0, matrix = 0;
};

/// The chain of structures that vkGetPhysicalDeviceFeatures2 fills and vkCreateDevice reads, and
/// one table (`visit`) that says which of its members is which of ours.
struct vulkan_feature_chain {
  vk::PhysicalDeviceFeatures2 core{};
  vk::PhysicalDeviceVulkan11Features v11{};
  vk::PhysicalDeviceVulkan12Features v12{};
  vk::PhysicalDeviceVulkan13Features v13{};
  cooperative_matrix_features matrix{};
  bfloat16_features bfloat{};

  /// Links those structures that the device knows. Returns what goes into a pNext.
  void* link(bool has_13, bool has_matrix, bool has_bfloat) noexcept {
    void* rest = nullptr;
    const auto put = [&](auto& s, auto& next) {
      next = rest;
      rest = &s;
    };
    if (has_bfloat) put(bfloat, bfloat.next);
    if (has_matrix) put(matrix, matrix.next);
    if (has_13) put(v13, v13.pNext);
    put(v12, v12.pNext);
    put(v11, v11.pNext);
    put(core, core.pNext);
    return rest;
  }

  /// Calls `each(member of ours, VkBool32 of theirs)`.
  template <class Each> void visit(vulkan_features& f, Each each) noexcept {
    each(f.buffer_device_address, v12.bufferDeviceAddress);
    each(f.timeline_semaphore, v12.timelineSemaphore);
    each(f.storage_8, v12.storageBuffer8BitAccess);
    each(f.storage_16, v11.storageBuffer16BitAccess);
    each(f.push_8, v12.storagePushConstant8);
    each(f.push_16, v11.storagePushConstant16);
    each(f.int8, v12.shaderInt8);
    each(f.int16, core.features.shaderInt16);
    each(f.int64, core.features.shaderInt64);
    each(f.float16, v12.shaderFloat16);
    each(f.float64, core.features.shaderFloat64);
    each(f.memory_model, v12.vulkanMemoryModel);
    each(f.memory_model_device_scope, v12.vulkanMemoryModelDeviceScope);
    each(f.subgroup_extended_types, v12.shaderSubgroupExtendedTypes);
    each(f.subgroup_size_control, v13.subgroupSizeControl);
    each(f.full_subgroups, v13.computeFullSubgroups);
    each(f.variable_pointers, v11.variablePointersStorageBuffer);
    each(f.cooperative_matrix, matrix.matrix);
    each(f.bfloat16, bfloat.arithmetic_type);
    each(f.bfloat16_matrix, bfloat.matrix);
  }
  /// What the chain has switched on.
  vulkan_features read() noexcept {
    vulkan_features f;
    visit(f, [](bool& ours, VkBool32 theirs) { ours = theirs != VK_FALSE; });
    return f;
  }
  /// Switches on these features, and no others.
  void write(vulkan_features f) noexcept {
    visit(f, [](bool ours, VkBool32& theirs) { theirs = ours ? VK_TRUE : VK_FALSE; });
  }

  /// Takes over what an application's pNext chain enables, in the structures of versions or of
  /// extensions.
  void adopt(const void* next) noexcept {
    const auto* s = static_cast<const VkBaseInStructure*>(next);
    for (; s != nullptr; s = s->pNext) adopt_one(s);
  }

 private:
  /// Copies all but the first two members, which are the type and the link.
  template <class To> static void copy_body(To& to, const VkBaseInStructure* s) noexcept {
    constexpr std::size_t head = sizeof(VkBaseInStructure);
    std::memcpy(reinterpret_cast<char*>(&to) + head, reinterpret_cast<const char*>(s) + head,
                sizeof(To) - head);
  }
  /// A copy of a structure. The application's object has another type than VkBaseInStructure, so it
  /// may not be read through a cast pointer.
  template <class From> static From body_of(const VkBaseInStructure* s) noexcept {
    From from;
    std::memcpy(static_cast<void*>(&from), s, sizeof from);
    return from;
  }
  /// Structures of a version are copied as a whole; their type numbers are those of the registry.
  void adopt_one(const VkBaseInStructure* s) noexcept {
    switch (static_cast<std::uint32_t>(s->sType)) {
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2: return copy_body(core, s);
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES: return copy_body(v11, s);
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES: return copy_body(v12, s);
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES: return copy_body(v13, s);
      case 1000506000: return copy_body(matrix, s);
      case 1000141000: return copy_body(bfloat, s);
      default: return adopt_single(s);
    }
  }
  /// Structures of one feature each, from before it became part of a version.
  void adopt_single(const VkBaseInStructure* s) noexcept {
    switch (s->sType) {
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES:
        v12.bufferDeviceAddress =
            body_of<VkPhysicalDeviceBufferDeviceAddressFeatures>(s).bufferDeviceAddress;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES:
        v12.timelineSemaphore =
            body_of<VkPhysicalDeviceTimelineSemaphoreFeatures>(s).timelineSemaphore;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES: {
        const auto features = body_of<VkPhysicalDevice8BitStorageFeatures>(s);
        v12.storageBuffer8BitAccess = features.storageBuffer8BitAccess;
        v12.storagePushConstant8 = features.storagePushConstant8;
        break;
      }
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES: {
        const auto features = body_of<VkPhysicalDevice16BitStorageFeatures>(s);
        v11.storageBuffer16BitAccess = features.storageBuffer16BitAccess;
        v11.storagePushConstant16 = features.storagePushConstant16;
        break;
      }
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES: {
        const auto features = body_of<VkPhysicalDeviceShaderFloat16Int8Features>(s);
        v12.shaderFloat16 = features.shaderFloat16;
        v12.shaderInt8 = features.shaderInt8;
        break;
      }
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES: {
        const auto features = body_of<VkPhysicalDeviceVulkanMemoryModelFeatures>(s);
        v12.vulkanMemoryModel = features.vulkanMemoryModel;
        v12.vulkanMemoryModelDeviceScope = features.vulkanMemoryModelDeviceScope;
        break;
      }
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_SUBGROUP_EXTENDED_TYPES_FEATURES:
        v12.shaderSubgroupExtendedTypes =
            body_of<VkPhysicalDeviceShaderSubgroupExtendedTypesFeatures>(s)
                .shaderSubgroupExtendedTypes;
        break;
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES: {
        const auto features = body_of<VkPhysicalDeviceSubgroupSizeControlFeatures>(s);
        v13.subgroupSizeControl = features.subgroupSizeControl;
        v13.computeFullSubgroups = features.computeFullSubgroups;
        break;
      }
      case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VARIABLE_POINTERS_FEATURES:
        v11.variablePointersStorageBuffer =
            body_of<VkPhysicalDeviceVariablePointersFeatures>(s).variablePointersStorageBuffer;
        break;
      default: break;
    }
  }
};

}  // namespace tenon
