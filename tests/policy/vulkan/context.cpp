// Contexts of our own and adopted ones, and what they say where Vulkan or a feature is missing.
// SPDX-License-Identifier: MIT
#include "application.hpp"
#include <thread>

static_assert(!tn::vulkan_addresses::is_name(0x7fffffffffff) &&
              tn::vulkan_addresses::is_name(std::uint64_t{1} << 62));

namespace {

/// Sets an environment variable and puts back what was there.
struct variable {
  std::string name, before;
  bool was;
  variable(const char* n, const char* value) : name(n), was(std::getenv(n) != nullptr) {
    if (was) before = std::getenv(n);
    ::setenv(n, value, 1);
  }
  ~variable() { was ? ::setenv(name.c_str(), before.c_str(), 1) : ::unsetenv(name.c_str()); }
};

const tn::vulkan_addressing both[] = {tn::vulkan_addressing::address,
                                      tn::vulkan_addressing::descriptor};

}  // namespace

TEST_CASE("sixteen ports fill the 128 bytes that every device has for push constants") {
  using tn::vulkan_addressing;
  CHECK(tn::vulkan_kernel{{}, {}, {}, 16, vulkan_addressing::address}.push_bytes() == 128);
  CHECK(tn::vulkan_kernel{{}, {}, {}, 3, vulkan_addressing::descriptor}.push_bytes() == 12);
}
TEST_CASE("without a Vulkan loader a context says so and refuses all work") {
  tn::vulkan_options o;
  o.loader = "/nowhere/libvulkan.so.1";
  tn::vulkan_context c(o);
  CHECK(!c.ok());
  CHECK(describe(c.fault()) ==
        "vulkan: loader: no device, expected /nowhere/libvulkan.so.1, found none");
  const auto words = affine(tn::vulkan_addressing::address, 2, 1);
  CHECK(c.kernel(words, 2).error() == c.fault());
  tn::vulkan_recording r(c);
  CHECK(r.begin() == c.fault());
  CHECK(r.end().is(tn::code::no_device, "vulkan"));
  CHECK(r.submit_and_wait().what == tn::code::unbound);
  CHECK(c.live() == 0);
}

TEST_CASE("a file that is no loader is no loader") {
  tn::vulkan_options o;
  o.loader = "libm.so.6";
  CHECK(tn::vulkan_context(o).fault().is(tn::code::no_device, "vulkan"));
}

TEST_CASE("without a driver there is no device") {
  if (!tn::vulkan_loader::open()) skip("no Vulkan loader");
  const variable old_name("VK_ICD_FILENAMES", "/nowhere.json");
  const variable new_name("VK_DRIVER_FILES", "/nowhere.json");
  tn::vulkan_context c;
  CHECK(c.fault().is(tn::code::no_device, "vulkan"));
}

TEST_CASE("a device is chosen by its name or number") {
  tn::vulkan_context any;
  need(any);
  tn::vulkan_options o;
  const std::string part = std::string(any.facts().device.c_str()).substr(0, 4);
  o.device = part.c_str();
  CHECK(tn::vulkan_context(o).facts().device == any.facts().device);
  o.device = "a device of this name is not there";
  CHECK(tn::vulkan_context(o).fault().is(tn::code::no_device, "vulkan"));
  CHECK(tn::vulkan_context(o).fault().expected == tn::fact(o.device));
  o = {};
  o.index = 0;
  CHECK(tn::vulkan_context(o).ok());
  o.index = 1000;
  CHECK(tn::vulkan_context(o).fault().is(tn::code::no_device, "vulkan"));
}

TEST_CASE("facts are at least what Vulkan guarantees") {
  tn::vulkan_context c;
  need(c);
  const tn::vulkan_facts& f = c.facts();
  CHECK(!f.device.empty());
  CHECK(f.api_version >= VK_API_VERSION_1_2);
  CHECK(f.has.buffer_device_address);
  CHECK(f.has.timeline_semaphore);
  CHECK(f.push_bytes >= 128);
  CHECK(f.storage_buffers >= 4);
  CHECK(f.storage_buffer_bytes >= 1 << 27);
  CHECK(f.groups[0] >= 65535);
  CHECK(f.invocations >= 128);
  CHECK(f.shared_bytes >= 16384);
  CHECK(f.subgroup_size >= 1);
  CHECK(f.allocation_bytes >= 1 << 30);
  CHECK((!f.host_import || f.host_import_align_bytes >= 1));
  CHECK((f.has.cooperative_matrix ? f.matrix_forms > 0 : f.matrix_forms == 0));
}

TEST_CASE("a context in descriptor mode has no addresses, even if the device has") {
  tn::vulkan_context c(options(tn::vulkan_addressing::descriptor));
  need(c);
  CHECK(!c.facts().has.buffer_device_address);
  const auto words = affine(tn::vulkan_addressing::address, 2, 1);
  CHECK(c.kernel(words, 2, tn::vulkan_addressing::address).error().is(tn::code::feature, "vulkan"));
  const auto memory = tn::vulkan_memory::device(c, 64);
  REQUIRE(memory);
  CHECK(tn::vulkan_addresses::is_name(memory->address()));
}

TEST_CASE("kernels are made once") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need(c);
    const auto words = affine(addressing, 2, 1), other = affine(addressing, 3, 1);
    const auto a = c.kernel(words, 2), b = c.kernel(words, 2), d = c.kernel(other, 2);
    REQUIRE((a && b && d));
    CHECK(*a == *b);
    CHECK(*a != *d);
    CHECK(c.kernels() == 2);
    CHECK((*a)->ports == 2);
    const tn::vulkan_kernel* seen[4]{};
    std::vector<std::thread> threads;
    const auto fresh = affine(addressing, 4, 1);
    for (auto& s : seen) threads.emplace_back([&] { s = *c.kernel(fresh, 2); });
    for (auto& t : threads) t.join();
    for (const auto* s : seen) CHECK((s != nullptr && s == seen[0]));
    CHECK(c.kernels() == 3);
  }
}

TEST_CASE("a kernel with full subgroups is another one, where a device can be asked for them") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need(c);
    const auto words = affine(addressing, 2, 1);
    const auto any = c.kernel(words, 2),
               full = c.kernel(words, 2, addressing, c.facts().subgroup_size);
    REQUIRE(any);
    if (!c.facts().subgroup_size_chosen) {
      CHECK(full.error().is(tn::code::feature, "vulkan"));
      continue;
    }
    REQUIRE(full);
    CHECK(*any != *full);
    CHECK((*full)->subgroup == c.facts().subgroup_size);
    CHECK(*full == *c.kernel(words, 2, addressing, c.facts().subgroup_size));
    CHECK(c.kernels() == 2);
  }
}

TEST_CASE("what is no kernel is refused") {
  tn::vulkan_context c;
  need(c);
  const auto words = affine(tn::vulkan_addressing::address, 2, 1);
  const std::vector<std::uint32_t> garbage{1, 2, 3, 4, 5, 6};
  CHECK(c.kernel(garbage, 2).error().is(tn::code::corrupt, "vulkan"));
  CHECK(c.kernel({}, 2).error().is(tn::code::corrupt, "vulkan"));
  CHECK(c.kernel(words, 17).error().is(tn::code::capacity, "vulkan"));
  CHECK(c.kernel(words, -1).error().is(tn::code::capacity, "vulkan"));
  CHECK(c.kernels() == 0);
}

TEST_CASE("the kernel runs, under the validation layer, without a complaint") {
  for (const auto addressing : both) {
    validated v(addressing);
    tn::vulkan_context& c = *v.context;
    {
      auto x = tn::vulkan_memory::host(c, 4 * 128), y = tn::vulkan_memory::host(c, 4 * 128);
      REQUIRE((x && y));
      for (int i = 0; i < 128; ++i) reinterpret_cast<float*>(x->data())[i] = static_cast<float>(i);
      REQUIRE(run_affine(c, x->address(), y->address(), 128).ok());
      for (int i = 0; i < 128; ++i)
        CHECK(reinterpret_cast<float*>(y->data())[i] == 2 * static_cast<float>(i) + 1);
    }
    CHECK(c.live() == 0);
    CHECK(v.all() == "");
  }
}

TEST_CASE("the validation layer hears of a missing barrier between descriptors") {
  validated v(tn::vulkan_addressing::descriptor);
  tn::vulkan_context& c = *v.context;
  auto x = tn::vulkan_memory::device(c, 256), y = tn::vulkan_memory::device(c, 256);
  REQUIRE((x && y));
  const auto k = c.kernel(affine(tn::vulkan_addressing::descriptor, 2, 1), 2);
  REQUIRE(k);
  for (const bool separated : {true, false}) {
    const int before = c.complaints();
    tn::vulkan_recording r(c);
    REQUIRE(r.begin().ok());
    REQUIRE(r.dispatch(**k, ports(x->address(), y->address(), 64), 1).ok());
    if (separated) r.barrier();
    REQUIRE(r.dispatch(**k, ports(y->address(), x->address(), 64), 1).ok());
    REQUIRE(r.end().ok());
    CHECK((c.complaints() == before) == separated);
  }
}

TEST_CASE("an adopted device runs our kernels and stays the application's") {
  for (const auto addressing : both) {
    usual_features all;
    application app(&all.core, {"VK_EXT_external_memory_host"});
    app.need();
    {
      tn::vulkan_context c(app.lend(addressing));
      INFO(describe(c.fault()));
      REQUIRE(c.ok());
      CHECK(c.adopted());
      CHECK(c.facts().has.timeline_semaphore);
      CHECK(!c.facts().has.float16);  // the device may have it; the application did not enable it
      CHECK(c.facts().host_import);
      CHECK(!c.facts().opaque_fd);
      auto x = counting(64), y = counting(64);
      auto a = tn::vulkan_memory::import_host(c, x.data(), 256);
      auto b = tn::vulkan_memory::import_host(c, y.data(), 256);
      REQUIRE((a && b));
      REQUIRE(run_affine(c, a->address(), b->address(), 64).ok());
      CHECK(y[63] == 127);
    }
    vk::FenceCreateInfo info{};  // the device is alive
    vk::Fence fence{};
    REQUIRE(app.device.createFence(&info, nullptr, &fence, app.d) == vk::Result::eSuccess);
    CHECK(app.queue.submit(0, nullptr, fence, app.d) == vk::Result::eSuccess);
    CHECK(app.device.waitForFences(1, &fence, VK_TRUE, UINT64_MAX, app.d) == vk::Result::eSuccess);
    app.device.destroyFence(fence, nullptr, app.d);
  }
}

namespace {
PFN_vkGetPhysicalDeviceProperties2 real_properties = nullptr;
bool asked_about_13 = false;
VKAPI_ATTR void VKAPI_CALL listening(VkPhysicalDevice device, VkPhysicalDeviceProperties2* all) {
  for (auto* s = static_cast<const VkBaseInStructure*>(all->pNext); s != nullptr; s = s->pNext)
    asked_about_13 |= s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES;
  real_properties(device, all);
}
}  // namespace

TEST_CASE("an instance is asked about nothing that is younger than itself") {
  vk::PhysicalDeviceVulkan12Features v12{};
  application app(&v12);
  app.need();
  real_properties = app.d.vkGetPhysicalDeviceProperties2;
  tn::vulkan_adopted lent = app.lend(tn::vulkan_addressing::descriptor);
  lent.get_proc_addr =
      failing({"vkGetPhysicalDeviceProperties2", reinterpret_cast<PFN_vkVoidFunction>(&listening)})
          .get_proc_addr;
  CHECK(tn::vulkan_context(lent).ok());
  CHECK(!asked_about_13);
  lent.api_version = VK_API_VERSION_1_3;
  const tn::vulkan_context young(lent);
  CHECK(young.ok());
  CHECK(asked_about_13 == (young.facts().api_version >= VK_API_VERSION_1_3));
  replaced.clear();
}

TEST_CASE("features count in structures of extensions too") {
  vk::PhysicalDeviceBufferDeviceAddressFeatures address{};
  address.bufferDeviceAddress = VK_TRUE;
  vk::PhysicalDevice16BitStorageFeatures storage{};
  storage.storageBuffer16BitAccess = VK_TRUE;
  storage.pNext = &address;
  vk::PhysicalDeviceShaderFloat16Int8Features small{};
  small.shaderFloat16 = VK_TRUE;
  small.pNext = &storage;
  application app(&small);
  app.need();
  vk::PhysicalDeviceFeatures core{};
  core.shaderInt64 = VK_TRUE;
  app.info.pEnabledFeatures = &core;
  tn::vulkan_context c(app.lend(tn::vulkan_addressing::address));
  CHECK(c.ok());
  const tn::vulkan_features& has = c.facts().has;
  CHECK(has.buffer_device_address);
  CHECK(has.storage_16);
  CHECK(has.float16);
  CHECK(has.int64);
  CHECK(!has.int8);
  CHECK(!has.storage_8);
  CHECK(!has.timeline_semaphore);
  tn::vulkan_recording r(c);
  REQUIRE(r.begin().ok());
  REQUIRE(r.end().ok());
  std::uint64_t value = 0;
  CHECK(r.submit(value).what == tn::code::feature);  // needs the timeline semaphore
  CHECK(r.submit_and_wait().ok());
}

TEST_CASE("an adopted device without a needed feature is an error that names it") {
  vk::PhysicalDeviceVulkan12Features v12{};
  v12.timelineSemaphore = VK_TRUE;
  application app(&v12);
  app.need();
  tn::vulkan_context without(app.lend(tn::vulkan_addressing::address));
  CHECK(without.fault().is(tn::code::feature, "vulkan"));
  CHECK(without.fault().operand == tn::name("bufferDeviceAddress"));
  CHECK(tn::vulkan_context(app.lend(tn::vulkan_addressing::descriptor)).ok());

  auto silent = app.lend(tn::vulkan_addressing::address);
  silent.created = nullptr;
  CHECK(tn::vulkan_context(silent).fault().is(tn::code::feature, "vulkan"));
  silent = app.lend(tn::vulkan_addressing::address);
  silent.device = nullptr;
  CHECK(tn::vulkan_context(silent).fault().is(tn::code::null, "vulkan"));
}

TEST_CASE(
    "whatever the driver refuses while a context is made is its fault, and nothing is leaked") {
  if (!tn::vulkan_context().ok()) skip("no Vulkan device");
  constexpr VkResult full = VK_ERROR_OUT_OF_HOST_MEMORY;
  for (const fake& f : {answers<full, PFN_vkCreateInstance>("vkCreateInstance"),
                        answers<full, PFN_vkEnumeratePhysicalDevices>("vkEnumeratePhysicalDevices"),
                        answers<full, PFN_vkCreateDevice>("vkCreateDevice"),
                        answers<full, PFN_vkCreateSemaphore>("vkCreateSemaphore")}) {
    INFO(f.name);
    CHECK(tn::vulkan_context(failing(f)).fault().is(tn::code::memory, "vulkan"));
  }
}
