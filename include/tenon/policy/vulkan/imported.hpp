// What is asked of the system before a driver gets host memory or a descriptor: drivers trust what
// they are given, and would crash or wait for ever.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <cerrno>
#include <cstdint>
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

}  // namespace tenon
