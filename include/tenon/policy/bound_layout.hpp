// Where objects and tables lie in the memory that a policy binds a group in.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan_view.hpp>
#include <cstddef>

namespace tenon {

/// Lays objects and tables one behind another, each aligned as arenas are. With null it only
/// counts, so that one function serves both: `measure` asks for `bytes()`, `bind` for the
/// addresses.
///
/// ```cpp
/// struct tables { row_plan* rows; std::int32_t* steps; i64 bytes; };
/// constexpr tables lay_out(std::byte* at, i64 count) {
///   bound_layout memory(at);
///   auto* rows = memory.take<row_plan>();
///   auto* steps = memory.take<std::int32_t>(count);
///   return {rows, steps, memory.bytes()};
/// }
/// ```
class bound_layout {
 public:
  constexpr explicit bound_layout(std::byte* at) noexcept : at_(at) {}
  /// Memory for `count` objects; null where there is none to give. Nothing is constructed: `new`
  /// what has to begin with values.
  template <class T> constexpr T* take(i64 count = 1) noexcept {
    static_assert(alignof(T) <= arena_align, "bound_layout: memory is aligned to arena_align");
    const i64 begin = bytes_;
    bytes_ += aligned(count * static_cast<i64>(sizeof(T)));
    return at_ != nullptr ? reinterpret_cast<T*>(at_ + begin) : nullptr;
  }
  /// Of everything so far.
  constexpr i64 bytes() const noexcept { return bytes_; }

 private:
  std::byte* at_;
  i64 bytes_ = 0;
};

}  // namespace tenon
