// A piece of a contraction whose lane side is packed into panels: products of matrices, and
// convolutions whose vectors are filled with filters.
//
// Loops, from outside: blocks of terms (512 at most, so that three panels stay in the second level
// of the cache), tiles of columns (three registers), tiles of rows (8 with AVX-512). The innermost
// loop over rows reads the same three panels again and again, while rows stream by; a panel of the
// next tile is fetched meanwhile. With more than one block of terms, sums wait in memory.
// Sums go straight into the output where its rows have room for whole registers and nothing but a
// fused epilogue follows; else into the thread's memory, and from there row by row.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_turned.hpp>
#include <tenon/policy/cpu/tile.hpp>

namespace tenon::simd {

class panel_piece : placed_piece {
 public:
  panel_piece(const contract_call& of, const contract_piece& which) noexcept
      : placed_piece(of, which),
        rows_(of.rows + batch.rows),
        panels_(of.lanes + batch.lanes + first_column() * plan.terms),
        direct_(!plan.turned && of.work.is_fused() && plan.row_axes <= 1 &&
                first_column() + room() <= plan.column.extent),
        sums_(direct_ ? out + piece.row * plan.row[0].out + first_column() : of.sums),
        sums_row_(direct_ ? plan.row[0].out : room()) {
    read_epilogue();
  }

  void run() noexcept {
    if (plan.has_row_table()) {
      const float* list[turned_rows > block_rows ? turned_rows : block_rows];
      list_rows(list);
      sum(indexed_rows{list, call.work.row_terms});
    } else {
      // Pixels that follow one another in memory: the next tile's are asked for a register ahead.
      const i64 step = plan.row_axes > 0 ? plan.row[0].rows : 0;
      sum(strided_rows{rows_ + piece.row * step, step, plan.row_term_step,
                       plan.turned ? width : 0});
    }
    if (plan.turned)
      turned_output(*this, sums_, sums_row_).write();
    else if (!direct_)
      write_rows();
  }

 private:
  /// The part of the epilogue that tiles compute: bias and limits. With a residual, which these
  /// tiles cannot add, they only add the bias; `turned_output` adds the residual and then applies
  /// the limits.
  void read_epilogue() noexcept {
    const fused_epilogue& fused = call.work.fused;
    if (!fused.used) return;
    const i64 step = fused.bias < 0 ? 0 : plan.column.epilogue[fused.bias];
    const float* from = epilogue.operand(batch.epilogue, fused.bias);
    copy_constants(from == nullptr ? nullptr : from + first_column() * step, step, columns(),
                   bias_);
    for (i64 i = columns(); i < room(); ++i) bias_[i] = 0;
    const fused_epilogue open{};
    const fused_epilogue& limits = fused.residual < 0 ? fused : open;
    in_tiles_ = {true, bias_, nullptr, 0, nullptr, limits.low, limits.high};
  }
  /// Addresses of the piece's rows, stretch by stretch of the innermost row axis.
  void list_rows(const float** list) const noexcept {
    const output_axis& inner = plan.row[plan.row_axes > 0 ? plan.row_axes - 1 : 0];
    for (i64 r = 0; r < piece.rows;) {
      const i64 to_end = inner.extent - (piece.row + r) % inner.extent,
                n = piece.rows - r < to_end ? piece.rows - r : to_end,
                first = row_walk(plan, piece.row + r).rows();
      for (i64 i = 0; i < n; ++i) list[r + i] = rows_ + first + i * inner.rows;
      r += n;
    }
  }
  template <class RowSide> void sum(const RowSide& rows) noexcept {
    const even_split term_blocks(plan.terms, block_terms),
        column_tiles(piece.registers, tile_vectors), row_tiles(piece.rows, tile_rows);
    const i64 panel = plan.terms * width;
    tile_epilogue in_tiles = in_tiles_;
    for (i64 i = 0; i < term_blocks.count; ++i) {
      const i64 term = term_blocks.begin(i), terms = term_blocks.size(i);
      in_tiles.used = in_tiles_.used && i + 1 == term_blocks.count;  // when sums are complete
      for (i64 j = 0; j < column_tiles.count; ++j) {
        const i64 first = column_tiles.begin(j);
        panel_columns columns{panels_ + first * panel + term * width, panel, nullptr};
        // What is read after this tile of columns: the next one, else the first one's next block
        // of terms, else the panels of the piece behind this one.
        const float* next = j + 1 < column_tiles.count ? columns.data + column_tiles.size(j) * panel
                            : i + 1 < term_blocks.count ? panels_ + (term + terms) * width
                                                        : panels_ + piece.registers * panel;
        const int vectors = static_cast<int>(column_tiles.size(j));
        if (in_tiles_.bias != nullptr) in_tiles.bias = in_tiles_.bias + first * width;
        for (i64 b = 0, r = 0; b < row_tiles.count; ++b) {
          const int tile_size = static_cast<int>(row_tiles.size(b));
          columns.ahead = next + b % tile_vectors * panel;  // a panel for each tile of rows
          tile_of<RowSide>(tile_size, vectors)(
              rows.from(static_cast<int>(r), term), columns, terms, in_tiles,
              {sums_ + r * sums_row_ + first * width, sums_row_, i > 0});
          r += tile_size;
        }
      }
    }
  }
  /// Writes sums to the output's rows, through the epilogue if tiles could not do it.
  void write_rows() const noexcept {
    const i64 column = first_column(), n = columns();
    row_walk row(plan, piece.row);
    const float* sums = sums_;
    for (i64 r = 0; r < piece.rows; ++r, row.next(), sums += sums_row_) {
      float* to = out + row.out() + column;
      if (call.work.is_fused()) {
        std::memcpy(to, sums, static_cast<std::size_t>(n) * sizeof(float));
        continue;
      }
      i64 offset[max_operands];
      for (int k = 0; k < plan.epilogue.operands; ++k)
        offset[k] = batch.epilogue[k] + row.epilogue(k) + column * plan.column.epilogue[k];
      epilogue.run(offset, plan.column.epilogue, sums, to, n);
    }
  }

  const float* rows_;    ///< row 0 of the row side
  const float* panels_;  ///< the piece's first panel
  bool direct_;          ///< sums are made in the output itself
  float* sums_;
  i64 sums_row_;
  float bias_[block_columns];  // left uninitialized: written where `in_tiles_` uses it
  tile_epilogue in_tiles_{};
};

}  // namespace tenon::simd
