// A Vulkan device to run on: our own, or one adopted from the application.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/addresses.hpp>
#include <tenon/policy/vulkan/handles.hpp>
#include <atomic>
#include <chrono>

namespace tenon {

/// A device, its queue and its kernels. Safe to use from several threads.
/// Misuse: it must outlive all memory, buffers and recordings made with it.
class vulkan_context {
 public:
  /// Error, in `fault()`: no_device (no loader, driver or device, or none of that name); feature,
  /// with its name; memory; device.
  explicit vulkan_context(const vulkan_options& options = {}) noexcept
      : addressing_(options.addressing) {
    fault_ = platform::guarded(
        [&] {
          vulkan_features enabled;
          if (error e = opened_.open(options, enabled); !e.ok()) return e;
          return look(enabled);
        },
        out_of_memory);
  }
  /// Error, in `fault()`: no_device, null; feature, with the name of what the application did not
  /// enable.
  explicit vulkan_context(const vulkan_adopted& adopted) noexcept
      : addressing_(adopted.addressing) {
    vulkan_features enabled;
    fault_ = opened_.adopt(adopted, enabled);
    if (fault_.ok()) fault_ = look(enabled);
  }
  vulkan_context(const vulkan_context&) = delete;
  vulkan_context& operator=(const vulkan_context&) = delete;
  ~vulkan_context() {
    if (!device()) return;
    if (!adopted()) static_cast<void>(functions().vkDeviceWaitIdle(device()));
    pipelines_.clear(functions(), device());
    if (timeline_) device().destroySemaphore(timeline_, nullptr, functions());
  }

  /// Whether the context can be used, and if not, why.
  const error& fault() const noexcept { return fault_; }
  bool ok() const noexcept { return fault_.ok(); }

  const vulkan_facts& facts() const noexcept { return facts_; }
  vulkan_addressing addressing() const noexcept { return addressing_; }
  bool adopted() const noexcept { return !opened_.is_owned(); }

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
    return pipelines_.kernel(functions(), device(), words, ports, addressing, subgroup);
  }
  result<const vulkan_kernel*> kernel(std::span<const std::uint32_t> words, int ports) noexcept {
    return kernel(words, ports, addressing_);
  }
  int kernels() const noexcept { return pipelines_.size(); }

  /// What an address of this context means. Error: freed, size.
  result<vulkan_range> find(std::uint64_t address, i64 bytes = 1) const noexcept {
    return addresses_.find(address, bytes);
  }
  vulkan_addresses& addresses() noexcept { return addresses_; }

  /// Waits until the queue's timeline has reached `value`, which a submission returned.
  /// Error: timeout, device_lost, memory.
  status wait(std::uint64_t value,
              std::chrono::nanoseconds timeout = std::chrono::nanoseconds::max()) noexcept {
    vk::SemaphoreWaitInfo info{};
    info.semaphoreCount = 1;
    info.pSemaphores = &timeline_;
    info.pValues = &value;
    if (!timeline_) return {code::feature, -1, 0, 0};
    return vulkan_result::status_of(
        device().waitSemaphores(&info, static_cast<std::uint64_t>(timeout.count()), functions()));
  }
  /// The last value that the device has reached.
  std::uint64_t reached() const noexcept {
    std::uint64_t value = 0;
    if (timeline_ &&
        device().getSemaphoreCounterValue(timeline_, &value, functions()) != vk::Result::eSuccess)
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
    if (signalled == nullptr) return queue().submit(1, &info, fence, functions());
    const std::uint64_t value = submitted_ + 1;
    vk::TimelineSemaphoreSubmitInfo values{};
    if (const auto* theirs = static_cast<const vk::TimelineSemaphoreSubmitInfo*>(info.pNext))
      values = *theirs;
    values.signalSemaphoreValueCount = 1;
    values.pSignalSemaphoreValues = &value;
    info.signalSemaphoreCount = 1;
    info.pSignalSemaphores = &timeline_;
    info.pNext = &values;
    const vk::Result r = queue().submit(1, &info, fence, functions());
    if (r == vk::Result::eSuccess) *signalled = submitted_ = value;
    return r;
  }

  /// Handles that memory, buffers and recordings of this context hold now: 0 when all are gone.
  int live() const noexcept { return live_.load(std::memory_order_relaxed); }
  void count(int handles) noexcept { live_.fetch_add(handles, std::memory_order_relaxed); }
  /// Errors and warnings of the validation layer so far.
  int complaints() const noexcept { return opened_.instance().complaints(); }

  const vulkan_functions& functions() const noexcept { return opened_.functions(); }
  vk::Instance instance() const noexcept { return opened_.instance().handle(); }
  vk::PhysicalDevice physical() const noexcept { return opened_.physical(); }
  vk::Device device() const noexcept { return opened_.device(); }
  vk::Queue queue() const noexcept { return opened_.queue(); }
  std::uint32_t family() const noexcept { return opened_.family(); }
  const vk::PhysicalDeviceMemoryProperties& memory() const noexcept { return memory_; }

 private:
  static error out_of_memory() noexcept { return {code::memory, "vulkan", "context"}; }

  /// Reads the facts, and refuses a device without what the addressing needs.
  error look(const vulkan_features& enabled) noexcept {
    vulkan_device::read(functions(), instance(), physical(), opened_.instance().version(), enabled,
                        facts_);
    physical().getMemoryProperties(&memory_, functions());
    if (addressing_ == vulkan_addressing::address && !enabled.buffer_device_address)
      return {code::feature, "vulkan", "bufferDeviceAddress",
              !adopted() ? "a device that has it" : "enabled by the application",
              "none: vulkan_addressing::descriptor does without"};
    return enabled.timeline_semaphore ? make_timeline() : error{};
  }
  error make_timeline() noexcept {
    vk::SemaphoreTypeCreateInfo kind{};
    kind.semaphoreType = vk::SemaphoreType::eTimeline;
    vk::SemaphoreCreateInfo info{};
    info.pNext = &kind;
    return vulkan_result::error_of(
        device().createSemaphore(&info, nullptr, &timeline_, functions()), "createSemaphore");
  }

  vulkan_handles opened_;  // first: destroyed behind all that is made with it
  vulkan_addressing addressing_;
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
