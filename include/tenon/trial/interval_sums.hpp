// Interval arithmetic of the families that compute: maps, reductions, windows, contractions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/trial/interval.hpp>

namespace tenon::trial {

using node_intervals = std::vector<std::vector<interval>>;

namespace intervals {

/// Adds up intervals in no particular order. In whatever order n terms are added, no partial sum
/// exceeds the sum of their magnitudes, so each rounding is off by at most the relative error times
/// that sum (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2). If partial sums
/// can overflow in some order, the result is anything.
struct sum_of_intervals {
  double low = 0, high = 0, magnitude = 0;
  i64 terms = 0;
  bool unknown = false;
  void add(const interval& r) {
    unknown |= !r.finite();
    low += r.low;
    high += r.high;
    magnitude += r.finite() ? r.magnitude() : 0;
    ++terms;
  }
  interval total(const inexact& e) const {
    if (unknown || magnitude * (1 + e.relative * static_cast<double>(terms)) > largest_float)
      return {};
    const double off = static_cast<double>(terms + 1) * (e.relative * magnitude + e.least);
    return {low - off, high + off, false};
  }
};
/// Sums, products and extremes. Products are not bounded by magnitudes: each factor is a rounding,
/// twice the error leaves room for another order, and beyond 1e30 or below 1e-30 an order may
/// overflow or underflow where another does not: anything.
inline interval combined(combine how, const std::vector<interval>& all, const inexact& e) {
  if (all.empty()) return interval::point(0);
  if (how == combine::sum) {
    if (all.size() == 1) return all[0];
    sum_of_intervals s;
    for (const interval& r : all) s.add(r);
    return s.total(e);
  }
  interval r = all[0];
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (how != combine::product) {
      r = extreme(r, all[i], how == combine::max);
      continue;
    }
    r = widened(corners([](double x, double y) { return x * y; }, r, all[i]), 2 * e);
    if (!r.finite() || r.magnitude() > 1e30 || (r.magnitude() < 1e-30)) return {};
  }
  return r;
}

/// Positions of a shape in row-major order; false after the last.
inline bool next(const shape& s, i64* at) {
  for (int i = s.rank - 1; i >= 0; at[i--] = 0)
    if (++at[i] < s[i]) return true;
  return false;
}
inline i64 offset_of(const strides& step, const i64* at, int rank) {
  i64 r = 0;
  for (int i = 0; i < rank; ++i) r += at[i] * step[i];
  return r;
}
using values = std::vector<interval>;

/// Maps: the program over the intervals of the operands, which broadcast.
inline values map(const table_view& t, const node& n, const node_intervals& all, const inexact& e) {
  program_intervals program(t.program_of(n), e);
  values r;
  i64 at[max_rank]{};
  do {
    interval arguments[max_operands];
    for (int k = 0; k < n.operands; ++k)
      arguments[k] = all[static_cast<std::size_t>(n.in[k])][static_cast<std::size_t>(
          offset_of(broadcast(t.nodes[n.in[k]].out.shape, n.out.shape), at, n.out.shape.rank))];
    r.push_back(program(arguments));
  } while (next(n.out.shape, at));
  return r;
}
/// Reductions. Positions of extremes and integers are not checked here: a policy that rounds may
/// find another position, and sums of integers that depend on such values are anything.
inline values reduce(const table_view& t, const node& n, const values& x, const inexact& e) {
  const reduction& how = t.reduction_of(n);
  if (gives_position(how.how) || n.out.type != type::float32)  // integers wrap around
    return values(static_cast<std::size_t>(n.out.shape.count()));
  const shape& s = t.nodes[n.in[0]].out.shape;
  shape kept = s;
  for (int i = 0; i < s.rank; ++i)
    if (how.reduces(i)) kept.extent[i] = 1;
  const strides to = broadcast(kept, s);
  std::vector<values> parts(static_cast<std::size_t>(kept.count()));
  i64 at[max_rank]{}, from = 0;
  do
    parts[static_cast<std::size_t>(offset_of(to, at, s.rank))].push_back(
        x[static_cast<std::size_t>(from++)]);
  while (next(s, at));
  values r;
  for (const values& p : parts) {
    const interval all = combined(how.how, p, e),
                   terms = interval::point(static_cast<double>(p.size()));
    r.push_back(how.average ? widened(quotient(all, terms), e) : all);
  }
  return r;
}
/// Pooling: over the taps inside of the image; an average divides by their number. Twice the error:
/// a policy may multiply by a rounded reciprocal.
inline values window(const table_view& t, const node& n, const values& x, const inexact& e) {
  if (n.out.type != type::float32) return values(static_cast<std::size_t>(n.out.shape.count()));
  const windowing& w = t.windowing_of(n);
  const strides from = dense(t.nodes[n.in[0]].out.shape);
  values r;
  i64 at[max_rank]{};
  do {
    values inside_window;
    i64 tap[2]{};
    for (tap[0] = 0; tap[0] < w.swept[0].taps; ++tap[0])
      for (tap[1] = 0; tap[1] < w.swept[1].taps; ++tap[1]) {
        i64 position[max_rank]{};
        std::copy_n(at, max_rank, position);
        bool inside = true;
        for (int k = 0; k < 2; ++k) {
          const sweep& s = w.swept[k];
          position[s.out_axis] = at[s.out_axis] * s.stride + tap[k] * s.dilation - s.begin;
          inside = inside && position[s.out_axis] >= 0 && position[s.out_axis] < s.extent;
        }
        if (inside)
          inside_window.push_back(
              x[static_cast<std::size_t>(offset_of(from, position, n.out.shape.rank))]);
      }
    const interval all = combined(w.how, inside_window, e);
    r.push_back(
        w.average && !inside_window.empty()
            ? widened(quotient(all, interval::point(static_cast<double>(inside_window.size()))),
                      2 * e)
            : all);
  } while (next(n.out.shape, at));
  return r;
}
/// Steps over those axes of a contraction that are summed, or those that are not.
inline bool next(const contraction& c, bool reduced, i64* at) {
  for (int i = c.axes - 1; i >= 0; --i) {
    if (c.axis[i].reduced != reduced) continue;
    if (++at[i] < c.axis[i].extent) return true;
    at[i] = 0;
  }
  return false;
}
/// One product of a contraction. A tap outside of the image multiplies by 0, which is NaN for a
/// weight that is not finite; whether a policy multiplies at all is its own affair: then it is
/// anything.
inline interval product_at(const contraction& c, const i64* at, const values& a, const values& b) {
  i64 of_a = 0, of_b = 0;
  for (int i = 0; i < c.axes; ++i) {
    of_a += at[i] * c.axis[i].a;
    of_b += at[i] * c.axis[i].b;
  }
  bool inside = true;
  for (int s = 0; s < c.sweeps; ++s) {
    const sweep& w = c.swept[s];
    const i64 position = at[w.out_axis] * w.stride + at[w.tap_axis] * w.dilation - w.begin;
    inside = inside && position >= 0 && position < w.extent;
    of_a += position * w.step;
  }
  const interval& y = b[static_cast<std::size_t>(of_b)];
  if (!inside) return y.finite() ? interval::point(0) : interval{};
  return corners([](double p, double q) { return p * q; }, a[static_cast<std::size_t>(of_a)], y);
}
/// Contractions: a sum of products in any order, whether products are rounded or not.
inline values contract(const table_view& t, const node& n, const values& a, const values& b,
                       const inexact& e) {
  const contraction& c = t.contraction_of(n);
  values r(static_cast<std::size_t>(n.out.shape.count()));
  i64 at[contraction::max_axes]{};
  do {
    sum_of_intervals sum;
    do sum.add(product_at(c, at, a, b));
    while (next(c, true, at));
    i64 to = 0;
    for (int i = 0; i < c.axes; ++i) to += at[i] * c.axis[i].out;
    sum.terms *= 2;  // the products round too
    r[static_cast<std::size_t>(to)] = sum.total(e);
  } while (next(c, false, at));
  return r;
}

}  // namespace intervals

}  // namespace tenon::trial
