// A Vulkan device to run on: our own, or one adopted from the application.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/addresses.hpp>
#include <tenon/policy/vulkan/facts.hpp>
#include <tenon/policy/vulkan/pipelines.hpp>
#include <atomic>
#include <chrono>

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

/// A device, its queue and its kernels. Safe to use from several threads.
/// Misuse: it must outlive all memory, buffers and recordings made with it.
class vulkan_context {
 public:
  /// Error, in `fault()`: no_device (no loader, driver or device, or none of that name); feature,
  /// with its name; memory; device.
  explicit vulkan_context(const vulkan_options& options = {}) noexcept
      : addressing_(options.addressing), on_message_(options.on_message), user_(options.user) {
    fault_ = platform::guarded([&] { return start(options); }, out_of_memory);
  }
  /// Error, in `fault()`: no_device, null; feature, with the name of what the application did not
  /// enable.
  explicit vulkan_context(const vulkan_adopted& adopted) noexcept
      : addressing_(adopted.addressing) {
    fault_ = platform::guarded([&] { return start(adopted); }, out_of_memory);
  }
  vulkan_context(const vulkan_context&) = delete;
  vulkan_context& operator=(const vulkan_context&) = delete;
  ~vulkan_context() {
    if (device_) {
      if (owned_) static_cast<void>(functions_.vkDeviceWaitIdle(device_));
      pipelines_.clear(functions_, device_);
      if (timeline_) device_.destroySemaphore(timeline_, nullptr, functions_);
      if (owned_) device_.destroy(nullptr, functions_);
    }
    if (!owned_ || !instance_) return;
    if (messenger_ != VK_NULL_HANDLE)
      functions_.vkDestroyDebugUtilsMessengerEXT(static_cast<VkInstance>(instance_), messenger_,
                                                 nullptr);
    instance_.destroy(nullptr, functions_);
  }

  /// Whether the context can be used, and if not, why.
  const error& fault() const noexcept { return fault_; }
  bool ok() const noexcept { return fault_.ok(); }

  const vulkan_facts& facts() const noexcept { return facts_; }
  vulkan_addressing addressing() const noexcept { return addressing_; }
  bool adopted() const noexcept { return !owned_; }

  /// The pipeline of a SPIR-V module with entry point "main", made at the first call. `addressing`
  /// says how the module reaches its `ports` operands; an address context also runs descriptor
  /// kernels, for buffers that have no address. With `subgroup` all subgroups are full, of that
  /// many invocations: where the facts say `subgroup_size_chosen`. Error: corrupt, capacity,
  /// memory, feature, device.
  result<const vulkan_kernel*> kernel(std::span<const std::uint32_t> words, int ports,
                                      vulkan_addressing addressing,
                                      std::uint32_t subgroup = 0) noexcept {
    if (!ok()) return fault_;
    if (addressing == vulkan_addressing::address && !facts_.has.buffer_device_address)
      return error{code::feature, "vulkan", "bufferDeviceAddress", "descriptor kernels"};
    if (subgroup > 0 && !facts_.subgroup_size_chosen)
      return error{code::feature, "vulkan", "subgroupSizeControl and computeFullSubgroups"};
    return pipelines_.kernel(functions_, device_, words, ports, addressing, subgroup);
  }
  result<const vulkan_kernel*> kernel(std::span<const std::uint32_t> words, int ports) noexcept {
    return kernel(words, ports, addressing_);
  }
  int kernels() const noexcept { return pipelines_.size(); }

  /// What an address of this context means. Error: freed, size.
  result<vulkan_place> find(std::uint64_t address, i64 bytes = 1) const noexcept {
    return addresses_.find(address, bytes);
  }
  vulkan_addresses& addresses() noexcept { return addresses_; }

  /// Waits until the queue's timeline has reached `value`, which a submission returned.
  /// Error: timeout, device_lost, memory.
  status wait(std::uint64_t value,
              std::chrono::nanoseconds most = std::chrono::nanoseconds::max()) noexcept {
    vk::SemaphoreWaitInfo info{};
    info.semaphoreCount = 1;
    info.pSemaphores = &timeline_;
    info.pValues = &value;
    if (!timeline_) return {code::feature, -1, 0, 0};
    return vulkan_result::status_of(
        device_.waitSemaphores(&info, static_cast<std::uint64_t>(most.count()), functions_));
  }
  /// The last value that the device has reached.
  std::uint64_t reached() const noexcept {
    std::uint64_t value = 0;
    if (timeline_ &&
        device_.getSemaphoreCounterValue(timeline_, &value, functions_) != vk::Result::eSuccess)
      return 0;
    return value;
  }
  /// The semaphore that submissions signal; null if the feature is not enabled. An application
  /// waits for it in submissions of its own.
  vk::Semaphore timeline() const noexcept { return timeline_; }

  /// Submits under the queue's lock. `signalled` (may be null) receives the value of the timeline
  /// that stands for the end of this submission.
  vk::Result submit(vk::SubmitInfo info, vk::Fence fence, std::uint64_t* signalled) noexcept {
    const std::lock_guard lock(queue_mutex_);
    if (signalled == nullptr) return queue_.submit(1, &info, fence, functions_);
    const std::uint64_t value = submitted_ + 1;
    vk::TimelineSemaphoreSubmitInfo values{};
    if (const auto* theirs = static_cast<const vk::TimelineSemaphoreSubmitInfo*>(info.pNext))
      values = *theirs;
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &value;
    info.signalSemaphoreCount = 1;
    info.pSignalSemaphores = &timeline_;
    info.pNext = &values;
    const vk::Result r = queue_.submit(1, &info, fence, functions_);
    if (r == vk::Result::eSuccess) *signalled = submitted_ = value;
    return r;
  }

  /// Handles that memory, buffers and recordings of this context hold now: 0 when all are gone.
  int live() const noexcept { return live_.load(std::memory_order_relaxed); }
  void count(int handles) noexcept { live_.fetch_add(handles, std::memory_order_relaxed); }
  /// Errors and warnings of the validation layer so far.
  int complaints() const noexcept { return complaints_.load(std::memory_order_relaxed); }

  const vulkan_functions& functions() const noexcept { return functions_; }
  vk::Instance instance() const noexcept { return instance_; }
  vk::PhysicalDevice physical() const noexcept { return physical_; }
  vk::Device device() const noexcept { return device_; }
  vk::Queue queue() const noexcept { return queue_; }
  std::uint32_t family() const noexcept { return family_; }
  const vk::PhysicalDeviceMemoryProperties& memory() const noexcept { return memory_; }

 private:
  static error out_of_memory() noexcept { return {code::memory, "vulkan", "context"}; }
  static constexpr const char* layer = "VK_LAYER_KHRONOS_validation";

  /// VK_EXT_layer_settings, which older headers lack. The layers that have it look at what shaders
  /// read and write only where they are told to.
  struct layer_settings {
    static constexpr const char* extension = "VK_EXT_layer_settings";
    static constexpr auto type = static_cast<VkStructureType>(1000496000);
    static constexpr std::int32_t boolean = 0;
    struct one {
      const char *layer, *name;
      std::int32_t type;
      std::uint32_t count;
      const void* values;
    };
    VkStructureType sType;
    const void* pNext;
    std::uint32_t count;
    const one* settings;
  };

  error start(const vulkan_options& options) {
    owned_ = true;
    if (error e = load(options.get_proc_addr, options.loader); !e.ok()) return e;
    if (error e = make_instance(options.validation); !e.ok()) return e;
    if (error e = choose(options); !e.ok()) return e;
    if (error e = find_family(); !e.ok()) return e;
    vulkan_features wanted;
    if (error e = make_device(wanted); !e.ok()) return e;
    // SwiftShader has addresses and no 64-bit integers, and ends the program on kernels with
    // addresses.
    if (addressing_ == vulkan_addressing::address && !wanted.int64)
      return {code::feature, "vulkan", "addresses", "shaderInt64, or addressing by descriptor",
              "none"};
    return look(wanted);
  }
  error start(const vulkan_adopted& a) {
    if (!a.instance || !a.physical || !a.device)
      return {code::null, "vulkan", "adopted", "instance, physical device and device", "null"};
    if (error e = load(a.get_proc_addr, nullptr); !e.ok()) return e;
    instance_ = a.instance, physical_ = a.physical, queue_ = a.queue, family_ = a.family;
    functions_.init(vk::Instance(instance_));
    functions_.init(vk::Device(a.device));
    if (functions_.vkGetBufferDeviceAddress == nullptr || functions_.vkWaitSemaphores == nullptr)
      return {code::feature, "vulkan", "Vulkan 1.2", "an instance and device of it",
              "an older one"};
    device_ = a.device;
    version_ = a.api_version;
    const vulkan_features enabled = enabled_by(a.created);
    if (a.created == nullptr && addressing_ == vulkan_addressing::address)
      return {code::feature, "vulkan", "adopted", "the device's create info", "null"};
    return look(enabled);
  }

  error load(PFN_vkGetInstanceProcAddr entry, const char* file) noexcept {
    if (entry == nullptr) {
      const auto found = vulkan_loader::open(file);
      if (!found) return found.error();
      entry = *found;
    }
    functions_.init(entry);
    if (functions_.vkCreateInstance != nullptr || !owned_) return {};
    return {code::no_device, "vulkan", "loader", "vkCreateInstance", "none"};
  }

  error make_instance(bool validation) {
    vk::ApplicationInfo about{};
    about.pApplicationName = "tenon";
    about.apiVersion = version_;
    const char* extensions[] = {"VK_EXT_debug_utils", "VK_EXT_validation_features",
                                layer_settings::extension};
    const VkBool32 yes = VK_TRUE;
    const layer_settings::one accesses{layer, "syncval_shader_accesses_heuristic",
                                       layer_settings::boolean, 1, &yes};
    const layer_settings settings{layer_settings::type, nullptr, 1, &accesses};
    const auto switch_on = VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT;
    VkValidationFeaturesEXT synchronization{};
    synchronization.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
    synchronization.enabledValidationFeatureCount = 1;
    synchronization.pEnabledValidationFeatures = &switch_on;
    vk::InstanceCreateInfo info{};
    info.pApplicationInfo = &about;
    if (validation) {
      const bool takes_settings = layer_has(layer_settings::extension);
      if (takes_settings) synchronization.pNext = &settings;
      info.pNext = &synchronization;
      info.enabledLayerCount = 1;
      info.ppEnabledLayerNames = &layer;
      info.enabledExtensionCount = takes_settings ? 3 : 2;
      info.ppEnabledExtensionNames = extensions;
    }
    const vk::Result r = vk::createInstance(&info, nullptr, &instance_, functions_);
    if (r == vk::Result::eErrorLayerNotPresent)
      return {code::feature, "vulkan", layer, "the layer installed", "none"};
    if (r == vk::Result::eErrorIncompatibleDriver)
      return {code::no_device, "vulkan", "driver", "a driver", "none"};
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createInstance");
    functions_.init(vk::Instance(instance_));
    return validation ? listen() : error{};
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
    vulkan_context& own = *static_cast<vulkan_context*>(self);
    own.complaints_.fetch_add(1, std::memory_order_relaxed);
    if (own.on_message_ != nullptr) own.on_message_(data->pMessage, own.user_);
    return VK_FALSE;
  }

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
  error choose(const vulkan_options& options) {
    std::uint32_t count = 0;
    vk::Result r = instance_.enumeratePhysicalDevices(&count, nullptr, functions_);
    std::vector<vk::PhysicalDevice> all(count);
    if (r == vk::Result::eSuccess && count > 0)
      r = instance_.enumeratePhysicalDevices(&count, all.data(), functions_);
    if (r != vk::Result::eSuccess && r != vk::Result::eIncomplete)
      return vulkan_result::error_of(r, "enumeratePhysicalDevices");
    int best = -1;
    for (std::uint32_t i = 0; i < count; ++i) {
      vk::PhysicalDeviceProperties p{};
      all[i].getProperties(&p, functions_);
      if (p.apiVersion < VK_API_VERSION_1_2) continue;
      if (options.index >= 0 && static_cast<std::uint32_t>(options.index) != i) continue;
      const char* own_name = static_cast<const char*>(p.deviceName);
      if (options.device != nullptr && std::strstr(own_name, options.device) == nullptr) continue;
      if (rank_of(p.deviceType) <= best) continue;
      best = rank_of(p.deviceType);
      physical_ = all[i];
    }
    if (best >= 0) return {};
    return {code::no_device, "vulkan", "device",
            options.device ? options.device : "a device with Vulkan 1.2", static_cast<int>(count)};
  }
  error find_family() {
    std::uint32_t count = 0;
    physical_.getQueueFamilyProperties(&count, nullptr, functions_);
    std::vector<vk::QueueFamilyProperties> all(count);
    physical_.getQueueFamilyProperties(&count, all.data(), functions_);
    for (family_ = 0; family_ < count; ++family_)
      if (all[family_].queueFlags & vk::QueueFlagBits::eCompute) return {};
    return {code::no_device, "vulkan", "queue", "a compute queue", "none"};
  }

  std::vector<vk::ExtensionProperties> extensions_of() const {
    std::uint32_t count = 0;
    std::vector<vk::ExtensionProperties> all;
    if (physical_.enumerateDeviceExtensionProperties(nullptr, &count, nullptr, functions_) !=
        vk::Result::eSuccess)
      return all;
    all.resize(count);
    const vk::Result r =
        physical_.enumerateDeviceExtensionProperties(nullptr, &count, all.data(), functions_);
    all.resize(r == vk::Result::eSuccess || r == vk::Result::eIncomplete ? count : 0);
    return all;
  }
  /// Switches on whatever of `vulkan_features` the device has.
  error make_device(vulkan_features& wanted) {
    vk::PhysicalDeviceProperties about{};
    physical_.getProperties(&about, functions_);
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
    physical_.getFeatures2(&offered.core, functions_);
    wanted = offered.read();
    wanted.buffer_device_address &= addressing_ == vulkan_addressing::address;
    wanted.external_memory_host = ask("VK_EXT_external_memory_host");
    wanted.external_memory_fd = ask("VK_KHR_external_memory_fd");
    wanted.dma_buf = ask("VK_EXT_external_memory_dma_buf");

    vulkan_feature_chain chain;
    vk::DeviceCreateInfo info{};
    info.pNext = chain.link(has_13, has_matrix, has_bfloat);
    chain.write(wanted);
    const float priority = 1;
    vk::DeviceQueueCreateInfo queue{};
    queue.queueFamilyIndex = family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<std::uint32_t>(names.size());
    info.ppEnabledExtensionNames = names.data();
    const vk::Result r = physical_.createDevice(&info, nullptr, &device_, functions_);
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createDevice");
    functions_.init(vk::Device(device_));
    device_.getQueue(family_, 0, &queue_, functions_);
    return {};
  }
  vulkan_features enabled_by(const vk::DeviceCreateInfo* info) const noexcept {
    if (info == nullptr) return {};
    vulkan_feature_chain chain;
    if (info->pEnabledFeatures != nullptr) chain.core.features = *info->pEnabledFeatures;
    chain.adopt(info->pNext);
    vulkan_features f = chain.read();
    f.buffer_device_address &= addressing_ == vulkan_addressing::address;
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

  /// Reads the facts, and refuses a device without what the addressing needs.
  error look(const vulkan_features& enabled) noexcept {
    vulkan_device::read(functions_, instance_, physical_, version_, enabled, facts_);
    physical_.getMemoryProperties(&memory_, functions_);
    if (addressing_ == vulkan_addressing::address && !enabled.buffer_device_address)
      return {code::feature, "vulkan", "bufferDeviceAddress",
              owned_ ? "a device that has it" : "enabled by the application",
              "none: vulkan_addressing::descriptor does without"};
    return enabled.timeline_semaphore ? make_timeline() : error{};
  }
  error make_timeline() noexcept {
    vk::SemaphoreTypeCreateInfo kind{};
    kind.semaphoreType = vk::SemaphoreType::eTimeline;
    vk::SemaphoreCreateInfo info{};
    info.pNext = &kind;
    return vulkan_result::error_of(device_.createSemaphore(&info, nullptr, &timeline_, functions_),
                                   "createSemaphore");
  }

  vulkan_functions functions_{};
  vk::Instance instance_{};
  vk::PhysicalDevice physical_{};
  vk::Device device_{};
  vk::Queue queue_{};
  std::uint32_t family_ = 0;
  std::uint32_t version_ = VK_API_VERSION_1_3;  ///< of the instance
  bool owned_ = false;
  vulkan_addressing addressing_;
  VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
  void (*on_message_)(const char*, void*) = nullptr;
  void* user_ = nullptr;
  std::atomic<int> complaints_{0};
  vk::PhysicalDeviceMemoryProperties memory_{};
  vulkan_facts facts_{};
  vulkan_pipelines pipelines_;
  vulkan_addresses addresses_;
  std::mutex queue_mutex_;
  vk::Semaphore timeline_{};
  std::uint64_t submitted_ = 0;
  std::atomic<int> live_{0};
  error fault_{};
};

/// A context until the process ends: for static objects. It is not destroyed with them, because
/// layers and drivers have static objects of their own, which may be gone by then.
struct lasting_vulkan_context {
  union {
    vulkan_context value;
  };
  explicit lasting_vulkan_context(const vulkan_options& options = {}) noexcept : value(options) {}
  lasting_vulkan_context(const lasting_vulkan_context&) = delete;
  lasting_vulkan_context& operator=(const lasting_vulkan_context&) = delete;
  ~lasting_vulkan_context() {}
};

}  // namespace tenon
