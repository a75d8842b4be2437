// Recordings: replay, copies, timelines, the application's command buffers, and what they refuse.
// SPDX-License-Identifier: MIT
#include "application.hpp"
#include <cstring>
#include <thread>

namespace {

using memory = tn::vulkan_memory;
const tn::vulkan_addressing both[] = {tn::vulkan_addressing::address,
                                      tn::vulkan_addressing::descriptor};

/// Two buffers of 64 elements and the kernel y = 2 x + 1.
struct pair {
  memory x, y;
  const tn::vulkan_kernel* kernel = nullptr;
  explicit pair(tn::vulkan_context& c) {
    need(c);
    auto a = memory::host(c, 256), b = memory::host(c, 256);
    REQUIRE((a && b));
    x = std::move(*a), y = std::move(*b);
    const auto k = c.kernel(affine(c.addressing(), 2, 1), 2);
    REQUIRE(k);
    kernel = *k;
    for (int i = 0; i < 64; ++i) at(x, i) = static_cast<float>(i), at(y, i) = -1;
  }
  static float& at(const memory& m, int i) { return reinterpret_cast<float*>(m.data())[i]; }
  std::vector<tn::vulkan_port> forth() const { return ports(x.address(), y.address(), 64); }
  std::vector<tn::vulkan_port> back() const { return ports(y.address(), x.address(), 64); }
};

/// The same options with another addressing.
tn::vulkan_options in(tn::vulkan_options o, tn::vulkan_addressing addressing) {
  o.addressing = addressing;
  return o;
}

}  // namespace

TEST_CASE("what is recorded once is replayed on new values") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    {
      const pair p(c);
      tn::vulkan_recording r(c, true);
      REQUIRE(r.begin().ok());
      REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
      r.barrier();
      REQUIRE(r.dispatch(*p.kernel, p.back(), 1).ok());
      REQUIRE(r.end().ok());
      CHECK(r.steps() == 2);
      float expected = 3;
      for (int i = 0; i < 5; ++i) {
        REQUIRE(r.submit_and_wait().ok());
        expected = 2 * (2 * expected + 1) + 1;
        CHECK(pair::at(p.x, 3) == expected);
      }
    }
    CHECK(c.live() == 0);
  }
}

TEST_CASE("recorded anew, a recording holds no more than the first time") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    const pair p(c);
    tn::vulkan_recording r(c);
    int live = 0;
    for (int round = 0; round < 20; ++round) {
      REQUIRE(r.begin().ok());
      for (int i = 0; i < 300; ++i) {  // more sets than one pool has
        REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
        r.barrier();
      }
      REQUIRE(r.end().ok());
      REQUIRE(r.submit_and_wait().ok());
      if (round == 0) live = c.live();
      CHECK(c.live() == live);
    }
    CHECK(live > 4);
    CHECK(pair::at(p.y, 63) == 127);
  }
}

TEST_CASE("copies move bytes between buffers at any offset") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    const pair p(c);
    tn::vulkan_recording r(c, true);
    REQUIRE(r.begin().ok());
    REQUIRE(r.copy(p.x.address() + 4, p.y.address() + 128, 64).ok());
    REQUIRE(r.copy(p.y.address(), p.y.address(), 0).ok());
    r.barrier();
    REQUIRE(r.dispatch(*p.kernel, p.back(), 1).ok());
    REQUIRE(r.end().ok());
    REQUIRE(r.submit_and_wait().ok());
    CHECK(pair::at(p.y, 32) == 1);
    CHECK(pair::at(p.y, 48) == -1);
    CHECK(pair::at(p.x, 33) == 2 * 2 + 1);

    REQUIRE(r.begin().ok());
    CHECK(r.copy(p.x.address(), p.x.address() + 60, 64).is(tn::code::aliasing, "vulkan"));
    CHECK(r.end().is(tn::code::aliasing, "vulkan"));
    REQUIRE(r.begin().ok());
    CHECK(r.copy(p.x.address(), p.y.address() + 4, 256).is(tn::code::size, "vulkan"));
    REQUIRE(r.begin().ok());
    CHECK(r.copy(5, p.y.address(), 4).is(tn::code::freed, "vulkan"));
  }
}

TEST_CASE("a recording that is not complete never runs") {
  tn::vulkan_context c;
  const pair p(c);
  tn::vulkan_recording r(c);
  CHECK(r.submit_and_wait().what == tn::code::unbound);
  CHECK(r.dispatch(*p.kernel, p.forth(), 1).is(tn::code::unbound, "vulkan"));
  REQUIRE(r.begin().ok());
  CHECK(r.submit_and_wait().what == tn::code::unbound);
  REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
  const auto one = p.forth();
  CHECK(r.dispatch(*p.kernel, {one.data(), 1}, 1).is(tn::code::operand_count, "vulkan"));
  CHECK(r.dispatch(*p.kernel, p.forth(), 1).is(tn::code::operand_count, "vulkan"));  // the first
  CHECK(r.end().is(tn::code::operand_count, "vulkan"));
  CHECK(r.submit_and_wait().what == tn::code::unbound);
  CHECK(pair::at(p.y, 1) == -1);
  REQUIRE(r.begin().ok());  // and then it is as good as new
  const std::uint32_t most = c.facts().groups[1];
  if (most < UINT32_MAX)
    CHECK(r.dispatch(*p.kernel, p.forth(), 1, most + 1).is(tn::code::capacity, "vulkan"));
  REQUIRE(r.begin().ok());
  REQUIRE(r.dispatch(*p.kernel, p.forth(), 0).ok());  // no groups: nothing to do
  CHECK(r.steps() == 0);
  REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
  REQUIRE(r.end().ok());
  REQUIRE(r.submit_and_wait().ok());
  CHECK(pair::at(p.y, 1) == 3);
}

TEST_CASE("a checked recording refuses a missing barrier, and can place it") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    const pair p(c);
    tn::vulkan_recording r(c, true);
    REQUIRE(r.begin().ok());
    REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
    CHECK(r.dispatch(*p.kernel, p.back(), 1).is(tn::code::hazard, "vulkan"));
    CHECK(r.end().is(tn::code::hazard, "vulkan"));
    REQUIRE(r.begin().ok());
    for (int i = 0; i < 6; ++i) {
      const auto step = i % 2 ? p.back() : p.forth();
      r.barrier_for(step);
      REQUIRE(r.dispatch(*p.kernel, step, 1).ok());
    }
    CHECK(r.end().ok());
  }
}

TEST_CASE("submissions follow each other on the timeline") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    const pair p(c);
    if (!c.timeline()) skip("no timeline semaphores");
    tn::vulkan_recording forth(c), back(c);
    REQUIRE(forth.begin().ok());
    REQUIRE(forth.dispatch(*p.kernel, p.forth(), 1).ok());
    REQUIRE(forth.end().ok());
    REQUIRE(back.begin().ok());
    REQUIRE(back.dispatch(*p.kernel, p.back(), 1).ok());
    REQUIRE(back.end().ok());
    std::uint64_t first = 0, second = 0;
    REQUIRE(forth.submit(first).ok());
    CHECK(forth.running());
    const tn::vulkan_point after[] = {{c.timeline(), first}};
    REQUIRE(back.submit(second, after).ok());
    CHECK(second > first);
    REQUIRE(c.wait(second).ok());
    CHECK(c.reached() >= second);
    CHECK(pair::at(p.x, 3) == 2 * 7 + 1);
    CHECK(c.wait(second + 1, std::chrono::milliseconds(2)).what == tn::code::timeout);
    const std::vector<tn::vulkan_point> many(9, after[0]);
    CHECK(forth.submit(first, many).what == tn::code::capacity);
    CHECK(forth.wait().ok());
    CHECK(!forth.running());
    REQUIRE(back.begin().ok());  // waits for itself
    CHECK(back.end().ok());
  }
}

TEST_CASE("several threads record and submit on one context") {
  tn::vulkan_context c;
  need(c);
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        auto x = memory::host(c, 256), y = memory::host(c, 256);
        if (!x || !y) return;
        for (int k = 0; k < 64; ++k) pair::at(*x, k) = static_cast<float>(k);
        if (run_affine(c, x->address(), y->address(), 64).ok() && pair::at(*y, 9) == 19) ++right;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(right == 80);
  CHECK(c.live() == 0);
  CHECK(c.kernels() == 1);
}

TEST_CASE("a graph goes into the application's own command buffer and is not submitted") {
  for (const auto addressing : both) {
    usual_features all;
    application app(&all.core);
    app.need();
    vk::CommandPoolCreateInfo pool_info{};
    vk::CommandPool pool{};
    REQUIRE(app.device.createCommandPool(&pool_info, nullptr, &pool, app.d) ==
            vk::Result::eSuccess);
    vk::CommandBufferAllocateInfo allocate{};
    allocate.commandPool = pool;
    allocate.commandBufferCount = 1;
    vk::CommandBuffer commands{};
    REQUIRE(app.device.allocateCommandBuffers(&allocate, &commands, app.d) == vk::Result::eSuccess);
    {
      tn::vulkan_context c(app.lend(addressing));
      const pair p(c);
      tn::vulkan_recording r(c, true);
      CHECK(r.begin(vk::CommandBuffer{}).is(tn::code::null, "vulkan"));
      const vk::CommandBufferBeginInfo begin{};
      REQUIRE(commands.begin(&begin, app.d) == vk::Result::eSuccess);
      const float seven = 7;  // the application's own work before ours...
      std::uint32_t bits;
      std::memcpy(&bits, &seven, 4);
      commands.fillBuffer(p.x.buffer(), 0, VK_WHOLE_SIZE, bits, app.d);
      REQUIRE(r.begin(commands).ok());
      REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
      REQUIRE(r.end().ok());
      vk::BufferCopy copy{};  // ...and after it
      copy.size = 128;
      commands.copyBuffer(p.y.buffer(), p.x.buffer(), 1, &copy, app.d);
      REQUIRE(app.d.vkEndCommandBuffer(commands) == VK_SUCCESS);
      CHECK(r.submit_and_wait().what == tn::code::unbound);  // not ours to submit
      CHECK(pair::at(p.y, 0) == -1);
      vk::SubmitInfo submit{};
      submit.commandBufferCount = 1;
      submit.pCommandBuffers = &commands;
      REQUIRE(app.queue.submit(1, &submit, {}, app.d) == vk::Result::eSuccess);
      REQUIRE(app.d.vkQueueWaitIdle(app.queue) == VK_SUCCESS);
      CHECK(pair::at(p.y, 63) == 15);
      CHECK(pair::at(p.x, 31) == 15);
      CHECK(pair::at(p.x, 32) == 7);
    }
    app.device.destroyCommandPool(pool, nullptr, app.d);
  }
}

TEST_CASE("a lost device and a device that does not answer are errors of the call") {
  for (const auto addressing : both) {
    {
      tn::vulkan_context c(in(
          failing(answers<VK_ERROR_DEVICE_LOST, PFN_vkQueueSubmit>("vkQueueSubmit")), addressing));
      const pair p(c);
      CHECK(run_affine(c, p.x.address(), p.y.address(), 64).is(tn::code::device_lost, "vulkan"));
    }
    static int calls;
    calls = 0;
    static PFN_vkWaitForFences real;
    const PFN_vkWaitForFences slow = [](VkDevice d, std::uint32_t n, const VkFence* f, VkBool32 all,
                                        std::uint64_t most) -> VkResult {
      return most != UINT64_MAX && most < 1000000000000 && calls++ == 0 ? VK_TIMEOUT
                                                                        : real(d, n, f, all, most);
    };
    tn::vulkan_context c(
        in(failing({"vkWaitForFences", reinterpret_cast<PFN_vkVoidFunction>(slow)}), addressing));
    need(c);
    real = reinterpret_cast<PFN_vkWaitForFences>(
        real_device(static_cast<VkDevice>(c.device()), "vkWaitForFences"));
    const pair p(c);
    tn::vulkan_recording r(c);
    REQUIRE(r.begin().ok());
    REQUIRE(r.dispatch(*p.kernel, p.forth(), 1).ok());
    REQUIRE(r.end().ok());
    CHECK(r.submit_and_wait(std::chrono::seconds(1)).what == tn::code::timeout);
    CHECK(r.running());
    CHECK(r.wait().ok());
    CHECK(pair::at(p.y, 2) == 5);
  }
}

TEST_CASE("out of memory while recording is an error, and nothing is leaked") {
  if (!tn::vulkan_context().ok()) skip("no Vulkan device");
  constexpr VkResult full = VK_ERROR_OUT_OF_HOST_MEMORY;
  const fake all[] = {
      answers<full, PFN_vkCreateFence>("vkCreateFence"),
      answers<full, PFN_vkCreateCommandPool>("vkCreateCommandPool"),
      answers<full, PFN_vkAllocateCommandBuffers>("vkAllocateCommandBuffers"),
      answers<full, PFN_vkResetCommandPool>("vkResetCommandPool"),
      answers<full, PFN_vkBeginCommandBuffer>("vkBeginCommandBuffer"),
      answers<full, PFN_vkEndCommandBuffer>("vkEndCommandBuffer"),
      answers<full, PFN_vkCreateDescriptorPool>("vkCreateDescriptorPool"),
      answers<full, PFN_vkAllocateDescriptorSets>("vkAllocateDescriptorSets"),
      answers<full, PFN_vkCreateShaderModule>("vkCreateShaderModule"),
      answers<full, PFN_vkCreateComputePipelines>("vkCreateComputePipelines"),
      answers<full, PFN_vkCreatePipelineLayout>("vkCreatePipelineLayout"),
      answers<full, PFN_vkCreateDescriptorSetLayout>("vkCreateDescriptorSetLayout"),
      answers<full, PFN_vkQueueSubmit>("vkQueueSubmit"),
  };
  for (const fake& f : all) {
    INFO(f.name);
    tn::vulkan_context c(in(failing(f), tn::vulkan_addressing::descriptor));
    {
      auto x = memory::host(c, 256), y = memory::host(c, 256);
      REQUIRE((x && y));
      CHECK(run_affine(c, x->address(), y->address(), 64).is(tn::code::memory, "vulkan"));
    }
    CHECK(c.live() == 0);
  }
}

TEST_CASE("in descriptor mode everything here is clean under the validation layer") {
  validated v(tn::vulkan_addressing::descriptor);
  tn::vulkan_context& c = *v.context;
  {
    const pair p(c);
    tn::vulkan_recording r(c, true);
    for (int round = 0; round < 3; ++round) {
      REQUIRE(r.begin().ok());
      for (int i = 0; i < 200; ++i) {
        const auto step = i % 2 ? p.back() : p.forth();
        r.barrier_for(step);
        REQUIRE(r.dispatch(*p.kernel, step, 1).ok());
      }
      r.barrier();
      REQUIRE(r.copy(p.x.address(), p.y.address(), 256).ok());
      r.barrier();
      REQUIRE(r.copy(p.y.address(), p.x.address(), 128).ok());
      REQUIRE(r.end().ok());
      REQUIRE(r.submit_and_wait().ok());
      std::uint64_t value = 0;
      REQUIRE(r.submit(value).ok());
      REQUIRE(c.wait(value).ok());
      REQUIRE(r.submit_and_wait().ok());
    }
    std::vector<float> x(64), y(64);
    auto a = memory::import_host(c, x.data(), 256), b = memory::import_host(c, y.data(), 256);
    REQUIRE((a && b));
    REQUIRE(run_affine(c, a->address(), b->address(), 64).ok());
    auto odd = memory::host(c, 1001);  // any size
    REQUIRE(odd);
    tn::vulkan_usage usage;
    usage.exportable = true;
    auto exported = memory::allocate(c, 256, usage);
    REQUIRE(exported);
    const auto fd = exported->export_fd();
    REQUIRE(fd);
    auto imported = memory::import_fd(c, *fd, 256, usage);
    CHECK(imported.ok());
    ::close(*fd);
  }
  CHECK(c.complaints() == 0);
  CHECK(c.live() == 0);
  CHECK(v.all() == "");
}

TEST_CASE("a buffer longer than a descriptor is reached at both of its ends") {
  tn::vulkan_context c(options(tn::vulkan_addressing::descriptor));
  need(c);
  const tn::i64 most = c.facts().storage_buffer_bytes;
  if (!c.facts().cpu || most > tn::i64{1} << 29)
    skip("a descriptor takes as much as we can allocate");
  auto long_one = memory::host(c, most + 8192);
  REQUIRE(long_one);
  const tn::i64 last = most + 8192 - 256 - 4;  // not where the device lets a descriptor begin
  for (int i = 0; i < 64; ++i) pair::at(*long_one, i) = static_cast<float>(i);
  const std::uint64_t start = long_one->address();
  REQUIRE(run_affine(c, start, start + static_cast<std::uint64_t>(last), 64).ok());
  float value;
  std::memcpy(&value, long_one->data() + last + 4 * 63, 4);
  CHECK(value == 127);
  const auto k = c.kernel(affine(c.addressing(), 2, 1), 2);
  tn::vulkan_recording r(c);
  REQUIRE(r.begin().ok());
  auto all = ports(start, start, 64);
  all[1].bytes = most + 4;
  CHECK(r.dispatch(**k, all, 1).is(tn::code::capacity, "vulkan"));
}
