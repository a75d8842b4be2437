// One array out of a NumPy .npy file, in place. Source: numpy/lib/format.py, "Format Version 1.0"
// to "3.0".
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <tenon/load/bytes.hpp>
#include <tenon/load/file.hpp>
#include <tenon/load/npy_header.hpp>
#include <span>
#include <utility>

namespace tenon {

/// The array of one .npy file. Its view points into the mapped file or the parsed memory, and must
/// not outlive it.
class npy {
 public:
  npy() = default;

  /// Maps and reads the file at `path`.
  /// Error: those of mapped_file::open and of parse.
  static result<npy> open(const char* path) noexcept {
    auto file = mapped_file::open(path);
    if (!file) return file.error();
    auto read = parse(file->bytes());
    if (read) read->file_ = std::move(*file);
    return read;
  }

  /// Reads a file in the caller's memory, which must outlive the view.
  /// Error: truncated, when the file ends early (every proper prefix of a valid file does);
  /// corrupt, when it contradicts the format or has bytes behind its data; duplicate, for a key
  /// given twice; element_type, for a descr that is not one of tenon's little-endian types (found:
  /// the descr); rank, above 8; capacity, for a shape of 2^63 bits and more; alignment, when the
  /// data does not lie at a multiple of its element's size.
  static result<npy> parse(std::span<const std::byte> bytes) noexcept {
    constexpr unsigned char magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    for (std::size_t i = 0; i < std::size(magic) && i < bytes.size(); ++i)
      if (bytes[i] != std::byte{magic[i]}) return refused(code::corrupt, "\\x93NUMPY", {});
    if (bytes.size() < 8) return refused(code::truncated, 8, static_cast<i64>(bytes.size()));
    const int major = std::to_integer<int>(bytes[6]);
    if (major < 1 || major > 3 || bytes[7] != std::byte{0})
      return refused(code::corrupt, "version 1.0, 2.0 or 3.0", major);

    const std::size_t length_bytes = major == 1 ? 2 : 4;
    const auto after_version = bytes.subspan(8);
    if (after_version.size() < length_bytes)
      return refused(code::truncated, static_cast<i64>(8 + length_bytes),
                     static_cast<i64>(bytes.size()));
    const auto length = static_cast<std::size_t>(little_endian(after_version.first(length_bytes)));
    const auto rest = after_version.subspan(length_bytes);
    if (rest.size() < length)
      return refused(code::truncated, static_cast<i64>(length), static_cast<i64>(rest.size()));

    const auto header = read_npy_header({reinterpret_cast<const char*>(rest.data()), length});
    if (!header) return header.error();
    return placed(*header, rest.subspan(length));
  }

  /// The array: shaped and aligned. Dense when the file is in C order; a file in Fortran order has
  /// column-major strides, which a call refuses with code::stride unless at most one extent
  /// exceeds 1.
  const const_view& view() const noexcept { return view_; }

 private:
  static error refused(code what, const fact& expected, const fact& found) noexcept {
    return {what, "npy", "header", expected, found};
  }

  /// The array that the header describes, over `data`, which must be exactly its bytes.
  static result<npy> placed(const npy_header& header, std::span<const std::byte> data) noexcept {
    const auto expected = dense_bytes(header.shape, 8 * size_bytes(header.element), "npy", "data");
    if (!expected) return expected.error();
    const auto found = static_cast<i64>(data.size());
    if (found != *expected)
      return error{found < *expected ? code::truncated : code::corrupt, "npy", "data", *expected,
                   found};
    if (const i64 off = misalignment(data.data(), header.element))
      return error{code::alignment, "npy", "data", size_bytes(header.element), off};
    npy file;
    file.view_ = {data.data(), header.element, header.shape, dense(header.shape), true};
    if (header.fortran_order) file.view_.strides = column_major(header.shape);
    return file;
  }

  static constexpr strides column_major(const shape& s) noexcept {
    strides r{};
    i64 step = 1;
    for (int i = 0; i < s.rank; ++i) {
      r.step[i] = step;
      step *= s.extent[i];
    }
    return r;
  }

  mapped_file file_{};
  const_view view_{};
};

}  // namespace tenon
