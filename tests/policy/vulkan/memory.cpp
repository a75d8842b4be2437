// Memory of a device: the caller's own memory used where it lies, exchange between processes, and
// every refusal by its name.
// SPDX-License-Identifier: MIT
#include "application.hpp"
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#if __has_include(<linux/udmabuf.h>)
#include <linux/udmabuf.h>
#endif

namespace {

using memory = tn::vulkan_memory;
const tn::vulkan_addressing both[] = {tn::vulkan_addressing::address,
                                      tn::vulkan_addressing::descriptor};

void need_import(const tn::vulkan_context& c) {
  need(c);
  if (!c.facts().host_import) skip("the device does not import host memory");
}

int open_descriptors() {
  int n = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator("/proc/self/fd")) ++n;
  return n;
}

/// Anonymous pages, or pages of a file.
struct pages {
  std::size_t bytes;
  void* at;
  pages(std::size_t n, int protection, int file = -1)
      : bytes(n),
        at(::mmap(nullptr, n, protection, MAP_PRIVATE | (file < 0 ? MAP_ANONYMOUS : 0), file, 0)) {
    REQUIRE(at != MAP_FAILED);
  }
  ~pages() { ::munmap(at, bytes); }
  float* floats() const { return static_cast<float*>(at); }
};

}  // namespace

TEST_CASE("a kernel reads and writes the caller's vectors where they lie") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need_import(c);
    for (const std::size_t n : {64u, 1024u, 1024u * 1024u}) {
      for (const std::size_t skew : {0u, 1u, 3u}) {  // elements: no alignment beyond the element's
        std::vector<float> x(n + skew + 2, -1), y(n + skew + 2, -1);
        std::iota(x.begin() + static_cast<std::ptrdiff_t>(skew), x.end(), 0.0f);
        auto a = memory::import_host(c, x.data() + skew, static_cast<tn::i64>(4 * n));
        auto b = memory::import_host(c, y.data() + skew, static_cast<tn::i64>(4 * n));
        REQUIRE((a && b));
        CHECK(a->data() == reinterpret_cast<std::byte*>(x.data() + skew));
        CHECK(b->bytes() == static_cast<tn::i64>(4 * n));
        CHECK(c.find(b->address())->host == b->data());
        if (addressing == tn::vulkan_addressing::address && c.facts().cpu)
          CHECK(b->address() == reinterpret_cast<std::uintptr_t>(b->data()));
        REQUIRE(run_affine(c, a->address(), b->address(), n).ok());
        bool right = true;
        for (std::size_t i = 0; i < n; ++i)
          right = right && y[skew + i] == 2 * static_cast<float>(i) + 1;
        CHECK(right);
        CHECK(y[skew + n] == -1);  // and nothing else
        if (skew > 0) CHECK(y[skew - 1] == -1);
        x[skew + 5] = 1000;  // no upload in between
        REQUIRE(run_affine(c, a->address(), b->address(), n).ok());
        CHECK(y[skew + 5] == 2001);
      }
    }
    CHECK(c.live() == 0);
  }
}

TEST_CASE("mapped and aligned memory and read-only files are imported too") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need_import(c);
    constexpr std::size_t n = 16384, bytes = 4 * n;
    const pages x(bytes, PROT_READ | PROT_WRITE);
    std::unique_ptr<void, void (*)(void*)> y(std::aligned_alloc(64, bytes), std::free);
    for (std::size_t i = 0; i < n; ++i) x.floats()[i] = static_cast<float>(i);
    auto a = memory::import_host(c, x.at, bytes), b = memory::import_host(c, y.get(), bytes);
    REQUIRE((a && b));
    REQUIRE(run_affine(c, a->address(), b->address(), n).ok());
    CHECK(static_cast<float*>(y.get())[n - 1] == 2 * (n - 1) + 1);

    const int file = ::memfd_create("weights", 0);
    REQUIRE(::write(file, y.get(), bytes) == static_cast<ssize_t>(bytes));
    const pages weights(bytes, PROT_READ, file);
    ::close(file);
    auto w = memory::import_host(c, static_cast<char*>(weights.at) + 256, bytes - 256);
    REQUIRE(w);
    REQUIRE(run_affine(c, w->address(), a->address(), n - 64).ok());
    CHECK(x.floats()[0] == 2 * 129 + 1);
  }
}

TEST_CASE("what cannot be imported is named") {
  tn::vulkan_context c;
  need_import(c);
  float one = 0;
  CHECK(memory::import_host(c, nullptr, 4).error().is(tn::code::null, "vulkan"));
  CHECK(memory::import_host(c, &one, 0).error().is(tn::code::size, "vulkan"));
  CHECK(memory::import_host(c, &one, -4).error().is(tn::code::size, "vulkan"));
  CHECK(memory::import_host(c, &one, INT64_MAX).error().what != tn::code::ok);
  void* gone = nullptr;
  {
    const pages freed(8192, PROT_READ | PROT_WRITE);
    gone = freed.at;
  }
  CHECK(memory::import_host(c, gone, 8192).error().is(tn::code::null, "vulkan"));
  CHECK(c.live() == 0);
}

TEST_CASE("a device that cannot import names the policy that copies") {
  application app(nullptr);  // nothing enabled
  app.need();
  tn::vulkan_context c(app.lend(tn::vulkan_addressing::descriptor));
  REQUIRE(c.ok());
  std::vector<float> x(64);
  const tn::error e = memory::import_host(c, x.data(), 256).error();
  CHECK(e.is(tn::code::import_failed, "vulkan"));
  CHECK(e.expected == tn::fact("vulkan_staged"));

  tn::vulkan_context refusing(
      failing(answers<VK_ERROR_INVALID_EXTERNAL_HANDLE, PFN_vkGetMemoryHostPointerPropertiesEXT>(
          "vkGetMemoryHostPointerPropertiesEXT")));
  if (!refusing.facts().host_import) return;
  CHECK(memory::import_host(refusing, x.data(), 256).error().is(tn::code::import_failed, "vulkan"));
  CHECK(refusing.live() == 0);
}

TEST_CASE("a refused allocation leaves nothing behind") {
  std::vector<float> x(64);
  const auto all_fail = [&](tn::vulkan_context& c, tn::code what) {
    CHECK(memory::device(c, 256).error().is(what, "vulkan"));
    CHECK(memory::host(c, 256).error().is(what, "vulkan"));
    if (c.facts().host_import)
      CHECK(memory::import_host(c, x.data(), 256).error().is(what, "vulkan"));
    CHECK(c.live() == 0);
  };
  constexpr VkResult full = VK_ERROR_OUT_OF_DEVICE_MEMORY;
  for (const fake& f : {answers<full, PFN_vkCreateBuffer>("vkCreateBuffer"),
                        answers<full, PFN_vkAllocateMemory>("vkAllocateMemory"),
                        answers<full, PFN_vkBindBufferMemory>("vkBindBufferMemory")}) {
    tn::vulkan_context c(failing(f));
    need(c);
    all_fail(c, tn::code::memory);
  }
  tn::vulkan_context c(
      failing(answers<VK_ERROR_MEMORY_MAP_FAILED, PFN_vkMapMemory>("vkMapMemory")));
  CHECK(memory::host(c, 256).error().is(tn::code::device, "vulkan"));
  CHECK(c.live() == 0);
  tn::vulkan_context real;
  CHECK(memory::device(real, 0).error().is(tn::code::size, "vulkan"));
  CHECK(memory::device(real, tn::i64{1} << 60).error().is(tn::code::memory, "vulkan"));
  CHECK(real.live() == 0);
}

TEST_CASE("addresses are known as long as their buffers live") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need(c);
    auto a = memory::device(c, 1000), b = memory::device(c, 24);
    REQUIRE((a && b));
    const std::uint64_t at = a->address();
    CHECK(c.find(at + 999)->offset == 999);
    CHECK(c.find(at + 999)->buffer == a->buffer());
    CHECK(c.find(b->address() + 3, 21)->buffer == b->buffer());
    CHECK(c.find(b->address(), 25).error().is(tn::code::size, "vulkan"));
    CHECK(c.find(7).error().is(tn::code::freed, "vulkan"));
    auto moved = std::move(*a);
    CHECK(c.find(at)->buffer == moved.buffer());
    moved = memory{};
    CHECK(c.find(at).error().is(tn::code::freed, "vulkan"));
    CHECK(run_affine(c, at, b->address(), 64).is(tn::code::freed, "vulkan"));
    CHECK(c.live() == 2);
  }
}

TEST_CASE("two imports of one page are both found") {
  tn::vulkan_context c;
  need_import(c);
  std::vector<float> x(512);
  auto a = memory::import_host(c, x.data(), 1024), b = memory::import_host(c, x.data() + 256, 1024);
  REQUIRE((a && b));
  CHECK(c.find(a->address(), 1024).ok());
  CHECK(c.find(b->address(), 1024).ok());
  CHECK(c.find(b->address() + 1024).error().is(tn::code::freed, "vulkan"));
  a = memory{};
  CHECK(c.find(b->address(), 1024)->buffer == b->buffer());
}

TEST_CASE("the application's buffers are wrapped, with and without address") {
  usual_features all;
  application app(&all.core);
  app.need();
  tn::vulkan_context c(app.lend(tn::vulkan_addressing::address));
  REQUIRE(c.ok());
  // The application's buffers are made by hand in real life; here another allocation of ours stands
  // in for one with the flag, and one of a context without addresses for one without.
  auto own = memory::host(c, 1024);
  tn::vulkan_context plain_context(app.lend(tn::vulkan_addressing::descriptor));
  auto plain = memory::host(plain_context, 1024);
  REQUIRE((own && plain));
  for (int i = 0; i < 256; ++i) reinterpret_cast<float*>(plain->data())[i] = static_cast<float>(i);

  auto with = memory::wrap(c, {own->buffer(), 512, 256, true, nullptr});
  auto without = memory::wrap(c, {plain->buffer(), 768, 256, false, plain->data() + 256});
  REQUIRE((with && without));
  CHECK(with->address() == own->address() + 256);
  CHECK(tn::vulkan_addresses::is_name(without->address()));
  CHECK(c.find(without->address())->offset == 256);
  CHECK(c.live() == 4 - 2);  // wrapping holds nothing; two handles are the other context's

  const tn::error e = run_affine(c, without->address(), with->address(), 64);
  CHECK(e.is(tn::code::feature, "vulkan"));  // an address kernel needs addresses
  const auto k = c.kernel(affine(tn::vulkan_addressing::descriptor, 2, 1), 2,
                          tn::vulkan_addressing::descriptor);
  REQUIRE(k);
  tn::vulkan_recording r(c);
  REQUIRE(r.begin().ok());
  REQUIRE(r.dispatch(**k, ports(without->address(), with->address(), 64), 1).ok());
  REQUIRE(r.end().ok());
  REQUIRE(r.submit_and_wait().ok());
  CHECK(reinterpret_cast<float*>(own->data() + 256)[3] == 2 * 67 + 1);

  CHECK(memory::wrap(c, {}).error().is(tn::code::null, "vulkan"));
  CHECK(memory::wrap(c, {own->buffer(), 1 << 20, 0, true, nullptr})
            .error()
            .is(tn::code::size, "vulkan"));
  CHECK(memory::wrap(c, {own->buffer(), 16, 1 << 20, true, nullptr})
            .error()
            .is(tn::code::size, "vulkan"));
  CHECK(
      memory::wrap(c, {own->buffer(), 16, -4, true, nullptr}).error().is(tn::code::size, "vulkan"));
}

TEST_CASE("a port that is too small, misaligned or nowhere is refused before anything runs") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need(c);
    auto a = memory::host(c, 1024), b = memory::host(c, 1024);
    REQUIRE((a && b));
    std::memset(b->data(), 0, 1024);
    CHECK(run_affine(c, a->address(), b->address(), 320).is(tn::code::size, "vulkan"));
    CHECK(run_affine(c, a->address() + 2, b->address(), 64).is(tn::code::alignment, "vulkan"));
    CHECK(run_affine(c, 16, b->address(), 64).is(tn::code::freed, "vulkan"));
    CHECK(run_affine(c, 0, b->address(), 64).is(tn::code::freed, "vulkan"));
    for (int i = 0; i < 1024; ++i) REQUIRE(b->data()[i] == std::byte{0});
  }
}

TEST_CASE("a wrong descriptor is refused and stays the caller's") {
  tn::vulkan_context c;
  need(c);
  if (!c.facts().opaque_fd) skip("the device has no opaque fds");
  const int before = open_descriptors();
  CHECK(memory::import_fd(c, -1, 64).error().is(tn::code::handle, "vulkan"));
  CHECK(memory::import_fd(c, 12345, 64).error().is(tn::code::handle, "vulkan"));
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  CHECK(memory::import_fd(c, ends[0], 64).error().is(tn::code::handle, "vulkan"));
  const int file = ::memfd_create("mine", 0);
  REQUIRE(::ftruncate(file, 1 << 16) == 0);
  {  // what memory another driver has made, only a driver can say: some take all that can be mapped
    const auto foreign = memory::import_fd(c, file, 64);
    CHECK((foreign || foreign.error().is(tn::code::handle, "vulkan")));
  }
  CHECK(memory::import_fd(c, file, 1 << 20).error().is(tn::code::size, "vulkan"));
  CHECK(memory::import_dma_buf(c, file, 64)
            .error()
            .is(c.facts().dma_buf ? tn::code::handle : tn::code::feature, "vulkan"));
  auto unshared = memory::device(c, 64);
  CHECK(unshared->export_fd().error().is(tn::code::feature, "vulkan"));
  for (const int fd : {ends[0], ends[1], file}) CHECK(::close(fd) == 0);
  unshared = memory{};
  CHECK(open_descriptors() == before);
  CHECK(c.live() == 0);
}

TEST_CASE("exported memory is imported again, and all descriptors are closed") {
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need(c);
    if (!c.facts().opaque_fd) skip("the device has no opaque fds");
    const int before = open_descriptors();
    tn::vulkan_usage usage;
    usage.exportable = true;
    usage.where = tn::vulkan_usage::home::host;
    {
      auto mine = memory::allocate(c, 4096, usage);
      REQUIRE(mine);
      const auto fd = mine->export_fd();
      REQUIRE(fd);
      auto theirs = memory::import_fd(c, *fd, 4096, usage);
      REQUIRE(theirs);
      for (int i = 0; i < 64; ++i)
        reinterpret_cast<float*>(mine->data())[i] = static_cast<float>(i);
      REQUIRE(run_affine(c, theirs->address(), theirs->address() + 1024, 64).ok());
      CHECK(reinterpret_cast<float*>(mine->data() + 1024)[63] == 127);
      CHECK(memory::import_fd(c, *fd, 1 << 20, usage).error().is(tn::code::size, "vulkan"));
      CHECK(::close(*fd) == 0);
    }
    CHECK(open_descriptors() == before);
    CHECK(c.live() == 0);
  }
}

namespace {

/// A dma-buf of the first pages of a file in memory; -1 where the system makes none.
int dma_buf_of([[maybe_unused]] int file, [[maybe_unused]] std::uint64_t bytes) {
#if __has_include(<linux/udmabuf.h>)
  const int maker = ::open("/dev/udmabuf", O_RDWR | O_CLOEXEC);
  if (maker < 0) return -1;
  udmabuf_create what{};
  what.memfd = static_cast<std::uint32_t>(file);
  what.flags = UDMABUF_FLAGS_CLOEXEC;
  what.size = bytes;
  const int made = ::ioctl(maker, UDMABUF_CREATE, &what);
  ::close(maker);
  return made;
#else
  return -1;
#endif
}

}  // namespace

TEST_CASE("a dma-buf is read and written in place, and lives as long as its memory") {
  constexpr std::size_t bytes = 1 << 16;
  for (const auto addressing : both) {
    tn::vulkan_context c(options(addressing));
    need(c);
    if (!c.facts().dma_buf) skip("the device takes no dma-bufs");
    const int before = open_descriptors();
    const int file = ::memfd_create("frame", MFD_ALLOW_SEALING);
    REQUIRE(::ftruncate(file, bytes) == 0);
    REQUIRE(::fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK) == 0);
    const int buffer = dma_buf_of(file, bytes);
    if (buffer < 0) {
      ::close(file);
      skip("this system makes no dma-bufs: no /dev/udmabuf");
    }
    auto* const frame =
        static_cast<float*>(::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
    REQUIRE(frame != MAP_FAILED);
    for (int i = 0; i < 64; ++i) frame[i] = static_cast<float>(i);
    {
      CHECK(memory::import_dma_buf(c, buffer, 2 * bytes).error().is(tn::code::size, "vulkan"));
      auto theirs = memory::import_dma_buf(c, buffer, bytes);
      INFO(describe(theirs.error()));
      REQUIRE(theirs);
      CHECK(::close(buffer) == 0);
      REQUIRE(run_affine(c, theirs->address(), theirs->address() + 1024, 64).ok());
      for (int i = 0; i < 64; ++i) CHECK(frame[256 + i] == static_cast<float>(2 * i + 1));
    }
    CHECK(::munmap(frame, bytes) == 0);
    CHECK(::close(file) == 0);
    CHECK(open_descriptors() == before);
    CHECK(c.live() == 0);
  }
}

namespace {

int receive(int socket) {
  msghdr m{};
  char space[CMSG_SPACE(sizeof(int))]{};
  char one;
  iovec data{&one, 1};
  m.msg_iov = &data;
  m.msg_iovlen = 1;
  m.msg_control = space;
  m.msg_controllen = sizeof space;
  if (::recvmsg(socket, &m, 0) != 1 || CMSG_FIRSTHDR(&m) == nullptr) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
  return fd;
}
bool send(int socket, int fd) {
  msghdr m{};
  char space[CMSG_SPACE(sizeof(int))]{};
  char one = 'x';
  iovec data{&one, 1};
  m.msg_iov = &data;
  m.msg_iovlen = 1;
  m.msg_control = space;
  m.msg_controllen = sizeof space;
  cmsghdr* const head = CMSG_FIRSTHDR(&m);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(head), &fd, sizeof fd);
  return ::sendmsg(socket, &m, 0) == 1;
}
tn::vulkan_usage shared() {
  tn::vulkan_usage usage;
  usage.exportable = true;
  usage.where = tn::vulkan_usage::home::host;
  return usage;
}
/// The other process: imports what it is sent and runs the kernel on it.
int other_process(int socket) {
  const int fd = receive(socket);
  if (fd < 0) return 1;
  tn::vulkan_context c;
  if (!c.ok()) return 2;
  auto m = memory::import_fd(c, fd, 8192, shared());
  ::close(fd);
  if (!m) return 3;
  return run_affine(c, m->address(), m->address() + 4096, 1024).ok() ? 0 : 4;
}

}  // namespace

TEST_CASE("two processes share a buffer through a descriptor") {
  int sockets[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets) == 0);
  const pid_t child = ::fork();  // before this process starts a driver and its threads
  if (child == 0) {
    ::close(sockets[0]);
    ::_exit(other_process(sockets[1]));
  }
  ::close(sockets[1]);
  int status = -1;
  {
    tn::vulkan_context c;
    const bool able = c.ok() && c.facts().opaque_fd;
    auto m = able ? memory::allocate(c, 8192, shared()) : tn::error{tn::code::feature, "", ""};
    if (m) {
      for (int i = 0; i < 1024; ++i) reinterpret_cast<float*>(m->data())[i] = static_cast<float>(i);
      const auto fd = m->export_fd();
      REQUIRE(fd);
      REQUIRE(send(sockets[0], *fd));
      ::close(*fd);
    }
    ::close(sockets[0]);
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (!able) skip("no device with opaque fds");
    REQUIRE(m);
    CHECK(WEXITSTATUS(status) == 0);
    for (int i = 0; i < 1024; ++i)
      REQUIRE(reinterpret_cast<float*>(m->data() + 4096)[i] == 2 * static_cast<float>(i) + 1);
  }
}
