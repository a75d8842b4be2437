// What fills the vectors of a contraction on the CPU: columns, pixels, or filters.
//
// The vector axis is the output's contiguous axis if just one operand varies along it; that operand
// becomes the lane side. For a product of matrices this is the right matrix's columns, for a
// convolution with channels last its filters, for one with channels first its pixels. With channels
// first there is a second way, the filters again ("turned"): then an estimate of the time decides.
// Nothing of it depends on the extents of a call: where extents vary the limits decide, because
// binding packs weights once for all of them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_reading.hpp>
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/tile_operands.hpp>

namespace tenon::simd::contracts_cpu {

/// How many zeros two neighbouring lines of `reach` elements share: the left edge of one is the
/// right edge of the line before. Fewer are shared where two outputs would fall on one position.
constexpr i64 shared_edge(const sweep& across, i64 reach) {
  i64 shared = reach - across.begin - across.extent;
  if (shared > across.begin) shared = across.begin;
  if (shared > (across.taps - 1) * across.dilation) shared = (across.taps - 1) * across.dilation;
  return shared > 0 ? shared : 0;
}

/// Loops of the contraction by number, -1 for none.
struct vector_choice {
  int vector_axis = -1;
  int line_axis = -1;    ///< of pixels: from line to line
  int filter_axis = -1;  ///< of a convolution over pixels: its filters
  bool pixels = false;   ///< the vectors are filled with neighbouring pixels of an image
  bool turned = false;   ///< with filters although pixels are the output's contiguous axis
  bool swap = false;     ///< the lane side is operand a, the row side is b

  constexpr explicit vector_choice(const reading& r) {
    const contraction& c = r.p.widest(r.n);
    for (int i = 0; i < c.axes; ++i) {
      const contraction::loop& l = c.axis[i];
      // A swept operand is never packed into panels: its edge is not in memory. So a (the swept
      // one) can only be the lane side as an image.
      if (!l.reduced && l.extent > 1 && l.out == 1 && (l.a == 0 || (l.b == 0 && c.sweeps == 0)))
        vector_axis = i;
    }
    if (vector_axis >= 0 && r.is_out_position(vector_axis)) {
      pixels = c.swept[1].step == 1;
      vector_axis = pixels ? c.swept[1].out_axis : -1;
      line_axis = pixels ? c.swept[0].out_axis : -1;
    }
    if (pixels && filters_are_cheaper(r, c)) {
      turned = true;
      pixels = false;
      vector_axis = filter_axis;
      line_axis = -1;
    }
    swap = pixels || (vector_axis >= 0 && c.axis[vector_axis].b == 0);
  }
  /// Registers full of filters waste the lanes up to whole registers, and the result must be
  /// transposed; registers full of pixels waste the gaps between the lines, and cross cache lines.
  /// Compared as products of registers and time per register, in hundredths of an fma. The numbers
  /// were measured on tiles of AVX-512.
  constexpr bool filters_are_cheaper(const reading& r, const contraction& c) {
    i64 terms = 1, filters = 1;
    for (int i = 0; i < c.axes; ++i) {
      const contraction::loop& l = c.axis[i];
      if (l.reduced) terms *= l.extent;
      if (l.reduced || l.a != 0 || l.b == 0 || r.is_out_position(i) || l.extent == 1) continue;
      filter_axis = i;
      filters = l.extent;
    }
    if (filter_axis < 0) return false;
    const i64 across = c.axis[vector_axis].extent, outputs = c.axis[line_axis].extent * across,
              positions = outputs + (c.axis[line_axis].extent - 1) * (pitch_of(c) - across);
    // A last tile of one or two filters is slower than its share: it counts as a filter more.
    const i64 small_tile = filters % tile_rows == 1 || filters % tile_rows == 2 ? 1 : 0;
    const bool points = c.swept[0].taps * c.swept[1].taps == 1,  // a window of one tap
        strided = c.swept[0].stride * c.swept[1].stride > 1;
    const i64 by_filters = (points ? 0 : 4) + (filters <= width ? 20 : 0);
    i64 by_pixels = strided ? 10 : 0;
    if (!points) by_pixels += 3;
    if (points && positions % width != 0) by_pixels += 6;  // loads cross lines of the cache
    if (points && terms > 256) by_pixels += 5;             // every term lies in a page of its own
    // Without masks, sums pass through memory so that the gaps between lines can be left out.
    const i64 stored = points || masks_loads ? 600 : 1600;
    return registers_of(filters) * width * outputs * (terms * (100 + by_filters) + 1200) <
           (filters + small_tile) * registers_of(positions) * width *
               (terms * (100 + by_pixels) + stored);
  }
  /// Positions from a line of pixels to the next, in the image where it can be read in place, else
  /// in the copy that will be made.
  static constexpr i64 pitch_of(const contraction& c) {
    const sweep& across = c.swept[1];
    const i64 reach = (c.axis[across.out_axis].extent - 1) * across.stride +
                      (across.taps - 1) * across.dilation + 1;
    if (across.begin == 0 && reach <= across.extent && across.stride == 1) return c.swept[0].step;
    return (reach + across.stride - 1) / across.stride -
           (across.stride == 1 ? shared_edge(across, reach) : 0);
  }
};

}  // namespace tenon::simd::contracts_cpu
