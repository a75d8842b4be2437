// The definition of contractions: one fma per term, in the order of the reduced axes, from +0 on. A
// tap in the edge of an image counts as a term of 0 * weight: it is NaN if the weight is not
// finite.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/memory.hpp>

namespace tenon::reference_kernels {

/// What all output elements have in common: the terms in the order of the reduced axes, the last
/// one fastest. An element adds its own start: offsets in a and b, and the first tap of each sweep
/// (`base`).
struct terms {
  odometer<2> outer;        ///< all reduced axes but the last; offsets in a and b
  i64 n = 1, a = 0, b = 0;  ///< the last reduced axis
  int sweeps = 0;
  sweep swept[2]{};
  int tap_at[2]{-1, -1};  ///< position of a sweep's tap axis in `outer`, -1: it is the last axis
};
/// One output element. Along the last axis the taps inside of the image are [low, high): found
/// once, so that the loop over terms has no condition. The other axes are tested term by term.
constexpr float sum_terms(const terms& all, const float* a, const float* b, const i64* base) {
  float sum = 0;
  i64 low = 0, high = all.n,
      start = 0;  // of the last axis: taps inside the operand, offset of tap 0
  for (int s = 0; s < all.sweeps; ++s) {
    if (all.tap_at[s] >= 0) continue;
    const sweep& w = all.swept[s];
    start = base[s] * w.step;
    while (low < high && base[s] + low * w.dilation < 0) ++low;
    while (high > low && base[s] + (high - 1) * w.dilation >= w.extent) --high;
  }
  odometer<2> o = all.outer;
  const i64 stretches = o.space.count();
  for (i64 r = 0; r < stretches; ++r, o.next()) {
    i64 at = o.offset[0] + start;  // a number, not a pointer: at an edge it is outside of `a`
    const float* pb = b + o.offset[1];
    bool padding = false;
    for (int s = 0; s < all.sweeps; ++s) {
      if (all.tap_at[s] < 0) continue;
      const i64 x = base[s] + o.at[all.tap_at[s]] * all.swept[s].dilation;
      padding |= x < 0 || x >= all.swept[s].extent;
      at += x * all.swept[s].step;
    }
    const i64 first = padding ? all.n : low, last = padding ? all.n : high;
    for (i64 k = 0; k < first; ++k) sum = arithmetic::fma(0.0f, pb[k * all.b], sum);
    for (i64 k = first; k < last; ++k) sum = arithmetic::fma(a[at + k * all.a], pb[k * all.b], sum);
    for (i64 k = last; k < all.n; ++k) sum = arithmetic::fma(0.0f, pb[k * all.b], sum);
  }
  return sum;
}

/// The terms of all outputs as a list, for constant expressions: one statement a term, because
/// compilers count steps.
struct listed_term {
  i64 a = 0, b = 0;  ///< offsets
  i64 y = 0, x = 0;  ///< tap positions of the two sweeps
};
constexpr sequence<listed_term> list_terms(const terms& all) {
  sequence<listed_term> r;
  odometer<2> o = all.outer;
  for (i64 i = 0, stretches = o.space.count(); i < stretches; ++i, o.next())
    for (i64 k = 0; k < all.n; ++k) {
      listed_term t{o.offset[0], o.offset[1] + k * all.b, 0, 0};
      for (int s = 0; s < all.sweeps; ++s) {
        const i64 tap = (all.tap_at[s] >= 0 ? o.at[all.tap_at[s]] : k) * all.swept[s].dilation;
        (s == 0 ? t.y : t.x) = tap;
        t.a += tap * all.swept[s].step;
      }
      if (all.sweeps == 0) t.a += k * all.a;
      r.push(t);
    }
  return r;
}
/// The same sum over the list. `arithmetic::constant::fma` rounds once in constant expressions as
/// well.
constexpr float sum_listed(const terms& all, const sequence<listed_term>& listed, const float* a,
                           const float* b, const i64* base) {
  const i64 height = all.sweeps > 0 ? all.swept[0].extent : 1,
            width = all.sweeps > 1 ? all.swept[1].extent : 1;
  const i64 y = base[0], x = base[1], start = y * all.swept[0].step + x * all.swept[1].step;
  float sum = 0;
  for (const listed_term& t : listed)
    sum = arithmetic::constant::fma(
        y + t.y >= 0 && y + t.y < height && x + t.x >= 0 && x + t.x < width ? a[start + t.a] : 0.0f,
        b[t.b], sum);
  return sum;
}

/// All outputs: `sum(a, b, base)` adds up one.
template <class Sum> constexpr void each_output(const contraction& c, odometer<3> o,
                                                const int* at_output, const operand& a,
                                                const operand& b, float* out, Sum sum) {
  const i64 n = o.space.count();
  for (i64 i = 0; i < n; ++i, o.next()) {
    i64 base[2]{};
    for (int s = 0; s < c.sweeps; ++s)
      base[s] = o.at[at_output[c.swept[s].out_axis]] * c.swept[s].stride - c.swept[s].begin;
    out[o.offset[2]] = sum(a.data.real + o.offset[0], b.data.real + o.offset[1], base);
  }
}

/// Takes the axes of the table apart: those of the output go to one odometer, the reduced ones to
/// `terms`. An axis of taps steps through the operand by its sweep, not by a stride of its own.
constexpr void contract(const contraction& c, const operand& a, const operand& b, float* out) {
  odometer<3> o;
  terms all;
  int at_output[contraction::max_axes]{};
  for (int i = 0; i < c.axes; ++i) {
    const contraction::loop& l = c.axis[i];
    at_output[i] = o.space.rank;
    if (l.reduced) continue;
    o.step[0].step[o.space.rank] = plans::restride(l.a, a.extent, a.where);
    o.step[1].step[o.space.rank] = plans::restride(l.b, b.extent, b.where);
    o.step[2].step[o.space.rank] = l.out;
    o.space.extent[o.space.rank++] = l.extent;
  }
  all.sweeps = c.sweeps;
  for (int s = 0; s < c.sweeps; ++s) {
    all.swept[s] = c.swept[s];
    all.swept[s].step = plans::restride(c.swept[s].step, a.extent, a.where);
  }
  int last = c.axes - 1;
  while (!c.axis[last].reduced) --last;
  for (int i = 0; i <= last; ++i) {
    const contraction::loop& l = c.axis[i];
    if (!l.reduced) continue;
    const i64 step_a = plans::restride(l.a, a.extent, a.where),
              step_b = plans::restride(l.b, b.extent, b.where);
    int sweep_of = -1;
    for (int s = 0; s < c.sweeps; ++s)
      if (c.swept[s].tap_axis == i) sweep_of = s;
    if (i == last) {
      all.n = l.extent;
      all.a = sweep_of >= 0 ? all.swept[sweep_of].step * c.swept[sweep_of].dilation : step_a;
      all.b = step_b;
    } else {
      odometer<2>& r = all.outer;
      if (sweep_of >= 0) all.tap_at[sweep_of] = r.space.rank;
      r.step[0].step[r.space.rank] = step_a;
      r.step[1].step[r.space.rank] = step_b;
      r.space.extent[r.space.rank++] = l.extent;
    }
  }
  if (__builtin_is_constant_evaluated()) {  // the builtin: folded at -O0 too, so that run time has
                                            // no heap
    const sequence<listed_term> listed = list_terms(all);
    return each_output(c, o, at_output, a, b, out,
                       [&](const float* x, const float* y, const i64* base) {
                         return sum_listed(all, listed, x, y, base);
                       });
  }
  each_output(c, o, at_output, a, b, out, [&](const float* x, const float* y, const i64* base) {
    return sum_terms(all, x, y, base);
  });
}

}  // namespace tenon::reference_kernels
