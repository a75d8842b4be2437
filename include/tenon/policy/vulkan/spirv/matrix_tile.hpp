// How a contraction is divided for matrix units: the tile of a workgroup in fragments, and what its
// operands may be rounded to. Plain values.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/contract_tile.hpp>

namespace tenon::spirv {

/// A tile of `subgroups[0]` x `subgroups[1]` subgroups, each with `each[0]` x `each[1]` fragments.
struct matrix_tile {
  bool used = false;
  precision operands = precision::float16;
  matrix_shape fragment{};
  int lanes = 32;  ///< invocations of a subgroup
  int subgroups[2]{1, 1}, each[2]{1, 1};
  int terms = 32;   ///< at a time
  int buffers = 2;  ///< 2: the next terms are on their way while products are computed

  constexpr int extent(int side) const { return side == 0 ? fragment.rows : fragment.columns; }
  /// Rows or columns of the tile, and those of one subgroup.
  constexpr int subgroup_width(int side) const { return each[side] * extent(side); }
  constexpr int width(int side) const { return subgroups[side] * subgroup_width(side); }
  constexpr int invocations() const { return subgroups[0] * subgroups[1] * lanes; }

  /// Operands are brought in quads: four neighbouring terms or lines are 8 bytes. Rows of such
  /// memory are 16 bytes longer, so that reads of several rows come from other banks.
  static constexpr int quad = 4, apart = 2;
  constexpr int stride(int side, bool by_term) const {
    return (by_term ? terms : width(side)) / quad + apart;
  }
  constexpr int quads(int side, bool by_term) const {
    return stride(side, by_term) * (by_term ? width(side) : terms);
  }
  /// Where sums pass through on their way out: a row of fragments of every subgroup.
  constexpr int sums() const {
    return subgroups[0] * subgroups[1] * fragment.rows * subgroup_width(1);
  }
  constexpr int quads_of_memory(bool by_term_0, bool by_term_1) const {
    const int operands_of_all = buffers * (quads(0, by_term_0) + quads(1, by_term_1)),
              all = sums() / 2;
    return operands_of_all > all ? operands_of_all : all;
  }
};

/// Chooses tiles. Nothing was measured on a GPU yet: 128 x 128 and 256 invocations are what
/// published kernels for tensor cores use.
class matrix_tile_choice {
 public:
  constexpr matrix_tile_choice(const loop_nest& n, const target& device, precision operands)
      : n_(n), device_(device) {
    t_.operands = operands;
    t_.fragment = device.matrix.of(operands);
    t_.lanes = device.subgroup;
  }
  constexpr matrix_tile chosen() {
    if (!t_.fragment.exists() || t_.lanes == 0 || !is_product() || !choose_subgroups()) return t_;
    choose_each();
    while (!fits() && shrink()) {
    }
    t_.used = fits();
    return t_;
  }

 private:
  /// Rows, columns and terms below which fragments are mostly padding; of a tile, most and least
  /// rows or columns; and tiles that keep all parts of a large GPU busy.
  static constexpr i64 least = 8, most_width = 128, least_width = 32, enough_tiles = 128;
  const loop_nest& n_;
  const target& device_;
  matrix_tile t_{};
  i64 count_[2]{};

  /// Whether there are rows, columns and terms enough, and neighbours in the result are columns
  /// alone.
  constexpr bool is_product() {
    const int row_operand = row_operand_of(n_), last = n_.out.dims - 1;
    count_[0] = part_of(n_, row_operand).count();
    count_[1] = part_of(n_, 1 - row_operand).count();
    return moves(n_, 0, last) != moves(n_, 1, last) && count_[0] >= least && count_[1] >= least &&
           n_.terms.count() >= least;
  }
  /// A grid of up to 256 invocations, at least as wide as high.
  constexpr bool choose_subgroups() {
    const int limit = (device_.invocations < 256 ? device_.invocations : 256) / t_.lanes;
    for (int k = 1; t_.subgroups[0] * t_.subgroups[1] * 2 <= limit; k = 1 - k) {
      if (t_.subgroups[k] * 2 * t_.extent(k) > most_width) return true;
      t_.subgroups[k] *= 2;
    }
    return limit > 0;
  }
  constexpr void choose_each() {
    for (int k = 0; k < 2; ++k)
      while (t_.width(k) < least_width || (t_.width(k) < most_width && t_.width(k) < count_[k]))
        t_.each[k] *= 2;
    while (tiles() < enough_tiles && halve()) {
    }
  }
  constexpr i64 tiles() const {
    return batches_of(n_).count() * blocks_of(count_[0], t_.width(0)) *
           blocks_of(count_[1], t_.width(1));
  }
  /// Halves the longer side, or the other one.
  constexpr bool halve() {
    const int k = t_.width(0) >= t_.width(1) ? 0 : 1;
    for (const int side : {k, 1 - k}) {
      if (t_.each[side] == 1 || t_.width(side) <= least_width) continue;
      t_.each[side] /= 2;
      return true;
    }
    return false;
  }
  constexpr bool shrink() {
    if (halve()) return true;
    return --t_.buffers > 0;
  }
  /// Whether a tile goes into the workgroup's memory, and its parts divide evenly.
  constexpr bool fits() const {
    bool even =
        t_.terms % t_.fragment.terms == 0 && t_.fragment.rows * t_.fragment.columns % t_.lanes == 0;
    int bytes = 0;
    for (int k = 0; k < 2; ++k)
      even = even && t_.width(k) * t_.terms / matrix_tile::quad % t_.invocations() == 0 &&
             t_.invocations() * matrix_tile::quad % t_.width(k) == 0 &&
             t_.invocations() * matrix_tile::quad % t_.terms == 0 &&
             t_.extent(k) % matrix_tile::quad == 0;
    for (const bool by_term_0 : {false, true})
      for (const bool by_term_1 : {false, true})
        if (const int needed = t_.quads_of_memory(by_term_0, by_term_1) * 8; needed > bytes)
          bytes = needed;
    return t_.buffers > 0 && even && bytes <= device_.shared_bytes;
  }
};

/// True if a program's results are numbers that a float16 holds: rounded to one, or an operand of
/// it.
constexpr bool gives_halves(program_view p) {
  int at = p.size - 1;
  if (is_typed(p.code[at].op()))
    for (const int from = p.code[at--].a(); at > 0 && p.code[at].dst() != from;) --at;
  const instruction& x = p.code[at];
  return x.op() == sop::to_half || (x.op() == sop::arg && x.type() == type::float16);
}
/// True if a node's elements are such numbers: products of two are exact in float32.
constexpr bool holds_halves(const table_view& t, int id) {
  const node& n = t.nodes[id];
  if (n.kind == family::map) return gives_halves(t.program_of(n));
  if (n.kind != family::move) return false;
  const movement::form how = t.movement_of(n).is;
  return (how == movement::form::affine || how == movement::form::reshape) &&
         holds_halves(t, n.in[0]);
}
/// What a contraction's operands may be rounded to: what the target says, and float16 where that
/// changes nothing.
constexpr precision operands_of(const table_view& t, const node& n, const matrix_unit& unit) {
  const bool exact = unit.half.exists() && unit.keeps_denormals && holds_halves(t, n.in[0]) &&
                     holds_halves(t, n.in[1]);
  return exact ? precision::float16 : unit.products;
}

}  // namespace tenon::spirv
