// Typed buffers on a Vulkan device, lent to one user at a time.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <tenon/policy/vulkan/memory.hpp>
#include <memory>
#include <span>

namespace tenon {

/// What a buffer is for, said when it is made.
struct vulkan_use {
  bool ml = true;                  ///< operand of graphs
  bool host = false;               ///< the host reads or writes it: `vulkan_lease::host`
  bool exported = false;           ///< to other processes or interfaces: `export_fd`
  vk::BufferUsageFlags more = {};  ///< for the application's own pipelines
};

/// What a buffer and its lease hold together: the memory lives until both are gone.
struct vulkan_lendable {
  vulkan_memory memory;
  std::atomic<bool> lent{false};
};

template <class T, i64... Extents> class vulkan_buffer;

/// The exclusive right to use a buffer, until the end of its life or `give_back`. An instance takes
/// it as a view. Where a call is not waited for, keep the lease until the device has finished.
template <class T, i64... Extents> class vulkan_lease {
 public:
  vulkan_lease() = default;
  vulkan_lease(vulkan_lease&& other) noexcept = default;
  vulkan_lease& operator=(vulkan_lease&& other) noexcept {
    if (this == &other) return *this;
    give_back();
    of_ = std::move(other.of_);
    return *this;
  }
  ~vulkan_lease() { give_back(); }

  explicit operator bool() const noexcept { return of_ != nullptr; }
  /// Ends the lease early. The lease is empty afterwards: its view points nowhere.
  void give_back() noexcept {
    if (of_ == nullptr) return;
    of_->lent.store(false, std::memory_order_release);
    of_.reset();
  }

  /// The memory; null for an empty lease.
  const vulkan_memory* memory() const noexcept { return of_ ? &of_->memory : nullptr; }
  /// Of the first element, for recordings; 0 for an empty lease.
  std::uint64_t address() const noexcept { return of_ ? of_->memory.address() : 0; }
  /// The elements, where the host can see them; otherwise nothing.
  std::span<T> host() const noexcept {
    if (of_ == nullptr || of_->memory.data() == nullptr) return {};
    constexpr auto count = static_cast<std::size_t>(extents(Extents...).count());
    return {reinterpret_cast<T*>(of_->memory.data()), count};
  }

 private:
  friend class vulkan_buffer<T, Extents...>;
  explicit vulkan_lease(std::shared_ptr<vulkan_lendable> of) noexcept : of_(std::move(of)) {}
  std::shared_ptr<vulkan_lendable> of_;
};

/// A device view: its address counts in the memory of the lease's context, nowhere else.
template <class T, i64... Extents> struct view_traits<vulkan_lease<T, Extents...>> {
  static mutable_view make(const vulkan_lease<T, Extents...>& lease) noexcept {
    static_assert(sizeof(void*) == sizeof(std::uint64_t),
                  "vulkan: device addresses have 64 bits; compile for a 64-bit host");
    constexpr shape s = extents(Extents...);
    const void* const context = lease ? lease.memory()->context() : nullptr;
    return {reinterpret_cast<void*>(lease.address()), type_of<T>, s, dense(s), true, context};
  }
};

/// A dense tensor in memory of a device, with its type and shape in its type.
///
/// ```cpp
/// vulkan_buffer<float, 1, 3, 64, 64> image{context, {.host = true}};
/// vulkan_buffer<float, 8> theirs{context, buffer};  // a vk::Buffer of the application
/// auto lease = image.lend();  // an error while it is lent to somebody else
/// ```
///
/// Safe to lend from several threads: one of them gets it.
template <class T, i64... Extents> class vulkan_buffer {
  static_assert(is_element<T>, "vulkan_buffer: the element type is not one of tenon's");
  static_assert(sizeof...(Extents) <= max_rank, "vulkan_buffer: more axes than a shape can have");

 public:
  using lease = vulkan_lease<T, Extents...>;
  static constexpr tenon::shape shape = extents(Extents...);
  static constexpr i64 bytes = shape.count() * static_cast<i64>(sizeof(T));
  static_assert(bytes > 0, "vulkan_buffer: every extent must be at least one");

  vulkan_buffer() = default;
  /// Memory of its own. Error, in `fault()`: memory, feature, device.
  vulkan_buffer(vulkan_context& context, const vulkan_use& use) noexcept
      : vulkan_buffer(vulkan_memory::allocate(context, bytes, usage_of(use)), use) {}
  explicit vulkan_buffer(vulkan_context& context) noexcept : vulkan_buffer(context, vulkan_use{}) {}
  /// Over a buffer of the application, which has an address, from byte `offset` on;
  /// `vulkan_memory::wrap` says more about one. Error, in `fault()`: null; size, if it ends too
  /// early; alignment; memory.
  template <class Buffer>
  requires std::same_as<Buffer, vk::Buffer> || std::same_as<Buffer, VkBuffer> vulkan_buffer(
      vulkan_context& context, Buffer theirs, i64 offset = 0)
  noexcept : vulkan_buffer(vulkan_memory::wrap(context, {vk::Buffer(theirs), bytes, offset})) {}
  /// Over memory that was imported or wrapped. Error, in `fault()`: the memory's; size, if there is
  /// less of it; alignment; feature, if the host is to see memory that it cannot see.
  explicit vulkan_buffer(result<vulkan_memory> memory, const vulkan_use& use = {}) noexcept
      : ml_(use.ml) {
    if (!memory) fault_ = memory.error();
    if (fault_.ok()) fault_ = check(*memory, use);
    if (!fault_.ok()) return;
    fault_ = platform::guarded(
        [&] {
          of_ = std::make_shared<vulkan_lendable>();
          of_->memory = std::move(*memory);
          return error{};
        },
        [] {
          return error{code::memory, "vulkan_buffer", "state"};
        });
  }

  /// Whether the buffer can be used, and if not, why.
  const error& fault() const noexcept { return fault_; }
  bool ok() const noexcept { return fault_.ok() && of_ != nullptr; }

  /// Error: lent; feature, if the buffer was not made for that; freed, for a buffer without memory.
  result<lease> lend() noexcept {
    if (!fault_.ok()) return fault_;
    if (of_ == nullptr) return error{code::freed, "vulkan_buffer", "buffer", "memory", "none"};
    if (!ml_) return error{code::feature, "vulkan_buffer", "ml", "declared at making", "not"};
    return take();
  }
  /// A lease for the application's own use, host or device, of a buffer that graphs do not see.
  /// Error: lent; freed.
  result<lease> lend_elsewhere() noexcept {
    if (!fault_.ok()) return fault_;
    if (of_ == nullptr) return error{code::freed, "vulkan_buffer", "buffer", "memory", "none"};
    return take();
  }
  bool is_lent() const noexcept {
    return of_ != nullptr && of_->lent.load(std::memory_order_relaxed);
  }
  /// A descriptor of the memory for somebody outside; the caller closes it. What they do with it is
  /// not covered by leases. Error: feature (not made for it), memory, device.
  result<int> export_fd() const noexcept {
    if (!ok()) return fault_.ok() ? error{code::freed, "vulkan_buffer", "buffer"} : fault_;
    return of_->memory.export_fd();
  }

 private:
  static vulkan_usage usage_of(const vulkan_use& use) noexcept {
    vulkan_usage u;
    u.where = use.host ? vulkan_usage::home::host : vulkan_usage::home::device;
    u.exportable = use.exported;
    u.more = use.more;
    return u;
  }
  static error check(const vulkan_memory& m, const vulkan_use& use) noexcept {
    if (m.bytes() < bytes) return {code::size, "vulkan_buffer", "memory", bytes, m.bytes()};
    if (m.address() % sizeof(T) != 0)
      return {code::alignment, "vulkan_buffer", "memory", static_cast<i64>(sizeof(T)),
              static_cast<i64>(m.address() % sizeof(T))};
    if (use.host && m.data() == nullptr)
      return {code::feature, "vulkan_buffer", "host", "memory that the host sees", "other"};
    return {};
  }
  result<lease> take() noexcept {
    if (of_->lent.exchange(true, std::memory_order_acquire))
      return error{code::lent, "vulkan_buffer", "buffer", "at most one user", "another one"};
    return lease(of_);
  }

  std::shared_ptr<vulkan_lendable> of_;
  bool ml_ = true;
  error fault_{};
};

}  // namespace tenon
