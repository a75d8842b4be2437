// Submits one command buffer at a time to a context's queue, and waits for it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/context.hpp>

namespace tenon {

/// A point on the timeline of an application's semaphore (`value` 0: a binary one).
struct vulkan_point {
  vk::Semaphore semaphore{};
  std::uint64_t value = 0;
};

/// The fence of one command buffer that is submitted again and again. Not shareable: one thread at
/// a time.
class vulkan_fence {
 public:
  static constexpr std::chrono::nanoseconds forever = std::chrono::nanoseconds::max();
  static constexpr std::size_t most_points = 8;

  explicit vulkan_fence(vulkan_context& context) noexcept : context_(&context) {}
  vulkan_fence(const vulkan_fence&) = delete;
  vulkan_fence& operator=(const vulkan_fence&) = delete;
  ~vulkan_fence() {
    if (!fence_) return;
    context_->device().destroyFence(fence_, nullptr, context_->functions());
    context_->count(-1);
  }

  /// Error: memory, device_lost.
  error make() noexcept {
    if (fence_) return {};
    const vk::FenceCreateInfo info{};
    const vk::Result r =
        context_->device().createFence(&info, nullptr, &fence_, context_->functions());
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createFence");
    context_->count(1);
    return {};
  }
  /// True until the end of the last submission has been waited for.
  bool running() const noexcept { return submitted_; }

  vk::Result submit(vk::CommandBuffer commands) noexcept {
    vk::SubmitInfo info{};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    const vk::Result r = context_->submit(info, fence_, nullptr);
    submitted_ = r == vk::Result::eSuccess;
    return r;
  }
  /// `value` receives the value of the context's timeline that stands for the end. The device
  /// starts when all `after`, at most `most_points`, are reached.
  vk::Result submit(vk::CommandBuffer commands, std::uint64_t& value,
                    std::span<const vulkan_point> after) noexcept {
    vk::Semaphore semaphores[most_points];
    std::uint64_t values[most_points]{};
    vk::PipelineStageFlags stages[most_points];
    for (std::size_t i = 0; i < after.size(); ++i) {
      semaphores[i] = after[i].semaphore;
      values[i] = after[i].value;
      stages[i] = vk::PipelineStageFlagBits::eAllCommands;
    }
    vk::TimelineSemaphoreSubmitInfo waits{};
    waits.waitSemaphoreValueCount = static_cast<std::uint32_t>(after.size());
    waits.pWaitSemaphoreValues = values;
    vk::SubmitInfo info{};
    info.pNext = &waits;
    info.waitSemaphoreCount = static_cast<std::uint32_t>(after.size());
    info.pWaitSemaphores = semaphores;
    info.pWaitDstStageMask = stages;
    info.commandBufferCount = 1;
    info.pCommandBuffers = &commands;
    const vk::Result r = context_->submit(info, fence_, &value);
    submitted_ = r == vk::Result::eSuccess;
    return r;
  }
  /// Waits and makes the fence ready again. After a timeout the submission is still running: the
  /// next call waits again.
  status finish(std::chrono::nanoseconds timeout) noexcept {
    const auto& d = context_->functions();
    vk::Result r = context_->device().waitForFences(1, &fence_, VK_TRUE,
                                                    static_cast<std::uint64_t>(timeout.count()), d);
    if (r == vk::Result::eTimeout) return vulkan_result::status_of(r);
    submitted_ = false;
    if (r == vk::Result::eSuccess) r = context_->device().resetFences(1, &fence_, d);
    return vulkan_result::status_of(r);
  }

 private:
  vulkan_context* context_;
  vk::Fence fence_{};
  bool submitted_ = false;  ///< and not yet waited for
};

}  // namespace tenon
