// The definition of every family's results: plain loops, usable in constant expressions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/run/reference/scalar.hpp>

namespace tenon::reference_kernels {

/// A tensor as a kernel reads it: address of element (0, 0, ...) and strides in elements.
struct operand {
  const float* data = nullptr;
  value where{};  ///< offset is already in `data`
  shape extent{};
};

/// Steps through all positions of a shape in row-major order, keeping the offsets of `N` operands.
template <int N> struct odometer {
  shape space{};
  strides step[N > 0 ? N : 1]{};
  i64 offset[N > 0 ? N : 1]{};
  i64 at[max_rank]{};
  /// Reads members, not operators: clang counts a call as two steps of a constant expression.
  constexpr void next() {
    for (int i = space.rank - 1; i >= 0; --i) {
      for (int k = 0; k < N; ++k) offset[k] += step[k].step[i];
      if (++at[i] < space.extent[i]) return;
      for (int k = 0; k < N; ++k) offset[k] -= step[k].step[i] * space.extent[i];
      at[i] = 0;
    }
  }
};

template <int Operands>
constexpr void map_of(program_view p, const shape& space, const operand* in, float* out) {
  odometer<Operands> o{space};
  for (int k = 0; k < Operands; ++k) o.step[k] = broadcast(in[k].where, in[k].extent, space);
  const i64 n = space.count();
  float arguments[Operands > 0 ? Operands : 1]{};
  for (i64 i = 0; i < n; ++i, o.next()) {
    for (int k = 0; k < Operands; ++k) arguments[k] = in[k].data[o.offset[k]];
    out[i] = evaluate(p, arguments);
  }
}
constexpr void map(program_view p, const shape& space, const operand* in, int operands,
                   float* out) {
  if (operands == 1) return map_of<1>(p, space, in, out);
  if (operands == 2) return map_of<2>(p, space, in, out);
  operand all[max_operands];  // what is not there is read as a number that no instruction reads
  for (int k = 0; k < max_operands; ++k)
    all[k] = k < operands ? in[k] : operand{in[0].data, {}, {}};
  map_of<max_operands>(p, space, all, out);
}

constexpr float combined(combine how, float a, float b) {
  switch (how) {
    case combine::sum: return a + b;
    case combine::max: return arithmetic::max(a, b);
    case combine::min: return arithmetic::min(a, b);
    default: return arithmetic::mul(a, b);
  }
}
constexpr void reduce(const reduction& r, const operand& in, float* out) {
  odometer<1> kept, summed;
  for (int i = 0; i < in.extent.rank; ++i) {
    odometer<1>& o = r.reduces(i) ? summed : kept;
    o.step[0].step[o.space.rank] = in.where.step[i];
    o.space.extent[o.space.rank++] = in.extent[i];
  }
  const i64 n = kept.space.count(), m = summed.space.count();
  for (i64 i = 0; i < n; ++i, kept.next()) {
    float lanes[reduction_lanes];
    for (float& lane : lanes) lane = neutral(r.how);
    odometer<1> o = summed;
    for (i64 k = 0; k < m; ++k, o.next()) {
      float& lane = lanes[k % reduction_lanes];
      const float x = in.data[kept.offset[0] + o.offset[0]];
      lane = k < reduction_lanes ? x : combined(r.how, lane, x);
    }
    for (int half = reduction_lanes / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) lanes[k] = combined(r.how, lanes[k], lanes[k + half]);
    out[i] = lanes[0];
  }
}

constexpr void window(const windowing& w, const operand& in, const shape& space, float* out) {
  odometer<1> o{space};
  const sweep &h = w.swept[0], &v = w.swept[1];
  for (int i = 0; i < space.rank; ++i)
    o.step[0].step[i] = i == h.out_axis || i == v.out_axis ? 0 : in.where.step[i];
  const i64 step_h = in.where.step[h.out_axis], step_v = in.where.step[v.out_axis],
            n = space.count();
  for (i64 i = 0; i < n; ++i, o.next()) {
    const float* at = in.data + o.offset[0];
    const i64 y0 = o.at[h.out_axis] * h.stride - h.begin,
              x0 = o.at[v.out_axis] * v.stride - v.begin;
    float all = 0;
    i64 columns = 0, rows = 0;
    for (i64 kx = 0; kx < v.taps; ++kx) {  // a column from top to bottom, then the columns
      const i64 x = x0 + kx * v.dilation;
      if (x < 0 || x >= v.extent) continue;
      float column = 0;
      rows = 0;
      for (i64 ky = 0; ky < h.taps; ++ky) {
        const i64 y = y0 + ky * h.dilation;
        if (y < 0 || y >= h.extent) continue;
        const float e = at[y * step_h + x * step_v];
        column = rows++ == 0 ? e : combined(w.how, column, e);
      }
      if (rows == 0) break;
      all = columns++ == 0 ? column : combined(w.how, all, column);
    }
    out[i] = w.average && rows * columns > 0 ? all / static_cast<float>(rows * columns) : all;
  }
}

constexpr void move(const movement& m, const operand& in, const shape& space, float* out) {
  odometer<1> o{space};
  if (m.reshapes) {
    o.space = in.extent;
    o.step[0] = in.where.step;
  } else {
    for (int i = 0; i < space.rank; ++i)
      o.step[0].step[i] = restride(m.step[i], in.extent, in.where);
  }
  const float* from = in.data + (m.reshapes ? 0 : restride(m.offset, in.extent, in.where));
  const i64 n = space.count();
  for (i64 i = 0; i < n; ++i, o.next()) out[i] = from[o.offset[0]];
}

/// One output element: the terms in the order of the reduced axes, the last one fastest.
struct terms {
  odometer<2> outer;        ///< all reduced axes but the last; offsets in a and b
  i64 n = 1, a = 0, b = 0;  ///< the last reduced axis
  int sweeps = 0;
  sweep swept[2]{};
  int tap_at[2]{-1, -1};  ///< position of a sweep's tap axis in `outer`, -1: it is the last axis
};
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
  const i64 runs = o.space.count();
  for (i64 r = 0; r < runs; ++r, o.next()) {
    i64 at = o.offset[0] + start;  // a number, not a pointer: in padding it may leave the operand
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
  for (i64 i = 0, runs = o.space.count(); i < runs; ++i, o.next())
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
    out[o.offset[2]] = sum(a.data + o.offset[0], b.data + o.offset[1], base);
  }
}

constexpr void contract(const contraction& c, const operand& a, const operand& b, float* out) {
  odometer<3> o;
  terms all;
  int at_output[contraction::max_axes]{};
  for (int i = 0; i < c.axes; ++i) {
    const contraction::loop& l = c.axis[i];
    at_output[i] = o.space.rank;
    if (l.reduced) continue;
    o.step[0].step[o.space.rank] = restride(l.a, a.extent, a.where);
    o.step[1].step[o.space.rank] = restride(l.b, b.extent, b.where);
    o.step[2].step[o.space.rank] = l.out;
    o.space.extent[o.space.rank++] = l.extent;
  }
  all.sweeps = c.sweeps;
  for (int s = 0; s < c.sweeps; ++s) {
    all.swept[s] = c.swept[s];
    all.swept[s].step = restride(c.swept[s].step, a.extent, a.where);
  }
  int last = c.axes - 1;
  while (!c.axis[last].reduced) --last;
  for (int i = 0; i <= last; ++i) {
    const contraction::loop& l = c.axis[i];
    if (!l.reduced) continue;
    const i64 step_a = restride(l.a, a.extent, a.where), step_b = restride(l.b, b.extent, b.where);
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
  if (__builtin_is_constant_evaluated()) {  // the builtin: folded at -O0 too, so that run time has no heap
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

/// Computes one node into dense memory.
constexpr void run_node(const table_view& t, const node& n, const operand* in, float* out) {
  switch (n.kind) {
    case family::map: return map(t.program_of(n), n.out.shape, in, n.operands, out);
    case family::reduce: return reduce(t.reduction_of(n), in[0], out);
    case family::window: return window(t.windowing_of(n), in[0], n.out.shape, out);
    case family::contract: return contract(t.contraction_of(n), in[0], in[1], out);
    case family::move: return move(t.movement_of(n), in[0], n.out.shape, out);
    default: return;
  }
}

}  // namespace tenon::reference_kernels
