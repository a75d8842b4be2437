// Moves whose rows are computed: padding, bands, samples, and elements of 4 bits.
//
// These are no boxes: the operand's position is no linear function of the result's position. Each
// kernel runs over rows of the result. It finds the operand's row by the movement's rule, once for
// each row, and then copies, fills or samples the row. Threads share rows; for elements of 4 bits
// they share bytes, for fractions elements.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/box.hpp>
#include <bit>

namespace tenon::simd {

/// A bound move: one box for each operand that is not in place already. A movement that is computed
/// by rows (`by_rows`) has one box, the result's rows.
struct move_plan {
  int boxes = 0, bytes = 4, out_holder = -1;
  box copied[max_operands]{};
  bool by_rows = false;
  movement m{};
  shape space{}, inside{};  ///< extents of the result and of the operand
  strides step{};           ///< of the operand, in elements
  std::uint64_t fill = 0;   ///< the bits of the padding's value
  bool is_signed = false;   ///< int4, else uint4
};

/// The bits of a padding's value as an element, in the low bytes.
inline std::uint64_t bits_of(const any_number& value, type t) noexcept {
  if (t == type::float32) return std::bit_cast<std::uint32_t>(value.to_float());
  if (t == type::float16) return float16(value.to_float()).bits;
  return integer_of(t, value);
}
static_assert(std::endian::native == std::endian::little, "cpu: the low byte comes first");
/// One row of a padded result. `from` is the operand's row, or null if the whole row is padding.
/// The part inside is one copy; only the edges on both sides go element by element.
template <class Size>
inline void pad_row(Size size, const move_plan& p, const std::byte* from, std::byte* to) noexcept {
  const int last = p.space.rank - 1;
  const i64 n = last < 0 ? 1 : p.space[last], extent = last < 0 ? 1 : p.inside[last],
            begin = last < 0 ? 0 : p.m.begin[last], step = last < 0 ? 0 : p.step[last];
  const auto put = [&](i64 i, const void* element) {
    std::memcpy(to + i * size.bytes, element, static_cast<std::size_t>(size.bytes));
  };
  const auto edge = [&](i64 i) {
    const i64 at = from ? shown(p.m.mode, i - begin, extent) : -1;
    put(i, at < 0 ? static_cast<const void*>(&p.fill) : from + at * step * size.bytes);
  };
  for (i64 i = 0; i < begin; ++i) edge(i);
  if (from)
    copy_row(size, from, step, to + begin * size.bytes, 1, extent);
  else
    for (i64 i = begin; i < begin + extent; ++i) put(i, &p.fill);
  for (i64 i = begin + extent; i < n; ++i) edge(i);
}
/// Rows of a padded result. Along each axis but the last, `shown` gives the operand's position, or
/// -1 for padding; then the whole row is padding.
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

/// Rows of a band of a matrix (triangular): zeros on both sides of the columns that are kept.
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

/// Gives what `sampled_at` gives, for positions 0, 1, 2 and so on, without its divisions. The
/// position in the operand is a fraction with denominator 2 * `to`, and grows by 2 * `from` each
/// time: whole part and numerator are added, with a carry.
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
  i64 position() const noexcept {
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
/// Rows of a resampling: each element of the result is one of the operand. If the last axis is not
/// resampled, a row is one copy.
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
      copy_row(size, x + at.position() * step * size.bytes, 1, y + i * size.bytes, 1, 1);
  }
}
/// The weights of a linear resampling along one axis.
inline void fractions(const move_plan& p, std::byte* to, i64 begin, i64 end) noexcept {
  for (i64 i = begin; i < end; ++i)
    reinterpret_cast<float*>(to)[i] = fraction_at(i, p.inside[p.m.axis], p.space[0]);
}

/// Unpacks bytes [begin, end) of elements of 4 bits to whole bytes, the low half first. With an odd
/// number of elements the last byte holds only one. For int4, (half ^ 8) - 8 extends the sign from
/// bit 3.
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
/// Packs the low 4 bits of bytes; writes bytes [begin, end). With an odd number of elements the
/// last half byte is 0.
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

/// Rows [begin, end) of a plan's box, by the kernel for its movement. Not inlined: it is the one
/// copy of all these kernels for each size of elements.
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

}  // namespace tenon::simd
