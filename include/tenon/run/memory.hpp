// Memory of models and instances: allocated once, inside of the object, or none.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>
#include <cstddef>
#include <new>

namespace tenon {

/// Memory that a model or an instance allocates once, aligned for SIMD; empty on failure.
class aligned_memory {
 public:
  aligned_memory() = default;
  explicit aligned_memory(i64 bytes) noexcept { reserve(bytes); }
  /// Once. `data()` stays null when there is no memory, or none was asked for.
  void reserve(i64 bytes) noexcept {
    if (bytes > 0)
      data_ = static_cast<std::byte*>(::operator new (static_cast<std::size_t>(bytes),
                                                      std::align_val_t{arena_align}, std::nothrow));
  }
  aligned_memory(const aligned_memory&) = delete;
  aligned_memory& operator=(const aligned_memory&) = delete;
  ~aligned_memory() {
    if (data_) ::operator delete (data_, std::align_val_t{arena_align});
  }
  std::byte* data() const noexcept { return data_; }

 private:
  std::byte* data_ = nullptr;
};
/// Memory inside of the object that has it, known when it is compiled.
template <i64 Bytes> struct memory_inside {
  memory_inside() = default;
  explicit memory_inside(i64) noexcept {}
  static void reserve(i64) noexcept {}
  std::byte* data() noexcept { return bytes; }
  alignas(arena_align) std::byte bytes[Bytes > 0 ? Bytes : 1];
};
struct no_memory {
  no_memory() = default;
  explicit no_memory(i64) noexcept {}
  static void reserve(i64) noexcept {}
  static std::byte* data() noexcept { return nullptr; }
};

}  // namespace tenon
