// Moves on the CPU that no layout could save: copies of boxes between layouts, padding, bands, samples.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/run/backend.hpp>
#include <cstring>
#include <new>

namespace tenon::simd {

/// A box of elements that is copied: extents, and strides on both sides in elements. Dimensions that
/// move evenly are merged; the last one is the row.
struct box {
  int dims = 0;
  i64 extent[max_rank]{}, in[max_rank]{}, out[max_rank]{};
  i64 rows = 1, columns = 1, in_column = 0, out_column = 0;
  int root = -1;
  i64 offset = 0, out_offset = 0;
};
/// A move: one box for each operand that is not there already. Where a movement computes what each
/// position shows (`by_rows`), the box is the result's rows, and the operand's extents tell what lies
/// inside.
struct move_plan {
  int boxes = 0, bytes = 4, out_root = -1;
  box part[max_operands]{};
  bool by_rows = false;
  movement m{};
  shape space{}, inside{};
  strides step{};  ///< of the operand
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

template <int Bytes> struct word;
template <> struct word<1> { using type = std::uint8_t; };
template <> struct word<4> { using type = std::uint32_t; };
template <> struct word<8> { using type = std::uint64_t; };

/// One row of a box; the elements' bits are copied.
template <int Bytes>
inline void copy_row(const std::byte* from, i64 in, std::byte* to, i64 out, i64 n) noexcept {
  if (in == 1 && out == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(n) * Bytes);
    return;
  }
  using element = typename word<Bytes>::type;
  const auto* x = reinterpret_cast<const element*>(from);
  auto* y = reinterpret_cast<element*>(to);
  if (out == 1)
    for (i64 i = 0; i < n; ++i) y[i] = x[i * in];
  else
    for (i64 i = 0; i < n; ++i) y[i * out] = x[i * in];
}
template <int Bytes> inline void copy_rows(const box& b, const std::byte* from, std::byte* to,
                                           i64 begin, i64 end) noexcept {
  i64 at[max_rank]{}, rest = begin, in = 0, out = 0;
  for (int d = b.dims - 1; d >= 0; --d) {
    at[d] = rest % b.extent[d];
    rest /= b.extent[d];
    in += at[d] * b.in[d];
    out += at[d] * b.out[d];
  }
  for (i64 row = begin; row < end; ++row) {
    copy_row<Bytes>(from + in * Bytes, b.in_column, to + out * Bytes, b.out_column, b.columns);
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

/// The padding's value as bits of the element.
template <int Bytes> inline typename word<Bytes>::type bits_of(double value, type t) noexcept {
  typename word<Bytes>::type bits{};
  const auto number = static_cast<float>(value);
  if (t != type::float32)
    bits = static_cast<typename word<Bytes>::type>(static_cast<i64>(value));
  else if constexpr (Bytes == sizeof(number))
    std::memcpy(&bits, &number, sizeof(bits));
  return bits;
}
/// One row of a padded result: `from` is the operand's row, null where nothing of it is shown.
template <int Bytes>
inline void pad_row(const move_plan& p, type t, const std::byte* from, std::byte* to) noexcept {
  using element = typename word<Bytes>::type;
  const int last = p.space.rank - 1;
  const i64 n = last < 0 ? 1 : p.space[last], extent = last < 0 ? 1 : p.inside[last],
            begin = last < 0 ? 0 : p.m.begin[last], step = last < 0 ? 0 : p.step[last];
  auto* y = reinterpret_cast<element*>(to);
  const auto fill = bits_of<Bytes>(p.m.value, t);
  const auto border = [&](i64 i) {
    const i64 at = from ? shown(p.m.mode, i - begin, extent) : -1;
    if (at < 0)
      y[i] = fill;
    else
      std::memcpy(y + i, from + at * step * Bytes, Bytes);
  };
  for (i64 i = 0; i < begin; ++i) border(i);
  if (from)
    copy_row<Bytes>(from, step, to + begin * Bytes, 1, extent);
  else
    for (i64 i = begin; i < begin + extent; ++i) y[i] = fill;
  for (i64 i = begin + extent; i < n; ++i) border(i);
}
template <int Bytes> inline void pad_rows(const move_plan& p, type t, const std::byte* from,
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
    pad_row<Bytes>(p, t, outside ? nullptr : from + offset * Bytes, to + row * columns * Bytes);
  }
}

template <int Bytes> inline void band_rows(const move_plan& p, const std::byte* from, std::byte* to,
                                           i64 begin, i64 end) noexcept {
  const int last = p.space.rank - 1;
  const i64 columns = p.space[last], step = p.step[last];
  const auto zeros = [&](std::byte* at, i64 n) {
    std::memset(at, 0, static_cast<std::size_t>(n) * Bytes);
  };
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, offset = 0;
    for (int d = last - 1; d >= 0; --d) {
      offset += rest % p.space[d] * p.step[d];
      rest /= p.space[d];
    }
    const band_columns shown(p.m, row % p.space[last - 1], columns);
    std::byte* y = to + row * columns * Bytes;
    zeros(y, shown.begin);
    copy_row<Bytes>(from + (offset + shown.begin * step) * Bytes, step, y + shown.begin * Bytes, 1,
                    shown.end - shown.begin);
    zeros(y + shown.end * Bytes, columns - shown.end);
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
template <int Bytes> inline void sample_rows(const move_plan& p, const std::byte* from,
                                             std::byte* to, i64 begin, i64 end) noexcept {
  using element = typename word<Bytes>::type;
  const int last = p.space.rank - 1;
  const i64 columns = p.space[last], step = p.step[last];
  for (i64 row = begin; row < end; ++row) {
    i64 rest = row, offset = 0;
    for (int d = last - 1; d >= 0; --d) {
      offset += sampled_at(p.m.how, rest % p.space[d], p.inside[d], p.space[d]) * p.step[d];
      rest /= p.space[d];
    }
    const std::byte* x = from + offset * Bytes;
    std::byte* y = to + row * columns * Bytes;
    if (p.inside[last] == columns) {
      copy_row<Bytes>(x, step, y, 1, columns);
      continue;
    }
    sampler at(p.m.how, p.inside[last], columns);
    for (i64 i = 0; i < columns; ++i, at.next())
      reinterpret_cast<element*>(y)[i] = reinterpret_cast<const element*>(x)[at.place() * step];
  }
}
inline void fractions(const move_plan& p, std::byte* to, i64 begin, i64 end) noexcept {
  for (i64 i = begin; i < end; ++i)
    reinterpret_cast<float*>(to)[i] = fraction_at(i, p.inside[p.m.axis], p.space[0]);
}

/// A bound move.
struct move_work {
  move_plan plan{};
  type element = type::float32;
};
/// Rows `begin` to `end` of a movement that computes what each position shows.
template <int Bytes> inline void run_rows_of(const move_work& w, const std::byte* from,
                                             std::byte* to, i64 begin, i64 end) noexcept {
  const move_plan& p = w.plan;
  if (p.m.is == movement::form::pad)
    pad_rows<Bytes>(p, w.element, from, to, begin, end);
  else if (p.m.is == movement::form::band)
    band_rows<Bytes>(p, from, to, begin, end);
  else if (p.m.how != sampling::fraction)
    sample_rows<Bytes>(p, from, to, begin, end);
  else
    fractions(p, to, begin, end);
}
template <int Bytes> inline void run_move_of(const move_work& w, const frame& f) noexcept {
  const move_plan& p = w.plan;
  std::byte* out = f.base[p.out_root];
  for (int k = 0; k < p.boxes; ++k) {
    const box& b = p.part[k];
    const std::byte* from = f.base[b.root] + b.offset * Bytes;
    std::byte* to = out + b.out_offset * Bytes;
    f.threads(b.rows, 1 + 16384 / b.columns, [&](i64 begin, i64 end, int) {
      if (p.by_rows)
        run_rows_of<Bytes>(w, from, to, begin, end);
      else
        copy_rows<Bytes>(b, from, to, begin, end);
    });
  }
}
inline void run_move(const move_work& w, const frame& f) noexcept {
  if (w.plan.bytes == 1) return run_move_of<1>(w, f);
  if (w.plan.bytes == 8) return run_move_of<8>(w, f);
  run_move_of<4>(w, f);
}

constexpr footprint measure_move() { return {0, 0, 0, static_cast<i64>(sizeof(move_work))}; }

/// The boxes that a join still has to copy.
inline void bind_join(const plan_view& p, int id, move_plan& r) noexcept {
  const node& n = p.table.nodes[id];
  const value& own = p.values[id];
  for (int k = 0; k < n.operands; ++k) {
    const value& v = p.values[n.in[k]];
    const shape& s = p.table.nodes[n.in[k]].out.shape;
    const i64 at = own.offset + passes::join_offset(p.table, n, k);
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
  const value &from = p.values[n.in[0]], &own = p.values[id];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* w = new (b.bound) move_work{};
  move_plan& r = w->plan;
  w->element = n.out.type;
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
    r.space = n.out.shape;
    r.inside = s;
    r.step = from.step;
    const int rank = n.out.shape.rank;
    const bool one_each = m.is == movement::form::sample && m.how == sampling::fraction;
    r.part[0].columns = rank > 0 && !one_each ? n.out.shape[rank - 1] : 1;
    r.part[0].rows = n.out.shape.count() / r.part[0].columns;
  }
  r.part[0].root = from.root;
  r.part[0].offset += from.offset;
  r.part[0].out_offset = own.offset;
  return w;
}

}  // namespace tenon::simd
