// The definition of reductions. Element k of a float reduction goes to partial result k modulo 16;
// partial results are then combined as a tree (0 with 8, 1 with 9, ...; 0 with 4, ...). Vectors of
// 16, 8 or 4 floats add in this order without shuffles, but for the end of the tree. Integers wrap
// around: their order does not matter.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/memory.hpp>

namespace tenon::reference_kernels {

/// Two elements of a sum, a product or an extreme. Extremes: NaN wins, and of two zeros the
/// first one stays.
constexpr float combined(combine how, float a, float b) {
  switch (how) {
    case combine::sum: return a + b;
    case combine::max: return arithmetic::max(a, b);
    case combine::min: return arithmetic::min(a, b);
    default: return arithmetic::mul(a, b);
  }
}
/// The position of the first extreme of `m` elements. The first NaN is the extreme, if there is
/// one.
constexpr i64 first_extreme(combine how, const float* x, odometer<1> o, i64 m) {
  i64 best = 0;
  float extreme = x[o.offset[0]];
  for (i64 k = 0; k < m; ++k, o.next()) {
    const float e = x[o.offset[0]];
    if (extreme != extreme ||
        !(how == combine::first_max ? e > extreme || e != e : e < extreme || e != e))
      continue;
    extreme = e;
    best = k;
  }
  return best;
}
/// The first elements are copied and not combined with the neutral element: 0 + -0 would be 0.
/// Partial results without elements hold the neutral one.
constexpr float reduced(combine how, const float* x, odometer<1> o, i64 m) {
  float partial[partial_results];
  for (float& r : partial) r = neutral(how);
  for (i64 k = 0; k < m; ++k, o.next()) {
    float& r = partial[k % partial_results];
    const float e = x[o.offset[0]];
    r = k < partial_results ? e : combined(how, r, e);
  }
  for (int half = partial_results / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) partial[k] = combined(how, partial[k], partial[k + half]);
  return partial[0];
}

/// An integer of any type in 64 bits; in fewer bits arithmetic wraps around alike.
constexpr std::uint64_t integer_at(const source& s, i64 at) {
  const scalar_register r = read(s, at);
  if (slot_kind_of(s.type) == slot_kind::wide) return r.wide;
  return is_signed(s.type) ? arithmetic::word(std::int64_t{arithmetic::wrap(r.word)}) : r.word;
}
constexpr void put_integer(const target& t, i64 at, std::uint64_t x) {
  scalar_register r{};
  if (slot_kind_of(t.type) == slot_kind::wide)
    r.wide = x;
  else
    r.word = static_cast<std::uint32_t>(x);
  write(t, at, r);
}
/// A word that compares, without a sign, as the integer does: of types with a sign the sign bit is
/// inverted.
constexpr std::uint64_t order_of(std::uint64_t x, type t) {
  return is_signed(t) ? x ^ (std::uint64_t{1} << 63) : x;
}
constexpr std::uint64_t combined(combine how, type t, std::uint64_t a, std::uint64_t b) {
  switch (how) {
    case combine::sum: return a + b;
    case combine::max: return order_of(b, t) > order_of(a, t) ? b : a;
    case combine::min: return order_of(b, t) < order_of(a, t) ? b : a;
    default: return a * b;
  }
}
constexpr i64 first_extreme(combine how, const source& x, odometer<1> o, i64 m) {
  i64 best = 0;
  std::uint64_t extreme = order_of(integer_at(x, o.offset[0]), x.type);
  for (i64 k = 0; k < m; ++k, o.next()) {
    const std::uint64_t e = order_of(integer_at(x, o.offset[0]), x.type);
    if (!(how == combine::first_max ? e > extreme : e < extreme)) continue;
    extreme = e;
    best = k;
  }
  return best;
}
constexpr std::uint64_t reduced(combine how, const source& x, odometer<1> o, i64 m) {
  std::uint64_t all = integer_at(x, o.offset[0]);
  for (i64 k = 1; k < m; ++k) {
    o.next();
    all = combined(how, x.type, all, integer_at(x, o.offset[0]));
  }
  return all;
}

/// The axes of a reduction's operand.
struct reduced_axes {
  odometer<1> kept, summed;
};
constexpr reduced_axes axes_of(const reduction& r, const operand& in) {
  reduced_axes all;
  for (int i = 0; i < in.extent.rank; ++i) {
    odometer<1>& o = r.reduces(i) ? all.summed : all.kept;
    o.step[0].step[o.space.rank] = in.where.step[i];
    o.space.extent[o.space.rank++] = in.extent[i];
  }
  return all;
}
/// Results [begin, end) of a reduction. An average divides the sum by the number of elements, once.
constexpr void reduce(const reduction& r, const operand& in, target out, i64 begin, i64 end) {
  auto [kept, summed] = axes_of(r, in);
  const i64 m = summed.space.count();
  const bool real = in.data.type == type::float32;
  kept.start(begin);
  for (i64 i = begin; i < end; ++i, kept.next()) {
    const i64 from = kept.offset[0];
    if (gives_position(r.how))
      put_integer(
          out, i,
          static_cast<std::uint64_t>(real ? first_extreme(r.how, in.data.real + from, summed, m)
                                          : first_extreme(r.how, in.data + from, summed, m)));
    else if (!real)
      put_integer(out, i, reduced(r.how, in.data + from, summed, m));
    else if (r.average)
      out.real[i] =
          arithmetic::div(reduced(r.how, in.data.real + from, summed, m), static_cast<float>(m));
    else
      out.real[i] = reduced(r.how, in.data.real + from, summed, m);
  }
}

}  // namespace tenon::reference_kernels
