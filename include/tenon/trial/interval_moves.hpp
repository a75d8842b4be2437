// Interval arithmetic of the families that move elements: moves, gathering, scattering. Moves
// compute nothing, so a result's interval is that of the element it comes from. The loops here are
// written apart from those of `reference`: an error in one of them shows as a difference.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/interval_sums.hpp>

namespace tenon::trial::intervals {

/// Operands one behind the other along an axis.
inline values join(const table_view& t, const node& n, const node_intervals& all) {
  values r(static_cast<std::size_t>(n.out.shape.count()));
  const strides step = dense(n.out.shape);
  const int axis = t.movement_of(n).axis;
  i64 start = 0;
  for (int k = 0; k < n.operands; ++k) {
    const shape& s = t.nodes[n.in[k]].out.shape;
    i64 at[max_rank]{}, from = 0;
    do
      r[static_cast<std::size_t>(start + offset_of(step, at, s.rank))] =
          all[static_cast<std::size_t>(n.in[k])][static_cast<std::size_t>(from++)];
    while (next(s, at));
    start += s[axis] * step[axis];
  }
  return r;
}
/// Outside of the operand an element's interval is the filling, rounded to the type of the result.
inline values pad(const table_view& t, const node& n, const values& x) {
  const movement& m = t.movement_of(n);
  const shape& s = t.nodes[n.in[0]].out.shape;
  const strides step = dense(s);
  const double outside = n.out.type == type::float32 ? static_cast<double>(m.value.to_float())
                         : n.out.type == type::float16
                             ? static_cast<double>(halves::rounded(m.value.to_float()))
                             : m.value.value;
  values r;
  i64 at[max_rank]{};
  do {
    i64 from = 0;
    bool inside = true;
    for (int k = 0; k < s.rank; ++k) {
      const i64 position = shown(m.mode, at[k] - m.begin[k], s[k]);
      inside = inside && position >= 0;
      from += position * step[k];
    }
    r.push_back(inside ? x[static_cast<std::size_t>(from)] : interval::point(outside));
  } while (next(n.out.shape, at));
  return r;
}
/// Elements outside of the band are zeros.
inline values band(const table_view& t, const node& n, const values& x) {
  const movement& m = t.movement_of(n);
  const shape& s = n.out.shape;
  values r;
  i64 at[max_rank]{};
  do {
    const i64 off = at[s.rank - 1] - at[s.rank - 2];
    r.push_back(off >= m.low && off <= m.high ? x[r.size()] : interval::point(0));
  } while (next(s, at));
  return r;
}
/// Positions of a sampling come from the table's own functions (`sampled_at`, `fraction_at`): they
/// are exact in every policy.
inline values sample(const table_view& t, const node& n, const values& x) {
  const movement& m = t.movement_of(n);
  const shape& s = t.nodes[n.in[0]].out.shape;
  const strides step = dense(s);
  values r;
  i64 at[max_rank]{};
  do {
    i64 from = 0;
    for (int k = 0; m.how != sampling::fraction && k < s.rank; ++k)
      from += sampled_at(m.how, at[k], s[k], n.out.shape[k]) * step[k];
    r.push_back(m.how == sampling::fraction ? interval::point(static_cast<double>(
                                                  fraction_at(at[0], s[m.axis], n.out.shape[0])))
                                            : x[static_cast<std::size_t>(from)]);
  } while (next(n.out.shape, at));
  return r;
}
inline values move(const table_view& t, const node& n, const node_intervals& all) {
  const movement& m = t.movement_of(n);
  const values& x = all[static_cast<std::size_t>(n.in[0])];
  if (m.is == movement::form::reshape || m.is == movement::form::unpack) return x;
  if (m.is == movement::form::pack) return x;
  if (m.is == movement::form::join) return join(t, n, all);
  if (m.is == movement::form::pad) return pad(t, n, x);
  if (m.is == movement::form::band) return band(t, n, x);
  if (m.is == movement::form::sample) return sample(t, n, x);
  values r;
  i64 at[max_rank]{};
  do r.push_back(x[static_cast<std::size_t>(m.offset + offset_of(m.step, at, n.out.shape.rank))]);
  while (next(n.out.shape, at));
  return r;
}
/// An index that is not exact makes the element anything. Indices follow WebNN: negative ones count
/// from the end, others are clamped to the axis.
inline values gather(const table_view& t, const node& n, const values& x, const values& indices) {
  const gathering& g = t.gathering_of(n);
  values r;
  i64 at[max_rank]{};
  do {
    i64 from = offset_of(g.step, at, n.out.shape.rank);
    bool is_exact = true;
    for (int c = 0; c < g.coordinates; ++c) {
      const interval& index = indices[static_cast<std::size_t>(
          offset_of(g.index_step, at, n.out.shape.rank) + c * g.coordinate_step)];
      is_exact = is_exact && index.is_point();
      double i = is_exact ? index.low : 0;
      if (i < 0) i += static_cast<double>(g.extent[c]);
      from += static_cast<i64>(std::clamp(i, 0.0, static_cast<double>(g.extent[c] - 1))) *
              g.coordinate_stride[c];
    }
    r.push_back(is_exact ? x[static_cast<std::size_t>(from)] : interval{});
  } while (next(n.out.shape, at));
  return r;
}
/// The last update of a position stays. An update whose index is not exact may go anywhere: all
/// elements are unchecked from then on, but for those that later updates write.
inline values scatter(const table_view& t, const node& n, values x, const values& indices,
                      const values& updates) {
  const gathering& g = t.gathering_of(n);
  const shape& s = t.nodes[n.in[2]].out.shape;
  std::size_t update = 0;
  i64 at[max_rank]{};
  do {
    i64 to = offset_of(g.step, at, s.rank);
    bool is_exact = true;
    for (int c = 0; c < g.coordinates; ++c) {
      const interval& index = indices[static_cast<std::size_t>(offset_of(g.index_step, at, s.rank) +
                                                               c * g.coordinate_step)];
      is_exact = is_exact && index.is_point();
      double i = is_exact ? index.low : 0;
      if (i < 0) i += static_cast<double>(g.extent[c]);
      to += static_cast<i64>(std::clamp(i, 0.0, static_cast<double>(g.extent[c] - 1))) *
            g.coordinate_stride[c];
    }
    if (is_exact)
      x[static_cast<std::size_t>(to)] = updates[update];
    else
      for (interval& r : x) r = interval{};  // any of them may be the one
    ++update;
  } while (next(s, at));
  return x;
}

}  // namespace tenon::trial::intervals
