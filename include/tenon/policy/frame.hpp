// What an execution works on: the threads, and the addresses of a plan's buffers.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan.hpp>
#include <concepts>
#include <cstddef>
#include <type_traits>

namespace tenon {

/// Runs `body(begin, end, thread)` over [0, units) in pieces. `thread` is below `threads`; two
/// pieces with the same `thread` never run at the same time. Any split gives the same results.
struct executor_ref {
  /// `self` is what the body has captured.
  using body_type = void (*)(void* self, i64 begin, i64 end, int thread);
  void* self = nullptr;
  void (*run)(void* self, i64 units, body_type body, void* body_self) = nullptr;
  int threads = 1;

  /// `grain`: a piece has at least this many units; one piece runs right here.
  template <class Body> void operator()(i64 units, i64 grain, Body&& body) const noexcept {
    if (run == nullptr || units <= grain) {
      body(i64{0}, units, 0);
      return;
    }
    struct call {
      Body* body;
      i64 units, grain;
    } captured{&body, units, grain};
    run(
        self, (units + grain - 1) / grain,
        [](void* body_self, i64 begin, i64 end, int thread) {
          const call& c = *static_cast<call*>(body_self);
          const i64 last = end * c.grain;
          (*c.body)(begin * c.grain, last < c.units ? last : c.units, thread);
        },
        &captured);
  }
};

/// An executor of yours: `threads()` and `run(units, body, self)`, which calls
/// `body(self, begin, end, thread)` for pieces that cover [0, units) and returns when all are done.
template <class E>
concept executor = requires(E& e, executor_ref::body_type body, void* self) {
  { e.threads() }
  noexcept->std::convertible_to<int>;
  { e.run(i64{}, body, self) }
  noexcept;
};
template <executor E> executor_ref refer(E& e) noexcept {
  return {&e,
          [](void* self, i64 units, executor_ref::body_type body, void* body_self) {
            static_cast<E*>(self)->run(units, body, body_self);
          },
          e.threads()};
}

/// An address in the memory of a device: a number that the host cannot follow.
enum class device_address : std::uint64_t {};
constexpr device_address operator+(device_address a, i64 bytes) noexcept {
  return device_address{static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(bytes)};
}
/// A view of a device's memory has the device's address in the place of a pointer.
inline device_address device_address_in(const void* data) noexcept {
  return device_address{reinterpret_cast<std::uintptr_t>(data)};
}

/// The address of every holder by node number, and the arenas. On the host these are addresses of
/// const bytes: inputs and weights are the user's, and may be const. Only `run_groups`
/// changes them: between the steps of a scan.
template <class Address> struct basic_frame {
  static constexpr bool on_host = std::is_pointer_v<Address>;
  using arena_address = std::conditional_t<on_host, std::byte*, Address>;

  Address* base = nullptr;
  arena_address arena{};         ///< shared part
  arena_address device_arena{};  ///< of a device's frame: the arena in memory of its own

  arena_address address_of(const plans::buffer& b) const noexcept {
    return (b.home < 0 ? arena : device_arena) + b.offset;
  }
  /// The elements of a holder from `offset` on. Use `const T` to read. Non-const T only for
  /// holders in outputs or the arena.
  template <class T> T* at(int holder, i64 offset = 0) const noexcept requires on_host {
    if constexpr (std::is_const_v<T>)
      return reinterpret_cast<T*>(base[holder]) + offset;
    else
      return reinterpret_cast<T*>(const_cast<std::byte*>(base[holder])) + offset;
  }
};
using device_frame = basic_frame<device_address>;

/// What one execution on the host works on.
struct frame : basic_frame<const std::byte*> {
  const void* const* owner = nullptr;  ///< by holder, whose address that is: null, the host's, or
                                       ///< what a view's `device` says; of models with devices only
  std::byte* thread_memory = nullptr;  ///< `thread_bytes` for each thread
  i64 thread_bytes = 0;
  executor_ref threads{};

  /// The memory that a group has for itself between its beginning and its end.
  template <class T> T* scratch(i64 offset) const noexcept {
    return reinterpret_cast<T*>(arena + offset);
  }
  /// The memory of one thread.
  template <class T> T* thread_scratch(int thread) const noexcept {
    return reinterpret_cast<T*>(thread_memory + thread * thread_bytes);
  }
};

}  // namespace tenon
