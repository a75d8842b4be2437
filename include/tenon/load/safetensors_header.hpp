// Reads the JSON header of a safetensors file event by event. A JSON document would hide that a
// name is given twice, and its depth would be up to the file; here both are checked on the way.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <tenon/base/sequence.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace tenon {

/// An element type of the format. Source: the `Dtype` of huggingface/safetensors.
struct safetensors_type {
  const char* text;
  int bits;
  bool viewable;  ///< one of tenon's own, `element`
  type element;
};

/// The format's types. Tensors of types that tenon lacks are listed and their sizes checked, but
/// there are no views of them.
// clang-format off
inline constexpr safetensors_type safetensors_types[] = {
    {"F32", 32, true, type::float32},     {"F16", 16, true, type::float16},
    {"I32", 32, true, type::int32},       {"U32", 32, true, type::uint32},
    {"I64", 64, true, type::int64},       {"U64", 64, true, type::uint64},
    {"I8", 8, true, type::int8},          {"U8", 8, true, type::uint8},
    {"BF16", 16, false, {}},              {"F64", 64, false, {}},
    {"I16", 16, false, {}},               {"U16", 16, false, {}},
    {"BOOL", 8, false, {}},               {"F8_E5M2", 8, false, {}},
    {"F8_E4M3", 8, false, {}},            {"F8_E8M0", 8, false, {}},
    {"F8_E4M3FNUZ", 8, false, {}},        {"F8_E5M2FNUZ", 8, false, {}},
    {"F4", 4, false, {}},                 {"F6_E2M3", 6, false, {}},
    {"F6_E3M2", 6, false, {}},            {"C64", 64, false, {}}};
// clang-format on

/// One tensor of a file. `data` is null until the offsets of all tensors have been checked.
struct safetensors_entry {
  name text{};
  const safetensors_type* element = nullptr;
  tenon::shape shape{};
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  const std::byte* data = nullptr;
};

/// Receives the events of a JSON reader (nlohmann::json::sax_parse) and fills `entries` in the
/// order of the header. The names of the events are those of nlohmann::json_sax. An event that
/// returns false has set `failure` and ends the reading.
class safetensors_header {
 public:
  explicit safetensors_header(sequence<safetensors_entry>& entries) : entries_(entries) {}
  const error& failure() const { return failure_; }

  // Values that the format has nowhere.
  bool null() { return refuse("null"); }
  bool boolean(bool) { return refuse("a boolean"); }
  bool number_integer(std::int64_t) { return refuse("a negative number"); }
  bool number_float(double, const std::string&) {
    return refuse("a fraction or too large a number");
  }
  template <class Bytes> bool binary(Bytes&) { return refuse("binary"); }
  template <class Why> bool parse_error(std::size_t, const std::string&, const Why&) {
    return failure_.ok() ? refuse("no JSON") : false;
  }

  /// Objects stand at three levels: the file, and in it the metadata and one for each tensor.
  bool start_object(std::size_t) {
    if (level_ == level::outside) return enter(level::file);
    if (level_ != level::file) return refuse("an object");
    if (key_ == "__metadata__") return enter(level::metadata);
    fields_ = 0;
    return enter(level::tensor);
  }
  bool key(std::string& text) {
    key_ = text;
    if (level_ == level::file) return text == "__metadata__" ? metadata() : tensor(text);
    if (level_ == level::metadata)
      return metadata_keys_.insert(text).second ||
             fail(code::duplicate, "__metadata__", name(text.c_str()));
    for (int i = 0; i < 3; ++i)
      if (text == field_names[i]) return field(i);
    return refuse("a field of another name");
  }
  /// Metadata maps strings to strings, which are not kept; a tensor has one string, its dtype.
  bool string(std::string& text) {
    if (level_ == level::metadata) return true;
    if (level_ != level::tensor || field_ != dtype) return refuse("a string");
    for (const safetensors_type& listed : safetensors_types)
      if (text == listed.text) {
        entries_.back().element = &listed;
        return true;
      }
    return fail(code::element_type, {}, name(text.c_str()));
  }
  /// Lists are shapes and pairs of offsets.
  bool start_array(std::size_t) {
    if (level_ != level::tensor || field_ == dtype) return refuse("a list");
    length_ = 0;
    return enter(level::list);
  }
  bool number_unsigned(std::uint64_t number) {
    if (level_ != level::list) return refuse("a number");
    return field_ == extents ? extent(number) : offset(number);
  }
  bool end_array() {
    if (field_ == offsets && length_ != 2) return fail(code::corrupt, "two offsets", length_);
    return enter(level::tensor);
  }
  bool end_object() {
    if (level_ == level::tensor && fields_ != 0b111)
      return fail(code::corrupt, "dtype, shape, data_offsets", {});
    return enter(level_ == level::file ? level::outside : level::file);
  }

 private:
  enum class level : std::uint8_t { outside, file, metadata, tensor, list };
  enum : int { dtype, extents, offsets };
  static constexpr std::string_view field_names[] = {"dtype", "shape", "data_offsets"};

  bool enter(level next) {
    level_ = next;
    return true;
  }
  /// The error names the tensor in which it was found, or the header.
  bool fail(code what, const fact& expected, const fact& found) {
    const bool inside = level_ == level::tensor || level_ == level::list;
    failure_ = {what, "safetensors", inside ? entries_.back().text : name("header"), expected,
                found};
    return false;
  }
  bool refuse(const char* found) { return fail(code::corrupt, {}, found); }

  bool metadata() {
    if (std::exchange(has_metadata_, true)) return fail(code::duplicate, {}, "__metadata__");
    return true;
  }
  bool tensor(const std::string& text) {
    const name label(text.c_str());
    if (text.empty() || label.cut)
      return fail(code::name_length, name::capacity, static_cast<i64>(text.size()));
    // JSON can write a NUL as \u0000; a name would end there.
    if (static_cast<std::size_t>(label.size()) != text.size()) return refuse("a NUL in a name");
    entries_.push({label, nullptr, {}, 0, 0, nullptr});
    return true;
  }
  bool field(int which) {
    field_ = which;
    if ((fields_ & 1 << which) != 0) return fail(code::duplicate, {}, key_.c_str());
    fields_ |= 1 << which;
    return true;
  }
  bool extent(std::uint64_t number) {
    tenon::shape& s = entries_.back().shape;
    if (s.rank == max_rank) return fail(code::rank, max_rank, max_rank + 1);
    if (number > static_cast<std::uint64_t>(std::numeric_limits<i64>::max()))
      return fail(code::capacity, std::numeric_limits<i64>::max(), {});
    s.extent[s.rank++] = static_cast<i64>(number);
    return true;
  }
  bool offset(std::uint64_t number) {
    (length_++ == 0 ? entries_.back().begin : entries_.back().end) = number;
    return true;
  }

  sequence<safetensors_entry>& entries_;
  error failure_{};
  std::string key_{};
  std::set<std::string> metadata_keys_{};
  level level_ = level::outside;
  int field_ = dtype;
  int fields_ = 0;  // a bit for each field of the tensor that has been read
  int length_ = 0;  // numbers of the open list of offsets
  bool has_metadata_ = false;
};

}  // namespace tenon
