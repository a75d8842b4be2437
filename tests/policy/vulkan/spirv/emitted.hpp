// Runs emitted kernels in tests: a bare Vulkan device on a CPU driver, and a policy that emits
// every group where it runs.
// SPDX-License-Identifier: MIT
#pragma once
#define VK_NO_PROTOTYPES
#include <tenon/policy/vulkan/spirv/kernel.hpp>
#include <tenon/run/instance.hpp>
#include <tenon/tenon.hpp>
#include "../driver.hpp"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>
#include <vulkan/vulkan.h>

namespace tenon_test {

namespace spirv = tenon::spirv;

/// A device that runs one dispatch after the other. In address mode it takes host addresses as they
/// are, which CPU drivers alone allow.
class bare_device {
 public:
  static bare_device& instance() {
    static bare_device d;
    return d;
  }
  bare_device(const bare_device&) = delete;
  bare_device& operator=(const bare_device&) = delete;
  ~bare_device() { forget(); }
  bool works() const { return device_ != nullptr; }
  const char* name() const { return properties_.deviceName; }

  /// A buffer of the caller's for each port.
  struct memory {
    std::byte* data = nullptr;
    std::size_t bytes = 0;
  };
  void run(const spirv::kernel& k, spirv::addressing by, const std::vector<memory>& ports) {
    const pipeline& p = made(k, by);
    begin();
    vkCmdBindPipeline(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, p.it);
    std::vector<buffer> copies;
    std::vector<guarded_copy> pages;
    if (by == spirv::addressing::address) {
      std::vector<std::uint64_t> at;
      for (std::size_t i = 0; i < ports.size(); ++i) {
        if (guards)
          pages.emplace_back(ports[i], k.ports[static_cast<int>(i)].writes, (i + runs_) % 2 == 0);
        at.push_back(reinterpret_cast<std::uint64_t>(guards ? pages.back().data : ports[i].data));
      }
      push(p, at.data(), at.size() * sizeof(at[0]));
    } else {
      copies = bind(p, k, ports);
    }
    vkCmdDispatch(commands_, k.groups[0], k.groups[1], k.groups[2]);
    end();
    ++runs_;
    for (std::size_t i = 0; i < pages.size(); ++i) {
      if (k.ports[static_cast<int>(i)].writes)
        std::memcpy(ports[i].data, pages[i].data, ports[i].bytes);
      if (!pages[i].untouched()) fault = "a kernel wrote outside of a buffer";
      pages[i].release();
    }
    for (std::size_t i = 0; i < copies.size(); ++i)
      give_back(copies[i], k.ports[static_cast<int>(i)], ports[i]);
  }
  /// Makes all pipelines anew.
  void forget() {
    for (const auto& [key, p] : pipelines_) {
      vkDestroyPipeline(device_, p.it, nullptr);
      vkDestroyPipelineLayout(device_, p.layout, nullptr);
      vkDestroyDescriptorSetLayout(device_, p.set, nullptr);
    }
    pipelines_.clear();
  }
  int pipelines() const { return static_cast<int>(pipelines_.size()); }
  std::string folder;   ///< where each module is also written, for spirv-val
  std::string fault;    ///< something was written outside of a buffer
  bool guards = false;  ///< in address mode: buffers between pages that cannot be touched

 private:
  struct pipeline {
    VkPipelineLayout layout = nullptr;
    VkDescriptorSetLayout set = nullptr;
    VkPipeline it = nullptr;
  };
  struct buffer {
    VkBuffer it = nullptr;
    VkDeviceMemory memory = nullptr;
    std::byte* data = nullptr;
  };
  /// A buffer whose end (or begin) is that of a page, before (behind) one that nobody may touch.
  /// What a kernel only reads cannot be written.
  struct guarded_copy {
    std::byte *data = nullptr, *pages = nullptr;
    std::size_t bytes = 0, size = 0, page = 0;
    guarded_copy(const memory& from, bool writes, bool at_end) : bytes(from.bytes) {
      page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
      size = (bytes + page - 1) / page * page;
      void* all = mmap(nullptr, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (all == MAP_FAILED) std::abort();
      pages = static_cast<std::byte*>(all) + page;
      data = at_end ? pages + size - bytes : pages;
      if (mprotect(pages, size, PROT_READ | PROT_WRITE) != 0) std::abort();
      std::memset(pages, static_cast<int>(poison), size);
      std::memcpy(data, from.data, bytes);
      if (!writes && mprotect(pages, size, PROT_READ) != 0) std::abort();
    }
    /// What lies between the buffer and the other end of its pages.
    bool untouched() const {
      for (const std::byte* b = pages; b < pages + size; ++b)
        if ((b < data || b >= data + bytes) && *b != poison) return false;
      return true;
    }
    void release() const { munmap(pages - page, size + 2 * page); }
  };
  static constexpr std::size_t margin = 256;  ///< bytes before and behind a holder
  static constexpr std::byte poison{0xa5};

  // Loaded at run time, as the library does.
  PFN_vkGetInstanceProcAddr vkGetInstanceProcAddr = nullptr;
  PFN_vkCreateInstance vkCreateInstance = nullptr;
  PFN_vkEnumeratePhysicalDevices vkEnumeratePhysicalDevices = nullptr;
  PFN_vkGetPhysicalDeviceProperties vkGetPhysicalDeviceProperties = nullptr;
  PFN_vkGetPhysicalDeviceFeatures2 vkGetPhysicalDeviceFeatures2 = nullptr;
  PFN_vkCreateDevice vkCreateDevice = nullptr;
  PFN_vkGetDeviceQueue vkGetDeviceQueue = nullptr;
  PFN_vkCreateCommandPool vkCreateCommandPool = nullptr;
  PFN_vkAllocateCommandBuffers vkAllocateCommandBuffers = nullptr;
  PFN_vkCreateShaderModule vkCreateShaderModule = nullptr;
  PFN_vkCreateDescriptorSetLayout vkCreateDescriptorSetLayout = nullptr;
  PFN_vkCreatePipelineLayout vkCreatePipelineLayout = nullptr;
  PFN_vkCreateComputePipelines vkCreateComputePipelines = nullptr;
  PFN_vkCreateDescriptorPool vkCreateDescriptorPool = nullptr;
  PFN_vkResetDescriptorPool vkResetDescriptorPool = nullptr;
  PFN_vkAllocateDescriptorSets vkAllocateDescriptorSets = nullptr;
  PFN_vkUpdateDescriptorSets vkUpdateDescriptorSets = nullptr;
  PFN_vkDestroyShaderModule vkDestroyShaderModule = nullptr;
  PFN_vkDestroyPipeline vkDestroyPipeline = nullptr;
  PFN_vkDestroyPipelineLayout vkDestroyPipelineLayout = nullptr;
  PFN_vkDestroyDescriptorSetLayout vkDestroyDescriptorSetLayout = nullptr;
  PFN_vkCreateBuffer vkCreateBuffer = nullptr;
  PFN_vkDestroyBuffer vkDestroyBuffer = nullptr;
  PFN_vkGetBufferMemoryRequirements vkGetBufferMemoryRequirements = nullptr;
  PFN_vkAllocateMemory vkAllocateMemory = nullptr;
  PFN_vkFreeMemory vkFreeMemory = nullptr;
  PFN_vkBindBufferMemory vkBindBufferMemory = nullptr;
  PFN_vkMapMemory vkMapMemory = nullptr;
  PFN_vkBeginCommandBuffer vkBeginCommandBuffer = nullptr;
  PFN_vkEndCommandBuffer vkEndCommandBuffer = nullptr;
  PFN_vkCmdBindPipeline vkCmdBindPipeline = nullptr;
  PFN_vkCmdBindDescriptorSets vkCmdBindDescriptorSets = nullptr;
  PFN_vkCmdPushConstants vkCmdPushConstants = nullptr;
  PFN_vkCmdDispatch vkCmdDispatch = nullptr;
  PFN_vkQueueSubmit vkQueueSubmit = nullptr;
  PFN_vkQueueWaitIdle vkQueueWaitIdle = nullptr;

  VkInstance instance_ = nullptr;
  VkPhysicalDevice physical_ = nullptr;
  VkDevice device_ = nullptr;
  VkQueue queue_ = nullptr;
  VkCommandBuffer commands_ = nullptr;
  VkDescriptorPool descriptors_ = nullptr;
  VkPhysicalDeviceProperties properties_{};
  std::size_t runs_ = 0;
  std::map<std::pair<int, std::vector<std::uint32_t>>, pipeline> pipelines_;

  bare_device() {
    void* library = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return;
    vkGetInstanceProcAddr =
        reinterpret_cast<PFN_vkGetInstanceProcAddr>(dlsym(library, "vkGetInstanceProcAddr"));
    get(vkCreateInstance, "vkCreateInstance");
    VkApplicationInfo about{};
    about.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    about.apiVersion = VK_API_VERSION_1_2;
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &about;
    if (vkCreateInstance(&info, nullptr, &instance_) == VK_SUCCESS && find_device()) open();
  }
  template <class F> void get(F& f, const char* name) {
    f = reinterpret_cast<F>(vkGetInstanceProcAddr(instance_, name));
  }
  bool find_device() {
    get(vkEnumeratePhysicalDevices, "vkEnumeratePhysicalDevices");
    get(vkGetPhysicalDeviceProperties, "vkGetPhysicalDeviceProperties");
    std::uint32_t n = 8;
    VkPhysicalDevice all[8];
    vkEnumeratePhysicalDevices(instance_, &n, all);
    for (std::uint32_t i = 0; i < n; ++i) {
      vkGetPhysicalDeviceProperties(all[i], &properties_);
      physical_ = all[i];
      if (properties_.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU) return true;
    }
    return false;
  }
  void open() {
    get(vkGetPhysicalDeviceFeatures2, "vkGetPhysicalDeviceFeatures2");
    get(vkCreateDevice, "vkCreateDevice");
    VkPhysicalDeviceVulkan12Features f12{};
    f12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    VkPhysicalDeviceVulkan11Features f11{};
    f11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES;
    f11.pNext = &f12;
    VkPhysicalDeviceFeatures2 features{};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    features.pNext = &f11;
    vkGetPhysicalDeviceFeatures2(physical_, &features);
    features.features.robustBufferAccess = VK_FALSE;
    const float priority = 1;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = &features;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    if (vkCreateDevice(physical_, &info, nullptr, &device_) != VK_SUCCESS) return;
    load();
    vkGetDeviceQueue(device_, 0, 0, &queue_);
    VkCommandPoolCreateInfo pool{};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    VkCommandPool commands = nullptr;
    vkCreateCommandPool(device_, &pool, nullptr, &commands);
    VkCommandBufferAllocateInfo buffers{};
    buffers.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    buffers.commandPool = commands;
    buffers.commandBufferCount = 1;
    vkAllocateCommandBuffers(device_, &buffers, &commands_);
    VkDescriptorPoolSize size{VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 64};
    VkDescriptorPoolCreateInfo sets{};
    sets.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    sets.maxSets = 4;
    sets.poolSizeCount = 1;
    sets.pPoolSizes = &size;
    vkCreateDescriptorPool(device_, &sets, nullptr, &descriptors_);
  }
  void load() {
    get(vkGetDeviceQueue, "vkGetDeviceQueue");
    get(vkCreateCommandPool, "vkCreateCommandPool");
    get(vkAllocateCommandBuffers, "vkAllocateCommandBuffers");
    get(vkCreateShaderModule, "vkCreateShaderModule");
    get(vkCreateDescriptorSetLayout, "vkCreateDescriptorSetLayout");
    get(vkCreatePipelineLayout, "vkCreatePipelineLayout");
    get(vkCreateComputePipelines, "vkCreateComputePipelines");
    get(vkCreateDescriptorPool, "vkCreateDescriptorPool");
    get(vkResetDescriptorPool, "vkResetDescriptorPool");
    get(vkAllocateDescriptorSets, "vkAllocateDescriptorSets");
    get(vkUpdateDescriptorSets, "vkUpdateDescriptorSets");
    get(vkDestroyShaderModule, "vkDestroyShaderModule");
    get(vkDestroyPipeline, "vkDestroyPipeline");
    get(vkDestroyPipelineLayout, "vkDestroyPipelineLayout");
    get(vkDestroyDescriptorSetLayout, "vkDestroyDescriptorSetLayout");
    get(vkCreateBuffer, "vkCreateBuffer");
    get(vkDestroyBuffer, "vkDestroyBuffer");
    get(vkGetBufferMemoryRequirements, "vkGetBufferMemoryRequirements");
    get(vkAllocateMemory, "vkAllocateMemory");
    get(vkFreeMemory, "vkFreeMemory");
    get(vkBindBufferMemory, "vkBindBufferMemory");
    get(vkMapMemory, "vkMapMemory");
    get(vkBeginCommandBuffer, "vkBeginCommandBuffer");
    get(vkEndCommandBuffer, "vkEndCommandBuffer");
    get(vkCmdBindPipeline, "vkCmdBindPipeline");
    get(vkCmdBindDescriptorSets, "vkCmdBindDescriptorSets");
    get(vkCmdPushConstants, "vkCmdPushConstants");
    get(vkCmdDispatch, "vkCmdDispatch");
    get(vkQueueSubmit, "vkQueueSubmit");
    get(vkQueueWaitIdle, "vkQueueWaitIdle");
  }

  const pipeline& made(const spirv::kernel& k, spirv::addressing by) {
    const std::pair key{static_cast<int>(by),
                        std::vector<std::uint32_t>(k.words.begin(), k.words.end())};
    const auto [at, fresh] = pipelines_.try_emplace(key);
    if (fresh) at->second = make(key.second, by, static_cast<std::uint32_t>(k.ports.size()));
    return at->second;
  }
  pipeline make(const std::vector<std::uint32_t>& words, spirv::addressing by,
                std::uint32_t ports) {
    check(words);
    pipeline p;
    VkShaderModuleCreateInfo module{};
    module.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO;
    module.codeSize = words.size() * 4;
    module.pCode = words.data();
    VkShaderModule shader = nullptr;
    vkCreateShaderModule(device_, &module, nullptr, &shader);
    const bool descriptors = by == spirv::addressing::descriptor;
    std::vector<VkDescriptorSetLayoutBinding> bindings;
    for (std::uint32_t i = 0; descriptors && i < ports; ++i)
      bindings.push_back(
          {i, VK_DESCRIPTOR_TYPE_STORAGE_BUFFER, 1, VK_SHADER_STAGE_COMPUTE_BIT, nullptr});
    VkDescriptorSetLayoutCreateInfo set{};
    set.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO;
    set.bindingCount = static_cast<std::uint32_t>(bindings.size());
    set.pBindings = bindings.data();
    if (descriptors) vkCreateDescriptorSetLayout(device_, &set, nullptr, &p.set);
    const VkPushConstantRange constants{VK_SHADER_STAGE_COMPUTE_BIT, 0,
                                        ports * (descriptors ? 4 : 8)};
    VkPipelineLayoutCreateInfo layout{};
    layout.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO;
    layout.setLayoutCount = descriptors ? 1 : 0;
    layout.pSetLayouts = &p.set;
    layout.pushConstantRangeCount = 1;
    layout.pPushConstantRanges = &constants;
    vkCreatePipelineLayout(device_, &layout, nullptr, &p.layout);
    VkComputePipelineCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO;
    info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO;
    info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT;
    info.stage.module = shader;
    info.stage.pName = "main";
    info.layout = p.layout;
    if (vkCreateComputePipelines(device_, nullptr, 1, &info, nullptr, &p.it) != VK_SUCCESS)
      fault = "no pipeline";
    vkDestroyShaderModule(device_, shader, nullptr);
    return p;
  }
  void check(const std::vector<std::uint32_t>& words) const {
    if (folder.empty()) return;
    const std::string name = folder + "/" + std::to_string(pipelines_.size()) + ".spv";
    std::FILE* f = std::fopen(name.c_str(), "wb");
    if (f == nullptr) return;
    std::fwrite(words.data(), 4, words.size(), f);
    std::fclose(f);
  }

  void push(const pipeline& p, const void* data, std::size_t bytes) {
    vkCmdPushConstants(commands_, p.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0,
                       static_cast<std::uint32_t>(bytes), data);
  }
  /// Copies of the holders between margins.
  std::vector<buffer> bind(const pipeline& p, const spirv::kernel& k,
                           const std::vector<memory>& ports) {
    vkResetDescriptorPool(device_, descriptors_, 0);
    VkDescriptorSetAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    info.descriptorPool = descriptors_;
    info.descriptorSetCount = 1;
    info.pSetLayouts = &p.set;
    VkDescriptorSet set = nullptr;
    vkAllocateDescriptorSets(device_, &info, &set);
    std::vector<buffer> all;
    std::vector<std::uint32_t> begins;
    for (std::size_t i = 0; i < ports.size(); ++i) {
      all.push_back(allocate(ports[i].bytes + 2 * margin));
      std::memset(all[i].data, static_cast<int>(poison), ports[i].bytes + 2 * margin);
      std::memcpy(all[i].data + margin, ports[i].data, ports[i].bytes);
      begins.push_back(
          static_cast<std::uint32_t>(margin / element_bytes(k.ports[static_cast<int>(i)])));
      const VkDescriptorBufferInfo whole{all[i].it, 0, VK_WHOLE_SIZE};
      VkWriteDescriptorSet write{};
      write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
      write.dstSet = set;
      write.dstBinding = static_cast<std::uint32_t>(i);
      write.descriptorCount = 1;
      write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
      write.pBufferInfo = &whole;
      vkUpdateDescriptorSets(device_, 1, &write, 0, nullptr);
    }
    vkCmdBindDescriptorSets(commands_, VK_PIPELINE_BIND_POINT_COMPUTE, p.layout, 0, 1, &set, 0,
                            nullptr);
    push(p, begins.data(), begins.size() * 4);
    return all;
  }
  static std::size_t element_bytes(const spirv::port& p) {
    return static_cast<std::size_t>(tenon::size_bytes(p.element));
  }
  void give_back(const buffer& b, const spirv::port& p, const memory& to) {
    const std::byte* behind = b.data + margin + to.bytes;
    for (std::size_t i = 0; i < margin; ++i)
      if (b.data[i] != poison || behind[i] != poison) fault = "a kernel wrote outside of a buffer";
    if (p.writes)
      std::memcpy(to.data, b.data + margin, to.bytes);
    else if (std::memcmp(to.data, b.data + margin, to.bytes) != 0)
      fault = "a kernel wrote into what it reads";
    vkDestroyBuffer(device_, b.it, nullptr);
    vkFreeMemory(device_, b.memory, nullptr);
  }
  buffer allocate(std::size_t bytes) {
    buffer b;
    VkBufferCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = bytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT;
    vkCreateBuffer(device_, &info, nullptr, &b.it);
    VkMemoryRequirements needs{};
    vkGetBufferMemoryRequirements(device_, b.it, &needs);
    VkMemoryAllocateInfo own{};
    own.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    own.allocationSize = needs.size;  // type 0: a CPU driver has one
    vkAllocateMemory(device_, &own, nullptr, &b.memory);
    vkBindBufferMemory(device_, b.it, b.memory, 0);
    void* at = nullptr;
    vkMapMemory(device_, b.memory, 0, VK_WHOLE_SIZE, 0, &at);
    b.data = static_cast<std::byte*>(at);
    return b;
  }
  void begin() {
    VkCommandBufferBeginInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    vkBeginCommandBuffer(commands_, &info);
  }
  void end() {
    vkEndCommandBuffer(commands_);
    VkSubmitInfo submit{};
    submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    submit.commandBufferCount = 1;
    submit.pCommandBuffers = &commands_;
    vkQueueSubmit(queue_, 1, &submit, nullptr);
    vkQueueWaitIdle(queue_);
  }
};

/// What kernels are emitted for: a policy has no state, so tests set it here.
inline spirv::target& emission_target() {
  static spirv::target t = [] {
    spirv::target cpu;
    cpu.cpu_driver = true;
    cpu.fuses = false;  // lavapipe: a product and a sum
    cpu.float64 = true;
    return cpu;
  }();
  return t;
}

/// Emits every group where it runs, and waits for each dispatch.
struct emitted {
  static constexpr const char* name = "emitted";
  static constexpr tenon::sharing memory = tenon::sharing::same;
  static constexpr bool fuses = true;
  static constexpr bool flushes_subnormals = true;  // the driver may
  static bool supports(const tenon::table_view& t, const tenon::node& n) {
    return n.kind != tenon::family::contract && n.kind != tenon::family::window &&
           spirv::supports(t, n, emission_target());
  }
  static tenon::footprint measure(const tenon::plan_view&, int) { return {}; }
  struct function {};
  static function interpreted(tenon::program_view) noexcept { return {}; }
  struct work {
    const tenon::plan_view* plan = nullptr;
    int group = -1;
  };
  static void bind(const tenon::binding<function>& b, work& w) noexcept { w = {b.plan, b.group}; }
  static void run(const work& w, const tenon::frame& f) noexcept {
    const auto kernels = spirv::kernels_of(*w.plan, w.group, emission_target());
    if (kernels.empty()) bare_device::instance().fault = "a group was not emitted";
    for (const spirv::kernel& k : kernels) {
      std::vector<bare_device::memory> ports;
      for (const spirv::port& p : k.ports)
        ports.push_back({f.at<std::byte>(p.holder),
                         static_cast<std::size_t>(w.plan->table.nodes[p.holder].out.bytes())});
      bare_device::instance().run(k, emission_target().by, ports);
    }
  }
};
/// The same for contractions and windows too.
struct any_family : emitted {
  static bool supports(const tenon::table_view& t, const tenon::node& n) {
    return spirv::supports(t, n, emission_target());
  }
};

/// Whether the driver takes subnormal numbers for zero, as it may where it does not promise to keep
/// them.
inline bool flushes_subnormals() {
  static const bool does = [] {
    tenon::builder b;
    const auto x = b.input("x", {tenon::type::float32, tenon::extents(8)});
    const auto net = b.finish({b.add<tenon::add_t>({}, {x, x})});
    const tenon::model<tenon::dynamic, emitted> m(*net, tenon::weights<0>{});
    tenon::instance caller(m);
    const std::vector<float> small(8, 1e-40f);
    std::vector<float> sum(8, 1);
    return caller(std::span<const float>(small), std::span(sum)).ok() && sum[0] == 0;
  }();
  return does;
}

}  // namespace tenon_test
