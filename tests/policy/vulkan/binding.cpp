// What models and instances on Vulkan refuse: named errors, nothing written, nothing leaked.
// SPDX-License-Identifier: MIT
#include <tenon/policy/vulkan/lease.hpp>
#include <tenon/vulkan.hpp>
#include "../cpu/testing.hpp"
#include "application.hpp"
#include "policies.hpp"
#include <optional>

namespace {
using tn::i64;

/// `tanh(x * w)` over 8 floats: one kernel.
tn::table small_graph() {
  constexpr tn::tensor row{tn::type::float32, tn::extents(8)};
  tn::builder b;
  const auto x = b.input("x", row), w = b.weight("w", row);
  auto net = b.finish({b.add<tn::tanh_t>({}, {b.add<tn::mul_t>({}, {x, w})})});
  REQUIRE(net.ok());
  return *net;
}
struct row_weights {
  std::vector<float> values = std::vector<float>(8, 0.5f);
  tn::const_view find(const tn::name&) const noexcept { return tn::flat_view_of(values.data(), 8); }
};
using buffer = tn::vulkan_buffer<float, 8>;
constexpr float unwritten = 77;

/// A model on one context, with vectors to call it.
template <class Policy> struct small_call {
  tn::vulkan_context& context;
  row_weights w;
  tn::table net = small_graph();
  tn::model<tn::dynamic, Policy> model{net, w, context};
  tn::instance<tn::model<tn::dynamic, Policy>> caller{model};
  std::vector<float> x = std::vector<float>(8, 1), y = std::vector<float>(8, unwritten);

  explicit small_call(tn::vulkan_context& c) : context(c) {}
  tn::status call() { return caller(std::span<const float>(x), std::span(y)); }
  /// After any refusal the next good call works.
  void check_works() {
    REQUIRE(model.fault().ok());
    REQUIRE(call().ok());
    for (const float v : y) CHECK(std::fabs(v - std::tanh(0.5f)) < 1e-6f);
    y.assign(8, unwritten);
  }
  bool nothing_written() const { return y == std::vector<float>(8, unwritten); }
};

}  // namespace

TEST_CASE("without a loader a model says so, and its calls are refused") {
  tn::vulkan_options o;
  o.loader = "/nowhere/libvulkan.so.1";
  tn::vulkan_context c(o);
  small_call<tn::vulkan> s(c);
  CHECK(s.model.fault().is(tn::code::no_device, "vulkan"));
  const tn::status refused = s.call();
  CHECK(refused.what == tn::code::unbound);
  CHECK(refused.found == static_cast<i64>(tn::code::no_device));
  CHECK(s.nothing_written());
  CHECK(c.live() == 0);
}

TEST_CASE("a device that cannot use host memory is an error that names vulkan_staged, which runs") {
  for (const auto addressing :
       {tn::vulkan_addressing::address, tn::vulkan_addressing::descriptor}) {
    vk::PhysicalDeviceVulkan12Features v12{};
    v12.bufferDeviceAddress = VK_TRUE;
    vk::PhysicalDeviceFeatures2 core{};
    core.features.shaderInt64 = VK_TRUE;
    core.pNext = &v12;
    application app(&core);  // without VK_EXT_external_memory_host
    app.need();
    tn::vulkan_context c(app.lend(addressing));
    INFO(describe(c.fault()));
    REQUIRE(c.ok());
    {
      small_call<tn::vulkan> direct(c);
      const tn::error e = direct.model.fault();
      CHECK(e.is(tn::code::import_failed, "vulkan"));
      CHECK(e.expected == tn::fact("vulkan_staged"));
      CHECK(describe(e).find("VK_EXT_external_memory_host") != std::string::npos);
      CHECK(direct.call().what == tn::code::unbound);
      CHECK(c.live() == 0);
      small_call<tn::vulkan_staged> copying(c);
      INFO(describe(copying.model.fault()));
      copying.check_works();
      CHECK(c.live() > 0);
    }
    CHECK(c.live() == 0);
  }
}

TEST_CASE(
    "an element type that the device was not made with is an error of the model that names the "
    "feature") {
  application app(nullptr);  // no feature at all
  app.need();
  tn::vulkan_context c(app.lend(tn::vulkan_addressing::descriptor));
  REQUIRE(c.ok());
  tn::builder b;
  const auto x = b.input("x", {tn::type::uint8, tn::extents(8)});
  const auto net = b.finish({b.add<tn::cast_t>({tn::type::int32}, {x})});
  REQUIRE(net.ok());
  const tn::model<tn::dynamic, tn::vulkan_staged> m(*net, tn::weights<0>{}, c);
  CHECK(m.fault().is(tn::code::feature, "cast"));
  CHECK(describe(m.fault()).find("storageBuffer8BitAccess") != std::string::npos);
  CHECK(c.live() == 0);
}

TEST_CASE("views that do not fit are refused before the device sees them") {
  tn::vulkan_context c;
  need(c);
  {
    small_call<tn::vulkan> s(c);
    s.check_works();
    alignas(4) std::byte odd[40]{};
    const auto from = [](void* data, i64 n) {
      return tn::flat_view_of(static_cast<float*>(data), n);
    };
    const auto refused = [&](tn::const_view in, tn::mutable_view out) {
      return s.caller.run({&in, 1}, {&out, 1}).what;
    };
    const tn::mutable_view good = from(s.y.data(), 8);
    CHECK(refused(from(s.x.data(), 7), good) == tn::code::size);
    CHECK(refused(from(odd + 1, 8), good) == tn::code::alignment);
    CHECK(refused(from(s.x.data(), 8), from(odd + 2, 8)) == tn::code::alignment);
    CHECK(refused(from(nullptr, 8), good) == tn::code::null);
    CHECK(refused(from(s.y.data(), 8), good) == tn::code::aliasing);
    tn::vulkan_buffer<float, 4> small(c);
    auto lease = small.lend();
    REQUIRE(lease.ok());
    CHECK(s.caller(*lease, std::span(s.y)).what == tn::code::size);
    tn::vulkan_buffer<std::int32_t, 8> numbers(c);
    auto other = numbers.lend();
    REQUIRE(other.ok());
    CHECK(s.caller(*other, std::span(s.y)).what == tn::code::element_type);
    CHECK(s.nothing_written());
    s.check_works();
  }
  CHECK(c.live() == 0);
}

TEST_CASE("memory that the host has given back is refused, not touched") {
  tn::vulkan_context c;
  need(c);
  {
    small_call<tn::vulkan> s(c);
    void* gone = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(gone != MAP_FAILED);
    ::munmap(gone, 4096);
    const tn::const_view in = tn::flat_view_of(static_cast<const float*>(gone), 8);
    const tn::mutable_view out = tn::flat_view_of(s.y.data(), 8);
    CHECK(s.caller.run({&in, 1}, {&out, 1}).what == tn::code::null);
    CHECK(s.nothing_written());
    s.check_works();
  }
  CHECK(c.live() == 0);
}

TEST_CASE("a buffer that is lent elsewhere cannot be lent to a graph") {
  tn::vulkan_context c;
  need(c);
  {
    small_call<tn::vulkan> s(c);
    buffer image(c, {.host = true});
    auto theirs = image.lend_elsewhere();
    REQUIRE(theirs.ok());
    const auto ours = image.lend();
    REQUIRE(!ours.ok());
    CHECK(ours.error().is(tn::code::lent, "vulkan_buffer"));
    theirs->give_back();
    auto now = image.lend();
    REQUIRE(now.ok());
    for (float& v : now->host()) v = 1;
    CHECK(s.caller(*now, std::span(s.y)).ok());
    CHECK(std::fabs(s.y[7] - std::tanh(0.5f)) < 1e-6f);
    s.y.assign(8, unwritten);
    now->give_back();
    CHECK(s.caller(*now, std::span(s.y)).what == tn::code::null);  // an empty lease points nowhere
    CHECK(s.nothing_written());
    s.check_works();
  }
  CHECK(c.live() == 0);
}

TEST_CASE("an address that outlived its buffer is refused, not followed") {
  tn::vulkan_context c;
  need(c);
  {
    small_call<tn::vulkan> s(c);
    tn::const_view kept;
    {
      buffer image(c, {.host = true});
      auto lease = image.lend();
      REQUIRE(lease.ok());
      kept = tn::view_of(*lease);
      const tn::mutable_view out = tn::flat_view_of(s.y.data(), 8);
      for (float& v : lease->host()) v = 1;
      REQUIRE(s.caller.run({&kept, 1}, {&out, 1}).ok());
    }
    s.check_works();  // other addresses: what was recorded for the buffer is gone
    const tn::mutable_view out = tn::flat_view_of(s.y.data(), 8);
    CHECK(s.caller.run({&kept, 1}, {&out, 1}).what == tn::code::freed);
    CHECK(s.nothing_written());
    s.check_works();
  }
  CHECK(c.live() == 0);
}

TEST_CASE("a buffer of another context, or on a policy that copies, is refused") {
  tn::vulkan_context one, two;
  need(one);
  {
    small_call<tn::vulkan> s(one);
    small_call<tn::vulkan_staged> copying(one);
    buffer own(one), foreign(two);
    auto mine = own.lend(), theirs = foreign.lend();
    REQUIRE((mine.ok() && theirs.ok()));
    CHECK(s.caller(*theirs, std::span(s.y)).what == tn::code::owner);
    CHECK(s.caller(std::span<const float>(s.x), *theirs).what == tn::code::owner);
    CHECK(copying.caller(*mine, std::span(s.y)).what == tn::code::owner);
    CHECK(s.caller(std::span<const float>(s.x), *mine).ok());
    CHECK(s.nothing_written());
    s.check_works();
    copying.check_works();
  }
  CHECK(one.live() == 0);
  CHECK(two.live() == 0);
}

TEST_CASE(
    "whatever the driver refuses while a model is bound and called is its error, and nothing is "
    "leaked") {
  tn::vulkan_context works;
  need(works);
  const auto fault_of = [](const fake& refusal, bool ran = false) {
    tn::vulkan_context c(failing(refusal));
    tn::code what{};
    {
      small_call<tn::vulkan> s(c);
      what = s.model.fault().ok() ? s.call().what : s.model.fault().what;
      CHECK(s.nothing_written() != ran);
    }
    CHECK(c.live() == 0);
    return what;
  };
  constexpr VkResult full = VK_ERROR_OUT_OF_HOST_MEMORY;
  const fake refusals[] = {
      answers<full, PFN_vkCreateBuffer>("vkCreateBuffer"),
      answers<full, PFN_vkAllocateMemory>("vkAllocateMemory"),
      answers<full, PFN_vkCreateShaderModule>("vkCreateShaderModule"),
      answers<full, PFN_vkCreateComputePipelines>("vkCreateComputePipelines"),
      answers<full, PFN_vkCreatePipelineLayout>("vkCreatePipelineLayout"),
      answers<full, PFN_vkCreateCommandPool>("vkCreateCommandPool"),
      answers<full, PFN_vkAllocateCommandBuffers>("vkAllocateCommandBuffers"),
      answers<full, PFN_vkCreateFence>("vkCreateFence"),
      answers<full, PFN_vkQueueSubmit>("vkQueueSubmit"),
  };
  for (const fake& refusal : refusals) {
    INFO(refusal.name);
    CHECK(fault_of(refusal) == tn::code::memory);
  }
  CHECK(fault_of(answers<VK_ERROR_DEVICE_LOST, PFN_vkQueueSubmit>("vkQueueSubmit")) ==
        tn::code::device_lost);
  // A device that is lost has stopped: this one must have, before what it works on is freed.
  const auto stopped = [](VkDevice device, std::uint32_t n, const VkFence* fences, VkBool32 all,
                          std::uint64_t most) -> VkResult {
    reinterpret_cast<PFN_vkWaitForFences>(real_device(device, "vkWaitForFences"))(device, n, fences,
                                                                                  all, most);
    return VK_ERROR_DEVICE_LOST;
  };
  CHECK(fault_of({"vkWaitForFences", reinterpret_cast<PFN_vkVoidFunction>(+stopped)}, true) ==
        tn::code::device_lost);
}

TEST_CASE("a sum of thirty inputs takes more kernels than one, and is no error") {
  need_device<tn::vulkan>();
  constexpr tn::tensor t{tn::type::float32, tn::extents(5, 33)};
  tn::builder b;
  auto sum = b.add<tn::matmul_t>({}, {b.input("a", {tn::type::float32, tn::extents(5, 9)}),
                                      b.input("b", {tn::type::float32, tn::extents(9, 33)})});
  for (int i = 0; i < 30; ++i) sum = b.add<tn::add_t>({}, {sum, b.input(tn::name("x") + i, t)});
  const auto net = b.finish({b.add<tn::softmax_t>({.axis = 1}, {sum})});
  REQUIRE(net.ok());
  dice d = dice_of(1, 0);
  const contents c = random_contents(net->view(), d);
  std::string problem;
  const results wanted = run_table<tn::reference>(net->view(), c, wall::behind, problem),
                found = run_table<tn::vulkan>(net->view(), c, wall::behind, problem);
  CHECK(problem == "");
  REQUIRE(found.size() == 1);
  for (std::size_t i = 0; i < wanted[0].size(); ++i)
    CHECK(std::fabs(found[0][i] - wanted[0][i]) <= 1e-5f);
}
