// Contractions: one invocation for each element of the output, or for a block of them, and the maps
// that follow before the result is stored. Terms are added in the order that the table defines.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/fuse.hpp>
#include <tenon/run/vulkan/scalar.hpp>

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
 public:
  constexpr closing(writer& m, list<int> members, const loop_nest& n) : m_(m), members_(members) {
    const shape& whole = m.at(members[0]).out.shape;
    const auto seen = [&](view v, const value& at) {
      for (int i = 0; i < n.out.dims; ++i) v.step[i] = restride(n.result[i], whole, at);
      return v;
    };
    for (int k = 0; k < members.size; ++k) {
      const node& own = m.at(members[k]);
      for (int i = 0; k > 0 && i < own.operands; ++i) {
        const int from = own.in[i];
        if (member_of(from) >= 0 || operand_of(from) >= 0) continue;
        const value at{-1, 0, broadcast(m.value_of(from), m.at(from).out.shape, whole), true};
        read_.push({from, seen(m.view_of(from, {}), at), {}});
      }
      if (m.value_of(members[k]).materialised)
        written_.push({k, seen(m.view_of(members[k], {}, true), m.value_of(members[k])), {}});
    }
  }
  /// Where the operands and the results are at a position.
  constexpr void enter(const space& s, const id* position) {
    for (operand& o : read_) o.start = m_.index_of(o.is, s, position);
    for (result& r : written_) r.start = m_.index_of(r.is, s, position);
  }
  /// Stores what becomes of a sum, `at[i]` positions of axis i behind that position.
  constexpr void store(id sum, const i64* at, int dims) {
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
    for (const result& r : written_)
      m_.write(r.is, m_.plus(r.start, distance(r.is, at, dims)), values[r.member]);
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
  writer& m_;
  list<int> members_;
  sequence<operand> read_;
  sequence<result> written_;

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
    const operand& o = read_[operand_of(node)];
    return m_.read(o.is, m_.plus(o.start, distance(o.is, at, dims)));
  }
};

/// The group of a contraction while it is written.
class contract_writer {
 public:
  constexpr contract_writer(const plan_view& p, const group& g, const target& t)
      : m_(p, t), n_(read_nest(m_, m_.at(g.anchor))), after_(m_, p.members_of(g), n_) {}
  constexpr contract_writer(const contract_writer&) = delete;
  constexpr contract_writer& operator=(const contract_writer&) = delete;
  constexpr bool fits() const { return m_.fits(); }
  constexpr kernel write() { return write_plain(); }

 private:
  writer m_;
  loop_nest n_;
  closing after_;

  // ---- one element for each invocation
  struct walk {
    id a{}, b{};    ///< elements
    id first[2]{};  ///< positions of the taps before the first
    id inside{};    ///< whether the taps so far are
  };
  constexpr kernel write_plain() {
    return m_.each(n_.out.count(), [&](id flat) {
      id position[max_axes]{};
      m_.unravel(n_.out, flat, position);
      walk w{m_.index_of(n_.a, n_.out, position), m_.index_of(n_.b, n_.out, position)};
      for (int s = 0; s < n_.borders; ++s) {
        const border& c = n_.cut[s];
        w.first[s] = m_.plus(m_.times(position[c.axis], c.stride), -c.begin);
      }
      const variable sum = m_.local(m_.real(0));
      add_terms(0, w, sum);
      after_.enter(n_.out, position);
      const i64 here[max_axes]{};
      after_.store(m_.get(sum), here, n_.out.dims);
    });
  }
  constexpr void add_terms(int axis, const walk& w, const variable& sum) {
    if (axis == n_.terms.dims) return add_term(w, sum);
    m_.loop(n_.terms.extent[axis], [&](id k) {
      walk next = w;
      next.b = m_.plus_times(w.b, k, n_.term_b[axis]);
      next.a = m_.plus_times(w.a, k, n_.term_a[axis]);
      for (int s = 0; s < n_.borders; ++s)
        if (n_.cut[s].term == axis)
          tap(n_.cut[s], m_.plus_times(w.first[s], k, n_.cut[s].dilation), next);
      add_terms(axis + 1, next, sum);
    });
  }
  /// Outside of the image something inside is read, and not used.
  constexpr void tap(const border& c, id at, walk& w) {
    const id inside = m_.below(at, m_.integer(c.extent));
    w.a = m_.add(w.a, m_.select(inside, m_.times(at, c.step), m_.integer(0)));
    w.inside = w.inside.number == 0 ? inside : m_.both(w.inside, inside);
  }
  constexpr void add_term(const walk& w, const variable& sum) {
    id x = m_.read(n_.a, w.a);
    if (w.inside.number != 0) x = m_.select(w.inside, x, m_.real(0));
    m_.set(sum, m_.fma(x, m_.read(n_.b, w.b), m_.get(sum)));
  }
};

}  // namespace tenon::spirv
