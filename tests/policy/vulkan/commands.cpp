// Other ways to run a graph than to wait for it: into an application's command buffer, and
// submitted alone.
// SPDX-License-Identifier: MIT
#include <tenon/cpu.hpp>
#include <tenon/policy/vulkan/lease.hpp>
#include <tenon/vulkan.hpp>
#include "application.hpp"
#include <array>

using namespace tenon_test;

namespace {

inline constexpr auto twice_and_rectified = [](auto x) {
  auto a = tn::matmul(x, tn::weight<"w", float, 16, 16>);  // the identity, times two
  return tn::relu(tn::softmax<1>(a) - tn::softmax<1>(a) + a);
};
using net = tn::graph<twice_and_rectified, tn::input<"x", float, 4, 16>>;
inline constexpr auto half_elsewhere = [](auto x) { return tn::on<1>(tn::relu(x + x)); };
using mixed = tn::graph<half_elsewhere, tn::input<"x", float, 4, 16>>;
inline constexpr auto counting_up = [](auto x, auto n) {
  const auto now = n + x;
  tn::next(n, now);
  return now * 2.0f;
};
using stateful = tn::graph<counting_up, tn::input<"x", float, 4, 16>, tn::state<"n", float, 4, 16>>;

using matrix = tn::vulkan_buffer<float, 4, 16>;
using numbers = std::array<float, 64>;

const std::array<float, 256> doubling = [] {
  std::array<float, 256> w{};
  for (std::size_t i = 0; i < 16; ++i) w[17 * i] = 2;
  return w;
}();
const tn::weights weights{tn::named("w", std::span(doubling))};

tn::vulkan_use seen() {
  tn::vulkan_use use;
  use.host = true;
  return use;
}
void fill(const matrix::lease& to, float first) {
  for (std::size_t i = 0; i < 64; ++i) to.host()[i] = first + static_cast<float>(i);
}
bool is_doubled(std::span<const float> y, float first) {
  for (std::size_t i = 0; i < 64; ++i) {
    const float wanted = std::max(0.0f, 2 * (first + static_cast<float>(i)));
    if (std::abs(y[i] - wanted) > 1e-4f * (1 + wanted)) return false;
  }
  return true;
}

/// Command buffers of the application, on the queue of a context.
class their_commands {
 public:
  explicit their_commands(tn::vulkan_context& c) : c_(&c), d_(&c.functions()) {
    vk::CommandPoolCreateInfo pool{};
    pool.queueFamilyIndex = c.family();
    REQUIRE(c.device().createCommandPool(&pool, nullptr, &pool_, *d_) == vk::Result::eSuccess);
    vk::CommandBufferAllocateInfo info{};
    info.commandPool = pool_;
    info.commandBufferCount = 1;
    REQUIRE(c.device().allocateCommandBuffers(&info, &buffer_, *d_) == vk::Result::eSuccess);
    const vk::CommandBufferBeginInfo begin{};
    REQUIRE(buffer_.begin(&begin, *d_) == vk::Result::eSuccess);
  }
  their_commands(const their_commands&) = delete;
  their_commands& operator=(const their_commands&) = delete;
  ~their_commands() { c_->device().destroyCommandPool(pool_, nullptr, *d_); }

  operator tn::vulkan_commands() const { return {buffer_}; }
  void end() const { REQUIRE(d_->vkEndCommandBuffer(buffer_) == VK_SUCCESS); }
  void submit_and_wait() const {
    vk::SubmitInfo info{};
    info.commandBufferCount = 1;
    info.pCommandBuffers = &buffer_;
    REQUIRE(c_->queue().submit(1, &info, nullptr, *d_) == vk::Result::eSuccess);
    REQUIRE(d_->vkQueueWaitIdle(c_->queue()) == VK_SUCCESS);
  }

 private:
  tn::vulkan_context* c_;
  const tn::vulkan_functions* d_;
  vk::CommandPool pool_{};
  vk::CommandBuffer buffer_{};
};

}  // namespace

TEST_CASE(
    "a recorded graph runs when the application submits it, each time on what is there then") {
  for (const auto addressing :
       {tn::vulkan_addressing::address, tn::vulkan_addressing::descriptor}) {
    tn::vulkan_context c(options(addressing));
    need(c);
    const tn::model<net, tn::vulkan> model{weights, c};
    INFO(describe(model.fault()));
    REQUIRE(model.fault().ok());
    tn::instance infer{model};
    matrix x(c, seen()), y(c, seen());
    const auto in = x.lend(), out = y.lend();
    REQUIRE((in && out));
    fill(*out, -1);
    their_commands commands(c);
    REQUIRE(infer.call(tn::vulkan_commands(commands), *in, *out).ok());
    commands.end();
    CHECK(out->host()[0] == -1);  // recorded, not run
    for (const float first : {0.0f, -30.0f}) {
      fill(*in, first);
      commands.submit_and_wait();
      CHECK(is_doubled(out->host(), first));
    }
  }
}

TEST_CASE(
    "a graph can be recorded twice into one command buffer: the second sees what the first wrote") {
  tn::vulkan_context c;
  need(c);
  const tn::model<net, tn::vulkan> model{weights, c};
  tn::instance first{model}, second{model};
  matrix x(c, seen()), y(c, seen()), z(c, seen());
  const auto in = x.lend(), between = y.lend(), out = z.lend();
  fill(*in, 0);
  const their_commands commands(c);
  REQUIRE(first.call(tn::vulkan_commands(commands), *in, *between).ok());
  REQUIRE(second.call(tn::vulkan_commands(commands), *between, *out).ok());
  commands.end();
  commands.submit_and_wait();
  CHECK(std::abs(out->host()[63] - 4 * 63) < 0.01f);
}

TEST_CASE("a graph is submitted, and the context's timeline says when it is done") {
  tn::vulkan_context c;
  need(c);
  if (!c.facts().has.timeline_semaphore) return skip("no timeline semaphores");
  const tn::model<net, tn::vulkan> model{weights, c};
  tn::instance infer{model};
  matrix x(c, seen()), y(c, seen());
  const auto in = x.lend(), out = y.lend();
  for (const float first : {3.0f, -9.0f}) {  // recorded once, submitted twice
    fill(*in, first);
    std::uint64_t done = 0;
    REQUIRE(infer.call(tn::vulkan_submission{&done, {}}, *in, *out).ok());
    REQUIRE(done > 0);
    REQUIRE(c.wait(done).ok());
    CHECK(c.reached() >= done);
    CHECK(is_doubled(out->host(), first));
  }
}

TEST_CASE(
    "while a submission is under way, the instance is recorded elsewhere and submitted again") {
  for (const auto addressing :
       {tn::vulkan_addressing::address, tn::vulkan_addressing::descriptor}) {
    validated layer(addressing);
    tn::vulkan_context& c = *layer.context;
    {
      const tn::model<net, tn::vulkan> model{weights, c};
      REQUIRE(model.fault().ok());
      tn::instance infer{model};
      matrix y(c, seen()), z(c, seen());
      const auto first = y.lend(), third = z.lend();
      float a[4][16], b[4][16], second[4][16];  // imported, by each recording for itself
      for (int i = 0; i < 64; ++i)
        a[i / 16][i % 16] = static_cast<float>(i), b[i / 16][i % 16] = static_cast<float>(i) - 30;
      const their_commands commands(c);
      for (int round = 0; round < 3; ++round) {
        std::uint64_t once = 0, again = 0;
        REQUIRE(infer.call(tn::vulkan_submission{&once, {}}, a, *first).ok());
        if (round == 0) REQUIRE(infer.call(tn::vulkan_commands(commands), b, *third).ok());
        REQUIRE(infer.call(tn::vulkan_submission{&again, {}}, b, second).ok());
        REQUIRE(c.wait(again).ok());
        CHECK(is_doubled(first->host(), 0));
        CHECK(is_doubled(std::span(second[0], 64), -30));
      }
      commands.end();
      commands.submit_and_wait();
      CHECK(is_doubled(third->host(), -30));
    }
    CHECK(layer.all() == "");
  }
}

TEST_CASE("what the host would have to do is refused, and nothing is written") {
  tn::vulkan_context c;
  need(c);
  const their_commands commands(c);
  const tn::vulkan_commands into = commands;
  std::uint64_t reached = 0;
  numbers zeros{}, result;
  const std::span<float> x(zeros), y(result);
  result.fill(7);
  const auto untouched = [&] { return std::ranges::all_of(y, [](float v) { return v == 7; }); };

  const tn::model<net, tn::vulkan_staged> staged{weights, c};  // copies of the host
  tn::instance copying{staged};
  CHECK(copying.call(into, x, y).what == tn::code::policy);
  CHECK(copying.call(tn::vulkan_submission{&reached, {}}, x, y).what == tn::code::policy);

  const tn::weights<0> none{};
  const tn::model<mixed, tn::vulkan, tn::cpu> split{none, c};  // the second policy is the host's
  tn::instance shared{split};
  CHECK(shared.call(into, x, y).what == tn::code::policy);

  const tn::model<stateful, tn::vulkan> keeping{none, c};  // states change places behind a call
  tn::instance keeper{keeping};
  CHECK(keeper.call(into, x, y).what == tn::code::policy);
  CHECK(untouched());
  CHECK(reached == 0);
}

TEST_CASE("leases of another device, and empty ones, are refused") {
  tn::vulkan_context c, other;
  need(c);
  const tn::model<net, tn::vulkan> model{weights, c};
  tn::instance infer{model};
  matrix x(c, seen()), y(c, seen()), foreign(other, seen());
  auto in = x.lend();
  const auto out = y.lend(), theirs = foreign.lend();
  const their_commands commands(c);
  CHECK(infer.call(tn::vulkan_commands(commands), *theirs, *out).what == tn::code::owner);
  CHECK(infer.call(tn::vulkan_commands(commands), *in, *in).what == tn::code::aliasing);
  in->give_back();
  CHECK(infer.call(tn::vulkan_commands(commands), *in, *out).what == tn::code::null);
  CHECK(infer.call(tn::vulkan_commands{}, *theirs, *out).what == tn::code::owner);
}

TEST_CASE("without a command buffer, and with a model that is not bound, nothing is recorded") {
  tn::vulkan_context c;
  need(c);
  const tn::model<net, tn::vulkan> model{weights, c};
  tn::instance infer{model};
  matrix x(c, seen()), y(c, seen());
  const auto in = x.lend(), out = y.lend();
  CHECK(infer.call(tn::vulkan_commands{}, *in, *out).what == tn::code::null);
  tn::vulkan_options nowhere;
  nowhere.device = "no device has this name";
  tn::vulkan_context absent(nowhere);
  const tn::model<net, tn::vulkan> unbound{weights, absent};
  CHECK(unbound.fault().what == tn::code::no_device);
  tn::instance idle{unbound};
  const their_commands commands(c);
  CHECK(idle.call(tn::vulkan_commands(commands), *in, *out).what == tn::code::unbound);
}
