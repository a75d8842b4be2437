// A bound contraction, and what all forms of its kernel share: offsets of terms, of batches and of
// rows, and the epilogue over sums in memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/bound_layout.hpp>
#include <tenon/policy/cpu/contract_plan.hpp>
#include <tenon/policy/cpu/streams.hpp>
#include <tenon/policy/cpu/tile_epilogue.hpp>
#include <tenon/policy/frame.hpp>

namespace tenon::simd {

/// A bound contraction: the plan, its epilogue, its tables.
struct contract_work {
  contract_plan plan{};
  function epilogue{};     ///< `run` is null if there is none: the sums are the result
  fused_epilogue fused{};  ///< the same program in registers, if tiles can compute it
  /// Offsets of the terms in each side, in elements; null where one stride is enough.
  const std::int32_t *row_terms = nullptr, *lane_terms = nullptr;
  const std::byte* packed = nullptr;  ///< the panels of weights
  i64 scratch_offset = 0;             ///< of the group's scratch, in the arena

  /// True if tiles write results: no epilogue has to run over sums in memory.
  bool is_fused() const noexcept { return epilogue.run == nullptr || fused.used; }
};
/// The layout of bound memory: the bound form, then the tables that the plan's form needs.
struct contract_memory {
  contract_work* work;
  std::int32_t *row_terms, *lane_terms;
  i64 bytes;
};
/// With a null address it only counts the bytes, for planning; see bound_layout.hpp.
constexpr contract_memory lay_out(const contract_plan& plan, std::byte* at) noexcept {
  const bool pixels = plan.form != vector_form::panels;
  bound_layout memory(at);
  auto* work = memory.take<contract_work>();
  auto* rows = memory.take<std::int32_t>(!pixels && plan.has_row_table() ? plan.terms : 0);
  auto* lanes = memory.take<std::int32_t>(pixels ? plan.terms : 0);
  return {work, rows, lanes, memory.bytes()};
}

/// One call of a bound contraction, as one thread sees it.
struct contract_call {
  const contract_work& work;
  const frame& f;
  const float* rows;   ///< the row side's first element
  const float* lanes;  ///< the lane side's
  float* out;          ///< the output's
  float* sums;  ///< the thread's memory: `contract_plan::sums` and, turned, an epilogue's lines
};

/// Writes the offsets of all terms in one side, in the order of summation. `step` are the strides
/// of the terms' axes. With `phased` the side is an image copied in planes, one for each remainder
/// of line and column modulo the stride: there a tap's offset is not linear, and is divided out
/// here.
inline void write_terms(const contract_plan& plan, const i64* step, bool phased,
                        std::int32_t* out) noexcept {
  i64 at[contraction::max_axes]{};
  const image_copy& m = plan.image;
  for (i64 k = 0; k < plan.terms; ++k) {
    i64 offset = 0, tap[2]{};  // tap: line and column of the image, from an output's first
    for (int d = 0; d < plan.term_axes; ++d) {
      const int sweep = plan.term_sweep[d];
      if (phased && sweep >= 0)
        tap[sweep] = at[d] * step[d] / (sweep == 0 ? m.plane_width : 1);
      else
        offset += at[d] * step[d];
    }
    if (phased) {
      const i64 phase = tap[0] % m.phases_y * m.phases_x + tap[1] % m.phases_x;
      offset +=
          (phase * m.plane_height + tap[0] / m.phases_y) * m.plane_width + tap[1] / m.phases_x;
    }
    out[k] = static_cast<std::int32_t>(offset);
    for (int d = plan.term_axes - 1; d >= 0 && ++at[d] == plan.term_extent[d]; --d) at[d] = 0;
  }
}

/// A position of the batch axes as offsets into both sides, the output and the epilogue's operands.
struct batch_offsets {
  i64 rows = 0, lanes = 0, out = 0;
  i64 epilogue[max_operands]{};
  batch_offsets(const contract_plan& plan, i64 batch) noexcept {
    for (int k = 0; k < plan.epilogue.operands; ++k) epilogue[k] = plan.epilogue.offset[k];
    for (int b = plan.batch_axes - 1; b >= 0; --b) {
      const output_axis& x = plan.batch[b];
      const i64 at = batch % x.extent;
      batch /= x.extent;
      rows += at * x.rows;
      lanes += at * x.lanes;
      out += at * x.out;
      for (int k = 0; k < plan.epilogue.operands; ++k) epilogue[k] += at * x.epilogue[k];
    }
  }
};
/// Walks over the rows, which may be several axes. The first axis has no end, so that a walk may go
/// on behind the last row.
struct row_walk {
  const contract_plan& plan;
  i64 at[contraction::max_axes]{};
  row_walk(const contract_plan& of, i64 first) noexcept : plan(of) {
    for (int b = plan.row_axes - 1; b >= 0; --b) {
      at[b] = b > 0 ? first % plan.row[b].extent : first;
      first /= plan.row[b].extent;
    }
  }
  void next() noexcept {
    for (int b = plan.row_axes - 1; b >= 0; --b) {
      if (++at[b] < plan.row[b].extent || b == 0) return;
      at[b] = 0;
    }
  }
  template <class Step> i64 offset(const Step& step) const noexcept {
    i64 r = 0;
    for (int b = 0; b < plan.row_axes; ++b) r += at[b] * step(plan.row[b]);
    return r;
  }
  i64 rows() const noexcept {
    return offset([](const output_axis& x) { return x.rows; });
  }
  i64 out() const noexcept {
    return offset([](const output_axis& x) { return x.out; });
  }
  i64 epilogue(int k) const noexcept {
    return offset([k](const output_axis& x) { return x.epilogue[k]; });
  }
};

/// The epilogue where it runs over sums in memory, not in a tile's registers.
struct memory_epilogue {
  const epilogue_plan& plan;
  const function& program;
  const frame& f;
  /// Runs over `n` neighbouring outputs; `sums` may be `out`. Operand k is read from `offset[k]`
  /// on, in steps of `step[k]`.
  void run(const i64* offset, const i64* step, const float* sums, float* out,
           i64 n) const noexcept {
    stream in[max_operands];
    for (int k = 0; k < plan.operands; ++k) {
      if (plan.holder[k] < 0)
        in[k] = {sums, 1};
      else
        in[k] = {operand(offset, k), step[k]};
    }
    run_streams(program, in, plan.operands, out, n);
  }
  /// An operand's element at `offset[k]`, or null for k < 0: no operand.
  const float* operand(const i64* offset, int k) const noexcept {
    return k < 0 ? nullptr : f.at<const float>(plan.holder[k], offset[k]);
  }
};

/// What one thread computes at a time: some rows, and some registers of columns, at one position of
/// the batch axes.
struct contract_piece {
  i64 batch = 0, row = 0, rows = 0, first = 0, registers = 0;  ///< first: a register's number
};
/// A piece with its addresses and offsets; all forms of the kernel begin with one.
struct placed_piece {
  const contract_call& call;
  const contract_plan& plan;
  contract_piece piece;
  batch_offsets batch;
  float* out;  ///< of the position of the batch axes
  memory_epilogue epilogue;

  placed_piece(const contract_call& of, const contract_piece& which) noexcept
      : call(of),
        plan(of.work.plan),
        piece(which),
        batch(plan, which.batch),
        out(of.out + batch.out),
        epilogue{plan.epilogue, of.work.epilogue, of.f} {}
  i64 first_column() const noexcept { return piece.first * width; }
  /// The piece's lanes, and how many of them are columns of the output; the last register of a row
  /// may reach beyond.
  i64 room() const noexcept { return piece.registers * width; }
  i64 columns() const noexcept {
    const i64 left = plan.column.extent - first_column();
    return left < room() ? left : room();
  }
};

}  // namespace tenon::simd
