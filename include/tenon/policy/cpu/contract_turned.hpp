// How the sums of a "turned" contraction reach the output.
//
// Such a contraction computes [pixel][filter] (the vectors are filled with filters), but its output
// is [filter][pixel]. Squares of sums are transposed in registers, straight into the output where
// no program follows. A residual has the output's layout, so tiles cannot add it: it is added to
// the transposed registers. Any other epilogue runs on `width` lines of pixels at a time, one for
// each filter of a register, while they are in the first level of the cache.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_work.hpp>
#include <tenon/policy/cpu/tile_operands.hpp>
#include <tenon/policy/cpu/tile_transpose.hpp>

namespace tenon::simd {

/// Sums of a piece, [row][column], on their way out. Rows (pixels) are taken in stretches: as many
/// as follow one another in the output.
class turned_output {
 public:
  turned_output(const placed_piece& of, const float* sums, i64 sums_row) noexcept
      : p_(of), plan_(of.plan), sums_(sums), sums_row_(sums_row) {}

  void write() const noexcept {
    const contract_work& work = p_.call.work;
    const bool plain = work.epilogue.run == nullptr || (work.fused.used && work.fused.residual < 0);
    const i64 column = p_.first_column();
    for (i64 r = 0; r < p_.piece.rows;) {
      const i64 row = p_.piece.row + r, to_end = plan_.stretch - row % plan_.stretch,
                left = p_.piece.rows - r;
      const row_walk walk(plan_, row);
      stretch s{sums_ + r * sums_row_,
                left < to_end ? left : to_end,
                p_.out + walk.out() + column * plan_.column.out,
                {}};
      r += s.n;
      if (plain) {
        transpose(s.sums, sums_row_, s.n, p_.columns(), s.out, plan_.column.out);
        continue;
      }
      for (int k = 0; k < plan_.epilogue.operands; ++k)
        s.offset[k] = p_.batch.epilogue[k] + walk.epilogue(k) + column * plan_.column.epilogue[k];
      if (work.fused.used)
        add_residual(s);
      else
        run_program(s);
    }
  }

 private:
  struct stretch {
    const float* sums;
    i64 n;       ///< pixels
    float* out;  ///< the first filter's line
    i64 offset[max_operands];
  };
  /// Transposes biased sums; adds residual and shift and applies the limits on the way.
  void add_residual(const stretch& s) const noexcept {
    const fused_epilogue& e = p_.call.work.fused;
    const float* residual = p_.epilogue.operand(s.offset, e.residual);
    const float* shift = p_.epilogue.operand(s.offset, e.shift);
    float shifts[tile_columns];
    copy_constants(shift, e.shift < 0 ? 0 : plan_.column.epilogue[e.shift], p_.columns(), shifts);
    const i64 step = plan_.column.epilogue[e.residual];
    const real low(e.low), high(e.high);
    transpose(s.sums, sums_row_, s.n, p_.columns(), s.out, plan_.column.out,
              [&](real x, i64 c, i64 at, i64 rows) {
                const float* from = residual + c * step + at;
                const real y = rows == width ? load(from) : load_part(from, rows);
                return clamped(x + (y + real(shifts[c])), low, high);
              });
  }
  /// Transposes a register's width of filters into the lines behind the sums, then runs the
  /// program on them line by line.
  void run_program(stretch s) const noexcept {
    const output_axis none{}, &inner = plan_.row_axes > 0 ? plan_.row[plan_.row_axes - 1] : none;
    const i64 columns = p_.columns();
    float* lines = p_.call.sums + plan_.sums;
    for (i64 c = 0; c < columns; ++c, s.out += plan_.column.out) {
      if (c % width == 0)
        transpose(s.sums + c, sums_row_, s.n, columns - c < width ? columns - c : i64{width}, lines,
                  turned_rows);
      p_.epilogue.run(s.offset, inner.epilogue, lines + c % width * turned_rows, s.out, s.n);
      for (int k = 0; k < plan_.epilogue.operands; ++k) s.offset[k] += plan_.column.epilogue[k];
    }
  }

  const placed_piece& p_;
  const contract_plan& plan_;
  const float* sums_;
  i64 sums_row_;
};

}  // namespace tenon::simd
