// A piece of a convolution whose vectors are filled with pixels.
//
// A few filters at a time (8 with AVX-512), over all positions of the piece: the rows of a tile are
// filters, each broadcast from its packed panel; the columns are neighbouring pixels of the image
// or its copy, read at one offset per term (a channel's tap). The piece's pixels, a few lines, stay
// in the first level of the cache for all filters. Where the output's lines follow one another as
// the image's do, or masks can leave out the gaps, tiles store to the output; else a filter's sums
// wait in the thread's memory for `line_output`.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_lines.hpp>
#include <tenon/policy/cpu/tile.hpp>

namespace tenon::simd {

class pixel_piece : placed_piece {
 public:
  pixel_piece(const contract_call& of, const contract_piece& which) noexcept
      : placed_piece(of, which),
        first_(first_column()),
        last_(first_ + room() < plan.positions ? first_ + room() : plan.positions),
        shift_(plan.form == vector_form::image ? first_ + room() - last_ : 0),
        direct_(stores_pixels(of.work)),
        skips_(direct_ && skips_gaps(plan)),
        filters_(of.rows + batch.rows),
        image_(of.lanes + batch.lanes + first_),
        tiles_(piece.registers, tile_vectors) {
    if (skips_) find_stores();
  }

  void run() noexcept {
    const i64 end = piece.row + piece.rows;
    for (i64 filter = piece.row; filter < end; filter += tile_rows) {
      const int filters = static_cast<int>(end - filter < tile_rows ? end - filter : tile_rows);
      sum(filter, filters);
      for (int i = 0; i < filters && !direct_; ++i) write(filter + i, call.sums + i * room());
    }
  }

 private:
  /// A few filters: their panel, their constants, and where their sums go.
  struct filter_tile {
    panel_rows panel;
    int filters;
    float* to;
    i64 to_row;
    const float* residual = nullptr;  ///< at the image's position 0
    float bias[tile_rows], shift[tile_rows];
    tile_epilogue epilogue{};

    filter_tile(const float* filter, int count, float* target, i64 target_row) noexcept
        : panel{filter}, filters(count), to(target), to_row(target_row) {}
    /// Reads the fused epilogue's operands, which lie at `offset`.
    void read_epilogue(const placed_piece& p, const i64* offset) noexcept {
      const fused_epilogue& fused = p.call.work.fused;
      const auto step = [&](int k) { return k < 0 ? i64{0} : p.plan.row[0].epilogue[k]; };
      epilogue = {fused.used, bias, nullptr, step(fused.residual), shift, fused.low, fused.high};
      if (!fused.used) return;
      copy_constants(p.epilogue.operand(offset, fused.bias), step(fused.bias), filters, bias);
      copy_constants(p.epilogue.operand(offset, fused.shift), step(fused.shift), filters, shift);
      epilogue.residual = residual = p.epilogue.operand(offset, fused.residual);
    }
  };
  /// Tiles of one size, one behind the other.
  struct tile_range {
    i64 first, count;
    int vectors;
  };

  /// Which lanes each tile stores, once for all filters.
  void find_stores() noexcept {
    line_walk walk(plan, first_);
    for (i64 j = 0; j < tiles_.count; ++j) {
      const i64 begin = first_ + tiles_.begin(j) * width, end = begin + tiles_.size(j) * width;
      stores_[j] = walk.stores(begin - (j == tiles_.count - 1 ? shift_ : 0), begin,
                               end < last_ ? end : last_);
    }
  }
  void operand_offsets(i64 filter, i64* offset) const noexcept {
    for (int k = 0; k < plan.epilogue.operands; ++k)
      offset[k] = batch.epilogue[k] + filter * plan.row[0].epilogue[k];
  }
  void sum(i64 filter, int filters) noexcept {
    const i64 panel = filter / width * width * plan.terms + filter % width;
    float* to = direct_ ? out + filter * plan.row[0].out + (skips_ ? 0 : first_) : call.sums;
    filter_tile tile(filters_ + panel, filters, to, direct_ ? plan.row[0].out : room());
    i64 offset[max_operands];
    operand_offsets(filter, offset);
    tile.read_epilogue(*this, offset);
    // The last tile is shifted left to stay inside the image; it recomputes some outputs.
    tiles_.by_size([&](i64 first, i64 count, int vectors) {
      const i64 shifted = shift_ > 0 && first + count == tiles_.count;
      sum(tile, {first, count - shifted, vectors}, 0);
      if (shifted > 0) sum(tile, {tiles_.count - 1, 1, vectors}, shift_);
    });
  }
  void sum(filter_tile& tile, const tile_range& tiles, i64 shift) noexcept {
    const i64 column = tiles_.begin(tiles.first) * width - shift;
    if (tile.residual != nullptr) tile.epilogue.residual = tile.residual + first_ + column;
    // The taps of a window share lines: with a few terms, the next tile's pixels come from farther
    // away than the first level, and are asked for.
    const bool fetches = plan.form == vector_form::image && plan.terms <= 64;
    pixel_tiles_of(tile.filters, tiles.vectors)(
        tile.panel,
        {image_ + column, call.work.lane_terms, skips_ ? &stores_[tiles.first] : nullptr, fetches},
        plan.terms, tile.epilogue, {skips_ ? tile.to : tile.to + column, tile.to_row, tiles.count});
  }
  void write(i64 filter, float* sums) const noexcept {
    i64 offset[max_operands];
    operand_offsets(filter, offset);
    line_output(*this, first_, last_).write(offset, sums, out + filter * plan.row[0].out);
  }

  i64 first_, last_;  ///< positions of the flattened image
  i64 shift_;         ///< in place: how far the last tile would reach behind the image
  bool direct_;       ///< tiles store to the output
  bool skips_;        ///< and leave out the gaps between its lines
  const float* filters_;
  const float* image_;  ///< position `first_`, at the first term
  even_split tiles_;
  line_stores stores_[piece_tiles];  // written where `skips_`
};

}  // namespace tenon::simd
