// What the CPU decides about a contraction, as numbers: made by contract_planner.hpp, run by
// contract.hpp.
//
// An output element is a sum over terms of one number of each operand. Of the output's axes, one is
// the column: neighbouring columns fill a register. The operand that varies along it is the lane
// side, read as registers; the other one is the row side, of which single numbers are broadcast.
// Axes along which only the row side varies are rows; whatever is left (both sides vary, or none)
// are batch axes. A convolution read pixel by pixel has a second axis of pixels, the line.
//
//   form     vectors are filled with          the lane side is
//   panels   columns of a matrix, filters     packed into panels of a register's width
//   image    pixels                           the image where it lies: no edge, stride 1
//   planes   pixels                           a copy with its edge, split by stride phase
//
// Panels also hold the filters of the two pixel forms, there as the row side. Weights are packed at
// binding, other operands at every call.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/plan/plan.hpp>
#include <tenon/policy/cpu/split.hpp>

namespace tenon::simd {

/// An axis of the output: extent, and strides in elements of the row side, the lane side, the
/// output and the epilogue's operands. A side that does not vary along it has stride 0.
struct output_axis {
  i64 extent = 1, rows = 0, lanes = 0, out = 0;
  i64 epilogue[max_operands]{};
};

/// The map that runs over the sums, and where its operands lie.
struct epilogue_plan {
  int program = -1, operands = 0;
  int holder[max_operands]{};  ///< -1: the sums
  i64 offset[max_operands]{};  ///< elements
};

/// Where an operand of the contraction is read.
struct side {
  enum class source : std::uint8_t {
    in_place,  ///< the caller's or an earlier group's memory
    packed,    ///< the model's memory, written at binding
    scratch,   ///< the arena, written at every call before the tiles run
  };
  source from = source::in_place;
  int holder = -1;
  i64 offset = 0;  ///< elements, in place
  i64 at = 0;      ///< bytes, in packed memory or scratch
};

/// What the lane side is; see the head of this file.
enum class vector_form : std::uint8_t { panels, image, planes };

/// What a piece of work covers at most. 128 outputs of a line are one block of the interpreter;
/// with 64 rows, or 128 of one tile's columns, the sums stay in the first level of the cache.
inline constexpr i64 block_columns = 128;
inline constexpr i64 block_rows = 64, turned_rows = 128;
/// Tiles of pixels that write straight to the output run this far along it before the next filters
/// do: their pixels stay in the first level of the cache for all filters.
inline constexpr int piece_tiles = 9;
/// Terms that run in one go: with more, a panel would not stay in the second level of the cache.
inline constexpr i64 block_terms = 512;

/// A copy of the image (the swept operand) with its edge, made before the tiles run.
/// Layout: [image][phase y][phase x][line][column][inner], `tail` zeros behind each image. With
/// stride s the pixels that neighbouring outputs read lie s apart; a plane for each of the s phases
/// makes them neighbours.
struct image_copy {
  bool used = false;
  int holder = -1;
  i64 offset = 0, at = 0;          ///< source elements, scratch bytes
  i64 count = 0;                   ///< images, dense one behind the other
  i64 height = 0, width = 0;       ///< source extents
  i64 inner = 1;                   ///< neighbouring elements of a pixel
  i64 top = 0, left = 0;           ///< edge before the first line, and before a line's first pixel
  i64 phases_y = 1, phases_x = 1;  ///< stride phases, one plane each
  i64 plane_height = 0, plane_width = 0;
  i64 tail = 0;  ///< zeros behind an image: the edge behind its last line, where the left edge of
                 ///< the next line serves as the right edge of all the others
  i64 item = 0;  ///< elements of one copied image, tail included
};
/// Panels of a matrix's columns, or of filters. Layout: [item][panel][term][width], zeros behind
/// the last column.
struct panel_copy {
  bool at_binding = false;  ///< a weight: packed once, into the model's memory
  int holder = -1;
  i64 offset = 0;
  int outer = 0;  ///< batch axes that the packed operand has, innermost first
  i64 extent[contraction::max_axes]{}, step[contraction::max_axes]{};
  i64 columns = 0, column_step = 0;
  i64 term[contraction::max_axes]{};  ///< strides of the terms
  i64 items = 1, item = 0;            ///< matrices, and packed elements of one
};

struct contract_plan {
  // The output: batch axes, rows, columns (stride 1 in the output); a line where columns are
  // pixels.
  int batch_axes = 0, row_axes = 0;
  output_axis batch[contraction::max_axes]{}, row[contraction::max_axes]{};
  output_axis column{}, line{};
  i64 rows = 1, batch_count = 1, terms = 1;
  // The sides.
  side row_side{}, lane_side{};
  vector_form form = vector_form::panels;
  /// A convolution over pixels whose vectors are filled with filters all the same, because that
  /// costs less. Its sums are [pixel][filter] and must be transposed on their way to the output.
  bool turned = false;
  bool rows_indexed = false;  ///< no single stride leads through the row side's terms
  i64 row_term_step = 1;      ///< that stride, if one does
  /// Rows of a tile that do not follow one stride need the table of terms too.
  constexpr bool has_row_table() const { return rows_indexed || row_axes > 1; }
  /// Pixels: elements from a line to the next, and of an image from the first output's position to
  /// the last one's. Tiles run over all positions, those between the lines included.
  i64 pitch = 0, positions = 0;
  // Copies made before the tiles run.
  image_copy image{};
  panel_copy panels{};
  // Terms: nested loops, the last axis innermost, with their strides in both sides.
  int term_axes = 0;
  i64 term_extent[contraction::max_axes]{}, term_rows[contraction::max_axes]{},
      term_lanes[contraction::max_axes]{};
  int term_sweep[contraction::max_axes]{};  ///< the sweep whose taps these are, or -1
  // Memory.
  footprint need{};
  i64 sums = 0;  ///< elements of a thread's sums; behind them, lines on their way to the output
  // The output and its epilogue.
  int out_holder = -1;
  i64 out_offset = 0;  ///< elements
  epilogue_plan epilogue{};
  bool pixelwise_constant = true;  ///< the sums alone vary along line and column
  i64 stretch = 1;  ///< neighbouring outputs along which the output and all operands move evenly
};

}  // namespace tenon::simd
