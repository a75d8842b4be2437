// Weights out of safetensors files, in place. Source: the format's text and checks in
// huggingface/safetensors (README.md, "Format"; safetensors/src/tensor.rs).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/view.hpp>
#include <tenon/load/bytes.hpp>
#include <tenon/load/file.hpp>
#include <tenon/load/safetensors_header.hpp>
#include <tenon/load/weights.hpp>
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>

namespace tenon {

/// The tensors of one safetensors file: a weight_source. Views point into the mapped file or the
/// parsed memory, and must not outlive it.
class safetensors {
 public:
  /// The limit that the format sets for a header.
  static constexpr std::uint64_t header_bytes_max = 100'000'000;

  safetensors() = default;

  /// Maps and reads the file at `path`.
  /// Error: those of mapped_file::open and of parse.
  static result<safetensors> open(const char* path) noexcept {
    auto file = mapped_file::open(path);
    if (!file) return file.error();
    auto read = parse(file->bytes());
    if (read) read->file_ = std::move(*file);
    return read;
  }

  /// Reads a file in the caller's memory, which must outlive every view.
  /// Error: truncated, when the file ends early (every proper prefix of a valid file does);
  /// corrupt, when it contradicts the format, for example by holes or overlaps of the tensors or by
  /// bytes behind the last one; duplicate, for a name or a field given twice; name_length; rank,
  /// above 8; element_type, for a dtype that the format does not know; size, when shape and offsets
  /// disagree; capacity, for a shape of 2^63 bits and more; memory, when the heap is exhausted.
  /// Cost: one heap entry per tensor; data is not touched.
  static result<safetensors> parse(std::span<const std::byte> bytes) noexcept {
#if defined(__cpp_exceptions)
    try {
      return read(bytes);
    } catch (...) {  // only the heap can throw here
      return error{code::memory, "safetensors", "header", {}, {}};
    }
#else
    return read(bytes);
#endif
  }

  /// The view of that name; a null view when get() gives an error.
  const_view find(const name& label) const noexcept { return get(label).value(); }

  /// The view of that name: shaped, dense and aligned.
  /// Error: missing; element_type, when tenon has no such type (found: the file's dtype);
  /// alignment, when the tensor does not lie at a multiple of its element's size.
  result<const_view> get(const name& label) const noexcept {
    const auto* entry = std::find_if(entries_.begin(), entries_.end(),
                                     [&](const auto& e) { return e.text == label && !label.cut; });
    if (entry == entries_.end()) return error{code::missing, "safetensors", label, {}, {}};
    if (!entry->element->viewable)
      return error{code::element_type, "safetensors", label, {}, entry->element->text};
    const type element = entry->element->element;
    if (const i64 off = misalignment(entry->data, element))
      return error{code::alignment, "safetensors", label, size_bytes(element), off};
    return const_view{entry->data, element, entry->shape, dense(entry->shape), true};
  }

  /// Number of tensors, and their names in the order of their data.
  int size() const noexcept { return entries_.size(); }
  const name& name_at(int i) const noexcept { return entries_[i].text; }

 private:
  static error refused(code what, const fact& expected, const fact& found,
                       const name& operand = "header") {
    return {what, "safetensors", operand, expected, found};
  }

  static result<safetensors> read(std::span<const std::byte> bytes) {
    constexpr std::size_t prefix = 8;
    if (bytes.size() < prefix)
      return refused(code::truncated, static_cast<i64>(prefix), static_cast<i64>(bytes.size()));
    const std::uint64_t length = little_endian(bytes.first(prefix));
    if (length > header_bytes_max)
      return refused(code::corrupt, static_cast<i64>(header_bytes_max), "a longer header");
    const auto rest = bytes.subspan(prefix);
    if (length > rest.size())
      return refused(code::truncated, static_cast<i64>(length), static_cast<i64>(rest.size()));

    safetensors file;
    const auto header = rest.first(static_cast<std::size_t>(length));
    if (const error e = read_header(header, file.entries_); !e.ok()) return e;
    if (const error e = file.add_all(rest.subspan(header.size())); !e.ok()) return e;
    return file;
  }

  static error read_header(std::span<const std::byte> bytes, sequence<safetensors_entry>& entries) {
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    const auto* end = text + bytes.size();
    if (text == end || *text != '{') return refused(code::corrupt, "{", "another beginning");
    // The JSON reader stops at a NUL as at the end of its input. What is behind it would be
    // ignored.
    if (std::find(text, end, '\0') != end) return refused(code::corrupt, {}, "a NUL");
    safetensors_header header(entries);
    if (!nlohmann::json::sax_parse(text, end, &header))
      return header.failure().ok() ? refused(code::corrupt, {}, "no JSON") : header.failure();
    return check_names(entries);
  }

  /// Sorts by name, so that equal names are neighbours. Error: duplicate.
  static error check_names(sequence<safetensors_entry>& entries) {
    std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
      return std::strcmp(a.text.text, b.text.text) < 0;
    });
    const auto* duplicate =
        std::adjacent_find(entries.begin(), entries.end(),
                           [](const auto& a, const auto& b) { return a.text == b.text; });
    if (duplicate == entries.end()) return {};
    return refused(code::duplicate, {}, {}, duplicate->text);
  }

  /// Sorts by offset and gives every tensor its address. The tensors must cover `data` exactly.
  /// Error: corrupt, size, truncated, capacity.
  error add_all(std::span<const std::byte> data) {
    std::sort(entries_.begin(), entries_.end(), [](const auto& a, const auto& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
    });
    std::uint64_t covered = 0;
    for (safetensors_entry& entry : entries_) {
      if (entry.begin != covered || entry.end < entry.begin)
        return refused(code::corrupt, static_cast<i64>(covered), static_cast<i64>(entry.begin),
                       entry.text);
      const auto bytes = dense_bytes(entry.shape, entry.element->bits, "safetensors", entry.text);
      if (!bytes) return bytes.error();
      if (entry.end - entry.begin != static_cast<std::uint64_t>(*bytes))
        return refused(code::size, *bytes, static_cast<i64>(entry.end - entry.begin), entry.text);
      covered = entry.end;
      if (covered > data.size())
        return refused(code::truncated, static_cast<i64>(covered), static_cast<i64>(data.size()),
                       entry.text);
      entry.data = data.data() + entry.begin;
    }
    if (covered != data.size())
      return refused(code::corrupt, static_cast<i64>(covered), static_cast<i64>(data.size()),
                     "data");
    return {};
  }

  mapped_file file_{};
  sequence<safetensors_entry> entries_{};
};

static_assert(explaining_source<safetensors>);

}  // namespace tenon
