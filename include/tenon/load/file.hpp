// A file as read-only memory: it is mapped, not copied into a buffer. POSIX systems only.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <span>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenon {

/// A regular file, mapped read-only until this object ends. Views into it must not outlive it.
/// Misuse: when another process shortens the file while it is mapped, reading it raises SIGBUS.
class mapped_file {
 public:
  mapped_file() = default;
  mapped_file(mapped_file&& other) noexcept { swap(other); }
  mapped_file& operator=(mapped_file&& other) noexcept {
    mapped_file moved(std::move(other));
    swap(moved);
    return *this;
  }
  ~mapped_file() {
    if (bytes_.data() != nullptr) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }

  /// Maps the file at `path`. An empty file gives no bytes.
  /// Error: open_failed, with the system's error number, or "regular file" expected; memory, when
  /// the file is larger than the address space.
  static result<mapped_file> open(const char* path) noexcept {
    if (path == nullptr) return error{code::open_failed, "file", "path", "a path", "null"};
    // O_NONBLOCK: a pipe without a writer must not block us before we see that it is a pipe.
    const int file = ::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return error{code::open_failed, "file", path, {}, errno};
    auto mapped = map(file, path);
    ::close(file);
    return mapped;
  }

  std::span<const std::byte> bytes() const noexcept { return bytes_; }

 private:
  static result<mapped_file> map(int file, const char* path) noexcept {
    struct ::stat about {};
    if (::fstat(file, &about) != 0) return error{code::open_failed, "file", path, {}, errno};
    if (!S_ISREG(about.st_mode))
      return error{code::open_failed, "file", path, "a regular file",
                   S_ISDIR(about.st_mode) ? "a directory" : "another kind of file"};
    constexpr i64 limit = PTRDIFF_MAX;  // of the address space, less than off_t on 32-bit systems
    if (std::cmp_greater(about.st_size, limit))
      return error{code::memory, "file", path, limit, static_cast<i64>(about.st_size)};
    mapped_file mapped;
    const auto size = static_cast<std::size_t>(about.st_size);
    if (size == 0) return mapped;  // mmap refuses an empty range
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) return error{code::open_failed, "file", path, {}, errno};
    mapped.bytes_ = {static_cast<const std::byte*>(data), size};
    return mapped;
  }
  void swap(mapped_file& other) noexcept { std::swap(bytes_, other.bytes_); }

  std::span<const std::byte> bytes_{};
};

}  // namespace tenon
