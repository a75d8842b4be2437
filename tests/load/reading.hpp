// What the tests of file readers share: exact copies of bytes and reading all that a view shows.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace tenon_test {

/// A copy of bytes that is aligned and not one byte longer, so that a sanitizer sees reads past it.
class exact_bytes {
 public:
  explicit exact_bytes(std::string_view text)
      : size_(text.size()), data_(static_cast<std::byte*>(::operator new(size_, alignment))) {
    if (size_ > 0) std::memcpy(data_, text.data(), size_);
  }
  exact_bytes(const exact_bytes&) = delete;
  exact_bytes& operator=(const exact_bytes&) = delete;
  ~exact_bytes() { ::operator delete(data_, alignment); }
  std::span<const std::byte> span() const { return {data_, size_}; }

 private:
  static constexpr std::align_val_t alignment{64};
  std::size_t size_;
  std::byte* data_;
};

/// The sum of the bytes at every position of a view, reached by its strides.
inline unsigned sum_of(const tenon::const_view& v) {
  const auto* bytes = static_cast<const unsigned char*>(v.data);
  const tenon::i64 width = tenon::size_bytes(v.type), count = v.shape.count();
  unsigned sum = 0;
  for (tenon::i64 n = 0; n < count; ++n) {
    tenon::i64 rest = n, offset = 0;
    for (int axis = v.shape.rank - 1; axis >= 0; --axis) {
      offset += rest % v.shape[axis] * v.strides[axis];
      rest /= v.shape[axis];
    }
    for (tenon::i64 i = 0; i < width; ++i) sum += bytes[offset * width + i];
  }
  return sum;
}

/// The number as `width` little-endian bytes.
inline std::string little(std::uint64_t number, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += static_cast<char>(number >> 8 * i & 0xff);
  return bytes;
}

}  // namespace tenon_test
