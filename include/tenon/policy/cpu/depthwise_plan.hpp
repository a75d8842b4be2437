// How the CPU runs a depthwise convolution: which layout, strips of how many rows, what is packed
// and when. Numbers only; the kernels are in depthwise_{strip,direct,planes,channels}.hpp.
//
// Chosen for groups of one input channel each: there a contraction has only taps for terms, too few
// for the panels of contract_plan.hpp. Three ways to run:
//
//   direct    channels first (nchw), 3 x 3 taps, with masked loads: tiles read the image itself.
//   strip     channels first otherwise. A strip of rows, the block of this kernel, is copied with
//             its edge, split by stride phase, so that all loads of a tile are contiguous.
//   channels  channels last (nhwc). Registers are filled with neighbouring channels of one pixel;
//             the addresses of its taps are listed first, with zeros for those in the edge.
//
// The first two go plane by plane (`planes`): registers are filled with neighbouring columns of one
// plane, and a piece is some strips of rows, of one plane or several.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/bound_layout.hpp>
#include <tenon/policy/cpu/contract_reading.hpp>
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/tile_epilogue.hpp>

namespace tenon::simd {

/// One of the two axes along which the window slides: height (down) or width (across).
struct axis_of_window {
  i64 extent = 1, step = 0;  ///< of the input, elements from a position to the next
  i64 begin = 0;             ///< edge in front
  i64 stride = 1, dilation = 1;
  i64 taps = 1, tap_step = 0;  ///< step: elements of the filter from a tap to the next

  /// Input positions that `outputs` neighbouring outputs see, from the first tap to the last.
  constexpr i64 seen_by(i64 outputs) const {
    return (outputs - 1) * stride + (taps - 1) * dilation + 1;
  }
};
/// First element of an operand, in the buffer of node `holder`.
struct first_element {
  int holder = -1;
  i64 offset = 0;  ///< elements
};

struct depthwise_plan {
  bool planes = true;           ///< channels first
  bool direct = false;          ///< planes: tiles may read the image itself, through masks
  bool at_once = false;         ///< planes: the epilogue runs over a whole strip, not line by line
  bool filters_packed = false;  ///< into [tap][channel], or the taps of a plane one after another
  bool at_binding = false;      ///< and that when the weights are bound
  output_axis image{}, channel{}, filter{}, line{}, column{};  ///< rows: input, lanes: weights
  axis_of_window down{}, across{};
  first_element in{}, filters{}, out{};
  i64 strip = 1;  ///< output rows of a strip
  i64 phase = 0;  ///< elements of one stride phase of a copied row: whole registers
  // A thread's memory in elements. Planes: the copied rows, the strip's sums, the packed taps.
  // Channels: zeros as long as the channels, then the list of taps.
  i64 copied = 0, summed = 0, table = 0;
  epilogue_plan epilogue{};
  footprint need{};

  constexpr i64 taps() const { return down.taps * across.taps; }
  /// Elements of a copied row: its phases one after another.
  constexpr i64 pitch() const { return across.stride * phase; }
};

/// What binding makes of a plan.
struct depthwise_work {
  depthwise_plan plan{};
  function epilogue{};
  fused_epilogue fused{};              ///< the epilogue again, where tiles can compute it
  const std::byte* packed = nullptr;   ///< filters packed at binding
  const std::int32_t* taps = nullptr;  ///< planes: where a tap's element lies in a strip
  i64 scratch_offset = 0;              ///< bytes of the arena: filters packed at every call
};

/// Bound memory: the work, and for planes the taps' offsets behind it. With null, its size alone.
struct depthwise_memory {
  depthwise_work* work;
  std::int32_t* taps;
  i64 bytes;
};
constexpr depthwise_memory lay_out(const depthwise_plan& t, std::byte* bound) noexcept {
  bound_layout memory(bound);
  auto* work = memory.take<depthwise_work>();
  auto* taps = memory.take<std::int32_t>(t.planes ? t.taps() : 0);
  return {work, taps, memory.bytes()};
}

/// Rows of a tile of a copied strip.
inline constexpr i64 strip_rows = 4;
/// Rows of a tile that reads the image itself: a divisor of the usual heights (7, 14, 28, 56, 112).
/// With 9 weights and 3 inputs they leave room in the 32 registers of AVX-512.
inline constexpr i64 direct_rows = 7;
/// Outputs of a strip, about: its sums and its copied input stay in the first level of the cache.
inline constexpr i64 strip_outputs = 3072;

/// True for groups of one channel each (a few filters each, where channels come first).
constexpr bool is_depthwise(const plan_view& p, int g) {
  const contracts_cpu::reading r = contracts_cpu::read_group(p, g);
  const contraction& c = r.c;
  if (c.sweeps != 2 || c.axes != 8) return false;
  const i64 channels = c.axis[1].extent, filters = c.axis[2].extent, inner = c.axis[5].extent;
  if (channels < 2 || inner != 1) return false;
  const bool channels_first = r.through(0, c.swept[1].step) == 1;
  if (channels_first) return filters <= 4;
  return filters == 1 && r.through(0, c.axis[1].a) == 1;
}

namespace contracts_cpu {

/// Decides step by step; the order of the members is the order of the decisions.
struct depthwise_planner {
  reading r;
  depthwise_plan t{};

  /// Loops of a depthwise contraction: image, channel, filter, row, column, (input channel), taps
  /// down and across.
  constexpr void read_axes() {
    t.image = r.axis(0, false);
    t.channel = r.axis(1, false);
    t.filter = r.axis(2, false);
    t.line = r.axis(3, false);
    t.column = r.axis(4, false);
    t.down = window_of(0, 6);
    t.across = window_of(1, 7);
    t.planes = t.across.step == 1;
  }
  constexpr axis_of_window window_of(int swept, int tap_axis) const {
    const sweep& s = r.c.swept[swept];
    return {s.extent, r.through(0, s.step), s.begin, s.stride, s.dilation, s.taps, r.b(tap_axis)};
  }
  constexpr void find_operands(int anchor) {
    t.in = first_element_of(r.n.in[0]);
    t.filters = first_element_of(r.n.in[1]);
    t.out = first_element_of(r.map >= 0 ? r.map : anchor);
    t.epilogue = r.epilogue(anchor);
  }
  constexpr first_element first_element_of(int id) const {
    return {r.p.locations[id].holder, r.p.locations[id].offset};
  }
  /// Channels last. Filters that do not lie as [tap][channel] are packed: at binding if they are
  /// weights, else into the arena at every call. A thread has zeros for the edge and a list of
  /// addresses, which are 8 bytes each.
  constexpr void plan_channels() {
    const i64 channels = t.channel.extent;
    t.at_binding = r.p.table.nodes[t.filters.holder].kind == family::weight;
    t.filters_packed = t.channel.lanes != 1 || t.down.tap_step != t.across.taps * t.across.tap_step;
    t.table = aligned(channels * 4) / 4;
    const i64 packed = t.filters_packed ? aligned(t.taps() * channels * 4) : 0;
    t.need = {t.at_binding ? packed : 0, t.at_binding ? 0 : packed,
              aligned(t.table * 4 + t.taps() * 8), lay_out(t, nullptr).bytes};
  }
  /// Channels first: how many rows a strip has. A multiple of both kinds of tiles' rows, so that
  /// only a plane's last strip has tiles that overlap.
  constexpr void choose_strip() {
    constexpr i64 unit = strip_rows * direct_rows;
    t.strip = (strip_outputs / t.column.extent + unit) / unit * unit;
    if (t.strip > t.line.extent) t.strip = t.line.extent;
    t.at_once = r.continues(t.line, t.column);
    t.direct = masks_loads && is_dense_3x3() && t.down.stride == t.across.stride &&
               t.across.stride <= 2 && t.line.extent >= direct_rows;
  }
  constexpr bool is_dense_3x3() const {
    return t.down.taps == 3 && t.across.taps == 3 && t.down.dilation == 1 && t.across.dilation == 1;
  }
  /// Channels first: what a thread holds while it runs a strip.
  constexpr void plan_strip_memory() {
    const i64 rows = t.down.seen_by(t.strip), columns = t.across.seen_by(t.column.extent),
              per_phase = (columns + t.across.stride - 1) / t.across.stride;
    t.phase = registers_of(per_phase) * width;
    t.copied = aligned((rows * t.pitch() + 2 * width) * 4) / 4;  // tiles read behind the last row
    t.summed = aligned(t.strip * t.column.extent * 4) / 4;
    t.table = t.copied + t.summed;
    t.filters_packed = t.across.tap_step != 1 || t.down.tap_step != t.across.taps;
    t.need = {0, 0, aligned((t.table + t.taps()) * 4), lay_out(t, nullptr).bytes};
  }
};

}  // namespace contracts_cpu

/// Decides everything about group `g`; usable in constant expressions (its footprint is part of the
/// plan's).
constexpr depthwise_plan plan_depthwise(const plan_view& p, int g) {
  contracts_cpu::depthwise_planner planner{contracts_cpu::read_group(p, g)};
  planner.read_axes();
  planner.find_operands(p.groups[g].anchor);
  if (planner.t.planes) {
    planner.choose_strip();
    planner.plan_strip_memory();
  } else {
    planner.plan_channels();
  }
  return planner.t;
}

}  // namespace tenon::simd
