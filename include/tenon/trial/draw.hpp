// What the generators of operators share: element types, numbers and axes by chance.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/maker.hpp>

namespace tenon::trial::draw {

inline constexpr type all_types[] = {type::float32, type::int32,  type::uint8, type::float16,
                                     type::int64,   type::uint32, type::int8,  type::uint64};
/// float32, or float16 for once.
inline type real_type(maker& m) { return m.decide.one_in(6) ? type::float16 : type::float32; }
/// An element type that operand `k` of an element-wise operator may have; float32 is the simplest.
template <class Op> type type_for(maker& m, int k = 0) {
  std::vector<type> accepted;
  for (const type t : all_types)
    if (Op::accepts(k, t)) accepted.push_back(t);
  const int n = static_cast<int>(accepted.size());
  return accepted[static_cast<std::size_t>(m.decide.one_in(2) ? m.decide.below(n) : 0)];
}
inline float small_number(maker& m) {
  constexpr float usual[] = {1.0f, 0.0f, -1.0f, 0.5f,   2.0f, -0.0f,
                             0.1f, 6.0f, -3.5f, 1e-30f, 1e30f};
  return m.decide.pick(usual);
}

/// Axes of which each is taken by chance; all of them when not given.
inline axis_list some_axes(maker& m, int rank) {
  axis_list l;
  if (m.decide.one_in(6)) return l;
  l.count = 0;
  for (int i = rank - 1; i >= 0; --i)
    if (m.decide.one_in(2)) l.item[l.count++] = i;
  return l;
}
/// A list with one number for each axis of `x`.
template <class Number> axis_list each_axis(const shape& x, Number number) {
  axis_list l;
  l.count = x.rank;
  for (int i = 0; i < x.rank; ++i) l.item[i] = number(i);
  return l;
}

}  // namespace tenon::trial::draw
