// IDX files, the format of MNIST: arrays of bytes with their extents in front. The bytes stay in
// the mapped file.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/load/file.hpp>
#include <cstddef>
#include <span>

/// An array of unsigned bytes.
class idx_file {
 public:
  /// Error: those of mapped_file::open; truncated, when the file ends early; corrupt, when it is
  /// not an IDX file of bytes with `rank` axes or goes on behind its last byte.
  static tenon::result<idx_file> open(const char* path, int rank) noexcept {
    auto file = tenon::mapped_file::open(path);
    if (!file) return file.error();
    idx_file read;
    read.file_ = std::move(*file);
    if (const tenon::error e = read.parse(rank); !e.ok()) return e;
    return read;
  }

  const tenon::shape& extents() const noexcept { return shape_; }
  std::span<const unsigned char> bytes() const noexcept { return data_; }

 private:
  tenon::error parse(int rank) noexcept {
    using tenon::code;
    const auto all = file_.bytes();
    const std::size_t header = 4 + 4 * static_cast<std::size_t>(rank);
    if (all.size() < header) return short_of(header, all.size());
    const auto magic = static_cast<tenon::i64>(big_endian(all));
    if (const tenon::i64 wanted = 0x800 + rank; magic != wanted)  // 0x08: unsigned bytes
      return {code::corrupt, "idx", "magic number", wanted, magic};
    const std::size_t held = all.size() - header;
    std::size_t count = 1;
    shape_.rank = rank;
    for (int i = 0; i < rank; ++i) {
      const std::size_t extent = big_endian(all.subspan(4 + 4 * static_cast<std::size_t>(i)));
      shape_.extent[i] = static_cast<tenon::i64>(extent);
      if (extent != 0 && count > held / extent)
        return {code::truncated, "idx", "data", "as many bytes as the header says",
                static_cast<tenon::i64>(held)};
      count *= extent;
    }
    if (count != held)
      return {code::corrupt, "idx", "bytes", static_cast<tenon::i64>(count),
              static_cast<tenon::i64>(held)};
    data_ = {reinterpret_cast<const unsigned char*>(all.data()) + header, held};
    return {};
  }
  static tenon::error short_of(std::size_t wanted, std::size_t held) noexcept {
    return {tenon::code::truncated, "idx", "header", static_cast<tenon::i64>(wanted),
            static_cast<tenon::i64>(held)};
  }
  static std::size_t big_endian(std::span<const std::byte> bytes) noexcept {
    std::size_t n = 0;
    for (const std::byte b : bytes.first(4)) n = n << 8 | std::to_integer<std::size_t>(b);
    return n;
  }

  tenon::mapped_file file_{};
  tenon::shape shape_{};
  std::span<const unsigned char> data_{};
};
