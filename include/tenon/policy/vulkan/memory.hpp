// Memory of a Vulkan device: allocated, imported from the host or another process, or wrapped.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/allocation.hpp>
#include <tenon/policy/vulkan/imported.hpp>
#include <utility>

namespace tenon {

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
    vulkan_memory moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~vulkan_memory() {
    if (context_ == nullptr) return;
    if (base_ != 0) context_->addresses().leave(base_, allocation_.buffer);
    if (!owned_) return;
    allocation_.free(*context_);
  }

  /// Error: size (below one), memory, feature (an export that the device cannot do), device.
  static result<vulkan_memory> allocate(vulkan_context& context, i64 bytes,
                                        const vulkan_usage& usage = {}) noexcept {
    vulkan_recipe r{bytes, usage};
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
    usage.where = vulkan_usage::home::host;
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
    info.memory = allocation_.memory;
    info.handleType = vk::ExternalMemoryHandleTypeFlagBits::eOpaqueFd;
    int fd = -1;
    const vk::Result r = context_->device().getMemoryFdKHR(&info, &fd, context_->functions());
    if (r != vk::Result::eSuccess) return vulkan_result::error_of(r, "getMemoryFdKHR");
    return fd;
  }

  explicit operator bool() const noexcept { return context_ != nullptr; }
  vulkan_context* context() const noexcept { return context_; }
  vk::Buffer buffer() const noexcept { return allocation_.buffer; }
  i64 offset() const noexcept { return offset_; }  ///< of the first byte in `buffer()`
  i64 bytes() const noexcept { return bytes_; }
  /// The first byte's address for recordings: the device's, or a name (vulkan_addresses).
  std::uint64_t address() const noexcept { return base_ + static_cast<std::uint64_t>(offset_); }
  /// The first byte's address for the host; null where it cannot see it.
  std::byte* data() const noexcept { return allocation_.data; }

 private:
  using external_bit = vk::ExternalMemoryHandleTypeFlagBits;

  static result<vulkan_memory> make(vulkan_context& context, const vulkan_recipe& r) noexcept {
    if (r.bytes < 1) return error{code::size, "vulkan", "memory", 1, r.bytes};
    vulkan_memory m;
    m.context_ = &context;
    m.bytes_ = r.bytes;
    m.offset_ = r.offset;
    m.owned_ = true;
    m.exportable_ = r.usage.exportable && r.data == nullptr;
    if (error e = m.allocation_.make(context, r); !e.ok()) return e;
    if (error e = m.enter(context.facts().has.buffer_device_address); !e.ok()) return e;
    return m;
  }
  /// Gets the address and tells the context.
  error enter(bool addressable) noexcept {
    std::uint64_t address = 0;
    if (addressable) {
      vk::BufferDeviceAddressInfo info{};
      info.buffer = allocation_.buffer;
      address = context_->device().getBufferAddress(&info, context_->functions());
      if (address == 0) return {code::device, "vulkan", "getBufferAddress", {}, 0};
    }
    std::byte* const start = allocation_.data ? allocation_.data - offset_ : nullptr;
    base_ = context_->addresses().enter(address,
                                        {allocation_.buffer, offset_ + bytes_, start, addressable});
    if (base_ == 0) return {code::memory, "vulkan", "addresses"};
    return {};
  }
  void swap(vulkan_memory& other) noexcept {
    std::swap(context_, other.context_);
    std::swap(allocation_, other.allocation_);
    std::swap(base_, other.base_);
    std::swap(offset_, other.offset_);
    std::swap(bytes_, other.bytes_);
    std::swap(owned_, other.owned_);
    std::swap(exportable_, other.exportable_);
  }

  static result<vulkan_memory> import_descriptor(vulkan_context& context, int fd, vulkan_recipe r,
                                                 external_bit kind) noexcept;

  vulkan_context* context_ = nullptr;
  vulkan_allocation allocation_;
  std::uint64_t base_ = 0;  ///< the buffer's address or name
  i64 offset_ = 0, bytes_ = 0;
  bool owned_ = false, exportable_ = false;
};

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

  vulkan_recipe r{bytes, {}};
  r.external = external_bit::eHostAllocationEXT;
  r.offset = static_cast<i64>(at - first);
  r.allocation_bytes = static_cast<i64>((at + size - first + align - 1) / align * align);
  r.data = const_cast<void*>(data);
  vk::MemoryHostPointerPropertiesEXT allowed{};
  vk::Result answer = context.device().getMemoryHostPointerPropertiesEXT(
      external_bit::eHostAllocationEXT, reinterpret_cast<void*>(first), &allowed,
      context.functions());
  if (answer != vk::Result::eSuccess || allowed.memoryTypeBits == 0)
    return vulkan_import::refused("refused by the driver");
  r.types = allowed.memoryTypeBits;
  vk::ImportMemoryHostPointerInfoEXT import{};
  import.handleType = external_bit::eHostAllocationEXT;
  import.pHostPointer = reinterpret_cast<void*>(first);
  r.chain = &import;
  auto imported = make(context, r);
  if (imported) return imported;
  const code what = imported.error().what;
  if (what == code::handle || what == code::size || what == code::device)
    return vulkan_import::refused(imported.error().operand.c_str());
  return imported;
}

inline result<vulkan_memory> vulkan_memory::import_descriptor(vulkan_context& context, int fd,
                                                              vulkan_recipe r,
                                                              external_bit kind) noexcept {
  if (!vulkan_import::may_be_memory(fd))
    return error{code::handle, "vulkan", "fd", "exported memory", "none"};
  const i64 file_bytes = vulkan_import::bytes_of(fd);
  if (file_bytes >= 0 && file_bytes < r.bytes)
    return error{code::size, "vulkan", "fd", r.bytes, file_bytes};
#if defined(_WIN32)
  const int duplicate = -1;
#else
  const int duplicate = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
#endif
  if (duplicate < 0) return error{code::handle, "vulkan", "fd", "an open descriptor", errno};
  vk::ImportMemoryFdInfoKHR import{};
  import.handleType = kind;
  import.fd = duplicate;
  bool consumed = false;
  r.external = kind;
  r.chain = &import;
  r.consumed = &consumed;
  auto imported = make(context, r);
#if !defined(_WIN32)
  if (!consumed) ::close(duplicate);  // an allocation that succeeded has it, whatever failed after
#endif
  return imported;
}

inline result<vulkan_memory> vulkan_memory::import_fd(vulkan_context& context, int fd, i64 bytes,
                                                      const vulkan_usage& usage) noexcept {
  if (!context.facts().opaque_fd)
    return error{code::feature, "vulkan", "VK_KHR_external_memory_fd", "opaque fds", "none"};
  vulkan_recipe r{bytes, usage};
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
  const vk::Result answer = context.device().getMemoryFdPropertiesKHR(
      external_bit::eDmaBufEXT, fd, &allowed, context.functions());
  if (answer != vk::Result::eSuccess)
    return error{code::handle, "vulkan", "fd", "a dma-buf", static_cast<int>(answer)};
  vulkan_recipe r{bytes, {}};
  r.types = allowed.memoryTypeBits;
  return import_descriptor(context, fd, r, external_bit::eDmaBufEXT);
}

inline result<vulkan_memory> vulkan_memory::wrap(vulkan_context& context,
                                                 const vulkan_wrapped& w) noexcept {
  if (!w.buffer) return error{code::null, "vulkan", "buffer", "a VkBuffer", "null"};
  if (w.bytes < 1 || w.offset < 0) return error{code::size, "vulkan", "buffer", 1, w.bytes};
  vk::MemoryRequirements needs{};
  context.device().getBufferMemoryRequirements(w.buffer, &needs, context.functions());
  const i64 size = vulkan_device::bytes_of(needs.size);
  if (w.offset > size || w.bytes > size - w.offset)
    return error{code::size, "vulkan", "buffer", w.bytes, size - w.offset};
  vulkan_memory m;
  m.context_ = &context;
  m.allocation_.buffer = w.buffer;
  m.offset_ = w.offset;
  m.bytes_ = w.bytes;
  m.allocation_.data = static_cast<std::byte*>(w.host);
  if (error e = m.enter(w.addressable && context.facts().has.buffer_device_address); !e.ok())
    return e;
  return m;
}

}  // namespace tenon
