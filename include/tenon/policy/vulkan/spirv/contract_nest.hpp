// A contraction as it lies in memory, and the maps that follow before its results are stored.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/policy/vulkan/spirv/scalar.hpp>

namespace tenon::spirv {

/// An axis of the output along which taps may leave the image.
struct border {
  int axis = -1, term = -1;  ///< of the output, and of the terms
  i64 stride = 1, dilation = 1, begin = 0, extent = 0;
  i64 step = 0;  ///< from a position of the image to the next, in elements
};

/// A contraction as it lies in memory: the axes of the output by the distance of its elements,
/// neighbours last, and the terms in their order.
struct loop_nest {
  space out{}, terms{};
  view a{}, b{};                               ///< by axis of the output
  i64 term_a[max_axes]{}, term_b[max_axes]{};  ///< strides of the terms
  i64 result[max_axes]{};                      ///< strides of the dense result
  int borders = 0;
  border cut[2]{};
};

/// True if no tap of a sweep is outside: then its axes are like all others.
constexpr bool stays_inside(const sweep& w, i64 positions) {
  return w.begin == 0 && (positions - 1) * w.stride + (w.taps - 1) * w.dilation < w.extent;
}

/// True if an operand (0: a, 1: b) is read at several places along an axis of the output.
constexpr bool moves(const loop_nest& n, int operand, int axis) {
  for (int s = 0; operand == 0 && s < n.borders; ++s)
    if (n.cut[s].axis == axis) return true;
  return (operand == 0 ? n.a : n.b).step[axis] != 0;
}

constexpr loop_nest read_nest(writer& m, const node& n) {
  const contraction& c = m.table().contraction_of(n);
  const auto through = [&](int operand, i64 step) {
    return restride(step, m.at(n.in[operand]).out.shape, m.value_of(n.in[operand]));
  };
  int sweep_out[contraction::max_axes], sweep_tap[contraction::max_axes];
  for (int i = 0; i < c.axes; ++i) sweep_out[i] = sweep_tap[i] = -1;
  for (int s = 0; s < c.sweeps; ++s) {
    sweep_out[c.swept[s].out_axis] = s;
    sweep_tap[c.swept[s].tap_axis] = s;
  }
  loop_nest r;
  r.a = m.view_of(n.in[0], {});
  r.b = m.view_of(n.in[1], {});
  bool taken[contraction::max_axes]{}, inside[2]{true, true};
  for (int s = 0; s < c.sweeps; ++s)
    inside[s] = stays_inside(c.swept[s], c.axis[c.swept[s].out_axis].extent);
  while (true) {  // the axis whose elements are farthest apart
    int next = -1;
    for (int i = 0; i < c.axes; ++i)
      if (!c.axis[i].reduced && !taken[i] && (next < 0 || c.axis[i].out > c.axis[next].out))
        next = i;
    if (next < 0) break;
    taken[next] = true;
    const contraction::loop& l = c.axis[next];
    const int s = sweep_out[next], at = r.out.dims;
    const bool cuts = s >= 0 && !inside[s];
    if (l.extent == 1 && !cuts) continue;
    r.out.extent[r.out.dims++] = l.extent;
    r.result[at] = l.out;
    r.b.step[at] = through(1, l.b);
    if (cuts)
      r.cut[s].axis = at;
    else
      r.a.step[at] = s < 0 ? through(0, l.a) : through(0, c.swept[s].step) * c.swept[s].stride;
  }
  for (int i = 0; i < c.axes; ++i) {
    const contraction::loop& l = c.axis[i];
    const int s = sweep_tap[i], at = r.terms.dims;
    const bool cuts = s >= 0 && !inside[s];
    if (!l.reduced || (l.extent == 1 && !cuts)) continue;
    r.terms.extent[r.terms.dims++] = l.extent;
    r.term_b[at] = through(1, l.b);
    if (cuts)
      r.cut[s].term = at;
    else
      r.term_a[at] = s < 0 ? through(0, l.a) : through(0, c.swept[s].step) * c.swept[s].dilation;
  }
  for (int s = 0; s < c.sweeps; ++s) {
    if (inside[s]) continue;
    const sweep& w = c.swept[s];
    const border b{r.cut[s].axis, r.cut[s].term, w.stride,          w.dilation,
                   w.begin,       w.extent,      through(0, w.step)};
    r.cut[r.borders++] = b;
  }
  return r;
}

/// The maps behind a contraction, and what goes to memory: by axis of the output.
class closing {
  // stands before its users: clang does not yet know it in a constant expression otherwise
  template <class F> constexpr void where(id condition, F&& write) {
    if (condition.number != 0)
      m_.when(condition, write);
    else
      write();
  }

 public:
  constexpr closing(writer& m, list<int> members, const loop_nest& n) : m_(m), members_(members) {
    const shape& whole = m.at(members[0]).out.shape;
    const auto seen = [&](view v, const plans::location& at) {
      for (int i = 0; i < n.out.dims; ++i) v.step[i] = restride(n.result[i], whole, at);
      return v;
    };
    for (int k = 0; k < members.size; ++k) {
      const node& own = m.at(members[k]);
      for (int i = 0; k > 0 && i < own.operands; ++i) {
        const int from = own.in[i];
        if (member_of(from) >= 0 || operand_of(from) >= 0) continue;
        const plans::location at{-1, 0, broadcast(m.value_of(from), m.at(from).out.shape, whole),
                                 true};
        read_.push({from, seen(m.view_of(from, {}), at), {}});
      }
      if (m.value_of(members[k]).materialised)
        written_.push({k, seen(m.view_of(members[k], {}, true), m.value_of(members[k])), {}});
    }
  }
  /// All that is read and written.
  constexpr void add_views(sequence<view*>& all) {
    for (operand& o : read_) all.push(&o.is);
    for (result& r : written_) all.push(&r.is);
  }
  /// Where the operands and the results are at a position.
  constexpr void enter(const space& s, const id* position) {
    seen_.clear();
    for (operand& o : read_) o.start = m_.index_of(o.is, s, position);
    for (result& r : written_) r.start = m_.index_of(r.is, s, position);
  }
  /// Stores what becomes of a sum, `at[i]` positions of axis i behind that position; with a
  /// condition: where it holds.
  constexpr void store(id sum, const i64* at, int dims, id condition = {}) {
    const sequence<id> values = values_of(sum, at, dims);
    where(condition, [&] {
      for (const result& r : written_)
        m_.write(r.is, m_.plus(r.start, distance(r.is, at, dims)), values[r.member]);
    });
  }
  /// True if neighbours along an axis are neighbours in memory, and can be stored as one.
  constexpr bool takes_pairs(int axis) const {
    bool all = m_.has_pairs();
    for (const result& r : written_)
      all = all && r.is.step[axis] == 1 && size_bytes(r.is.element) == 4;
    return all;
  }
  /// Two neighbours along the last axis.
  constexpr void store_pair(id first, id second, const i64* at, int last, id condition = {}) {
    i64 next[max_axes]{};
    for (int i = 0; i <= last; ++i) next[i] = at[i] + (i == last);
    const sequence<id> low = values_of(first, at, last + 1),
                       high = values_of(second, next, last + 1);
    where(condition, [&] {
      for (const result& r : written_) {
        const id place = m_.place_of(r.is, m_.plus(r.start, distance(r.is, at, last + 1)));
        const id first_part = m_.as_stored(low[r.member]),
                 second_part = m_.as_stored(high[r.member]);
        m_.write_pair(place, first_part, second_part);
      }
    });
  }

 private:
  struct operand {
    int node = -1;
    view is{};
    id start{};
  };
  struct result {
    int member = -1;
    view is{};
    id start{};
  };
  struct loaded {
    int operand = -1;
    i64 behind = 0;
    id is{};
  };
  writer& m_;
  list<int> members_;
  sequence<operand> read_;
  sequence<result> written_;
  sequence<loaded> seen_;

  /// A sum, and what each map makes of it.
  constexpr sequence<id> values_of(id sum, const i64* at, int dims) {
    sequence<id> values(members_.size);
    values[0] = sum;
    for (int k = 1; k < members_.size; ++k) {
      const node& n = m_.at(members_[k]);
      const program_view p = m_.table().program_of(n);
      id arguments[max_operands]{};
      for (int i = 0; i < n.operands; ++i)
        if (reads(p, i)) arguments[i] = argument(n.in[i], values, at, dims);
      values[k] = program_writer(m_, sum.width).write(p, arguments);
    }
    return values;
  }
  constexpr int member_of(int node) const {
    for (int k = 0; k < members_.size; ++k)
      if (members_[k] == node) return k;
    return -1;
  }
  constexpr int operand_of(int node) const {
    for (int k = 0; k < read_.size(); ++k)
      if (read_[k].node == node) return k;
    return -1;
  }
  static constexpr bool reads(program_view p, int operand) {
    for (int i = 0; i < p.size; ++i)
      if (p.code[i].op() == sop::arg && p.code[i].a() == operand) return true;
    return false;
  }
  static constexpr i64 distance(const view& v, const i64* at, int dims) {
    i64 r = 0;
    for (int i = 0; i < dims; ++i) r += at[i] * v.step[i];
    return r;
  }
  constexpr id argument(int node, const sequence<id>& values, const i64* at, int dims) {
    const int k = member_of(node);
    if (k >= 0) return m_.as_stored(values[k]);
    const int from = operand_of(node);
    const operand& o = read_[from];
    const i64 behind = distance(o.is, at, dims);
    for (const loaded& l : seen_)
      if (l.operand == from && l.behind == behind) return l.is;
    seen_.push({from, behind, m_.read(o.is, m_.plus(o.start, behind))});
    return seen_.back().is;
  }
};

/// Merges what lies evenly, for all views; the axes of borders stay.
constexpr void merge_axes(loop_nest& n, closing& after) {
  sequence<view*> all;
  all.push(&n.a);
  all.push(&n.b);
  after.add_views(all);
  for (int first = 0; first < n.out.dims; ++first) {
    int end = n.out.dims;
    for (int s = 0; s < n.borders; ++s)
      if (n.cut[s].axis >= first && n.cut[s].axis < end) end = n.cut[s].axis;
    const int left = merge(n.out, first, end, {all.data(), all.size()});
    for (int s = 0; s < n.borders; ++s)
      if (n.cut[s].axis >= end) n.cut[s].axis -= end - first - left;
    first += left;
  }
  if (n.out.dims > 0) return;  // a single element has an axis too
  n.out.extent[n.out.dims++] = 1;
  for (view* v : all) v->step[0] = 0;
}

}  // namespace tenon::spirv
