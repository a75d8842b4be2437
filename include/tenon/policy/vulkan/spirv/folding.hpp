// How elements are combined: sixteen partial results and their tree by one invocation, a tree over
// a workgroup, and the positions of extremes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/writer.hpp>

namespace tenon::spirv {

/// Invocations that share a reduction of `n` elements. On CPU drivers 16, one per partial result,
/// so the bits are reference's.
constexpr i64 group_size(const target& t, i64 n) {
  if (t.cpu_driver) return partial_results;
  i64 local = 32;
  while (local < n && 2 * local <= t.invocations && local < 256) local *= 2;
  return local;
}
/// True if reductions are so few and so long that a workgroup shares each one, although barriers
/// are slow on CPU drivers.
constexpr bool few_long(i64 results, i64 terms) { return results < 16 && terms >= 4096; }

/// How a reduction combines elements of a type.
class folding {
 public:
  constexpr folding(writer& m, const reduction& r, type element)
      : m_(m), how_(r.how), average_(r.average), element_(element) {
    const slot_kind l = slot_kind_of(element);
    kind_ = l == slot_kind::real ? kind::float32 : l == slot_kind::wide ? kind::int64 : kind::int32;
  }

  constexpr id combined(id a, id b) const {
    switch (how_) {
      case combine::sum: return m_.add(a, b);
      case combine::product: return m_.mul(a, b);
      default: return m_.select(beyond(a, b), b, a);
    }
  }
  /// True where b is more extreme than a; a NaN is.
  constexpr id beyond(id a, id b) const {
    const bool is_max = how_ == combine::max || how_ == combine::first_max;
    const id further = is_real(element_) || is_signed(element_)
                           ? m_.less(is_max ? a : b, is_max ? b : a)
                           : m_.below(is_max ? a : b, is_max ? b : a);
    if (!is_real(element_)) return further;
    return m_.either(further, m_.compare(op::FUnordNotEqual, b, b));
  }
  constexpr id averaged(id x, i64 n) const {
    return average_ && is_real(element_) ? m_.div(x, m_.real(static_cast<float>(n))) : x;
  }

  /// One invocation, elements one behind the other: `at(column, width)` gives 1 or 4 of them. Lane
  /// k of the sixteen partial results is component k % 4 of vector k / 4.
  template <class At> constexpr id fold_lanes(i64 n, At&& at) const {
    variable partial[4];
    for (int q = 0; q < 4; ++q) partial[q] = m_.local(starts(q, n));
    m_.loop(n / partial_results, [&](id block) {
      const id column = m_.times(block, partial_results);
      for (int q = 0; q < 4; ++q) add(partial[q], at(m_.plus(column, 4 * q), 4));
    });
    id r[4];
    for (int q = 0; q < 4; ++q) r[q] = m_.get(partial[q]);
    const i64 whole = n / partial_results * partial_results;
    for (int q = 0; q < 4; ++q) {
      const i64 column = whole + 4 * q;
      if (column + 4 <= n)
        r[q] = combined(r[q], at(m_.integer(column), 4));
      else if (column < n)
        r[q] = combine_part(r[q], column, n, at);
    }
    for (int half = 2; half > 0; half /= 2)
      for (int q = 0; q < half; ++q) r[q] = combined(r[q], r[q + half]);
    id part[4];
    for (int k = 0; k < 4; ++k) part[k] = m_.component(r[0], k);
    for (int half = 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) part[k] = combined(part[k], part[k + half]);
    return part[0];
  }
  /// As `fold_lanes`, one element at a time: `at(column)`, for elements at unequal distances.
  template <class At> constexpr id fold_one_by_one(i64 n, At&& at) const {
    const variable partial = m_.local_array(kind_, partial_results);
    for (int k = 0; k < partial_results; ++k) m_.set(partial, m_.integer(k), start(k < n));
    m_.loop(n, [&](id column) {
      const id k = m_.modulo(column, partial_results), x = at(column);
      m_.set(partial, k, combined(m_.get(partial, k), x));
    });
    id r[partial_results];
    for (int k = 0; k < partial_results; ++k) r[k] = m_.get(partial, m_.integer(k));
    return tree(r);
  }
  /// As `fold_one_by_one`, unrolled, for elements that are loaded and not computed.
  template <class At> constexpr id fold_loads(i64 n, At&& at) const {
    variable partial[partial_results];
    const int used = n < partial_results ? static_cast<int>(n) : partial_results;
    for (int k = 0; k < used; ++k) partial[k] = m_.local(start(true));
    m_.loop(n / partial_results, [&](id block) {
      const id column = m_.times(block, partial_results);
      for (int k = 0; k < partial_results; ++k) add(partial[k], at(m_.plus(column, k)));
    });
    id r[partial_results];
    const i64 whole = n / partial_results * partial_results;
    for (int k = 0; k < partial_results; ++k) {
      r[k] = k < used ? m_.get(partial[k]) : start(false);
      if (whole + k < n) r[k] = combined(r[k], at(m_.integer(whole + k)));
    }
    return tree(r);
  }
  /// A workgroup of `local` invocations, a power of 2; each gets the result. Rounds in another
  /// order than the reference, but for sixteen invocations. `at(column, width)` gives one element,
  /// or four that lie `local` apart.
  template <class At>
  constexpr id fold_group(i64 n, i64 local, id invocation, bool in_fours, At&& at) const {
    const variable all = m_.local(start(false));
    const variable four = m_.local(m_.constant_like({0, kind_, 4}, start_bits(false)));
    m_.share(n, local, invocation, in_fours,
             [&](id column, int count) { add(count == 1 ? all : four, at(column, count)); });
    if (in_fours)
      for (int k = 0; k < 4; ++k) add(all, m_.component(m_.get(four), k));
    const variable shared = m_.scratch(kind_, local);
    m_.set(shared, invocation, m_.get(all));
    by_halves(local, invocation, [&](i64 half) {
      const id low = m_.get(shared, invocation), high = m_.get(shared, m_.plus(invocation, half));
      m_.set(shared, invocation, combined(low, high));
    });
    const id r = m_.get(shared, m_.integer(0));
    m_.barrier();
    return r;
  }
  /// The position of the first extreme of `n` elements.
  template <class At> constexpr id first_extreme(i64 n, At&& at) const {
    const extreme e(*this, m_.integer(0), at);
    constexpr i64 block = 8;
    m_.loop(n / block, [&](id b) {
      for (i64 k = 0; k < block; ++k) e.look(m_.plus(m_.times(b, block), k), at);
    });
    for (i64 k = n / block * block; k < n; ++k) e.look(m_.integer(k), at);
    return m_.get(e.position);
  }
  /// As `first_extreme`, by a workgroup of `local` invocations, a power of 2; each gets the result.
  template <class At>
  constexpr id first_extreme_of_group(i64 n, i64 local, id invocation, At&& at) const {
    id first = invocation;  // without elements it re-reads the last element, which changes nothing
    if (local > n) {
      const id last = m_.integer(n - 1), used = m_.below(invocation, last);
      first = m_.select(used, invocation, last);
    }
    const extreme e(*this, first, at);
    if (local < n) {
      const id step = m_.integer(local), end = m_.integer(n), second = m_.add(invocation, step);
      m_.loop(second, end, step, blocks_of(n, local) - 1, [&](id k) { e.look(k, at); });
    }
    const variable values = m_.scratch(kind_, local),
                   positions = m_.shared(kind::int32, static_cast<int>(local));
    m_.set(values, invocation, m_.get(e.best));
    m_.set(positions, invocation, m_.get(e.position));
    by_halves(local, invocation, [&](i64 half) {
      const id other = m_.plus(invocation, half), a = m_.get(values, invocation),
               b = m_.get(values, other), at_a = m_.get(positions, invocation),
               at_b = m_.get(positions, other);
      const id further = ahead(a, b), even = level(a, b), before = m_.less(at_b, at_a),
               first_of_both = m_.both(even, before), better = m_.either(further, first_of_both);
      m_.set(values, invocation, m_.select(better, b, a));
      m_.set(positions, invocation, m_.select(better, at_b, at_a));
    });
    const id r = m_.get(positions, m_.integer(0));
    m_.barrier();
    return r;
  }

 private:
  writer& m_;
  combine how_;
  bool average_;
  type element_;
  kind kind_ = kind::float32;

  /// A tree over what the invocations of a workgroup have written: `join(half)` combines
  /// an invocation's value with the one `half` further.
  template <class F> constexpr void by_halves(i64 local, id invocation, F&& join) const {
    m_.barrier();
    for (i64 half = local / 2; half > 0; half /= 2) {
      m_.when(m_.below(invocation, m_.integer(half)), [&] { join(half); });
      m_.barrier();
    }
  }
  /// The first extreme so far, and where it stands.
  struct extreme {
    const folding& f;
    variable best, position;
    template <class At> constexpr extreme(const folding& of, id k, At& at)
        : f(of), best(of.m_.local(at(k))), position(of.m_.local(k)) {}
    template <class At> constexpr void look(id k, At& at) const {
      const id e = at(k), so_far = f.m_.get(best), better = f.ahead(so_far, e);
      f.m_.set(best, f.m_.select(better, e, so_far));
      f.m_.set(position, f.m_.select(better, k, f.m_.get(position)));
    }
  };
  /// True where b replaces the extreme a at any position. A NaN is not replaced by another one: the
  /// first one counts.
  constexpr id ahead(id a, id b) const {
    const id further = beyond(a, b);
    return is_real(element_) ? m_.both(further, m_.equal(a, a)) : further;
  }
  /// True where two extremes are equal (or both NaN), so that the first position wins.
  constexpr id level(id a, id b) const {
    const id same = m_.equal(a, b);
    if (!is_real(element_)) return same;
    const id a_nan = m_.compare(op::FUnordNotEqual, a, a),
             b_nan = m_.compare(op::FUnordNotEqual, b, b), nans = m_.both(a_nan, b_nan);
    return m_.either(same, nans);
  }

  /// The bits of a partial result before its first element. Sums of floats begin with -0, which
  /// leaves even a -0 as it is; partial results that get no element hold `neutral`, as in the
  /// reference.
  constexpr std::uint64_t start_bits(bool used) const {
    const bool is_max = how_ == combine::max || how_ == combine::first_max;
    if (is_real(element_))
      return std::bit_cast<word>(used && how_ == combine::sum ? -0.0f : neutral(how_));
    if (how_ == combine::sum) return 0;
    if (how_ == combine::product) return 1;
    const std::uint64_t sign = kind_ == kind::int64 ? std::uint64_t{1} << 63 : 0x80000000u;
    return is_signed(element_) ? (is_max ? sign : sign - 1) : (is_max ? 0 : ~std::uint64_t{0});
  }
  constexpr void add(const variable& all, id x) const { m_.set(all, combined(m_.get(all), x)); }
  constexpr id start(bool used) const { return m_.constant(kind_, start_bits(used)); }
  /// Vector `q` of the partial results of `n` elements.
  constexpr id starts(int q, i64 n) const {
    if (4 * q + 4 <= n || 4 * q >= n) return m_.constant_like({0, kind_, 4}, start_bits(4 * q < n));
    id x[4];
    for (int k = 0; k < 4; ++k) x[k] = start(4 * q + k < n);
    return m_.vector(x[0], x[1], x[2], x[3]);
  }
  template <class At> constexpr id combine_part(id partial, i64 column, i64 n, At& at) const {
    id x[4];
    for (int k = 0; k < 4; ++k) {
      x[k] = m_.component(partial, k);
      if (column + k < n) x[k] = combined(x[k], at(m_.integer(column + k), 1));
    }
    return m_.vector(x[0], x[1], x[2], x[3]);
  }
  constexpr id tree(id (&r)[partial_results]) const {
    for (int half = partial_results / 2; half > 0; half /= 2)
      for (int k = 0; k < half; ++k) r[k] = combined(r[k], r[k + half]);
    return r[0];
  }
};

}  // namespace tenon::spirv
