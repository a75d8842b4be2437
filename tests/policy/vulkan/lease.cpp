// Typed buffers on a device: one user at a time, and what they refuse.
// SPDX-License-Identifier: MIT
#include <tenon/base/span.hpp>
#include <tenon/policy/vulkan/lease.hpp>
#include "application.hpp"
#include <thread>

using image = tn::vulkan_buffer<float, 1, 4, 16>;
static_assert(image::bytes == 256);
static_assert(image::shape == tn::extents(1, 4, 16));
static_assert(tn::viewable<image::lease>);
static_assert(!tn::viewable<image>);  // only what is lent is seen
static_assert(!std::is_copy_constructible_v<image::lease>);

namespace {
tn::vulkan_use seen() {
  tn::vulkan_use use;
  use.host = true;
  return use;
}
}  // namespace

TEST_CASE("a lent buffer is a view in its context's memory, with type and shape") {
  tn::vulkan_context c;
  need(c);
  {
    image buffer(c, seen());
    REQUIRE(buffer.ok());
    auto lease = buffer.lend();
    REQUIRE(lease);
    const tn::mutable_view v = tn::view_of(*lease);
    CHECK(v.owner == &c);
    CHECK(reinterpret_cast<std::uint64_t>(v.data) == lease->address());
    CHECK(v.shape == image::shape);
    CHECK(v.shaped);
    CHECK(v.type == tn::type::float32);
    CHECK(lease->host().size() == 64);
    const tn::tensor wanted{tn::type::float32, tn::extents(1, 4, 16)};
    CHECK(tn::fits(v, wanted, 3, &c).ok());
    CHECK(tn::fits(v, wanted, 3) == tn::status{tn::code::owner, 3, 0, 1});  // not host memory
    float host[64]{};
    CHECK(tn::fits(tn::view_of(std::span(host)), wanted, 0, &c).what == tn::code::owner);
    const tn::vulkan_context other;
    CHECK(tn::fits(v, wanted, 0, &other).what == tn::code::owner);
  }
  CHECK(c.live() == 0);
}

TEST_CASE("a buffer has one user at a time") {
  tn::vulkan_context c;
  need(c);
  image buffer(c, seen());
  auto first = buffer.lend();
  REQUIRE(first);
  CHECK(buffer.is_lent());
  CHECK(buffer.lend().error().is(tn::code::lent, "vulkan_buffer"));
  CHECK(describe(buffer.lend().error()) ==
        "vulkan_buffer: buffer: lent, expected at most one user, found another one");
  {
    const auto moved = std::move(*first);
    CHECK(!*first);
    CHECK(tn::view_of(*first).data == nullptr);
    CHECK(first->host().empty());
    CHECK(buffer.lend().error().is(tn::code::lent, "vulkan_buffer"));
  }
  CHECK(!buffer.is_lent());
  auto second = buffer.lend();
  REQUIRE(second);
  second->give_back();
  second->give_back();
  CHECK(buffer.lend().ok());
}

TEST_CASE("of many threads one gets the buffer") {
  tn::vulkan_context c;
  need(c);
  image buffer(c, seen());
  REQUIRE(buffer.ok());
  buffer.lend()->host()[0] = 0;
  std::atomic<int> users{0}, most{0}, got{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2000; ++i) {
        const auto lease = buffer.lend();
        if (!lease) continue;
        const int now = ++users;
        if (now > most) most = now;
        lease->host()[0] += 1;  // no atomic: the lease orders it
        ++got;
        --users;
      }
    });
  for (auto& t : threads) t.join();
  CHECK(most == 1);
  CHECK(buffer.lend()->host()[0] == static_cast<float>(got.load()));
}

TEST_CASE("the memory lives as long as a lease of it") {
  tn::vulkan_context c;
  need(c);
  image::lease lasting;
  std::uint64_t at = 0;
  {
    image buffer(c, seen());
    lasting = std::move(*buffer.lend());
    at = lasting.address();
  }
  CHECK(c.find(at).ok());
  lasting.host()[63] = 1;
  lasting.give_back();
  CHECK(c.find(at).error().is(tn::code::freed, "vulkan"));
  CHECK(c.live() == 0);
}

TEST_CASE("a kernel works on lent buffers") {
  for (const auto addressing :
       {tn::vulkan_addressing::address, tn::vulkan_addressing::descriptor}) {
    tn::vulkan_context c(options(addressing));
    need(c);
    image a(c, seen()), b(c, seen());
    const auto x = a.lend(), y = b.lend();
    REQUIRE((x && y));
    std::iota(x->host().begin(), x->host().end(), 0.0f);
    REQUIRE(run_affine(c, x->address(), y->address(), 64).ok());
    CHECK(y->host()[63] == 127);
  }
}

TEST_CASE("what a buffer was not made for is refused") {
  tn::vulkan_context c;
  need(c);
  tn::vulkan_use use;
  use.ml = false;
  image buffer(c, use);
  CHECK(buffer.lend().error().is(tn::code::feature, "vulkan_buffer"));
  CHECK(buffer.lend_elsewhere().ok());
  CHECK(buffer.export_fd().error().is(tn::code::feature, "vulkan"));
  image empty;
  CHECK(!empty.ok());
  CHECK(empty.lend().error().is(tn::code::freed, "vulkan_buffer"));
  CHECK(empty.export_fd().error().is(tn::code::freed, "vulkan_buffer"));
  if (!c.facts().opaque_fd) return;
  use = seen();
  use.exported = true;
  image ours(c, use);
  REQUIRE(ours.ok());
  const auto fd = ours.export_fd();
  REQUIRE(fd);
  tn::vulkan_usage usage;
  usage.where = tn::vulkan_usage::home::host;
  usage.exportable = true;
  image theirs(tn::vulkan_memory::import_fd(c, *fd, image::bytes, usage), seen());
  REQUIRE(theirs.ok());
  ::close(*fd);
  ours.lend()->host()[5] = 55;
  CHECK(theirs.lend()->host()[5] == 55);
}

TEST_CASE("a buffer of the application is taken as it is, from an offset on") {
  tn::vulkan_context c;
  need(c);
  auto own = tn::vulkan_memory::host(c, 512);
  REQUIRE(own);
  const int live = c.live();
  image second(c, own->buffer(), 256);
  INFO(describe(second.fault()));
  REQUIRE(second.ok());
  auto lease = second.lend();
  CHECK(lease->memory()->buffer() == own->buffer());
  CHECK(lease->address() == own->address() + 256);
  CHECK(image(c, static_cast<VkBuffer>(own->buffer())).ok());
  CHECK(image(c, own->buffer(), 2).fault().is(tn::code::alignment, "vulkan_buffer"));
  CHECK(image(c, own->buffer(), 1 << 20).fault().is(tn::code::size, "vulkan"));
  CHECK(image(c, vk::Buffer{}).fault().is(tn::code::null, "vulkan"));
  CHECK(c.live() == live);
}

TEST_CASE("memory that does not suit a buffer is refused") {
  tn::vulkan_context c;
  need(c);
  auto own = tn::vulkan_memory::host(c, 512);
  REQUIRE(own);
  const auto over = [&](tn::i64 bytes, tn::i64 offset) {
    const bool addressable = c.facts().has.buffer_device_address;
    return image(tn::vulkan_memory::wrap(c, {own->buffer(), bytes, offset, addressable, nullptr}));
  };
  CHECK(over(256, 256).ok());
  CHECK(over(255, 0).fault().is(tn::code::size, "vulkan_buffer"));
  CHECK(over(256, 2).fault().is(tn::code::alignment, "vulkan_buffer"));
  CHECK(over(256, 100000).fault().is(tn::code::size, "vulkan"));
  const image unseen(tn::vulkan_memory::wrap(c, {own->buffer(), 256, 0, true, nullptr}), seen());
  CHECK(unseen.fault().is(tn::code::feature, "vulkan_buffer"));
  float few[8];
  if (c.facts().host_import)
    CHECK(image(tn::vulkan_memory::import_host(c, few, sizeof few))
              .fault()
              .is(tn::code::size, "vulkan_buffer"));
}
