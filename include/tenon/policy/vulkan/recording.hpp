// A command buffer with what it needs: dispatches, copies and barriers, recorded once and submitted
// many times.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/descriptors.hpp>
#include <tenon/policy/vulkan/fence.hpp>
#include <tenon/policy/vulkan/hazard.hpp>

namespace tenon {

/// A command buffer with all that it needs. `begin`, then steps, then `end`; then it may be
/// submitted again and again, or recorded anew, which allocates only for what it never had before.
/// The first error of a step is kept: `end` returns it, and nothing is ever submitted.
/// Not shareable: one thread at a time.
class vulkan_recording {
 public:
  /// `checked`: every dispatch and copy is compared with those since the last barrier (hazard.hpp).
  explicit vulkan_recording(vulkan_context& context, bool checked = false) noexcept
      : context_(&context),
        checked_(checked),
        fence_(context),
        descriptors_(context),
        fault_(context.fault()) {}
  vulkan_recording(const vulkan_recording&) = delete;
  vulkan_recording& operator=(const vulkan_recording&) = delete;
  ~vulkan_recording() {
    if (running()) static_cast<void>(finish(forever));
    if (!pool_) return;
    context_->device().destroyCommandPool(pool_, nullptr, context_->functions());
    context_->count(-1);
  }

  /// The first error since the last `begin`.
  const error& fault() const noexcept { return fault_; }

  /// Starts anew in a command buffer of our own. What was submitted has been waited for by then.
  /// Error: memory, device_lost, device.
  error begin() noexcept {
    if (error e = restart(); !e.ok()) return e;
    if (error e = make_command_buffer(); !e.ok()) return fail(e);
    const auto& d = context_->functions();
    // The C forms of what would throw: Vulkan-Hpp's own have no form with pointers.
    auto r = static_cast<vk::Result>(d.vkResetCommandPool(context_->device(), pool_, 0));
    if (r != vk::Result::eSuccess) return fail(vulkan_result::error_of(r, "resetCommandPool"));
    const vk::CommandBufferBeginInfo info{};
    r = own_buffer_.begin(&info, d);
    if (r != vk::Result::eSuccess) return fail(vulkan_result::error_of(r, "beginCommandBuffer"));
    commands_ = own_buffer_;
    enclose(true);
    return {};
  }
  /// Starts anew in the application's command buffer, which it has begun, outside of render passes,
  /// and which it ends and submits. Barriers towards all of its own work are ours to record.
  /// After an error the application's command buffer holds the steps before it: reset it.
  /// Misuse: another `begin`, or the end of this object's life, before the device has finished.
  error begin(vk::CommandBuffer theirs) noexcept {
    if (error e = restart(); !e.ok()) return e;
    if (!theirs) return fail({code::null, "vulkan", "command buffer", "one that is begun", "null"});
    commands_ = theirs;
    enclose(true);
    return {};
  }

  /// Runs a kernel on its ports.
  /// Error: operand_count; capacity (more groups than the device takes); freed or size (a port lies
  /// in no live buffer, or not completely); alignment (to its element); feature (an address kernel
  /// on a buffer without address); hazard, if `checked`; memory.
  error dispatch(const vulkan_kernel& kernel, std::span<const vulkan_port> ports, std::uint32_t x,
                 std::uint32_t y = 1, std::uint32_t z = 1) noexcept {
    if (!ready()) return fault_;
    if (static_cast<int>(ports.size()) != kernel.ports)
      return fail({code::operand_count, "vulkan", "dispatch", kernel.ports,
                   static_cast<int>(ports.size())});
    const std::uint32_t groups[] = {x, y, z};
    for (int i = 0; i < 3; ++i)
      if (groups[i] > context_->facts().groups[i])
        return fail({code::capacity, "vulkan", "groups",
                     static_cast<i64>(context_->facts().groups[i]), static_cast<i64>(groups[i])});
    if (x == 0 || y == 0 || z == 0) return {};
    vulkan_range ranges[vulkan_pipelines::most_ports];
    for (std::size_t i = 0; i < ports.size(); ++i)
      if (error e = look(kernel, ports[i], ranges[i]); !e.ok()) return fail(e);
    if (error e = compare(ports); !e.ok()) return fail(e);
    if (error e = attach(kernel, ports, ranges); !e.ok()) return fail(e);
    commands_.dispatch(x, y, z, context_->functions());
    ++steps_;
    return {};
  }

  /// Copies bytes between two addresses that do not overlap.
  /// Error: freed, size, aliasing; hazard, if `checked`.
  error copy(std::uint64_t from, std::uint64_t to, i64 bytes) noexcept {
    if (!ready()) return fault_;
    if (bytes == 0) return {};
    const auto source = context_->find(from, bytes);
    if (!source) return fail(source.error());
    const auto target = context_->find(to, bytes);
    if (!target) return fail(target.error());
    const vulkan_port both[] = {{from, bytes, 1, false}, {to, bytes, 1, true}};
    if (byte_range{from, bytes}.overlaps({to, bytes}))
      return fail({code::aliasing, "vulkan", "copy", {}, bytes});
    if (error e = compare(both); !e.ok()) return fail(e);
    vk::BufferCopy region{};
    region.srcOffset = static_cast<vk::DeviceSize>(source->offset);
    region.dstOffset = static_cast<vk::DeviceSize>(target->offset);
    region.size = static_cast<vk::DeviceSize>(bytes);
    commands_.copyBuffer(source->buffer, target->buffer, 1, &region, context_->functions());
    copied_ = true;
    ++steps_;
    return {};
  }

  /// What is recorded before the barrier is finished, and its writes are visible, before anything
  /// that is recorded after it starts.
  void barrier() noexcept {
    if (!ready()) return;
    using stage = vk::PipelineStageFlagBits;
    using access = vk::AccessFlagBits;
    vk::PipelineStageFlags before = stage::eComputeShader;
    vk::AccessFlags written = access::eShaderWrite;
    if (copied_) before |= stage::eTransfer, written |= access::eTransferWrite;
    put(before, written, stage::eComputeShader | stage::eTransfer,
        access::eShaderRead | access::eShaderWrite | access::eTransferRead |
            access::eTransferWrite);
    copied_ = false;
    hazards_.barrier();
  }
  /// A barrier if the next step, which touches `ports`, needs one. Only if `checked`.
  void barrier_for(std::span<const vulkan_port> ports) noexcept {
    byte_range ranges[vulkan_pipelines::most_ports];
    if (checked_ && hazards_.conflicts(ranges_of(ports, ranges))) barrier();
  }

  /// Ends the recording. Error: the first one since `begin`; memory.
  error end() noexcept {
    if (!ready()) {  // a command buffer of ours is reset by the next `begin`
      commands_ = nullptr;
      return fault_;
    }
    enclose(false);
    if (commands_ == own_buffer_) {
      const auto r = static_cast<vk::Result>(context_->functions().vkEndCommandBuffer(own_buffer_));
      if (r != vk::Result::eSuccess) fail(vulkan_result::error_of(r, "endCommandBuffer"));
      complete_ = fault_.ok();
    }
    commands_ = nullptr;
    return fault_;
  }

  /// Submits and waits: the results are there for host and device.
  /// Error: unbound (not recorded, or with an error), timeout, device_lost, memory, device.
  status submit_and_wait(std::chrono::nanoseconds timeout = forever) noexcept {
    if (status s = submittable(); !s.ok()) return s;
    if (const vk::Result r = fence_.submit(own_buffer_); r != vk::Result::eSuccess)
      return vulkan_result::status_of(r);
    return finish(timeout);
  }
  /// Submits and returns at once; `value` receives the value of the context's timeline that stands
  /// for the end, for `vulkan_context::wait`. The device starts when all `after` are reached.
  /// Error: as submit_and_wait; feature (no timeline semaphores); capacity (more than 8 points).
  status submit(std::uint64_t& value, std::span<const vulkan_point> after = {}) noexcept {
    constexpr std::size_t limit = vulkan_fence::most_points;
    if (!context_->timeline()) return {code::feature, -1, 0, 0};
    if (after.size() > limit)
      return {code::capacity, -1, static_cast<i64>(limit), static_cast<i64>(after.size())};
    if (status s = submittable(); !s.ok()) return s;
    return vulkan_result::status_of(fence_.submit(own_buffer_, value, after));
  }
  /// Waits for what was submitted last. Error: timeout, device_lost, memory.
  status wait(std::chrono::nanoseconds timeout = forever) noexcept {
    return running() ? finish(timeout) : status{};
  }
  /// True until the end of the last submission has been waited for.
  bool running() const noexcept { return fence_.running(); }

  int steps() const noexcept { return steps_; }
  const hazard_list& hazards() const noexcept { return hazards_; }

 private:
  static constexpr std::chrono::nanoseconds forever = vulkan_fence::forever;

  error fail(const error& e) noexcept {
    if (fault_.ok()) fault_ = e;
    return e;
  }
  bool ready() noexcept {
    if (fault_.ok() && !commands_) fail({code::unbound, "vulkan", "recording", "begin", "nothing"});
    return fault_.ok();
  }
  error restart() noexcept {
    if (!context_->ok()) return fault_ = context_->fault();
    fault_ = {};
    complete_ = copied_ = false;
    commands_ = nullptr;
    steps_ = 0;
    hazards_.clear();
    if (running())
      if (const status s = finish(forever); !s.ok())
        return fail({s.what, "vulkan", "waitForFences", {}, s.found});
    descriptors_.reset();
    return {};
  }
  error make_command_buffer() noexcept {
    const auto& d = context_->functions();
    if (error e = fence_.make(); !e.ok()) return e;
    if (!pool_) {
      vk::CommandPoolCreateInfo info{};
      info.queueFamilyIndex = context_->family();
      const vk::Result r = context_->device().createCommandPool(&info, nullptr, &pool_, d);
      if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "createCommandPool");
      context_->count(1);
    }
    if (own_buffer_) return {};
    vk::CommandBufferAllocateInfo info{};
    info.commandPool = pool_;
    info.level = vk::CommandBufferLevel::ePrimary;
    info.commandBufferCount = 1;
    const vk::Result r = context_->device().allocateCommandBuffers(&info, &own_buffer_, d);
    return vulkan_result::error_of(r, "allocateCommandBuffers");
  }

  /// What a port's address means, and whether the kernel can use it.
  error look(const vulkan_kernel& kernel, const vulkan_port& p,
             vulkan_range& range) const noexcept {
    const auto located = context_->find(p.address, p.bytes > 0 ? p.bytes : 1);
    if (!located) return located.error();
    range = *located;
    const auto element = static_cast<std::uint64_t>(p.element_bytes);
    if (p.element_bytes < 1 || p.address % element != 0)
      return {code::alignment, "vulkan", "port", p.element_bytes,
              static_cast<i64>(element ? p.address % element : 0)};
    if (kernel.addressing == vulkan_addressing::address && !range.addressable)
      return {code::feature, "vulkan", "buffer", "made with eShaderDeviceAddress", "without"};
    return {};
  }
  static std::span<const byte_range> ranges_of(std::span<const vulkan_port> ports,
                                               byte_range* ranges) noexcept {
    for (std::size_t i = 0; i < ports.size(); ++i)
      ranges[i] = {ports[i].address, ports[i].bytes, ports[i].writes};
    return {ranges, ports.size()};
  }
  error compare(std::span<const vulkan_port> ports) noexcept {
    if (!checked_) return {};
    byte_range ranges[vulkan_pipelines::most_ports];
    return hazards_.step(ranges_of(ports, ranges));
  }

  error attach(const vulkan_kernel& kernel, std::span<const vulkan_port> ports,
               const vulkan_range* ranges) noexcept {
    const auto& d = context_->functions();
    commands_.bindPipeline(vk::PipelineBindPoint::eCompute, kernel.pipeline, d);
    if (kernel.ports == 0) return {};
    if (kernel.addressing == vulkan_addressing::address) {
      std::uint64_t addresses[vulkan_pipelines::most_ports];
      for (std::size_t i = 0; i < ports.size(); ++i) addresses[i] = ports[i].address;
      push(kernel, addresses);
      return {};
    }
    std::uint32_t offsets[vulkan_pipelines::most_ports];
    vk::DescriptorSet set{};
    if (error e = descriptors_.take(kernel, ports, ranges, set, offsets); !e.ok()) return e;
    commands_.bindDescriptorSets(vk::PipelineBindPoint::eCompute, kernel.layout, 0, 1, &set, 0,
                                 nullptr, d);
    push(kernel, offsets);
    return {};
  }
  void push(const vulkan_kernel& kernel, const void* values) noexcept {
    commands_.pushConstants(kernel.layout, vk::ShaderStageFlagBits::eCompute, 0,
                            kernel.push_bytes(), values, context_->functions());
  }
  void put(vk::PipelineStageFlags from, vk::AccessFlags written, vk::PipelineStageFlags to,
           vk::AccessFlags used) noexcept {
    vk::MemoryBarrier memory{};
    memory.srcAccessMask = written;
    memory.dstAccessMask = used;
    commands_.pipelineBarrier(from, to, {}, 1, &memory, 0, nullptr, 0, nullptr,
                              context_->functions());
  }
  /// The barriers at both ends of a recording. The first one makes earlier writes visible to us:
  /// those of the host, of earlier submissions and of the application. The last one makes our
  /// writes visible to whatever follows.
  void enclose(bool first) noexcept {
    using stage = vk::PipelineStageFlagBits;
    using access = vk::AccessFlagBits;
    const vk::PipelineStageFlags ours = stage::eComputeShader | stage::eTransfer;
    vk::PipelineStageFlags others = stage::eHost;
    vk::AccessFlags their_writes = access::eHostWrite, their_uses = access::eHostRead;
    if (commands_ == own_buffer_) {
      others |= ours;
      their_writes |= access::eShaderWrite | access::eTransferWrite;
    } else {
      others |= stage::eAllCommands;
      their_writes |= access::eMemoryWrite;
      their_uses |= access::eHostWrite | access::eMemoryRead | access::eMemoryWrite;
    }
    const vk::AccessFlags writes = access::eShaderWrite | access::eTransferWrite;
    const vk::AccessFlags uses = writes | access::eShaderRead | access::eTransferRead;
    if (first)
      put(others, their_writes, ours, uses);
    else
      put(ours, writes, others, commands_ == own_buffer_ ? their_uses | uses : their_uses);
  }

  status submittable() noexcept {
    if (!complete_) return {code::unbound, -1, 0, static_cast<i64>(fault_.what)};
    if (!context_->queue()) return {code::null, -1, 0, 0};
    if (running()) return finish(forever);
    return {};
  }
  /// Waits for the end of the last submission. What the device did not finish is not submitted
  /// again.
  status finish(std::chrono::nanoseconds timeout) noexcept {
    const status s = fence_.finish(timeout);
    if (!s.ok() && !running()) complete_ = false;
    return s;
  }

  vulkan_context* context_;
  bool checked_;
  bool complete_ = false;  ///< recorded to the end, in a command buffer of our own
  bool copied_ = false;    ///< since the last barrier
  int steps_ = 0;
  vk::CommandBuffer commands_{};  ///< recorded into now
  vk::CommandPool pool_{};
  vk::CommandBuffer own_buffer_{};
  vulkan_fence fence_;
  vulkan_descriptors descriptors_;
  hazard_list hazards_;
  error fault_{};
};

}  // namespace tenon
