// Elements in memory: where a position of an iteration space finds them, and how every type is read
// and written.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/ports.hpp>

namespace tenon::spirv {

/// A kernel that reads and writes elements of its ports.
class element_writer : public port_writer {
 public:
  using port_writer::port_writer;

  // ---- positions
  /// The position of element `flat` in row-major order: one id for each axis.
  constexpr void unravel(const space& s, id flat, id* position) {
    for (int i = s.dims - 1; i >= 0; --i) {
      position[i] = i == 0 ? flat : modulo(flat, s.extent[i]);
      if (i > 0) flat = over(flat, s.extent[i]);
    }
  }
  /// The element that an access shows at a position of the axes [first, end), from `start` on.
  constexpr id advance(id start, const access& v, const id* position, int first, int end) {
    for (int i = first; i < end; ++i)
      if (v.step[i] != 0) start = sum(start, times(position[i], v.step[i]));
    return start;
  }
  /// Where an access begins.
  constexpr id begin_of(const access& v) {
    if (device.by == addressing::address) return v.offset == 0 ? id{} : integer(v.offset);
    return plus(base_[v.port], v.offset);
  }
  constexpr id index_of(const access& v, const space& s, const id* position) {
    return or_zero(advance(begin_of(v), v, position, 0, s.dims));
  }
  /// a + b; id{} means: nothing to add.
  constexpr id sum(id a, id b) { return a.number == 0 ? b : b.number == 0 ? a : add(a, b); }
  /// Whether both conditions hold; id{} means: no condition.
  constexpr id hold(id a, id b) { return a.number == 0 ? b : b.number == 0 ? a : both(a, b); }
  constexpr id or_zero(id a) { return a.number == 0 ? integer(0) : a; }
  /// A position that the driver does not know. lavapipe drops products with zeros that it knows,
  /// even those with infinity.
  constexpr id hidden(id position) {
    return add(position, shifted_right(input(builtin::NumWorkgroups, 0), 31));
  }
  /// x * y + sum, as a term of a contraction. For drivers that compute an fma as a product and a
  /// sum, both are written out and marked as exact. From an fma lavapipe drops products with zero,
  /// even 0 * infinity.
  constexpr id plus_product(id sum, id x, id y) {
    return device.fuses ? fma(x, y, sum) : add(mul(x, y), sum);
  }
  /// start + n * step
  constexpr id plus_times(id start, id n, i64 step) {
    return step == 0 ? start : add(start, times(n, step));
  }

  // ---- elements
  constexpr pointer element(const access& v, id index, int width = 1) {
    const kind k = kind_of(v.element, device.float16);
    const bool physical = device.by == addressing::address;
    const storage s = physical ? storage::PhysicalStorageBuffer : storage::StorageBuffer;
    word p =
        emit_typed(op::AccessChain, pointer_type(s, k), {base(v), integer(0).number, index.number});
    if (width > 1) p = emit_typed(op::Bitcast, pointer_type(s, k, width), {p});
    return {p, k, width, physical ? bytes_of(k) : 0};
  }
  /// A cursor says where an element is: its address if the device has integers of 64 bits, else its
  /// index. Adding to an address costs less than making one from an index.
  constexpr bool has_cursors() const { return device.by == addressing::address && device.int64; }
  constexpr id cursor_of(const access& v, id index) {
    if (!has_cursors()) return index;
    return emit(op::ConvertPtrToU, kind::int64, 1, {element(v, index).number});
  }
  /// `n` elements as a distance between cursors.
  constexpr id distance_of(const access& v, id n) {
    if (!has_cursors()) return n;
    return convert(op::SConvert, times(n, size_bytes(v.element)), kind::int64);
  }
  /// A cursor `n` elements on.
  constexpr id moved(const access& v, id cursor, i64 n) {
    if (n == 0 || !has_cursors()) return plus(cursor, n);
    return add(cursor,
               constant(kind::int64, static_cast<std::uint64_t>(n * size_bytes(v.element))));
  }
  constexpr id read_at(const access& v, id cursor) {
    if (!has_cursors()) return read(v, cursor);
    const kind k = kind_of(v.element, device.float16);
    const word p = emit_typed(op::ConvertUToPtr, pointer_type(storage::PhysicalStorageBuffer, k),
                              {cursor.number});
    return widened(load({p, k, 1, bytes_of(k)}), v.element);
  }
  /// Two neighbours of an access, of 4 or of 2 bytes, read as one.
  constexpr bool has_pairs() const { return has_cursors() && device.unaligned; }
  constexpr void read_pair(const access& v, id cursor, id* both) {
    const bool halves = size_bytes(v.element) == 2;
    const kind wide = halves ? kind::int32 : kind::int64, part = halves ? kind::int16 : kind::int32,
               element_kind = kind_of(v.element, device.float16);
    const int bytes = 2 * bytes_of(part);
    const word p = emit_typed(op::ConvertUToPtr, pointer_type(storage::PhysicalStorageBuffer, wide),
                              {cursor.number});
    const id x = load({p, wide, 1, bytes}),
             high = binary(op::ShiftRightLogical, x,
                           constant(wide, static_cast<std::uint64_t>(bytes) * 4));
    both[0] = widened(bits_as(convert(op::UConvert, x, part), element_kind), v.element);
    both[1] = widened(bits_as(convert(op::UConvert, high, part), element_kind), v.element);
  }
  constexpr void write_pair(id cursor, id low, id high) {
    const word p =
        emit_typed(op::ConvertUToPtr, pointer_type(storage::PhysicalStorageBuffer, kind::int64),
                   {cursor.number});
    const auto wide = [&](id x) {
      return convert(op::UConvert, bits_as(x, kind::int32), kind::int64);
    };
    const id top = binary(op::ShiftLeftLogical, wide(high), constant(kind::int64, 32));
    store({p, kind::int64, 1, 8}, binary(op::BitwiseOr, top, wide(low)));
  }
  /// The bits of an element, not widened.
  constexpr id load_bits(const access& v, id index) { return load(element(v, index)); }
  constexpr void store_bits(const access& v, id index, id x) { store(element(v, index), x); }
  /// An element as programs compute with it: narrow types widened to 32 bits.
  constexpr id read(const access& v, id index) { return widened(load_bits(v, index), v.element); }
  constexpr void write(const access& v, id index, id x) {
    store_bits(v, index, narrowed(x, v.element));
  }
  /// Four elements, `step` apart.
  constexpr id read4(const access& v, id index, i64 step) {
    if (step == 0) return splat(read(v, index), 4);
    if (step == 1 && size_bytes(v.element) == 4 && device.by == addressing::address)
      return load(element(v, index, 4));
    id x[4];
    for (int k = 0; k < 4; ++k) x[k] = read(v, plus(index, k * step));
    return vector(x[0], x[1], x[2], x[3]);
  }
  constexpr void write4(const access& v, id index, i64 step, id x) {
    if (step == 1 && size_bytes(v.element) == 4 && device.by == addressing::address)
      return store(element(v, index, 4), x);
    for (int k = 0; k < 4; ++k) {
      const id part = component(x, k);
      write(v, plus(index, k * step), part);
    }
  }
  constexpr id widened(id x, type t) {
    switch (t) {
      case type::float16:
        return x.is == kind::float16 ? convert(op::FConvert, x, kind::float32)
                                     : half_value(convert(op::UConvert, x, kind::int32));
      case type::int8: return convert(op::SConvert, x, kind::int32);
      case type::uint8: return convert(op::UConvert, x, kind::int32);
      default: return x;
    }
  }
  /// A result of a program as an element; of integers the low bits.
  constexpr id narrowed(id x, type t) {
    x = as_stored(x);
    if (t == type::float16 && device.float16)
      return convert(op::FConvert, half_value(half_bits(x)), kind::float16);
    if (t == type::float16) return convert(op::UConvert, half_bits(x), kind::int16);
    return size_bytes(t) == 1 ? convert(op::UConvert, x, kind::int8) : x;
  }
  /// A program's result as another program reads it: a truth value is an integer in memory.
  constexpr id as_stored(id x) {
    if (x.is != kind::boolean) return x;
    return select(x, integer_like(as(x, kind::int32), 1), zero_like(x));
  }
};

}  // namespace tenon::spirv
