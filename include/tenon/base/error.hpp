// What can go wrong, as values: `status` for calls, `error` for building and binding, `result<T>`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/shape.hpp>
#include <tenon/base/text.hpp>
#include <type_traits>
#include <utility>

namespace tenon {

/// Every kind of refusal. Front ends (graph), views and binding, files, devices.
enum class code : std::uint8_t {
  ok,
  // graphs
  operand_count,   ///< the operator takes another number of operands
  element_type,    ///< an operand's element type is not accepted
  rank,            ///< an operand has the wrong rank
  extent,          ///< an extent does not fit another one
  inner_extent,    ///< the summed extents of a product differ
  broadcast,       ///< two shapes cannot be broadcast together
  input_channels,  ///< input channels are not filter channels times groups
  groups,          ///< groups does not divide the channels
  bias,            ///< a bias does not fit the output channels
  window,          ///< the window does not fit the padded input
  stride,          ///< a stride or dilation is below one / a view's strides are not dense
  padding,         ///< a padding is negative
  axis,            ///< an axis is outside the rank or given twice
  permutation,     ///< not a permutation of the axes
  element_count,   ///< a reshape changes the number of elements
  option,          ///< another option is out of its range
  program,         ///< a scalar program is invalid or too long
  name_conflict,   ///< one name with two shapes
  name_length,     ///< a name is empty or too long
  output,          ///< a graph has no output, or an output is not a tensor of this graph
  policy,          ///< a placement names a policy that is not there
  unsupported,     ///< no policy of the model runs this node
  capacity,        ///< a limit of the library
  // views and binding
  size,        ///< a view has the wrong number of elements
  alignment,   ///< a view's address is not a multiple of its element's size
  null,        ///< a view points nowhere
  aliasing,    ///< an output overlaps an input, a weight or another output
  view_count,  ///< a call has the wrong number of views
  missing,     ///< a weight of this name is not there
  memory,      ///< memory handed in is too small, or none could be had
  unbound,     ///< the model is not bound
  // files
  open_failed,  ///< the system refused to open or map the file
  truncated,    ///< the file ends before its own description says so
  corrupt,      ///< the file contradicts its format
  duplicate,    ///< one name twice
  // devices
  no_device,      ///< no loader, no driver or no device of this kind on this machine
  feature,        ///< the device lacks a feature, or its application did not enable it
  import_failed,  ///< the device cannot use this memory where it lies
  handle,         ///< a file descriptor is not what was said
  owner,          ///< a view's memory is not the one that this policy or context sees
  freed,          ///< an address lies in no live buffer
  lent,           ///< a buffer is lent to somebody else
  hazard,         ///< two steps touch the same bytes with no barrier between them
  device_lost,    ///< the device stopped working
  timeout,        ///< the device did not finish in time
  device,         ///< the driver refused for another reason
};

/// A short lower-case English name of the code.
constexpr const char* text_of(code c) {
  constexpr const char* texts[] = {"ok",
                                   "number of operands",
                                   "element type",
                                   "rank",
                                   "extent",
                                   "inner extent",
                                   "broadcast",
                                   "input channels",
                                   "groups",
                                   "bias",
                                   "window",
                                   "stride",
                                   "padding",
                                   "axis",
                                   "permutation",
                                   "element count",
                                   "option",
                                   "program",
                                   "name conflict",
                                   "name length",
                                   "output",
                                   "policy",
                                   "unsupported",
                                   "capacity",
                                   "size",
                                   "alignment",
                                   "null view",
                                   "aliasing",
                                   "number of views",
                                   "missing",
                                   "memory",
                                   "unbound",
                                   "open failed",
                                   "truncated",
                                   "corrupt",
                                   "duplicate",
                                   "no device",
                                   "feature",
                                   "import failed",
                                   "handle",
                                   "owner of the memory",
                                   "not in a live buffer",
                                   "lent",
                                   "hazard",
                                   "device lost",
                                   "timeout",
                                   "refused by the driver"};
  return texts[static_cast<int>(c)];
}

/// The result of a call: trivially copyable. On failure `operand` is the position of the view
/// (inputs first, then outputs), `expected` and `found` are numbers in the unit of the code
/// (elements for size, bytes for alignment and memory).
struct [[nodiscard]] status {
  code what = code::ok;
  int operand = -1;
  i64 expected = 0;
  i64 found = 0;
  constexpr bool ok() const { return what == code::ok; }
  constexpr explicit operator bool() const { return ok(); }
  constexpr bool operator==(const status&) const = default;
};
static_assert(std::is_trivially_copyable_v<status>);

/// An expected or found value in an error: nothing, a number, a shape, an element type or a word.
struct fact {
  enum class kind : std::uint8_t { none, number, shape, type, word };
  kind is = kind::none;
  i64 number = 0;
  tenon::shape shape{};
  tenon::type type{};
  name word{};
  constexpr fact() = default;
  constexpr fact(i64 n) : is(kind::number), number(n) {}
  constexpr fact(int n) : is(kind::number), number(n) {}
  constexpr fact(const tenon::shape& s) : is(kind::shape), shape(s) {}
  constexpr fact(tenon::type t) : is(kind::type), type(t) {}
  constexpr fact(const char* w) : is(kind::word), word(w) {}
  constexpr fact(const name& w) : is(kind::word), word(w) {}
  constexpr bool operator==(const fact&) const = default;
};

/// An error of building, binding or reading: which operator (or reader), which operand (or file
/// entry), what was expected and what was found. A structural type: it can be a template argument.
struct error {
  code what = code::ok;
  name op{};
  name operand{};
  fact expected{};
  fact found{};
  constexpr bool ok() const { return what == code::ok; }
  constexpr bool operator==(const error&) const = default;
  /// Equality of the code and the operator: what a test usually wants.
  constexpr bool is(code c, const char* o) const { return what == c && op == name(o); }
};

/// A value or the error that prevented it (C++23's std::expected, reduced to what is needed).
template <class T> class [[nodiscard]] result {
 public:
  constexpr result(T held) : value_(std::move(held)) {}
  constexpr result(const tenon::error& e) : error_(e) {}
  constexpr bool ok() const { return error_.ok(); }
  constexpr explicit operator bool() const { return ok(); }
  constexpr const tenon::error& error() const { return error_; }
  constexpr T& value() { return value_; }
  constexpr const T& value() const { return value_; }
  constexpr T& operator*() { return value_; }
  constexpr const T& operator*() const { return value_; }
  constexpr T* operator->() { return &value_; }
  constexpr const T* operator->() const { return &value_; }

 private:
  tenon::error error_{};
  T value_{};
};

}  // namespace tenon
