// A contraction as it lies in memory: loops over outputs and over terms, with the steps of both
// operands, and the axes along which a window reaches over the edge of an image.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/writer.hpp>

namespace tenon::spirv {

/// An axis of the output along which taps may leave the image.
struct image_edge {
  int axis = -1, term = -1;  ///< of the output, and of the terms
  i64 stride = 1, dilation = 1, begin = 0, extent = 0;
  i64 step = 0;  ///< from a position of the image to the next, in elements
};

/// A contraction as it lies in memory: the axes of the output by the distance of its elements,
/// neighbours last, and the terms in their order.
struct loop_nest {
  space out{}, terms{};
  access a{}, b{};                             ///< by axis of the output
  i64 term_a[max_axes]{}, term_b[max_axes]{};  ///< strides of the terms
  i64 result[max_axes]{};                      ///< strides of the dense result
  int edges = 0;
  image_edge edge[2]{};
};

/// True if no tap of a sweep is outside: then its axes are like all others.
constexpr bool stays_inside(const sweep& w, i64 positions) {
  return w.begin == 0 && (positions - 1) * w.stride + (w.taps - 1) * w.dilation < w.extent;
}

/// True if an operand (0: a, 1: b) is read at several places along an axis of the output.
constexpr bool moves(const loop_nest& n, int operand, int axis) {
  for (int s = 0; operand == 0 && s < n.edges; ++s)
    if (n.edge[s].axis == axis) return true;
  return (operand == 0 ? n.a : n.b).step[axis] != 0;
}

/// Reads a node's contraction: axes of extent 1 are left out, and sweeps that stay inside of the
/// image become steps like all others.
class nest_reader {
 public:
  constexpr nest_reader(writer& m, const node& n) : m_(m), n_(n), c_(m.table().contraction_of(n)) {
    for (int i = 0; i < c_.axes; ++i) sweep_out_[i] = sweep_tap_[i] = -1;
    for (int s = 0; s < c_.sweeps; ++s) {
      const sweep& w = c_.swept[s];
      sweep_out_[w.out_axis] = sweep_tap_[w.tap_axis] = s;
      inside_[s] = stays_inside(w, c_.axis[w.out_axis].extent);
    }
  }
  constexpr loop_nest read() {
    r_.a = m_.access_of(n_.in[0], {});
    r_.b = m_.access_of(n_.in[1], {});
    bool done[contraction::max_axes]{};
    for (int i = farthest(done); i >= 0; i = farthest(done)) {
      done[i] = true;
      add_output(i);
    }
    for (int i = 0; i < c_.axes; ++i)
      if (c_.axis[i].reduced) add_term(i);
    for (int s = 0; s < c_.sweeps; ++s)
      if (!inside_[s]) add_edge(s);
    return r_;
  }

 private:
  writer& m_;
  const node& n_;
  const contraction& c_;
  loop_nest r_;
  int sweep_out_[contraction::max_axes]{}, sweep_tap_[contraction::max_axes]{};  ///< by axis; or -1
  bool inside_[2]{true, true};                                                   ///< by sweep

  /// A step of a dense operand as its layout has it.
  constexpr i64 through(int operand, i64 step) const {
    const int id = n_.in[operand];
    return plans::restride(step, m_.at(id).out.shape, m_.value_of(id));
  }
  /// The axis of the output that is left and whose elements are farthest apart; -1: none.
  constexpr int farthest(const bool* done) const {
    int next = -1;
    for (int i = 0; i < c_.axes; ++i)
      if (!c_.axis[i].reduced && !done[i] && (next < 0 || c_.axis[i].out > c_.axis[next].out))
        next = i;
    return next;
  }
  constexpr void add_output(int i) {
    const contraction::loop& l = c_.axis[i];
    const int s = sweep_out_[i], at = r_.out.dims;
    const bool has_edge = s >= 0 && !inside_[s];
    if (l.extent == 1 && !has_edge) return;
    r_.out.extent[r_.out.dims++] = l.extent;
    r_.result[at] = l.out;
    r_.b.step[at] = through(1, l.b);
    if (has_edge)
      r_.edge[s].axis = at;
    else
      r_.a.step[at] = s < 0 ? through(0, l.a) : through(0, c_.swept[s].step) * c_.swept[s].stride;
  }
  constexpr void add_term(int i) {
    const contraction::loop& l = c_.axis[i];
    const int s = sweep_tap_[i], at = r_.terms.dims;
    const bool has_edge = s >= 0 && !inside_[s];
    if (l.extent == 1 && !has_edge) return;
    r_.terms.extent[r_.terms.dims++] = l.extent;
    r_.term_b[at] = through(1, l.b);
    if (has_edge)
      r_.edge[s].term = at;
    else
      r_.term_a[at] = s < 0 ? through(0, l.a) : through(0, c_.swept[s].step) * c_.swept[s].dilation;
  }
  /// Edges move up: if just the second sweep has one, it becomes edge 0.
  constexpr void add_edge(int s) {
    const sweep& w = c_.swept[s];
    const image_edge e{r_.edge[s].axis, r_.edge[s].term, w.stride,          w.dilation,
                       w.begin,         w.extent,        through(0, w.step)};
    r_.edge[r_.edges++] = e;
  }
};

}  // namespace tenon::spirv
