// Generators of moves, quantization, gathering and scattering.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/draw.hpp>

namespace tenon::trial::draw {

// Moves copy bits, so they are drawn in every type. Sizes are drawn such that operators accept most
// of them: what is refused adds nothing to the graph.

/// Any shape with as many elements.
inline int reshape(maker& m) {
  const int x = m.any(m.any_type());
  i64 left = m.shape_of(x).count();
  reshape_options o;
  o.newShape.count = left == 1 ? m.decide.in(0, 5) : m.decide.in(1, 5);
  for (int i = 0; i < o.newShape.count; ++i) o.newShape.item[i] = 1;
  for (i64 factor = 2; left > 1; ++factor)  // every prime factor goes to some axis
    for (; left % factor == 0; left /= factor)
      o.newShape.item[m.decide.below(o.newShape.count)] *= factor;
  return m.add<reshape_t>(o, {x});
}
/// One time in four without a permutation: WebNN then reverses the axes. Otherwise a shuffle
/// (Fisher and Yates) that leaves the order as it is where all decisions are 0.
inline int transpose(maker& m) {
  const int x = m.any(m.any_type());
  const int rank = m.shape_of(x).rank;
  transpose_options o;
  if (m.decide.one_in(4)) return m.add<transpose_t>(o, {x});
  o.permutation.count = rank;
  for (int i = 0; i < rank; ++i) o.permutation.item[i] = i;
  for (int i = rank - 1; i > 0; --i)
    std::swap(o.permutation.item[i], o.permutation.item[i - m.decide.below(i + 1)]);
  return m.add<transpose_t>(o, {x});
}
/// At least one element of every axis, with strides of up to 3.
inline int slice(maker& m) {
  const int v = m.any(m.any_type());
  const shape x = m.shape_of(v);
  slice_options o;
  o.starts = each_axis(x, [&](int i) { return m.decide.one_in(2) ? m.decide.below(x[i]) : 0; });
  o.sizes = each_axis(x, [&](int i) {
    return x[i] - o.starts[i] - (m.decide.one_in(2) ? m.decide.below(x[i] - o.starts[i]) : 0);
  });
  if (m.decide.one_in(2)) o.strides = each_axis(x, [&](int) { return m.decide.in(1, 3); });
  return m.add<slice_t>(o, {v});
}
inline int split(maker& m) {
  const int v = m.any_of_rank(1, max_rank, m.any_type());
  const int axis = m.decide.below(m.shape_of(v).rank);
  const i64 extent = m.shape_of(v)[axis], begin = m.decide.below(extent);
  return m.add<split_t>({axis, begin, 1 + m.decide.below(extent - begin)}, {v});
}
/// One to four operands, of which each has its own extent along the axis, or that of the one
/// before.
inline int concat(maker& m) {
  const type t = m.any_type();
  std::vector<int> operands{m.any_of_rank(1, max_rank, t)};
  shape s = m.shape_of(operands[0]);
  const int axis = m.decide.below(s.rank);
  for (int n = m.decide.below(4); n > 0; --n) {
    if (!m.decide.one_in(2)) s.extent[axis] = m.extent(33);
    operands.push_back(m.any_like({t, s}));
  }
  return m.add<concat_t>({axis}, operands);
}
/// Axes of extent 1 get any extent, and up to two new axes stand in front.
inline int expand(maker& m) {
  const int v = m.any(m.any_type());
  const shape x = m.shape_of(v);
  shape s{x.rank + (m.decide.one_in(3) && x.rank < 6 ? m.decide.in(0, 2) : 0), {}};
  for (int i = 0; i < s.rank; ++i) {
    const int axis = i - (s.rank - x.rank);
    s.extent[i] = axis >= 0 && x[axis] != 1 ? x[axis] : m.extent(17);
  }
  return m.add<expand_t>({each_axis(s, [&](int i) { return s[i]; })}, {v});
}
inline int tile(maker& m) {
  const int v = m.any(m.any_type());
  return m.add<tile_t>(
      {each_axis(m.shape_of(v), [&](int) { return m.decide.one_in(2) ? m.decide.in(1, 3) : 1; })},
      {v});
}
inline int reverse(maker& m) {
  const int v = m.any(m.any_type());
  return m.add<reverse_t>({some_axes(m, m.shape_of(v).rank)}, {v});
}
/// Up to 3 elements at each end; of reflections fewer than the axis has.
inline int pad(maker& m) {
  constexpr padding_mode modes[] = {padding_mode::constant, padding_mode::edge,
                                    padding_mode::reflection};
  const int v = m.any(m.any_type());
  const shape x = m.shape_of(v);
  pad_options o;
  o.mode = m.decide.pick(modes);
  const auto some = [&](int i) {
    return m.decide.one_in(2)
               ? m.decide.below(o.mode == padding_mode::reflection && x[i] < 4 ? x[i] : 4)
               : 0;
  };
  o.beginningPadding = each_axis(x, some);
  o.endingPadding = each_axis(x, some);
  if (m.decide.one_in(2))
    o.value = is_real(m.at(v).type) ? static_cast<double>(small_number(m)) : m.decide.below(100);
  return m.add<pad_t>(o, {v});
}
inline int triangular(maker& m) {
  const int v = m.any_of_rank(2, max_rank, m.any_type());
  return m.add<triangular_t>({m.decide.one_in(2), m.decide.one_in(2) ? m.decide.in(-9, 9) : 0},
                             {v});
}
/// Any two axes, with sizes or with scales. With the scales 1.7 and 0.3 positions lie anywhere
/// between two elements. Linear interpolation is drawn in float32 alone.
inline int resample2d(maker& m) {
  constexpr float scales[] = {1.0f, 2.0f, 0.5f, 3.0f, 1.7f, 0.3f};
  resample2d_options o;
  if (m.decide.one_in(2)) o.mode = interpolation::linear;
  type t = o.mode == interpolation::linear ? type::float32 : m.any_type();
  if (!is_real(t) && size_bytes(t) > 1) t = is_signed(t) ? type::int8 : type::uint8;
  const int v = m.any_of_rank(4, 4, t);
  if (m.decide.one_in(2)) {
    const int first = m.decide.below(4);
    o.axes = {first, (first + m.decide.in(1, 3)) % 4};
  }
  if (m.decide.one_in(2))
    o.sizes = {m.extent(33), m.extent(33)};
  else
    o.scales = {m.decide.pick(scales), m.decide.pick(scales)};
  return m.add<resample2d_t>(o, {v});
}
/// A shape whose extents divide those of `s`: one scale may stand for a block of elements. Half of
/// the axes have one block.
inline shape blocks_of(maker& m, const shape& s) {
  shape r = s;
  for (int i = 0; i < s.rank; ++i) {
    const i64 parts = m.decide.in(1, 4);
    if (m.decide.one_in(2))
      r.extent[i] = 1;
    else if (s[i] % parts == 0)
      r.extent[i] = s[i] / parts;
  }
  return r;
}
/// The types that quantized elements may have; bytes are drawn twice as often as any other one.
inline type coded_type(maker& m) {
  constexpr type all[] = {type::int8,  type::uint8,  type::int8, type::uint8,
                          type::int32, type::uint32, type::int4, type::uint4};
  return m.decide.pick(all);
}
/// quantizeLinear and dequantizeLinear; scale and zero point have one shape.
template <class Op> int linear_codes(maker& m) {
  constexpr bool back = std::is_same_v<Op, dequantizeLinear_t>;
  const type real = real_type(m), coded = coded_type(m);
  const int x = m.any(back ? coded : real);
  const shape by = blocks_of(m, m.shape_of(x));
  const int scale = m.any_like({real, by});
  return m.add<Op>({}, {x, scale, m.any_like({coded, by})});
}
/// Indices have any values: those outside of an axis are clamped to it, and negative ones count
/// from its end, as WebNN says.
inline type index_type(maker& m) {
  constexpr type usual[] = {type::int32, type::int64, type::uint32};
  return m.decide.pick(usual);
}
inline int gather(maker& m) {
  const int v = m.any_of_rank(1, 5, m.any_type());
  const int axis = m.decide.below(m.shape_of(v).rank);
  return m.add<gather_t>({axis}, {v, m.any_of_rank(0, 3, index_type(m))});
}
inline int gatherElements(maker& m) {
  const int v = m.any_of_rank(1, 5, m.any_type());
  shape s = m.shape_of(v);
  const int axis = m.decide.below(s.rank);
  s.extent[axis] = m.extent(17);
  return m.add<gatherElements_t>({axis}, {v, m.any_like({index_type(m), s})});
}
inline int gatherND(maker& m) {
  const int v = m.any_of_rank(1, 5, m.any_type());
  shape s = m.any_shape(0, 2);
  s.extent[s.rank++] = m.decide.in(1, m.shape_of(v).rank);
  return m.add<gatherND_t>({}, {v, m.any_like({index_type(m), s})});
}

inline int scatterElements(maker& m) {
  const type t = m.any_type();
  const int v = m.any_of_rank(1, 5, t);
  shape s = m.shape_of(v);
  const int axis = m.decide.below(s.rank);
  s.extent[axis] = m.extent(17);
  const int at = m.any_like({index_type(m), s});
  return m.add<scatterElements_t>({axis}, {v, at, m.any_like({t, s})});
}
/// Updates to one position may be several: the last one in row-major order stays.
inline int scatterND(maker& m) {
  const type t = m.any_type();
  const int v = m.any_of_rank(1, 5, t);
  const shape x = m.shape_of(v);
  shape s = m.any_shape(0, 2);
  s.extent[s.rank++] = m.decide.in(1, x.rank);
  const shape updates = gathers::slices("", x, s).value();
  if (!m.affords({updates.count()})) return -1;
  const int at = m.any_like({index_type(m), s});
  return m.add<scatterND_t>({}, {v, at, m.any_like({t, updates})});
}

}  // namespace tenon::trial::draw
