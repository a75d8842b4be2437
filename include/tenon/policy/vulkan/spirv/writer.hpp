// A kernel while it is written: the buffers that it binds, elements of every type in memory, and
// iteration spaces. What a device can do is data (`target`).
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/plan/plan_view.hpp>
#include <tenon/policy/vulkan/spirv/assembler.hpp>

namespace tenon::spirv {

/// How kernels find their buffers.
enum class addressing : std::uint8_t {
  address,     ///< push constant k: the 64-bit device address where port k's root begins
  descriptor,  ///< binding k of set 0 is port k; push constant k: 32 bits, where its root begins in
               ///< elements
};

/// What float32 operands of matrix products are rounded to; sums are float32.
enum class precision : std::uint8_t { float32, float16, bfloat16 };
/// A product that a device computes at once: rows x terms by terms x columns. Nothing: none.
struct matrix_shape {
  int rows = 0, columns = 0, terms = 0;
  constexpr bool exists() const { return rows > 0; }
  constexpr bool operator==(const matrix_shape&) const = default;
};
/// The matrices of a device, with float32 sums, and what they may be used for.
struct matrix_unit {
  precision products = precision::float32;
  matrix_shape half{}, bfloat{};  ///< of float16, of bfloat16
  bool rounds_even = false;       ///< conversions to float16 round to nearest even if told to
  bool keeps_denormals = false;   ///< and keep subnormal float16
  bool emulated =
      false;  ///< no device: fragments are written as arrays, so that tests run anywhere
  constexpr matrix_shape of(precision p) const {
    return p == precision::float16 ? half : p == precision::bfloat16 ? bfloat : matrix_shape{};
  }
};

/// What a device has, as far as kernels care.
struct target {
  addressing by = addressing::address;
  bool storage8 = true, storage16 = true;  ///< elements of one and two bytes in buffers
  bool int8 = true, int16 = true;  ///< in arithmetic; not needed, but spirv-val wants them declared
  bool int64 = true;
  bool float16 = false;  ///< conversions from float16 and to it: subnormal numbers kept, NaN quiet
  bool float64 = false;
  bool keeps_nan = true, keeps_denormals = false;  ///< execution modes for float32
  bool fuses = true;        ///< fma rounds once; false: drivers that write a product and a sum
  bool cpu_driver = false;  ///< invocations are SIMD lanes: no shared memory, no barriers, vectors
  int subgroup = 0;         ///< invocations of a subgroup; 0: not known
  bool shuffles = false;    ///< an invocation can read what another one of its subgroup has
  int invocations = 256;    ///< most of a workgroup
  /// Rounds of all its loops after which a driver takes an invocation for endless, and leaves it.
  std::int64_t rounds = std::numeric_limits<std::int64_t>::max();
  int shared_bytes = 16384;
  bool unaligned =
      false;  ///< 8 bytes may be read at any multiple of 4: CPU drivers on CPUs that can
  matrix_unit matrix{};
};

/// A buffer that a kernel binds: a root of the plan.
struct port {
  int root = -1;
  type element = type::float32;  ///< uint8 for types that are packed
  bool reads = false, writes = false;
};
/// Most buffers of a kernel: 128 bytes of push constants.
inline constexpr int max_ports = 16;

/// One dispatch; the entry point is "main".
struct kernel {
  sequence<word> words;
  sequence<port> ports;
  word local[3]{1, 1, 1}, groups[3]{1, 1, 1};
  word subgroup = 0;  ///< invocations that every subgroup must have; 0: any number
};

/// Axes of an iteration space: those of a contraction are most.
inline constexpr int max_axes = contraction::max_axes;

/// How a value is read or written at the positions of an iteration space, in elements.
struct view {
  int port = -1;
  type element = type::float32;
  i64 offset = 0;
  i64 step[max_axes]{};
};
struct space {
  int dims = 0;
  i64 extent[max_axes]{};
  constexpr i64 count() const {
    i64 n = 1;
    for (int i = 0; i < dims; ++i) n *= extent[i];
    return n;
  }
};
constexpr space space_of(const shape& s) {
  space r;
  for (; r.dims < s.rank; ++r.dims) r.extent[r.dims] = s[r.dims];
  return r;
}
/// Drops axes of extent 1 and merges neighbours in [first, end) along which all views move evenly;
/// returns how many axes are left of these. What stands behind `end` stays behind them.
constexpr int merge(space& s, int first, int end, list<view*> views) {
  int dims = first;
  const auto copy = [&](int from, int to) {
    s.extent[to] = s.extent[from];
    for (view* v : views) v->step[to] = v->step[from];
  };
  for (int i = first; i < end; ++i) {
    if (s.extent[i] == 1) continue;
    bool even = dims > first;
    for (const view* v : views) even = even && v->step[dims - 1] == v->step[i] * s.extent[i];
    const i64 extent = s.extent[i] * (even ? s.extent[dims - 1] : 1);
    dims += !even;
    copy(i, dims - 1);
    s.extent[dims - 1] = extent;
  }
  for (int i = end; i < s.dims; ++i) copy(i, dims + i - end);
  s.dims -= end - dims;
  return dims - first;
}

constexpr kind kind_of(type t, bool has_float16) {
  switch (size_bytes(t)) {
    case 8: return kind::int64;
    case 2: return has_float16 ? kind::float16 : kind::int16;
    case 1: return kind::int8;
    default: return t == type::float32 ? kind::float32 : kind::int32;
  }
}
constexpr type in_memory(type t) { return is_packed(t) ? type::uint8 : t; }
/// A division rounded up.
constexpr i64 blocks_of(i64 n, i64 block) { return (n + block - 1) / block; }

/// How far apart the four elements lie that an invocation of a GPU takes: a workgroup of `each`.
constexpr i64 four_apart(const target& t) { return t.cpu_driver ? 1 : 64; }
/// True if invocations should take four elements along a space's last axis: on a GPU where there is
/// enough to do, so that more loads are under way.
constexpr bool in_fours(const target& t, const space& s) {
  const i64 last = s.dims > 0 ? s.extent[s.dims - 1] : 1;
  return t.cpu_driver ? last >= 4 : last >= 4 * four_apart(t) && s.count() >= i64{1} << 18;
}

/// A kernel while it is written.
class writer : public assembler {
 public:
  constexpr writer(const plan_view& p, const target& t) : plan(&p), device(t) {
    if (t.by == addressing::address) require(capability::PhysicalStorageBufferAddresses);
    if (t.keeps_nan) {
      require(capability::SignedZeroInfNanPreserve);
      mode(execution_mode::SignedZeroInfNanPreserve, 32);
    }
    if (t.keeps_denormals) {
      require(capability::DenormPreserve);
      mode(execution_mode::DenormPreserve, 32);
    }
    push_ = fresh();
  }
  const plan_view* plan;
  target device;
  function elementary[2][16]{};  ///< by width and by function; see scalar.hpp

  constexpr const table_view& table() const { return plan->table; }
  constexpr const node& at(int id) const { return plan->table.nodes.data[id]; }
  constexpr const plans::location& value_of(int id) const { return plan->locations.data[id]; }

  // ---- views
  /// How node `id` is found with these strides.
  constexpr view view_of(int id, const strides& s, bool writes = false) {
    const plans::location& v = value_of(id);
    view r{bind(v.root, writes), in_memory(plan->stored_type(id)), v.offset, {}};
    for (int i = 0; i < max_rank; ++i) r.step[i] = s[i];
    return r;
  }
  /// As an operand that is broadcast to `to`.
  constexpr view broadcast_to(int id, const shape& to) {
    return view_of(id, broadcast(value_of(id), at(id).out.shape, to));
  }
  /// As a result, element by element.
  constexpr view result_view(int id) { return view_of(id, value_of(id).step, true); }

  // ---- positions
  /// The position of element `flat` in row-major order: one id for each axis.
  constexpr void unravel(const space& s, id flat, id* position) {
    for (int i = s.dims - 1; i >= 0; --i) {
      position[i] = i == 0 ? flat : modulo(flat, s.extent[i]);
      if (i > 0) flat = over(flat, s.extent[i]);
    }
  }
  /// The element that a view shows at a position of the axes [first, end), from `start` on.
  constexpr id advance(id start, const view& v, const id* position, int first, int end) {
    for (int i = first; i < end; ++i)
      if (v.step[i] != 0) start = sum(start, times(position[i], v.step[i]));
    return start;
  }
  /// Where a view begins.
  constexpr id begin_of(const view& v) {
    if (device.by == addressing::address) return v.offset == 0 ? id{} : integer(v.offset);
    return plus(base_[v.port], v.offset);
  }
  constexpr id index_of(const view& v, const space& s, const id* position) {
    return known(advance(begin_of(v), v, position, 0, s.dims));
  }
  /// A sum of which a part may be nothing.
  constexpr id sum(id a, id b) { return a.number == 0 ? b : b.number == 0 ? a : add(a, b); }
  /// Whether two conditions hold, of which one may be nothing: that one always does.
  constexpr id hold(id a, id b) { return a.number == 0 ? b : b.number == 0 ? a : both(a, b); }
  constexpr id known(id a) { return a.number == 0 ? integer(0) : a; }
  /// A position that the driver does not know. lavapipe drops products with zeros that it knows,
  /// even those with infinity.
  constexpr id hidden(id position) {
    return add(position, shifted_right(input(builtin::NumWorkgroups, 0), 31));
  }
  /// x * y + sum, as a term of a contraction. A driver that rounds twice is told so: else it may
  /// drop products with zero, and with them what is not a number.
  constexpr id plus_product(id sum, id x, id y) {
    return device.fuses ? fma(x, y, sum) : add(mul(x, y), sum);
  }
  /// start + n * step
  constexpr id plus_times(id start, id n, i64 step) {
    return step == 0 ? start : add(start, times(n, step));
  }

  // ---- elements
  constexpr pointer element(const view& v, id index, int width = 1) {
    const kind k = kind_of(v.element, device.float16);
    const bool physical = device.by == addressing::address;
    const storage s = physical ? storage::PhysicalStorageBuffer : storage::StorageBuffer;
    word p =
        emit_typed(op::AccessChain, pointer_type(s, k), {base(v), integer(0).number, index.number});
    if (width > 1) p = emit_typed(op::Bitcast, pointer_type(s, k, width), {p});
    return {p, k, width, physical ? bytes_of(k) : 0};
  }
  /// Where an element is: its address if there are 64 bits for it, else its index. Sums of places
  /// cost less than the way from an index to an address.
  constexpr bool has_places() const { return device.by == addressing::address && device.int64; }
  constexpr id place_of(const view& v, id index) {
    if (!has_places()) return index;
    return emit(op::ConvertPtrToU, kind::int64, 1, {element(v, index).number});
  }
  /// `n` elements as a distance between places.
  constexpr id distance_of(const view& v, id n) {
    if (!has_places()) return n;
    return convert(op::SConvert, times(n, size_bytes(v.element)), kind::int64);
  }
  constexpr id moved(const view& v, id place, i64 n) {
    if (n == 0 || !has_places()) return plus(place, n);
    return add(place, constant(kind::int64, static_cast<std::uint64_t>(n * size_bytes(v.element))));
  }
  constexpr id read_at(const view& v, id place) {
    if (!has_places()) return read(v, place);
    const kind k = kind_of(v.element, device.float16);
    const word p = emit_typed(op::ConvertUToPtr, pointer_type(storage::PhysicalStorageBuffer, k),
                              {place.number});
    return widened(load({p, k, 1, bytes_of(k)}), v.element);
  }
  /// Two neighbours of a view, of 4 or of 2 bytes, read as one.
  constexpr bool has_pairs() const { return has_places() && device.unaligned; }
  constexpr void read_pair(const view& v, id place, id* both) {
    const bool halves = size_bytes(v.element) == 2;
    const kind wide = halves ? kind::int32 : kind::int64, part = halves ? kind::int16 : kind::int32,
               own = kind_of(v.element, device.float16);
    const int bytes = 2 * bytes_of(part);
    const word p = emit_typed(op::ConvertUToPtr, pointer_type(storage::PhysicalStorageBuffer, wide),
                              {place.number});
    const id x = load({p, wide, 1, bytes}),
             high = binary(op::ShiftRightLogical, x,
                           constant(wide, static_cast<std::uint64_t>(bytes) * 4));
    both[0] = widened(bits_as(convert(op::UConvert, x, part), own), v.element);
    both[1] = widened(bits_as(convert(op::UConvert, high, part), own), v.element);
  }
  constexpr void write_pair(id place, id low, id high) {
    const word p =
        emit_typed(op::ConvertUToPtr, pointer_type(storage::PhysicalStorageBuffer, kind::int64),
                   {place.number});
    const auto wide = [&](id x) {
      return convert(op::UConvert, bits_as(x, kind::int32), kind::int64);
    };
    const id top = binary(op::ShiftLeftLogical, wide(high), constant(kind::int64, 32));
    store({p, kind::int64, 1, 8}, binary(op::BitwiseOr, top, wide(low)));
  }
  /// The bits of an element, not widened.
  constexpr id load_bits(const view& v, id index) { return load(element(v, index)); }
  constexpr void store_bits(const view& v, id index, id x) { store(element(v, index), x); }
  /// An element as the lane of a program that it is computed in.
  constexpr id read(const view& v, id index) { return widened(load_bits(v, index), v.element); }
  constexpr void write(const view& v, id index, id x) {
    store_bits(v, index, narrowed(x, v.element));
  }
  /// Four elements, `step` apart.
  constexpr id read4(const view& v, id index, i64 step) {
    if (step == 0) return splat(read(v, index), 4);
    if (step == 1 && size_bytes(v.element) == 4 && device.by == addressing::address)
      return load(element(v, index, 4));
    id x[4];
    for (int k = 0; k < 4; ++k) x[k] = read(v, plus(index, k * step));
    return vector(x[0], x[1], x[2], x[3]);
  }
  constexpr void write4(const view& v, id index, i64 step, id x) {
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
  /// A lane as an element; of integers the low bits.
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
  /// float16 in the low bits of a word; see base/half.hpp.
  constexpr id half_bits(id x) {
    const id bits = bits_as(x, kind::int32);
    const auto n = [&](std::uint64_t v) { return integer_like(bits, v); };
    const id size = binary(op::BitwiseAnd, bits, n(0x7fffffffu)),
             sign = binary(op::BitwiseAnd, shifted_right(bits, 16), n(0x8000u)),
             digits = shifted_right(size, 13);
    const id odd = binary(op::BitwiseAnd, digits, n(1));
    const id normal = shifted_right(add(add(size, odd), n(0xfffu - (112u << 23))), 13);
    const id nan = binary(op::BitwiseOr, binary(op::BitwiseAnd, digits, n(0x3ffu)), n(0x7e00u));
    const id tiny = half_subnormal(size);
    id r = select(below(size, n(0x38800000u)), tiny, normal);
    r = select(below(n(0x477fefffu), size), n(0x7c00u), r);
    r = select(below(n(0x7f800000u), size), nan, r);
    return binary(op::BitwiseOr, r, sign);
  }
  constexpr id half_value(id half) {
    const auto n = [&](std::uint64_t v) { return integer_like(half, v); };
    const id sign = shifted_left(binary(op::BitwiseAnd, half, n(0x8000u)), 16),
             size = binary(op::BitwiseAnd, half, n(0x7fffu));
    const id whole = convert(op::ConvertUToF, size, kind::float32);
    const id tiny = bits_as(mul(whole, real_like(whole, 0x1p-24f)), kind::int32);
    const id up = select(below(size, n(0x7c00u)), n(112u << 23), n(224u << 23)),
             quiet = select(below(n(0x7c00u), size), n(0x400000u), n(0));
    const id normal = binary(op::BitwiseOr, add(shifted_left(size, 13), up), quiet);
    return bits_as(binary(op::BitwiseOr, select(below(size, n(0x400u)), tiny, normal), sign),
                   kind::float32);
  }
  constexpr id shifted_right(id x, int by) {
    return binary(op::ShiftRightLogical, x, integer_like(as(x, kind::int32), shift_of(by)));
  }
  constexpr id shifted_left(id x, int by) {
    return binary(op::ShiftLeftLogical, x, integer_like(as(x, kind::int32), shift_of(by)));
  }
  /// A description of a value's type with another scalar.
  static constexpr id as(id x, kind k) { return {0, k, x.width}; }

  /// An array of the workgroup that is free between two uses.
  constexpr variable scratch(kind k, i64 elements) {
    variable& v = scratch_[static_cast<int>(k)];
    if (v.number == 0) v = shared(k, static_cast<int>(elements));
    return v;
  }

  // ---- dispatches
  /// One invocation for each i in [0, count): `body(i)`.
  template <class F> constexpr kernel each(i64 count, F&& body) {
    const i64 fits = device.invocations < 256 ? 64 : 256, most = device.cpu_driver ? fits : 64,
              local = count < most ? count : most;
    const i64 groups = blocks_of(count, local), x = groups <= max_groups ? groups : grid_row,
              y = blocks_of(groups, x);
    id flat = input(builtin::GlobalInvocationId, 0);
    if (y > 1) flat = add(flat, times(input(builtin::GlobalInvocationId, 1), x * local));
    if (x * y * local == count)
      body(flat);
    else
      when(below(flat, integer(count)), [&] { body(flat); });
    return done(local, x, y);
  }
  /// An invocation for four of the columns of a row: `body(row, column, width, apart)`, where width
  /// is 4, or 1 for what is left. On CPU drivers the four lie side by side, else as far apart as
  /// neighbours in a subgroup want.
  template <class F> constexpr kernel each_four(i64 rows, i64 columns, F&& body) {
    const i64 apart = four_apart(device), block = 4 * apart,
              shares = blocks_of(columns, block) * apart;
    return each(rows * shares, [&](id flat) {
      const id row = over(flat, shares), share = modulo(flat, shares);
      id column = times(over(share, apart), block);
      if (apart > 1) column = add(column, modulo(share, apart));
      if (columns % block == 0) return body(row, column, 4, apart);
      when(
          less(column, integer(columns - 3 * apart)), [&] { body(row, column, 4, apart); },
          [&] {
            loop(column, integer(columns), integer(apart), 4,
                 [&](id c) { body(row, c, 1, apart); });
          });
    });
  }
  /// The columns [0, n) for `local` invocations: `body(column, width)`, four columns `local` apart
  /// as long as there are so many.
  template <class F> constexpr void share(i64 n, i64 local, id own, bool in_fours, F&& body) {
    const i64 whole = in_fours ? n / (4 * local) : 0, done = whole * 4 * local;
    loop(whole, [&](id i) { body(add(times(i, 4 * local), own), 4); });
    if (done < n)
      loop(plus(own, done), integer(n), integer(local), blocks_of(n - done, local),
           [&](id column) { body(column, 1); });
  }
  /// One workgroup of `local` invocations for each i in [0, count): `body(i, invocation)`. What an
  /// invocation decides by `i` alone may hold barriers.
  template <class F> constexpr kernel each_group(i64 count, i64 local, F&& body) {
    const i64 x = count <= max_groups ? count : grid_row, y = blocks_of(count, x);
    id flat = input(builtin::WorkgroupId, 0);
    if (y > 1) flat = add(flat, times(input(builtin::WorkgroupId, 1), x));
    const id own = input(builtin::LocalInvocationId, 0);
    if (x * y == count)
      body(flat, own);
    else
      when(below(flat, integer(count)), [&] { body(flat, own); });
    return done(local, x, y);
  }
  /// The kernel for workgroups of x * y * z invocations.
  constexpr kernel done(i64 local, i64 x, i64 y = 1, i64 z = 1) {
    declare_buffers();
    kernel k;
    k.local[0] = static_cast<word>(local);
    k.groups[0] = static_cast<word>(x);
    k.groups[1] = static_cast<word>(y);
    k.groups[2] = static_cast<word>(z);
    k.words = finish(k.local[0], 1, 1);
    k.ports = static_cast<sequence<port>&&>(ports_);
    return k;
  }
  /// False if the kernel would need more buffers than there are push constants, or longer loops
  /// than the driver runs.
  constexpr bool fits() const { return !overflows_ && rounds() <= device.rounds; }

  static constexpr i64 max_groups = 65535, grid_row = 32768;
  /// What loops that can be unrolled stay below; see `target::rounds`.
  static constexpr i64 most_rounds = 30000;

 private:
  sequence<port> ports_;
  word push_ = 0;
  word buffer_[max_ports]{};  ///< the variable, or the pointer that was loaded
  id base_[max_ports]{};      ///< of descriptors: where the root begins
  variable scratch_[9]{};
  bool overflows_ = false;

  /// The port of a root.
  constexpr int bind(int root, bool writes) {
    int k = 0;
    while (k < ports_.size() && ports_[k].root != root) ++k;
    if (k == max_ports) {
      overflows_ = true;
      return 0;
    }
    if (k == ports_.size()) open(root);
    (writes ? ports_[k].writes : ports_[k].reads) = true;
    return k;
  }
  constexpr void open(int root) {
    const int k = ports_.push({root, in_memory(at(root).out.type), false, false});
    const kind of = kind_of(ports_[k].element, device.float16);
    require_storage(of);
    if (device.by == addressing::address) {
      buffer_[k] = at_entry([&] { return load_address(k, of); });
    } else {
      buffer_[k] = fresh();
      base_[k] = at_entry(
          [&] { return emit(op::Load, kind::int32, 1, {push_constant(k, type_id(kind::int32))}); });
    }
  }
  constexpr void require_storage(kind of) {
    const bool physical = device.by == addressing::address;
    if (bytes_of(of) == 1) require(capability::StorageBuffer8BitAccess);
    if (bytes_of(of) == 2) require(capability::StorageBuffer16BitAccess);
    if (of == kind::int8 && physical && device.int8) require(capability::Int8);
    if (of == kind::int16 && physical && device.int16) require(capability::Int16);
  }
  /// Push constants may not even point to elements below 32 bits.
  constexpr word address_type(kind of) {
    return pointer_type(storage::PhysicalStorageBuffer,
                        block_of(bytes_of(of) < 4 ? kind::int32 : of));
  }
  constexpr word load_address(int k, kind of) {
    const word p = address_type(of),
               own = pointer_type(storage::PhysicalStorageBuffer, block_of(of));
    const word address = emit_typed(op::Load, p, {push_constant(k, p)});
    return p == own ? address : emit_typed(op::Bitcast, own, {address});
  }
  constexpr word push_constant(int k, word t) {
    return emit_typed(op::AccessChain, pointer_type(storage::PushConstant, t),
                      {push_, integer(k).number});
  }
  constexpr word base(const view& v) const { return buffer_[v.port]; }
  constexpr void declare_buffers() {
    if (ports_.empty()) return;
    const bool physical = device.by == addressing::address;
    sequence<word> members;
    for (int k = 0; k < ports_.size(); ++k) {
      const kind of = kind_of(ports_[k].element, device.float16);
      members.push(physical ? address_type(of) : type_id(kind::int32));
      if (!physical) declare_descriptor(k, of);
    }
    const word block = struct_of(members);
    decorate(block, decoration::Block);
    for (int k = 0; k < ports_.size(); ++k)
      decorate_member(block, static_cast<word>(k), decoration::Offset,
                      static_cast<word>(k * (physical ? 8 : 4)));
    declare_variable(pointer_type(storage::PushConstant, block), push_, storage::PushConstant);
  }
  constexpr void declare_descriptor(int k, kind of) {
    const word v = buffer_[k];
    declare_variable(pointer_type(storage::StorageBuffer, block_of(of)), v, storage::StorageBuffer);
    decorate(v, decoration::DescriptorSet, 0);
    decorate(v, decoration::Binding, static_cast<word>(k));
    decorate(v, decoration::Aliased);
  }

  constexpr id zero_like(id x) { return integer_like(as(x, kind::int32), 0); }
  static constexpr std::uint64_t shift_of(int by) { return static_cast<std::uint64_t>(by); }
  constexpr id half_subnormal(id size) {
    const auto n = [&](std::uint64_t v) { return integer_like(size, v); };
    const id distance = sub(n(126), shifted_right(size, 23)),
             shift = select(below(distance, n(31)), distance, n(31));
    const id digits =
                 binary(op::BitwiseOr, binary(op::BitwiseAnd, size, n(0x7fffffu)), n(0x800000u)),
             tie = binary(op::ShiftLeftLogical, n(1), sub(shift, n(1)));
    const id rest = binary(op::BitwiseAnd, digits, sub(add(tie, tie), n(1))),
             r = binary(op::ShiftRightLogical, digits, shift);
    const id odd = equal(binary(op::BitwiseAnd, r, n(1)), n(1));
    const id to_even = both(equal(rest, tie), odd);
    const id up = either(below(tie, rest), to_even);
    return add(r, select(up, n(1), n(0)));
  }
};

}  // namespace tenon::spirv
