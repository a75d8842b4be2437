// Reductions over axes that are not the trailing ones: sixteen lanes of whole registers of outputs.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/gather.hpp>
#include <tenon/policy/cpu/rows.hpp>

namespace tenon::simd {

/// Kept and reduced axes of a reduction with their strides; the last kept axis is `inner` when it
/// is contiguous.
struct fold_plan {
  combine how = combine::sum;
  bool average = false;
  int root = -1, out_root = -1;
  i64 offset = 0, out_offset = 0;
  int kept = 0, summed = 0;
  i64 kept_extent[max_rank]{}, kept_step[max_rank]{};
  i64 summed_extent[max_rank]{}, summed_step[max_rank]{};
  i64 outer = 1, inner = 1, terms = 1;
};

/// Up to `n` <= width neighbouring outputs.
template <combine How>
inline void fold_columns(const fold_plan& p, const float* x, float* out, i64 n) noexcept {
  real lane[reduction_lanes];
  for (real& l : lane) l = real(neutral(How));
  i64 at[max_rank]{}, offset = 0;
  for (i64 k = 0; k < p.terms; ++k) {
    const real e = n == width ? load(x + offset) : load_part(x + offset, n);
    real& l = lane[k % reduction_lanes];
    l = k < reduction_lanes ? e : combined<How>(l, e);
    for (int d = p.summed - 1; d >= 0; --d) {
      offset += p.summed_step[d];
      if (++at[d] < p.summed_extent[d]) break;
      offset -= p.summed_step[d] * p.summed_extent[d];
      at[d] = 0;
    }
  }
  for (int half = reduction_lanes / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) lane[k] = combined<How>(lane[k], lane[k + half]);
  if (n == width)
    store(lane[0], out);
  else
    store_part(lane[0], out, n);
}
inline void fold_columns(const fold_plan& p, const float* x, float* out, i64 n) noexcept {
  switch (p.how) {
    case combine::sum: return fold_columns<combine::sum>(p, x, out, n);
    case combine::max: return fold_columns<combine::max>(p, x, out, n);
    case combine::min: return fold_columns<combine::min>(p, x, out, n);
    default: return fold_columns<combine::product>(p, x, out, n);
  }
}

inline void run_fold(const fold_plan& p, const frame& f) noexcept {
  const i64 pieces = (p.inner + width - 1) / width;
  f.threads(p.outer * pieces, 1 + 4096 / p.terms, [&](i64 begin, i64 end, int) {
    for (i64 u = begin; u < end; ++u) {
      i64 row = u / pieces, offset = p.offset;
      const i64 first = u % pieces * width, n = p.inner - first < width ? p.inner - first : width;
      float* out =
          reinterpret_cast<float*>(f.base[p.out_root]) + p.out_offset + row * p.inner + first;
      for (int d = p.kept - 1; d >= 0; --d) {
        offset += row % p.kept_extent[d] * p.kept_step[d];
        row /= p.kept_extent[d];
      }
      fold_columns(p, reinterpret_cast<const float*>(f.base[p.root]) + offset + first, out, n);
      for (i64 i = 0; p.average && i < n; ++i) out[i] /= static_cast<float>(p.terms);
    }
  });
}

/// At least as large as what positions need.
constexpr footprint measure_fold() {
  constexpr i64 fold = static_cast<i64>(sizeof(fold_plan)),
                position = static_cast<i64>(sizeof(position_plan));
  return {0, 0, 0, fold > position ? fold : position};
}

inline const fold_plan* bind_fold(const binding<function>& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const reduction& r = p.table.reduction_of(n);
  const plans::location& v = p.locations[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* f = new (b.bound) fold_plan{};
  f->how = r.how;
  f->average = r.average;
  f->root = v.root;
  f->offset = v.offset;
  f->out_root = p.locations[id].root;
  f->out_offset = p.locations[id].offset;
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] == 1) continue;
    i64* extent = r.reduces(i) ? f->summed_extent : f->kept_extent;
    i64* step = r.reduces(i) ? f->summed_step : f->kept_step;
    int& count = r.reduces(i) ? f->summed : f->kept;
    extent[count] = s[i];
    step[count++] = v.step[i];
    (r.reduces(i) ? f->terms : f->outer) *= s[i];
  }
  if (f->kept > 0 && f->kept_step[f->kept - 1] == 1) {
    f->inner = f->kept_extent[--f->kept];
    f->outer /= f->inner;
  }
  return f;
}

}  // namespace tenon::simd
