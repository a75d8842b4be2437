// Reductions over axes that are not the trailing ones: sixteen partial results of whole registers.
//
// Chosen for every reduction that is a group of its own; those of the trailing axes are mostly part
// of a row group (rows.hpp). A register holds neighbouring outputs, so that the terms of an output
// lie far apart but the loads are contiguous. Each output has the sixteen partial results and the
// tree of reduce_tree.hpp, here as sixteen registers: term k goes to register k % 16.
//
// A piece of a thread is some registers of outputs, each with all of its terms: the order of terms
// does not depend on threads.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/gather.hpp>
#include <tenon/policy/cpu/program.hpp>
#include <tenon/policy/cpu/reduce_tree.hpp>

namespace tenon::simd {

/// Kept and reduced axes of a reduction with their strides; the last kept axis is `inner` when it
/// is contiguous.
struct reduce_plan {
  combine how = combine::sum;
  bool average = false;
  int holder = -1, out_holder = -1;
  i64 offset = 0, out_offset = 0;
  int kept = 0, summed = 0;
  i64 kept_extent[max_rank]{}, kept_step[max_rank]{};
  i64 summed_extent[max_rank]{}, summed_step[max_rank]{};
  i64 outer = 1, inner = 1, terms = 1;
};

/// `n` <= width neighbouring outputs whose first terms are at `x`. The terms' offset is counted up
/// over the reduced axes, the last one fastest, as `reference` does.
template <combine How>
inline void reduce_columns(const reduce_plan& p, const float* x, float* out, i64 n) noexcept {
  real partial[partial_results];
  for (real& r : partial) r = real(neutral(How));
  i64 at[max_rank]{}, offset = 0;
  for (i64 k = 0; k < p.terms; ++k) {
    const real e = n == width ? load(x + offset) : load_part(x + offset, n);
    real& r = partial[k % partial_results];
    r = k < partial_results ? e : combined<How>(r, e);  // the first one as it is: -0, NaN
    for (int d = p.summed - 1; d >= 0; --d) {
      offset += p.summed_step[d];
      if (++at[d] < p.summed_extent[d]) break;
      offset -= p.summed_step[d] * p.summed_extent[d];
      at[d] = 0;
    }
  }
  for (int half = partial_results / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) partial[k] = combined<How>(partial[k], partial[k + half]);
  if (n == width)
    store(partial[0], out);
  else
    store_part(partial[0], out, n);
}
inline void reduce_columns(const reduce_plan& p, const float* x, float* out, i64 n) noexcept {
  switch (p.how) {
    case combine::sum: return reduce_columns<combine::sum>(p, x, out, n);
    case combine::max: return reduce_columns<combine::max>(p, x, out, n);
    case combine::min: return reduce_columns<combine::min>(p, x, out, n);
    default: return reduce_columns<combine::product>(p, x, out, n);
  }
}

/// All outputs.
inline void run_reduce(const reduce_plan& p, const frame& f) noexcept {
  const i64 registers = (p.inner + width - 1) / width;  // of a row of neighbouring outputs
  f.threads(p.outer * registers, 1 + 4096 / p.terms, [&](i64 begin, i64 end, int) {
    for (i64 u = begin; u < end; ++u) {
      i64 row = u / registers, offset = p.offset;
      const i64 first = u % registers * width,
                n = p.inner - first < width ? p.inner - first : width;
      float* out = f.at<float>(p.out_holder, p.out_offset) + row * p.inner + first;
      for (int d = p.kept - 1; d >= 0; --d) {
        offset += row % p.kept_extent[d] * p.kept_step[d];
        row /= p.kept_extent[d];
      }
      reduce_columns(p, f.at<const float>(p.holder, offset) + first, out, n);
      for (i64 i = 0; p.average && i < n; ++i) out[i] /= static_cast<float>(p.terms);
    }
  });
}

/// Bound memory; at least what `position_plan` needs, which runs for positions of extremes.
constexpr footprint measure_reduce() {
  constexpr i64 reduction = static_cast<i64>(sizeof(reduce_plan)),
                position = static_cast<i64>(sizeof(position_plan));
  return {0, 0, 0, reduction > position ? reduction : position};
}

inline const reduce_plan* bind_reduce(const binding<function>& b) noexcept {
  const plan_view& p = *b.plan;
  const int id = p.groups[b.group].anchor;
  const node& n = p.table.nodes[id];
  const reduction& r = p.table.reduction_of(n);
  const plans::location& v = p.locations[n.in[0]];
  const shape& s = p.table.nodes[n.in[0]].out.shape;
  auto* w = new (b.bound) reduce_plan{};
  w->how = r.how;
  w->average = r.average;
  w->holder = v.holder;
  w->offset = v.offset;
  w->out_holder = p.locations[id].holder;
  w->out_offset = p.locations[id].offset;
  for (int i = 0; i < s.rank; ++i) {
    if (s[i] == 1) continue;
    i64* extent = r.reduces(i) ? w->summed_extent : w->kept_extent;
    i64* step = r.reduces(i) ? w->summed_step : w->kept_step;
    int& count = r.reduces(i) ? w->summed : w->kept;
    extent[count] = s[i];
    step[count++] = v.step[i];
    (r.reduces(i) ? w->terms : w->outer) *= s[i];
  }
  if (w->kept > 0 && w->kept_step[w->kept - 1] == 1) {
    w->inner = w->kept_extent[--w->kept];
    w->outer /= w->inner;
  }
  return w;
}

}  // namespace tenon::simd
