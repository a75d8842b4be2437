// Moves on the CPU that no layout could save: copies of boxes between layouts, padding, bands,
// samples.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/policy/policy.hpp>
#include <cstring>
#include <new>

namespace tenon::simd {

/// A box of elements that is copied: extents, and strides on both sides in elements. Dimensions
/// that move evenly are merged; the last one is the row.
struct box {
  int dims = 0;
  i64 extent[max_rank]{}, in[max_rank]{}, out[max_rank]{};
  i64 rows = 1, columns = 1, in_column = 0, out_column = 0;
  int root = -1;
  i64 offset = 0, out_offset = 0;
};
/// A move: one box for each operand that is not there already. Where a movement computes what each
/// position shows (`by_rows`), the box is the result's rows, and the operand's extents tell what
/// lies inside.
struct move_plan {
  int boxes = 0, bytes = 4, out_root = -1;
  box part[max_operands]{};
  bool by_rows = false;
  movement m{};
  shape space{}, inside{};
  strides step{};          ///< of the operand
  std::uint64_t fill = 0;  ///< the bits of what stands outside
  bool is_signed = false;  ///< of elements of 4 bits
};

constexpr box make_box(const shape& space, const strides& in, const strides& out) {
  box b;
  for (int i = 0; i < space.rank; ++i) {
    if (space[i] == 1) continue;
    const int last = b.dims - 1;
    const bool even =
        b.dims > 0 && b.in[last] == in[i] * space[i] && b.out[last] == out[i] * space[i];
    const int to = even ? last : b.dims++;
    b.extent[to] = space[i] * (even ? b.extent[to] : 1);
    b.in[to] = in[i];
    b.out[to] = out[i];
  }
  if (b.dims > 0) {
    --b.dims;
    b.columns = b.extent[b.dims];
    b.in_column = b.in[b.dims];
    b.out_column = b.out[b.dims];
  }
  for (int d = 0; d < b.dims; ++d) b.rows *= b.extent[d];
  return b;
}

/// Bytes of an element: 4 as a constant, or a number.
struct four_bytes {
  static constexpr int bytes = 4;
};
struct one_byte {
  static constexpr int bytes = 1;
};
struct any_bytes {
  int bytes = 1;
};
/// Calls `f` with the size of an element.
template <class F> inline void with_size(int bytes, F&& f) noexcept {
  if (bytes == 4) return f(four_bytes{});
  if (bytes == 1) return f(one_byte{});
  f(any_bytes{bytes});
}

template <class Word>
inline void copy_strided(const std::byte* from, i64 in, std::byte* to, i64 out, i64 n) noexcept {
  const auto* x = reinterpret_cast<const Word*>(from);
  auto* y = reinterpret_cast<Word*>(to);
  if (out == 1)
    for (i64 i = 0; i < n; ++i) y[i] = x[i * in];
  else
    for (i64 i = 0; i < n; ++i) y[i * out] = x[i * in];
}
/// One row of a box; the elements' bits are copied.
inline void copy_row(four_bytes, const std::byte* from, i64 in, std::byte* to, i64 out,
                     i64 n) noexcept {
  if (in != 1 || out != 1) return copy_strided<std::uint32_t>(from, in, to, out, n);
  std::memcpy(to, from, static_cast<std::size_t>(n) * 4);
}
inline void copy_row(one_byte, const std::byte* from, i64 in, std::byte* to, i64 out,
                     i64 n) noexcept {
  if (in != 1 || out != 1) return copy_strided<std::uint8_t>(from, in, to, out, n);
  std::memcpy(to, from, static_cast<std::size_t>(n));
}
[[gnu::noinline]] inline void copy_row(any_bytes size, const std::byte* from, i64 in, std::byte* to,
                                       i64 out, i64 n) noexcept {
  if (in == 1 && out == 1)
    std::memcpy(to, from, static_cast<std::size_t>(n * size.bytes));
  else if (size.bytes == 2)
    copy_strided<std::uint16_t>(from, in, to, out, n);
  else
    copy_strided<std::uint64_t>(from, in, to, out, n);
}
template <class Size> inline void copy_rows(Size size, const box& b, const std::byte* from,
                                            std::byte* to, i64 begin, i64 end) noexcept {
  i64 at[max_rank]{}, rest = begin, in = 0, out = 0;
  for (int d = b.dims - 1; d >= 0; --d) {
    at[d] = rest % b.extent[d];
    rest /= b.extent[d];
    in += at[d] * b.in[d];
    out += at[d] * b.out[d];
  }
  for (i64 row = begin; row < end; ++row) {
    copy_row(size, from + in * size.bytes, b.in_column, to + out * size.bytes, b.out_column,
             b.columns);
    for (int d = b.dims - 1; d >= 0; --d) {
      in += b.in[d];
      out += b.out[d];
      if (++at[d] < b.extent[d]) break;
      in -= b.in[d] * b.extent[d];
      out -= b.out[d] * b.extent[d];
      at[d] = 0;
    }
  }
}

/// The bits of what stands in a padding, in an element's low bytes.
inline std::uint64_t bits_of(const any_number& value, type t) noexcept {
  if (t == type::float32) return std::bit_cast<std::uint32_t>(value.to_float());
  if (t == type::float16) return float16(value.to_float()).bits;
  return integer_of(t, value);
}
static_assert(std::endian::native == std::endian::little, "cpu: the low byte comes first");
/// One row of a padded result: `from` is the operand's row, null where nothing of it is shown.
template <class Size>
inline void pad_row(Size size, const move_plan& p, const std::byte* from, std::byte* to) noexcept {
  const int last = p.space.rank - 1;
  const i64 n = last < 0 ? 1 : p.space[last], extent = last < 0 ? 1 : p.inside[last],
            begin = last < 0 ? 0 : p.m.begin[last], step = last < 0 ? 0 : p.step[last];
  const auto put = [&](i64 i, const void* element) {
    std::memcpy(to + i * size.bytes, element, static_cast<std::size_t>(size.bytes));
  };
  const auto border = [&](i64 i) {
    const i64 at = from ? shown(p.m.mode, i - begin, extent) : -1;
    put(i, at < 0 ? static_cast<const void*>(&p.fill) : from + at * step * size.bytes);
  };
  for (i64 i = 0; i < begin; ++i) border(i);
  if (from)
    copy_row(size, from, step, to + begin * size.bytes, 1, extent);
  else
    for (i64 i = begin; i < begin + extent; ++i) put(i, &p.fill);
  for (i64 i = begin + extent; i < n; ++i) border(i);
}
template <class Size> inline void pad_rows(Size size, const move_plan& p, const std::byte* from,
                                           std::byte* to, i64 begin, i64 end) noexcept {
  const int last = p.space.rank - 1;
  const i64 columns = last < 0 ? 1 : p.space[last];
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, offset = 0;
    bool outside = false;
    for (int d = last - 1; d >= 0; --d) {
      const i64 at = shown(p.m.mode, rest % p.space[d] - p.m.begin[d], p.inside[d]);
      rest /= p.space[d];
      outside = outside || at < 0;
      offset += at * p.step[d];
    }
    pad_row(size, p, outside ? nullptr : from + offset * size.bytes,
            to + row * columns * size.bytes);
  }
}

template <class Size> inline void band_rows(Size size, const move_plan& p, const std::byte* from,
                                            std::byte* to, i64 begin, i64 end) noexcept {
  const int last = p.space.rank - 1;
  const i64 columns = p.space[last], step = p.step[last];
  const auto zeros = [&](std::byte* at, i64 n) {
    std::memset(at, 0, static_cast<std::size_t>(n * size.bytes));
  };
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, offset = 0;
    for (int d = last - 1; d >= 0; --d) {
      offset += rest % p.space[d] * p.step[d];
      rest /= p.space[d];
    }
    const band_columns shown(p.m, row % p.space[last - 1], columns);
    std::byte* y = to + row * columns * size.bytes;
    zeros(y, shown.begin);
    copy_row(size, from + (offset + shown.begin * step) * size.bytes, step,
             y + shown.begin * size.bytes, 1, shown.end - shown.begin);
    zeros(y + shown.end * size.bytes, columns - shown.end);
  }
}

/// `sampled_at` for one position after the other: a sum in place of a division each.
class sampler {
 public:
  sampler(sampling how, i64 from, i64 to) noexcept
      : how_(how),
        from_(from),
        under_(2 * to),
        whole_(2 * from / under_),
        part_(2 * from % under_),
        part_now_(how == sampling::nearest ? from - 1 : from - to) {
    while (part_now_ >= under_) next_part(-under_, 1);
    if (part_now_ < 0) next_part(under_, -1);
  }
  i64 place() const noexcept {
    if (whole_now_ < 0) return 0;
    const bool above = how_ == sampling::upper && part_now_ != 0 && whole_now_ + 1 < from_;
    return above ? whole_now_ + 1 : whole_now_;
  }
  void next() noexcept {
    next_part(part_, whole_);
    if (part_now_ >= under_) next_part(-under_, 1);
  }

 private:
  void next_part(i64 part, i64 whole) noexcept {
    part_now_ += part;
    whole_now_ += whole;
  }
  sampling how_;
  i64 from_, under_, whole_, part_;
  i64 part_now_, whole_now_ = 0;
};
template <class Size> inline void sample_rows(Size size, const move_plan& p, const std::byte* from,
                                              std::byte* to, i64 begin, i64 end) noexcept {
  const int last = p.space.rank - 1;
  const i64 columns = p.space[last], step = p.step[last];
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, offset = 0;
    for (int d = last - 1; d >= 0; --d) {
      offset += sampled_at(p.m.how, rest % p.space[d], p.inside[d], p.space[d]) * p.step[d];
      rest /= p.space[d];
    }
    const std::byte* x = from + offset * size.bytes;
    std::byte* y = to + row * columns * size.bytes;
    if (p.inside[last] == columns) {
      copy_row(size, x, step, y, 1, columns);
      continue;
    }
    sampler at(p.m.how, p.inside[last], columns);
    for (i64 i = 0; i < columns; ++i, at.next())
      copy_row(size, x + at.place() * step * size.bytes, 1, y + i * size.bytes, 1, 1);
  }
}
inline void fractions(const move_plan& p, std::byte* to, i64 begin, i64 end) noexcept {
  for (i64 i = begin; i < end; ++i)
    reinterpret_cast<float*>(to)[i] = fraction_at(i, p.inside[p.m.axis], p.space[0]);
}

/// Bytes `begin` to `end` of elements of 4 bits as bytes of their own.
inline void unpack(const move_plan& p, const std::byte* from, std::byte* to, i64 begin,
                   i64 end) noexcept {
  const auto* x = reinterpret_cast<const std::uint8_t*>(from);
  auto* y = reinterpret_cast<std::uint8_t*>(to);
  const int sign = p.is_signed ? 8 : 0;
  const i64 elements = p.space.count(), whole = end < elements / 2 ? end : elements / 2;
  const auto widen = [sign](int half) { return static_cast<std::uint8_t>((half ^ sign) - sign); };
  for (i64 i = begin; i < whole; ++i) {
    y[2 * i] = widen(x[i] & 15);
    y[2 * i + 1] = widen(x[i] >> 4);
  }
  if (whole < end) y[2 * whole] = widen(x[whole] & 15);
}
inline void pack(const move_plan& p, const std::byte* from, std::byte* to, i64 begin,
                 i64 end) noexcept {
  const auto* x = reinterpret_cast<const std::uint8_t*>(from);
  auto* y = reinterpret_cast<std::uint8_t*>(to);
  const i64 elements = p.space.count(), whole = end < elements / 2 ? end : elements / 2;
  const auto both = [](int low, int high) {
    return static_cast<std::uint8_t>((low & 15) | high << 4);
  };
  for (i64 i = begin; i < whole; ++i) y[i] = both(x[2 * i], x[2 * i + 1]);
  if (whole < end) y[whole] = both(x[2 * whole], 0);
}

template <class Size> [[gnu::noinline]] void move_rows(Size size, const move_plan& p, const box& b,
                                                       const std::byte* from, std::byte* to,
                                                       i64 begin, i64 end) noexcept {
  if (!p.by_rows)
    copy_rows(size, b, from, to, begin, end);
  else if (p.m.is == movement::form::pad)
    pad_rows(size, p, from, to, begin, end);
  else if (p.m.is == movement::form::band)
    band_rows(size, p, from, to, begin, end);
  else if (p.m.is == movement::form::unpack)
    unpack(p, from, to, begin, end);
  else if (p.m.is == movement::form::pack)
    pack(p, from, to, begin, end);
  else if (p.m.how != sampling::fraction)
    sample_rows(size, p, from, to, begin, end);
  else
    fractions(p, to, begin, end);
}

/// A bound move.
struct move_work {
  move_plan plan{};
};
template <class Size>
inline void run_boxes(Size size, const move_plan& p, const frame& f) noexcept {
  std::byte* out = f.base[p.out_root];
  for (int k = 0; k < p.boxes; ++k) {
    const box& b = p.part[k];
    const std::byte* from = f.base[b.root] + b.offset * size.bytes;
    std::byte* to = out + b.out_offset * size.bytes;
    f.threads(b.rows, 1 + 16384 / b.columns,
              [&](i64 begin, i64 end, int) { move_rows(size, p, b, from, to, begin, end); });
  }
}
inline void run_move(const move_work& w, const frame& f) noexcept {
  with_size(w.plan.bytes, [&](auto size) { run_boxes(size, w.plan, f); });
}

constexpr footprint measure_move() { return {0, 0, 0, static_cast<i64>(sizeof(move_work))}; }

/// The boxes that a join still has to copy.
inline void bind_join(const plan_view& p, int id, move_plan& r) noexcept {
  const node& n = p.table.nodes[id];
  const plans::location& own = p.locations[id];
  for (int k = 0; k < n.operands; ++k) {
    const plans::location& v = p.locations[n.in[k]];
    const shape& s = p.table.nodes[n.in[k]].out.shape;
    const i64 at = own.offset + plans::join_offset(p.table, n, k);
    if (v.root == own.root && v.offset == at && p.group_of[n.in[k]] >= 0) continue;
    box& b = r.part[r.boxes++];
    b = make_box(s, v.step, dense(n.out.shape));
    b.root = v.root;
    b.offset = v.offset;
    b.out_offset = at;
  }
}
template <class Binding> inline const move_work* bind_move(const Binding& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const movement& m = p.table.movement_of(n);
  const plans::location &from = p.locations[n.in[0]], &own = p.locations[id];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* w = new (b.bound) move_work{};
  move_plan& r = w->plan;
  r.bytes = static_cast<int>(size_bytes(n.out.type));
  r.out_root = own.root;
  if (m.is == movement::form::join) {
    bind_join(p, id, r);
    return w;
  }
  r.boxes = 1;
  if (m.is == movement::form::reshape) {
    r.part[0] = make_box(s, from.step, dense(s));
  } else if (m.is == movement::form::affine) {
    strides step{};
    for (int i = 0; i < n.out.shape.rank; ++i) step.step[i] = restride(m.step[i], s, from);
    r.part[0] = make_box(n.out.shape, step, dense(n.out.shape));
    r.part[0].offset = restride(m.offset, s, from);
  } else {
    r.by_rows = true;
    r.m = m;
    r.fill = bits_of(m.value, n.out.type);
    r.space = n.out.shape;
    r.inside = s;
    r.step = from.step;
    const int rank = n.out.shape.rank;
    const bool one_each = m.is == movement::form::sample && m.how == sampling::fraction;
    const bool halves = m.is == movement::form::unpack || m.is == movement::form::pack;
    r.part[0].columns = rank > 0 && !one_each && !halves ? n.out.shape[rank - 1] : 1;
    r.part[0].rows = halves ? bytes_of(type::int4, n.out.shape.count())
                            : n.out.shape.count() / r.part[0].columns;
    r.is_signed = is_signed(n.out.type);
  }
  r.part[0].root = from.root;
  r.part[0].offset += from.offset;
  r.part[0].out_offset = own.offset;
  return w;
}

}  // namespace tenon::simd
