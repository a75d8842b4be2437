// A Vulkan instance: the loader's functions, and the validation layer where it is asked for.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/options.hpp>
#include <atomic>
#include <cstring>

namespace tenon {

/// The instance of a context: made here, or the application's, which is only used. It does not
/// move: the validation layer knows its address.
class vulkan_instance {
 public:
  vulkan_instance() = default;
  vulkan_instance(const vulkan_instance&) = delete;
  vulkan_instance& operator=(const vulkan_instance&) = delete;
  ~vulkan_instance() {
    if (!owned_ || !instance_) return;
    if (messenger_ != VK_NULL_HANDLE)
      functions_.vkDestroyDebugUtilsMessengerEXT(static_cast<VkInstance>(instance_), messenger_,
                                                 nullptr);
    instance_.destroy(nullptr, functions_);
  }

  /// Makes an instance. Error: no_device (no loader or driver); feature (no validation layer);
  /// memory.
  error make(const vulkan_options& options) {
    owned_ = true;
    on_message_ = options.on_message, user_ = options.user;
    if (error e = load(options.get_proc_addr, options.loader); !e.ok()) return e;
    if (functions_.vkCreateInstance == nullptr)
      return {code::no_device, "vulkan", "loader", "vkCreateInstance", "none"};
    if (error e = create(options.validation); !e.ok()) return e;
    functions_.init(vk::Instance(instance_));
    return options.validation ? listen() : error{};
  }
  /// Takes the application's. Error: no_device (no loader).
  error adopt(const vulkan_adopted& adopted) noexcept {
    if (error e = load(adopted.get_proc_addr, nullptr); !e.ok()) return e;
    instance_ = adopted.instance;
    version_ = adopted.api_version;
    functions_.init(vk::Instance(instance_));
    return {};
  }

  vk::Instance handle() const noexcept { return instance_; }
  /// What the instance was made for: it knows no structures of later versions.
  std::uint32_t version() const noexcept { return version_; }
  bool is_owned() const noexcept { return owned_; }
  vulkan_functions& functions() noexcept { return functions_; }
  const vulkan_functions& functions() const noexcept { return functions_; }
  /// Errors and warnings of the validation layer so far.
  int complaints() const noexcept { return complaints_.load(std::memory_order_relaxed); }

 private:
  static constexpr const char* layer = "VK_LAYER_KHRONOS_validation";

  /// VK_EXT_layer_settings, which older headers lack. The layers that have it look at what shaders
  /// read and write only where they are told to.
  struct layer_settings {
    static constexpr const char* extension = "VK_EXT_layer_settings";
    static constexpr auto type = static_cast<VkStructureType>(1000496000);
    static constexpr std::int32_t boolean = 0;
    struct setting {
      const char *layer, *name;
      std::int32_t type;
      std::uint32_t count;
      const void* values;
    };
    VkStructureType sType;
    const void* pNext;
    std::uint32_t count;
    const setting* settings;
  };

  error load(PFN_vkGetInstanceProcAddr entry, const char* file) noexcept {
    if (entry == nullptr) {
      const auto opened = vulkan_loader::open(file);
      if (!opened) return opened.error();
      entry = *opened;
    }
    functions_.init(entry);
    return {};
  }

  error create(bool validation) {
    vk::ApplicationInfo about{};
    about.pApplicationName = "tenon";
    about.apiVersion = version_;
    vk::InstanceCreateInfo info{};
    info.pApplicationInfo = &about;
    vk::Result r;
    if (validation)
      r = create_validated(info);
    else
      r = vk::createInstance(&info, nullptr, &instance_, functions_);
    if (r == vk::Result::eErrorLayerNotPresent)
      return {code::feature, "vulkan", layer, "the layer installed", "none"};
    if (r == vk::Result::eErrorIncompatibleDriver)
      return {code::no_device, "vulkan", "driver", "a driver", "none"};
    return vulkan_result::error_of(r, "createInstance");
  }
  /// With synchronization validation, which finds barriers that are missing. The pointers in `info`
  /// are to locals: the instance is created before they end.
  vk::Result create_validated(vk::InstanceCreateInfo& info) {
    const VkBool32 yes = VK_TRUE;
    const layer_settings::setting accesses{layer, "syncval_shader_accesses_heuristic",
                                           layer_settings::boolean, 1, &yes};
    const layer_settings settings{layer_settings::type, nullptr, 1, &accesses};
    const auto switch_on = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    VkValidationFeaturesEXT synchronization{};
    synchronization.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
    synchronization.enabledValidationFeatureCount = 1;
    synchronization.pEnabledValidationFeatures = &switch_on;
    const bool takes_settings = layer_has(layer_settings::extension);
    if (takes_settings) synchronization.pNext = &settings;
    const char* extensions[] = {"VK_EXT_debug_utils", "VK_EXT_validation_features",
                                layer_settings::extension};
    info.pNext = &synchronization;
    info.enabledLayerCount = 1;
    info.ppEnabledLayerNames = &layer;
    info.enabledExtensionCount = takes_settings ? 3 : 2;
    info.ppEnabledExtensionNames = extensions;
    return vk::createInstance(&info, nullptr, &instance_, functions_);
  }
  bool layer_has(const char* extension) const {
    std::uint32_t count = 0;
    const auto list = functions_.vkEnumerateInstanceExtensionProperties;
    if (list(layer, &count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkExtensionProperties> all(count);
    if (list(layer, &count, all.data()) != VK_SUCCESS) return false;
    for (const VkExtensionProperties& e : all)
      if (std::strcmp(static_cast<const char*>(e.extensionName), extension) == 0) return true;
    return false;
  }
  /// Counts the layer's messages, and hands them on.
  error listen() noexcept {
    VkDebugUtilsMessengerCreateInfoEXT info{};  // C: Vulkan-Hpp has changed the callback's type
    info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
    info.messageSeverity = VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT |
                           VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
    info.pfnUserCallback = hear;
    info.pUserData = this;
    const VkResult r = functions_.vkCreateDebugUtilsMessengerEXT(static_cast<VkInstance>(instance_),
                                                                 &info, nullptr, &messenger_);
    return vulkan_result::error_of(static_cast<vk::Result>(r), "createDebugUtilsMessengerEXT");
  }
  static VKAPI_ATTR VkBool32 VKAPI_CALL hear(VkDebugUtilsMessageSeverityFlagBitsEXT,
                                             VkDebugUtilsMessageTypeFlagsEXT,
                                             const VkDebugUtilsMessengerCallbackDataEXT* data,
                                             void* self) noexcept {
    vulkan_instance& instance = *static_cast<vulkan_instance*>(self);
    instance.complaints_.fetch_add(1, std::memory_order_relaxed);
    if (instance.on_message_ != nullptr) instance.on_message_(data->pMessage, instance.user_);
    return VK_FALSE;
  }

  vulkan_functions functions_{};
  vk::Instance instance_{};
  std::uint32_t version_ = VK_API_VERSION_1_3;
  bool owned_ = false;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  void (*on_message_)(const char*, void*) = nullptr;
  void* user_ = nullptr;
  std::atomic<int> complaints_{0};
};

}  // namespace tenon
