// What the CPU decides about a contraction of integers that stand for numbers, as numbers: made by
// dot_planner.hpp, run by dot.hpp.
//
// Terms are multiplied in words of four: four channels of one tap. The image is copied at every
// call into words with its edge, the weights once at binding. Two layouts:
//   by rows   vectors are filled with filters. Image [line][column][word], weights in panels
//             [matrix][panel][term][width]. For channels last, and products of matrices.
//   pixels    vectors are filled with pixels. Image [word][phase y][phase x][line][column], weights
//             [matrix][tile of filters][term][tile_rows]. For channels first.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_plan.hpp>
#include <tenon/policy/cpu/tile_operands.hpp>

namespace tenon::simd {

/// Terms that a word holds, a byte each.
inline constexpr i64 word_terms = 4;
/// Four terms, the first one in the lowest byte.
using dot_word = std::int32_t;
/// Positions of a piece of work: with words of 64 channels they stay in the first level of the
/// cache.
inline constexpr i64 dot_pixels = 9 * width, dot_rows = 64;
/// Filters of a piece of work.
inline constexpr i64 dot_filters = 8 * tile_rows, dot_columns = 9 * width;

/// A window of the image along one axis. What is copied of it is split by stride phase where pixels
/// fill the vectors; a window of one tap sees one phase only.
struct dot_window {
  i64 taps = 1, stride = 1, dilation = 1;
  i64 begin = 0, extent = 1;  ///< edge before the image, and the image's extent
  i64 step = 0;               ///< bytes of the image from one position to the next
  i64 tap = 0;                ///< elements of the weights from one tap to the next
  i64 phases = 1, plane = 1;  ///< phases of the copy, and positions of one
};
/// Weights, or what belongs to them: a holder, and strides for items and filters.
struct dot_parameter {
  int holder = -1;
  i64 offset = 0, filter = 0, item[contraction::max_axes]{};
};

struct dot_plan {
  bool by_rows = false;  ///< the vectors are filled with filters; else with pixels
  bool is_signed = false, signed_weights = false;
  // The image (its strides, `rows` of the axes, in bytes), and the weights (`lanes`, in elements).
  int holder = -1;
  i64 offset = 0, channel = 0, channels = 1;  ///< channel: bytes from one to the next
  i64 words = 1;                              ///< of the channels
  dot_window y{}, x{};
  dot_parameter weight{}, scale{}, zero{};
  i64 weight_channel = 0;
  int image_scale = -1, image_zero = -1;  ///< nodes
  i64 image_scale_at = 0, image_zero_at = 0;
  // The output: items (images, groups of channels), positions, filters.
  int item_axes = 0;
  output_axis item[contraction::max_axes]{}, line{}, column{}, filter{};
  i64 items = 1;                 ///< in all
  i64 images = 1, matrices = 1;  ///< different images and matrices of weights among them
  int out_holder = -1;
  i64 out_offset = 0;
  epilogue_plan epilogue{};
  footprint need{};

  /// Words of a sum.
  constexpr i64 terms() const { return words * y.taps * x.taps; }
  /// Filters up to whole registers, or whole tiles: what is missing has weights of 0.
  constexpr i64 filters() const {
    const i64 unit = by_rows ? width : tile_rows;
    return (filter.extent + unit - 1) / unit * unit;
  }
  constexpr i64 image_words() const { return words * y.phases * x.phases * y.plane * x.plane; }
  /// Positions of an item. Where pixels fill the vectors, tiles run over the flattened copy, and
  /// positions between its lines are no outputs.
  constexpr i64 positions() const {
    return by_rows ? line.extent * column.extent : (line.extent - 1) * x.plane + column.extent;
  }
};

}  // namespace tenon::simd
