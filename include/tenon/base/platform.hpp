// What differs between builds and processors, behind two functions.
// SPDX-License-Identifier: MIT
#pragma once
#include <new>

namespace tenon::platform {

/// Calls `body`; where exceptions are enabled, any exception becomes `failure()`. Without them
/// nothing is caught, and a failed allocation ends the program.
template <class Body, class Failure> auto guarded(Body body, Failure failure) noexcept {
#if defined(__cpp_exceptions)
  try {
    return body();
  } catch (...) {
    return failure();
  }
#else
  static_cast<void>(failure);
  return body();
#endif
}

/// Tells the processor that this thread spins.
inline void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace tenon::platform
