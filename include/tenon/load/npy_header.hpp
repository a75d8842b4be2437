// Reads the header of a .npy file: the text of a Python dictionary with three keys. Of Python's
// syntax it knows only what NumPy writes there.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/error.hpp>
#include <cstddef>
#include <iterator>
#include <limits>
#include <string_view>

namespace tenon {

/// The three values of a header.
struct npy_header {
  type element = type::float32;
  bool fortran_order = false;
  tenon::shape shape{};
};

/// Reads `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` with its keys in any order,
/// and the padding behind it: spaces, then one newline.
class npy_header_reader {
 public:
  constexpr explicit npy_header_reader(std::string_view text) : rest_(text) {}

  // A recursive descent without recursion: one function for each kind of value. Each returns false
  // after it has set `failure_`.
  constexpr result<npy_header> read() noexcept {
    if (!dictionary()) return failure_;
    return header_;
  }

 private:
  enum : int { descr, order, extents_key };

  constexpr bool dictionary() {
    if (rest_.empty() || rest_.back() != '\n') return corrupt("a newline at the end");
    rest_.remove_suffix(1);
    if (!take('{')) return corrupt("{");
    int keys_read = 0;  // a bit for each key
    while (!take('}')) {
      const int which = key();
      if (which < 0) return corrupt("a key of the format");
      if ((keys_read & 1 << which) != 0) return fail(code::duplicate, {}, keys[which]);
      keys_read |= 1 << which;
      if (!take(':')) return corrupt(":");
      if (!(which == descr ? element() : which == order ? boolean() : tuple())) return false;
      if (!take(',') && !sees('}')) return corrupt("a comma or }");
    }
    if (keys_read != 0b111) return corrupt("descr, fortran_order, shape");
    skip();
    return rest_.empty() || corrupt("spaces");
  }

  /// The number of the key that stands here; -1 if there is none of the format.
  constexpr int key() {
    std::string_view text;
    if (!quoted(text)) return -1;
    for (int i = 0; i < 3; ++i)
      if (text == keys[i]) return i;
    return -1;
  }

  /// The `descr`: a byte order, then a letter for the kind and the size in bytes, as in '<f4'.
  constexpr bool element() {
    if (sees('[')) return fail(code::element_type, {}, "a structured type");
    std::string_view text;
    if (!quoted(text)) return corrupt("a quoted descr");
    const char first = text.empty() ? '\0' : text[0];
    for (std::size_t i = 0; i < std::size(codes); ++i) {
      const bool one_byte = size_bytes(static_cast<type>(i)) == 1;
      // A single byte has no order; '=' is the machine's own, which is little-endian.
      const bool order_known =
          first == '<' || first == '=' || (one_byte && (first == '|' || first == '>'));
      if (order_known && text.substr(1) == codes[i]) {
        header_.element = static_cast<type>(i);
        return true;
      }
    }
    return fail(code::element_type, {}, worded(text));
  }

  constexpr bool boolean() {
    header_.fortran_order = word("True");
    return header_.fortran_order || word("False") || corrupt("True or False");
  }

  /// The shape.
  constexpr bool tuple() {
    if (!take('(')) return corrupt("(");
    bool comma = true;
    while (!take(')')) {
      if (!comma) return corrupt("a comma or )");
      if (!extent()) return false;
      comma = take(',');
    }
    // One number in parentheses is a number to Python; a tuple of one has a comma.
    return header_.shape.rank != 1 || comma || corrupt("a comma");
  }

  constexpr bool extent() {
    constexpr i64 limit = std::numeric_limits<i64>::max();
    skip();
    if (!digit()) return corrupt("an extent");
    if (header_.shape.rank == max_rank) return fail(code::rank, max_rank, max_rank + 1);
    const bool zero = rest_[0] == '0';
    i64 number = 0;
    int digits = 0;
    for (; digit(); rest_.remove_prefix(1), ++digits) {
      const i64 value = rest_[0] - '0';
      if (number > (limit - value) / 10) return fail(code::capacity, limit, {});
      number = 10 * number + value;
    }
    if (zero && digits > 1) return corrupt("an extent without leading zeros");
    header_.shape.extent[header_.shape.rank++] = number;
    return true;
  }

  /// Text in single or double quotes. Escapes are refused: no key and no element type has one.
  constexpr bool quoted(std::string_view& text) {
    skip();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return false;
    const std::size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return false;
    text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text.find('\\') == std::string_view::npos;
  }
  constexpr bool word(std::string_view text) {
    skip();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  constexpr void skip() {
    while (!rest_.empty() && rest_[0] == ' ') rest_.remove_prefix(1);
  }
  constexpr bool sees(char c) {
    skip();
    return !rest_.empty() && rest_[0] == c;
  }
  constexpr bool take(char c) {
    if (!sees(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  constexpr bool digit() const { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; }

  constexpr bool fail(code what, const fact& expected, const fact& found) {
    failure_ = {what, "npy", "header", expected, found};
    return false;
  }
  constexpr bool corrupt(const char* expected) { return fail(code::corrupt, expected, {}); }
  /// The text for an error; too long a text is cut.
  static constexpr name worded(std::string_view text) {
    name r;
    const std::size_t n = text.size() < name::capacity ? text.size() : name::capacity;
    for (std::size_t i = 0; i < n; ++i) r.text[i] = text[i];
    r.cut = n < text.size();
    return r;
  }

  // In the order of `tenon::type`.
  static constexpr std::string_view codes[] = {"f4", "f2", "i4", "u4", "i8", "u8", "i1", "u1"};
  static constexpr const char* keys[] = {"descr", "fortran_order", "shape"};
  std::string_view rest_;
  npy_header header_{};
  error failure_{};
};

/// Reads a header, without the magic and the length before it.
/// Error: corrupt; duplicate, for a key given twice; element_type; rank, above 8; capacity.
constexpr result<npy_header> read_npy_header(std::string_view text) noexcept {
  return npy_header_reader(text).read();
}

static_assert(
    read_npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }  \n").ok());

}  // namespace tenon
