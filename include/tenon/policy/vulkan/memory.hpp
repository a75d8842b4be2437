// Memory of a Vulkan device: allocated, imported from the host or another process, or wrapped.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/context.hpp>
#include <cerrno>
#include <cstddef>
#include <utility>
#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif
#if defined(__linux__)
#include <sys/vfs.h>
#endif

namespace tenon {

/// Where and for whom memory is allocated. Both ends of an exported allocation must say the same.
struct vulkan_usage {
  enum class place : std::uint8_t {
    device,  ///< the device's fastest memory; with unified memory the host sees it too
    host     ///< the host sees it, always
  };
  place where = place::device;
  bool exportable = false;         ///< for `export_fd`
  vk::BufferUsageFlags more = {};  ///< beyond storage and transfer
};

/// A buffer that the application made and owns.
struct vulkan_wrapped {
  vk::Buffer buffer{};      ///< with usage eStorageBuffer; eTransferSrc or Dst, if it is copied
  i64 bytes = 0;            ///< of it, from `offset` on
  i64 offset = 0;           ///< bytes
  bool addressable = true;  ///< made with eShaderDeviceAddress
  void* host = nullptr;     ///< where the application has mapped the byte at `offset`, if it has
};

/// One buffer with its memory; freed at the end of its life. The memory of wrapped buffers and of
/// imported host memory belongs to somebody else and must outlive this object.
/// Misuse: freeing it while the device still works on it.
class vulkan_memory {
 public:
  vulkan_memory() = default;
  vulkan_memory(vulkan_memory&& other) noexcept { swap(other); }
  vulkan_memory& operator=(vulkan_memory&& other) noexcept {
    vulkan_memory taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~vulkan_memory() {
    if (context_ == nullptr) return;
    if (base_ != 0) context_->addresses().leave(base_, buffer_);
    if (!owned_) return;
    const vulkan_functions& d = context_->functions();
    if (buffer_) context_->device().destroyBuffer(buffer_, nullptr, d), context_->count(-1);
    if (memory_) context_->device().freeMemory(memory_, nullptr, d), context_->count(-1);
  }

  /// Error: size (below one), memory, feature (an export that the device cannot do), device.
  static result<vulkan_memory> allocate(vulkan_context& context, i64 bytes,
                                        const vulkan_usage& usage = {}) noexcept {
    recipe r{bytes, usage};
    if (usage.exportable) {
      if (!context.facts().opaque_fd)
        return error{code::feature, "vulkan", "VK_KHR_external_memory_fd", "opaque fds", "none"};
      r.external = vk::ExternalMemoryHandleTypeFlagBits::eOpaqueFd;
    }
    vk::ExportMemoryAllocateInfo exported{};
    exported.handleTypes = r.external;
    if (usage.exportable) r.chain = &exported;
    return make(context, r);
  }
  static result<vulkan_memory> device(vulkan_context& context, i64 bytes) noexcept {
    return allocate(context, bytes, {});
  }
  static result<vulkan_memory> host(vulkan_context& context, i64 bytes) noexcept {
    vulkan_usage usage;
    usage.where = vulkan_usage::place::host;
    return allocate(context, bytes, usage);
  }

  /// The caller's memory, any address and size, where it lies. Pages are rounded to what the device
  /// asks for; nothing outside [data, data + bytes) is touched. Read-only mappings may be imported
  /// where the driver takes them, and must then only be read.
  /// Error: null (also: not mapped), size; import_failed, expected being the policy type that
  /// copies instead: `vulkan_staged`; memory.
  static result<vulkan_memory> import_host(vulkan_context& context, const void* data,
                                           i64 bytes) noexcept;

  /// Memory that another process or context exported with the same `bytes` and `usage` on the same
  /// device. The descriptor stays the caller's, whatever happens.
  /// Error: handle (not such a descriptor), size (smaller than was said), feature, memory.
  static result<vulkan_memory> import_fd(vulkan_context& context, int fd, i64 bytes,
                                         const vulkan_usage& usage = {}) noexcept;
  /// A dma-buf, for instance of a camera. The descriptor stays the caller's.
  /// Error: as import_fd.
  static result<vulkan_memory> import_dma_buf(vulkan_context& context, int fd, i64 bytes) noexcept;

  /// The application's buffer. Without the address flag it gets a name instead of an address, and
  /// only descriptor kernels can use it.
  /// Error: null, size (the buffer ends before that), memory.
  static result<vulkan_memory> wrap(vulkan_context& context, const vulkan_wrapped& w) noexcept;

  /// A new descriptor of memory that was allocated as exportable; the caller closes it.
  /// Error: feature (not exportable), memory, device.
  result<int> export_fd() const noexcept {
    if (!exportable_) return error{code::feature, "vulkan", "export", "exportable memory", "other"};
    vk::MemoryGetFdInfoKHR info{};
    info.memory = memory_;
    info.handleType = vk::ExternalMemoryHandleTypeFlagBits::eOpaqueFd;
    int fd = -1;
    const vk::Result r = context_->device().getMemoryFdKHR(&info, &fd, context_->functions());
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "getMemoryFdKHR");
    return fd;
  }

  explicit operator bool() const noexcept { return context_ != nullptr; }
  vulkan_context* context() const noexcept { return context_; }
  vk::Buffer buffer() const noexcept { return buffer_; }
  i64 offset() const noexcept { return offset_; }  ///< of the first byte in `buffer()`
  i64 bytes() const noexcept { return bytes_; }
  /// The first byte's address for recordings: the device's, or a name (vulkan_addresses).
  std::uint64_t address() const noexcept { return base_ + static_cast<std::uint64_t>(offset_); }
  /// The same byte for the host; null where it cannot see it.
  std::byte* data() const noexcept { return data_; }

 private:
  using memory_bit = vk::MemoryPropertyFlagBits;
  using external_bit = vk::ExternalMemoryHandleTypeFlagBits;

  /// What `make` makes.
  struct recipe {
    i64 bytes = 0;
    vulkan_usage usage{};
    vk::ExternalMemoryHandleTypeFlags external{};
    void* chain = nullptr;      ///< of the allocation: what is imported or exported
    std::uint32_t types = ~0u;  ///< of memory that are allowed
    i64 allocation_bytes = 0;   ///< 0: what the buffer needs
    i64 offset = 0;             ///< of the first byte in the buffer
    void* data = nullptr;       ///< where the host sees it already
    bool* taken = nullptr;      ///< set when the allocation took over what was imported
  };

  static result<vulkan_memory> make(vulkan_context& context, const recipe& r) noexcept {
    if (r.bytes < 1) return error{code::size, "vulkan", "memory", 1, r.bytes};
    vulkan_memory m;
    m.context_ = &context;
    m.bytes_ = r.bytes;
    m.offset_ = r.offset;
    m.owned_ = true;
    m.exportable_ = r.usage.exportable && r.data == nullptr;
    if (error e = m.make_buffer(r); !e.ok()) return e;
    if (error e = m.make_memory(r); !e.ok()) return e;
    if (error e = m.map(r); !e.ok()) return e;
    if (error e = m.enter(context.facts().has.buffer_device_address); !e.ok()) return e;
    return m;
  }
  error make_buffer(const recipe& r) noexcept {
    vk::ExternalMemoryBufferCreateInfo external{};
    external.handleTypes = r.external;
    vk::BufferCreateInfo info{};
    if (r.external) info.pNext = &external;
    info.size = static_cast<vk::DeviceSize>(r.offset + r.bytes);
    info.usage = vk::BufferUsageFlagBits::eStorageBuffer | vk::BufferUsageFlagBits::eTransferSrc |
                 vk::BufferUsageFlagBits::eTransferDst | r.usage.more;
    if (context_->facts().has.buffer_device_address)
      info.usage |= vk::BufferUsageFlagBits::eShaderDeviceAddress;
    const auto& d = context_->functions();
    const vk::Result made = context_->device().createBuffer(&info, nullptr, &buffer_, d);
    if (made == vk::Result::eSuccess) context_->count(1);
    return vulkan_result::error_of(made, "createBuffer");
  }
  error make_memory(const recipe& r) noexcept {
    const auto& d = context_->functions();
    vk::MemoryRequirements needs{};
    context_->device().getBufferMemoryRequirements(buffer_, &needs, d);
    const i64 least = vulkan_device::bytes_of(needs.size);
    if (r.allocation_bytes != 0 && r.allocation_bytes < least)
      return {code::size, "vulkan", "memory", least, r.allocation_bytes};
    const int type = type_of_memory(needs.memoryTypeBits & r.types, r.usage);
    if (type < 0) return {code::memory, "vulkan", "memory type", {}, "none"};

    vk::MemoryAllocateInfo info{};
    info.allocationSize =
        static_cast<vk::DeviceSize>(r.allocation_bytes ? r.allocation_bytes : least);
    info.memoryTypeIndex = static_cast<std::uint32_t>(type);
    info.pNext = r.chain;
    vk::MemoryDedicatedAllocateInfo dedicated{};
    dedicated.buffer = buffer_;
    if (r.external & external_bit::eOpaqueFd && context_->facts().opaque_fd_dedicated)
      dedicated.pNext = info.pNext, info.pNext = &dedicated;
    vk::MemoryAllocateFlagsInfo flags{};
    flags.flags = vk::MemoryAllocateFlagBits::eDeviceAddress;
    if (context_->facts().has.buffer_device_address) flags.pNext = info.pNext, info.pNext = &flags;
    vk::Result made = context_->device().allocateMemory(&info, nullptr, &memory_, d);
    if (made != vk::Result::eSuccess) return vulkan_result::error_of(made, "allocateMemory");
    context_->count(1);
    if (r.taken != nullptr) *r.taken = true;
    // A function whose C++ form has no pointers throws where exceptions are on: the C form does
    // not.
    made = static_cast<vk::Result>(d.vkBindBufferMemory(context_->device(), buffer_, memory_, 0));
    return vulkan_result::error_of(made, "bindBufferMemory");
  }

  /// The best allowed type of memory, or -1.
  int type_of_memory(std::uint32_t allowed, const vulkan_usage& usage) const noexcept {
    const auto& all = context_->memory();
    const bool host = usage.where == vulkan_usage::place::host;
    int best = -1, best_score = -1;
    for (std::uint32_t i = 0; i < all.memoryTypeCount; ++i) {
      const vk::MemoryPropertyFlags has = all.memoryTypes[i].propertyFlags;
      const auto is = [&](vk::MemoryPropertyFlags f) { return (has & f) == f; };
      const vk::MemoryPropertyFlags seen = memory_bit::eHostVisible | memory_bit::eHostCoherent;
      if ((allowed >> i & 1u) == 0 || has & memory_bit::eLazilyAllocated ||
          has & memory_bit::eProtected || has & memory_bit::eDeviceCoherentAMD)
        continue;
      if (host && !is(seen)) continue;
      // The window through which a host sees a GPU's own memory is small: not without need.
      const bool wanted = host || context_->facts().unified_memory;
      int score = is(seen) == wanted ? 1 : 0;
      score += is(memory_bit::eHostCached) && wanted ? 1 : 0;
      score += is(memory_bit::eDeviceLocal) == (!host || context_->facts().unified_memory) ? 4 : 0;
      if (score > best_score) best = static_cast<int>(i), best_score = score, type_ = has;
    }
    return best;
  }
  error map(const recipe& r) noexcept {
    data_ = static_cast<std::byte*>(r.data);
    const vk::MemoryPropertyFlags seen = memory_bit::eHostVisible | memory_bit::eHostCoherent;
    if (data_ != nullptr || (type_ & seen) != seen) return {};
    if (r.usage.where == vulkan_usage::place::device && !context_->facts().unified_memory)
      return {};
    void* at = nullptr;
    const vk::Result mapped =
        context_->device().mapMemory(memory_, 0, VK_WHOLE_SIZE, {}, &at, context_->functions());
    data_ = static_cast<std::byte*>(at);
    return vulkan_result::error_of(mapped, "mapMemory");
  }
  /// Gets the address and tells the context.
  error enter(bool addressable) noexcept {
    std::uint64_t own = 0;
    if (addressable) {
      vk::BufferDeviceAddressInfo info{};
      info.buffer = buffer_;
      own = context_->device().getBufferAddress(&info, context_->functions());
      if (own == 0) return {code::device, "vulkan", "getBufferAddress", {}, 0};
    }
    std::byte* const start = data_ ? data_ - offset_ : nullptr;
    base_ = context_->addresses().enter(own, {buffer_, offset_ + bytes_, start, addressable});
    if (base_ == 0) return {code::memory, "vulkan", "addresses"};
    return {};
  }
  void swap(vulkan_memory& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(buffer_, other.buffer_);
    std::swap(memory_, other.memory_);
    std::swap(type_, other.type_);
    std::swap(base_, other.base_);
    std::swap(offset_, other.offset_);
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    std::swap(owned_, other.owned_);
    std::swap(exportable_, other.exportable_);
  }

  static result<vulkan_memory> import_descriptor(vulkan_context& context, int fd, recipe r,
                                                 external_bit kind) noexcept;

  vulkan_context* context_ = nullptr;
  vk::Buffer buffer_{};
  vk::DeviceMemory memory_{};
  mutable vk::MemoryPropertyFlags type_{};
  std::uint64_t base_ = 0;  ///< the buffer's address or name
  i64 offset_ = 0, bytes_ = 0;
  std::byte* data_ = nullptr;
  bool owned_ = false, exportable_ = false;
};

namespace vulkan_import {

/// The refusal that names the policy type to use instead.
inline error refused(const char* why) noexcept {
  return {code::import_failed, "vulkan", "host memory", "vulkan_staged", why};
}

/// True if all pages of [data, data + bytes) are mapped.
inline bool is_mapped([[maybe_unused]] std::uintptr_t at,
                      [[maybe_unused]] std::uintptr_t bytes) noexcept {
#if defined(_WIN32)
  return true;
#else
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t first = at / page * page;
  void* const start = reinterpret_cast<void*>(first);
  // MS_ASYNC writes nothing back: it only walks the mappings, and says ENOMEM at a hole.
  return ::msync(start, at + bytes - first, MS_ASYNC) == 0 || errno != ENOMEM;
#endif
}

/// False for what is surely no memory. A driver may read from a descriptor to see what it is, and
/// would wait for ever at an empty pipe.
inline bool may_be_memory([[maybe_unused]] int fd) noexcept {
#if defined(_WIN32)
  return true;
#else
  struct ::stat about {};
  return ::fstat(fd, &about) == 0 && !S_ISFIFO(about.st_mode) && !S_ISSOCK(about.st_mode) &&
         !S_ISDIR(about.st_mode);
#endif
}

/// Whether a descriptor is a dma-buf. A driver may take other memory for one (lavapipe maps
/// whatever can be mapped), and would not keep it alive or coherent. Source: DMA_BUF_MAGIC of
/// Linux 5.3.
inline bool is_dma_buf([[maybe_unused]] int fd) noexcept {
#if defined(__linux__)
  struct ::statfs about {};
  return ::fstatfs(fd, &about) == 0 && about.f_type == 0x444d4142;
#else
  return true;
#endif
}

/// Bytes behind a descriptor if it can say so, else -1.
inline i64 bytes_of([[maybe_unused]] int fd) noexcept {
#if defined(_WIN32)
  return -1;
#else
  const auto end = ::lseek(fd, 0, SEEK_END);
  return end < 0 ? -1 : static_cast<i64>(end);
#endif
}

}  // namespace vulkan_import

inline result<vulkan_memory> vulkan_memory::import_host(vulkan_context& context, const void* data,
                                                        i64 bytes) noexcept {
  if (data == nullptr) return error{code::null, "vulkan", "host memory", "an address", "null"};
  if (bytes < 1) return error{code::size, "vulkan", "host memory", 1, bytes};
  const vulkan_facts& facts = context.facts();
  if (!facts.host_import) return vulkan_import::refused("no VK_EXT_external_memory_host");
  const auto align = static_cast<std::uintptr_t>(facts.host_import_align_bytes);
  const auto at = reinterpret_cast<std::uintptr_t>(data);
  const auto size = static_cast<std::uintptr_t>(bytes);
  const std::uintptr_t first = at / align * align;
  if (size > UINTPTR_MAX - align - at) return error{code::size, "vulkan", "host memory", {}, bytes};
  if (!vulkan_import::is_mapped(at, size))
    return error{code::null, "vulkan", "host memory", "mapped memory", "a hole"};

  recipe r{bytes, {}};
  r.external = external_bit::eHostAllocationEXT;
  r.offset = static_cast<i64>(at - first);
  r.allocation_bytes = static_cast<i64>((at + size - first + align - 1) / align * align);
  r.data = const_cast<void*>(data);
  vk::MemoryHostPointerPropertiesEXT allowed{};
  vk::Result asked = context.device().getMemoryHostPointerPropertiesEXT(
      external_bit::eHostAllocationEXT, reinterpret_cast<void*>(first), &allowed,
      context.functions());
  if (asked != vk::Result::eSuccess || allowed.memoryTypeBits == 0)
    return vulkan_import::refused("refused by the driver");
  r.types = allowed.memoryTypeBits;
  vk::ImportMemoryHostPointerInfoEXT import{};
  import.handleType = external_bit::eHostAllocationEXT;
  import.pHostPointer = reinterpret_cast<void*>(first);
  r.chain = &import;
  auto made = make(context, r);
  if (made) return made;
  const code what = made.error().what;
  if (what == code::handle || what == code::size || what == code::device)
    return vulkan_import::refused(made.error().operand.c_str());
  return made;
}

inline result<vulkan_memory> vulkan_memory::import_descriptor(vulkan_context& context, int fd,
                                                              recipe r,
                                                              external_bit kind) noexcept {
  if (!vulkan_import::may_be_memory(fd))
    return error{code::handle, "vulkan", "fd", "exported memory", "none"};
  const i64 there = vulkan_import::bytes_of(fd);
  if (there >= 0 && there < r.bytes) return error{code::size, "vulkan", "fd", r.bytes, there};
#if defined(_WIN32)
  const int own = -1;
#else
  const int own = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
#endif
  if (own < 0) return error{code::handle, "vulkan", "fd", "an open descriptor", errno};
  vk::ImportMemoryFdInfoKHR import{};
  import.handleType = kind;
  import.fd = own;
  bool taken = false;
  r.external = kind;
  r.chain = &import;
  r.taken = &taken;
  auto made = make(context, r);
#if !defined(_WIN32)
  if (!taken) ::close(own);  // an allocation that succeeded has it, whatever failed after
#endif
  return made;
}

inline result<vulkan_memory> vulkan_memory::import_fd(vulkan_context& context, int fd, i64 bytes,
                                                      const vulkan_usage& usage) noexcept {
  if (!context.facts().opaque_fd)
    return error{code::feature, "vulkan", "VK_KHR_external_memory_fd", "opaque fds", "none"};
  recipe r{bytes, usage};
  r.usage.exportable = false;
  return import_descriptor(context, fd, r, external_bit::eOpaqueFd);
}

inline result<vulkan_memory> vulkan_memory::import_dma_buf(vulkan_context& context, int fd,
                                                           i64 bytes) noexcept {
  if (!context.facts().dma_buf)
    return error{code::feature, "vulkan", "VK_EXT_external_memory_dma_buf", "dma-bufs", "none"};
  if (!vulkan_import::is_dma_buf(fd))
    return error{code::handle, "vulkan", "fd", "a dma-buf", "other"};
  vk::MemoryFdPropertiesKHR allowed{};
  const vk::Result asked = context.device().getMemoryFdPropertiesKHR(external_bit::eDmaBufEXT, fd,
                                                                     &allowed, context.functions());
  if (asked != vk::Result::eSuccess)
    return error{code::handle, "vulkan", "fd", "a dma-buf", static_cast<int>(asked)};
  recipe r{bytes, {}};
  r.types = allowed.memoryTypeBits;
  return import_descriptor(context, fd, r, external_bit::eDmaBufEXT);
}

inline result<vulkan_memory> vulkan_memory::wrap(vulkan_context& context,
                                                 const vulkan_wrapped& w) noexcept {
  if (!w.buffer) return error{code::null, "vulkan", "buffer", "a VkBuffer", "null"};
  if (w.bytes < 1 || w.offset < 0) return error{code::size, "vulkan", "buffer", 1, w.bytes};
  vk::MemoryRequirements needs{};
  context.device().getBufferMemoryRequirements(w.buffer, &needs, context.functions());
  const i64 most = vulkan_device::bytes_of(needs.size);
  if (w.offset > most || w.bytes > most - w.offset)
    return error{code::size, "vulkan", "buffer", w.bytes, most - w.offset};
  vulkan_memory m;
  m.context_ = &context;
  m.buffer_ = w.buffer;
  m.offset_ = w.offset;
  m.bytes_ = w.bytes;
  m.data_ = static_cast<std::byte*>(w.host);
  if (error e = m.enter(w.addressable && context.facts().has.buffer_device_address); !e.ok())
    return e;
  return m;
}

}  // namespace tenon
