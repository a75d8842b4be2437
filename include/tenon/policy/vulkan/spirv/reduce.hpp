// The kernel of reductions. An invocation computes a result, or, where there are few results of
// many terms, a workgroup does: then it combines the invocations' partial results in its own
// memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/folding.hpp>

namespace tenon::spirv {

/// A reduction by itself, over any axes. Its axes: those that stay, then those that are reduced.
/// Both kinds are merged where they lie evenly in memory, so that few divisions find a position.
class reduce_writer {
 public:
  constexpr reduce_writer(const plan_view& p, const plans::group& g, const target& t)
      : m_(p, t), n_(m_.at(g.anchor)), r_(p.table.reduction_of(n_)) {
    const shape& s = m_.at(n_.in[0]).out.shape;
    const plans::location &from = m_.value_of(n_.in[0]), &result = m_.value_of(g.anchor);
    from_ = m_.access_of(n_.in[0], {});
    to_ = m_.access_of(g.anchor, {}, true);
    int kept = 0, axis = 0;
    for (const bool reduced : {false, true})
      for (int i = 0; i < s.rank; ++i) {
        if (r_.reduces(i) != reduced) continue;
        from_.step[s_.dims] = from.step[i];
        to_.step[s_.dims] = reduced ? 0 : result.step[r_.keep ? i : axis++];
        s_.extent[s_.dims++] = s[i];
        kept += !reduced;
      }
    access* all[] = {&from_, &to_};
    kept_ = merge(s_, 0, kept, {all, 2});
    merge(s_, kept_, s_.dims, {all, 2});
    for (int i = 0; i < s_.dims; ++i) (i < kept_ ? results_ : terms_) *= s_.extent[i];
  }
  constexpr bool fits() const { return m_.fits(); }
  /// A workgroup for each result where results are too few to fill a GPU. On a CPU driver barriers
  /// are slow: there only a handful of very long reductions is shared.
  constexpr kernel write() {
    const bool few = results_ < 2048 && terms_ >= 64;
    const bool shares = m_.device.cpu_driver ? few_long(results_, terms_) : few;
    if (shares) return write_by_workgroup();
    return write_by_invocation();
  }

 private:
  writer m_;
  const node& n_;
  const reduction& r_;
  access from_{}, to_{};
  space s_;
  int kept_ = 0;
  i64 results_ = 1, terms_ = 1;

  constexpr type element() const { return m_.at(n_.in[0]).out.type; }
  /// Where a result's elements begin.
  constexpr id begin(const access& v, id result) {
    space kept = s_;
    kept.dims = kept_;
    id position[max_axes]{};
    m_.unravel(kept, result, position);
    return m_.or_zero(m_.advance(m_.begin_of(v), v, position, 0, kept_));
  }
  /// Element `column` of a result, or four of them, `apart` columns from each other.
  constexpr id term(id start, id column, int width = 1, i64 apart = 1) {
    id position[max_axes]{};
    space reduced;
    for (int i = kept_; i < s_.dims; ++i) reduced.extent[reduced.dims++] = s_.extent[i];
    m_.unravel(reduced, column, position + kept_);
    const id index = m_.advance(start, from_, position, kept_, s_.dims);
    return width == 1 ? m_.read(from_, index)
                      : m_.read4(from_, index, from_.step[s_.dims - 1] * apart);
  }
  constexpr kernel write_by_invocation() {
    return m_.each(results_, [&](id result) {
      const folding f(m_, r_, element());
      const id start = begin(from_, result);
      const auto at = [&](id column) { return term(start, column); };
      if (gives_position(r_.how)) return store(result, f.first_extreme(terms_, at));
      store(result, f.averaged(f.fold_loads(terms_, at), terms_));
    });
  }
  constexpr kernel write_by_workgroup() {
    const i64 local = group_size(m_.device, terms_);
    return m_.each_group(results_, local, [&](id result, id invocation) {
      const folding f(m_, r_, element());
      const id start = begin(from_, result);
      const auto at = [&](id column, int width = 1) { return term(start, column, width, local); };
      const id r =
          gives_position(r_.how)
              ? f.first_extreme_of_group(terms_, local, invocation, at)
              : f.averaged(f.fold_group(terms_, local, invocation, s_.dims == kept_ + 1, at),
                           terms_);
      m_.when(m_.equal(invocation, m_.integer(0)), [&] { store(result, r); });
    });
  }
  /// Positions are 32 bits; a result of 64 bits gets zeros above.
  constexpr void store(id result, id x) {
    if (x.is == kind::int32 && slot_kind_of(n_.out.type) == slot_kind::wide)
      x = m_.convert(op::UConvert, x, kind::int64);
    m_.write(to_, begin(to_, result), x);
  }
};

}  // namespace tenon::spirv
