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
  depthwise_plan plan{};

  /// Loops of a depthwise contraction: image, channel, filter, row, column, (input channel), taps
  /// down and across.
  constexpr void read_axes() {
    plan.image = r.axis(0, false);
    plan.channel = r.axis(1, false);
    plan.filter = r.axis(2, false);
    plan.line = r.axis(3, false);
    plan.column = r.axis(4, false);
    plan.down = window_of(0, 6);
    plan.across = window_of(1, 7);
    plan.planes = plan.across.step == 1;
  }
  constexpr axis_of_window window_of(int swept, int tap_axis) const {
    const sweep& s = r.c.swept[swept];
    return {s.extent, r.through(0, s.step), s.begin, s.stride, s.dilation, s.taps, r.b(tap_axis)};
  }
  constexpr void find_operands(int anchor) {
    plan.in = first_element_of(r.n.in[0]);
    plan.filters = first_element_of(r.n.in[1]);
    plan.out = first_element_of(r.map >= 0 ? r.map : anchor);
    plan.epilogue = r.epilogue(anchor);
  }
  constexpr first_element first_element_of(int id) const {
    return {r.p.locations[id].holder, r.p.locations[id].offset};
  }
  /// Channels last. Filters that do not lie as [tap][channel] are packed: at binding if they are
  /// weights, else into the arena at every call. A thread has zeros for the edge and a list of
  /// addresses, which are 8 bytes each.
  constexpr void plan_channels() {
    const i64 channels = plan.channel.extent;
    plan.at_binding = r.p.table.nodes[plan.filters.holder].kind == family::weight;
    plan.filters_packed =
        plan.channel.lanes != 1 || plan.down.tap_step != plan.across.taps * plan.across.tap_step;
    plan.table = aligned(channels * 4) / 4;
    const i64 packed = plan.filters_packed ? aligned(plan.taps() * channels * 4) : 0;
    plan.need = {plan.at_binding ? packed : 0, plan.at_binding ? 0 : packed,
                 aligned(plan.table * 4 + plan.taps() * 8), lay_out(plan, nullptr).bytes};
  }
  /// Channels first: how many rows a strip has. A multiple of both kinds of tiles' rows, so that
  /// only a plane's last strip has tiles that overlap.
  constexpr void choose_strip() {
    constexpr i64 unit = strip_rows * direct_rows;
    plan.strip = (strip_outputs / plan.column.extent + unit) / unit * unit;
    if (plan.strip > plan.line.extent) plan.strip = plan.line.extent;
    plan.at_once = r.continues(plan.line, plan.column);
    plan.direct = masks_loads && is_dense_3x3() && plan.down.stride == plan.across.stride &&
                  plan.across.stride <= 2 && plan.line.extent >= direct_rows;
  }
  constexpr bool is_dense_3x3() const {
    return plan.down.taps == 3 && plan.across.taps == 3 && plan.down.dilation == 1 &&
           plan.across.dilation == 1;
  }
  /// Channels first: what a thread holds while it runs a strip.
  constexpr void plan_strip_memory() {
    const i64 rows = plan.down.seen_by(plan.strip),
              columns = plan.across.seen_by(plan.column.extent),
              per_phase = (columns + plan.across.stride - 1) / plan.across.stride;
    plan.phase = registers_of(per_phase) * width;
    plan.copied =
        aligned((rows * plan.pitch() + 2 * width) * 4) / 4;  // tiles read behind the last row
    plan.summed = aligned(plan.strip * plan.column.extent * 4) / 4;
    plan.table = plan.copied + plan.summed;
    plan.filters_packed = plan.across.tap_step != 1 || plan.down.tap_step != plan.across.taps;
    plan.need = {0, 0, aligned((plan.table + plan.taps()) * 4), lay_out(plan, nullptr).bytes};
  }
};

}  // namespace contracts_cpu

/// Decides everything about group `g`; usable in constant expressions (its footprint is part of the
/// plan's).
constexpr depthwise_plan plan_depthwise(const plan_view& p, int g) {
  contracts_cpu::depthwise_planner planner{contracts_cpu::read_group(p, g)};
  planner.read_axes();
  planner.find_operands(p.groups[g].anchor);
  if (planner.plan.planes) {
    planner.choose_strip();
    planner.plan_strip_memory();
  } else {
    planner.plan_channels();
  }
  return planner.plan;
}

}  // namespace tenon::simd
