// A contraction as the CPU's planners see it: its loops' strides in the operands' memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/layout.hpp>
#include <tenon/policy/cpu/contract_plan.hpp>

namespace tenon::simd::contracts_cpu {

/// A contraction's loops have the strides of dense operands. In memory an operand may be a view, or
/// a copy with edges (`image`). Here all strides are those of the memory that is read, in elements.
struct reading {
  const plan_view& p;
  const node& n;
  const contraction& c;
  int map;             ///< the epilogue's node or -1
  image_copy image{};  ///< once a copy is decided on, strides of operand a are those of the copy

  constexpr const shape& extents_of(int operand) const {
    return p.table.nodes[n.in[operand]].out.shape;
  }
  constexpr i64 through(int operand, i64 step) const {
    return plans::restride(step, extents_of(operand), p.locations[n.in[operand]]);
  }
  /// Stride of loop `i` in operand a, which is the image of a convolution. Loops over positions and
  /// taps step over pixels, by the window's stride or dilation.
  constexpr i64 a(int i) const {
    for (int s = 0; s < c.sweeps; ++s) {
      const i64 pixel = !image.used ? through(0, c.swept[s].step)
                        : s == 0    ? image.plane_width * image.inner
                                    : image.inner;
      if (c.swept[s].out_axis == i) return pixel * c.swept[s].stride;
      if (c.swept[s].tap_axis == i) return pixel * c.swept[s].dilation;
    }
    // Loops over images or channels step over whole images of the source. In the copy an image is
    // an item, which has another size.
    const i64 step = through(0, c.axis[i].a), whole = image.height * image.width * image.inner;
    return image.used && step >= whole ? step / whole * image.item : step;
  }
  constexpr i64 b(int i) const { return through(1, c.axis[i].b); }
  constexpr bool is_out_position(int axis) const {
    for (int s = 0; s < c.sweeps; ++s)
      if (c.swept[s].out_axis == axis) return true;
    return false;
  }
  constexpr epilogue_plan epilogue(int anchor) const {
    epilogue_plan e;
    if (map < 0) return e;
    const node& m = p.table.nodes[map];
    e.program = m.detail;
    e.operands = m.operands;
    for (int k = 0; k < m.operands; ++k) {
      e.holder[k] = m.in[k] == anchor ? -1 : p.locations[m.in[k]].holder;
      e.offset[k] = p.locations[m.in[k]].offset;
    }
    return e;
  }
  /// True if a step along `outer` leads to the element behind the last one of `inner`, in the
  /// output and in all of the epilogue's operands. Then the epilogue can run over both as one axis.
  constexpr bool continues(const output_axis& outer, const output_axis& inner) const {
    bool even = outer.out == inner.out * inner.extent;
    const int operands = map >= 0 ? p.table.nodes[map].operands : 0;
    for (int k = 0; k < operands; ++k)
      even = even && outer.epilogue[k] == inner.epilogue[k] * inner.extent;
    return even;
  }
  /// Loop `i` as an axis of the output. With `swap` operand a is the lane side, else b is.
  constexpr output_axis axis(int i, bool swap) const {
    output_axis x;
    x.extent = c.axis[i].extent;
    x.rows = swap ? b(i) : a(i);
    x.lanes = swap ? a(i) : b(i);
    x.out = c.axis[i].out;
    if (map < 0) return x;
    const node& m = p.table.nodes[map];
    for (int k = 0; k < m.operands; ++k) {
      const plans::location& v = p.locations[m.in[k]];
      const plans::location broadcasted{
          v.holder, 0, broadcast(v, p.table.nodes[m.in[k]].out.shape, m.out.shape), true};
      x.epilogue[k] = plans::restride(x.out, m.out.shape, broadcasted);
    }
    return x;
  }
};

/// Reads a group: a contraction alone, or one with a map, its epilogue, as the group's last member.
constexpr reading read_group(const plan_view& p, int group_number) {
  const plans::group& g = p.groups[group_number];
  const node& n = p.table.nodes[g.anchor];
  return {p, n, p.table.contraction_of(n), g.size > 1 ? p.members[g.begin + g.size - 1] : -1};
}

}  // namespace tenon::simd::contracts_cpu
