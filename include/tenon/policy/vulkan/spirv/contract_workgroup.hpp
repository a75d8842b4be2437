// The kernel of contractions for GPUs without matrix units. A workgroup of 16 x 16 invocations
// computes a tile of rows and columns; invocation (y, x) has the rows y, y + 16, ... and the
// columns x, x + 16, ... of it. 16 terms of both operands at a time are brought into the
// workgroup's memory by all of them, and read from there by those that need them.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/contract_tile.hpp>

namespace tenon::spirv {

/// Rows are the axes of the output along which `row_operand` alone moves, columns those of the
/// other one; every other axis has tiles of its own. 16 x 16 invocations compute `rows` x `columns`
/// elements each.
struct workgroup_tile {
  static constexpr int side = 16, terms = 16;  ///< invocations along both, and terms at a time
  bool used = false;
  int row_operand = 0;
  int rows = 4, columns = 4;
};

/// Long sides get up to 8 elements for each invocation, which saves loads; short ones 1 or 2, so
/// that tiles are not mostly empty. Products of fewer than 8 rows, columns or terms are not worth a
/// tile.
constexpr workgroup_tile choose_workgroup_tile(const loop_nest& n, const target& device) {
  constexpr int side = workgroup_tile::side;
  workgroup_tile t;
  const int last = n.out.dims - 1;
  t.row_operand = row_operand_of(n);
  const i64 rows = part_of(n, t.row_operand).count(),
            columns = part_of(n, 1 - t.row_operand).count();
  const auto each = [](i64 extent) {
    return extent >= 512 ? 8 : extent > 32 ? 4 : extent > 16 ? 2 : 1;
  };
  t.rows = each(rows);
  t.columns = each(columns);
  const int bytes = (t.rows + t.columns) * side * workgroup_tile::terms * 4;
  t.used = moves(n, 0, last) != moves(n, 1, last) && rows >= 8 && columns >= 8 &&
           n.terms.count() >= 8 && device.invocations >= side * side &&
           bytes <= device.shared_bytes;
  return t;
}

/// Such a kernel while it is written.
class workgroup_tile_writer {
 public:
  constexpr workgroup_tile_writer(writer& m, const loop_nest& n, epilogue_writer& epilogue,
                                  const workgroup_tile& t)
      : m_(m),
        n_(n),
        epilogue_(epilogue),
        t_(t),
        side_{{m, n, t.row_operand}, {m, n, 1 - t.row_operand}},
        batch_(batches_of(n)) {
    for (int k = 0; k < 2; ++k) {
      side_[k].each = k == 0 ? t.rows : t.columns;
      side_[k].memory = m.shared(kind::float32, side_[k].width() * workgroup_tile::terms);
    }
  }
  constexpr kernel write() {
    const i64 rows = blocks_of(side_[0].count, side_[0].width()),
              columns = blocks_of(side_[1].count, side_[1].width());
    return m_.each_group(rows * columns * batch_.count(), side * side, [&](id flat, id invocation) {
      const id tile = m_.modulo(flat, rows * columns);
      invocation_ = invocation;
      m_.unravel(batch_, m_.over(flat, rows * columns), outer_);
      side_[0].first = m_.times(m_.over(tile, columns), side_[0].width());
      side_[1].first = m_.times(m_.modulo(tile, columns), side_[1].width());
      for (tile_side& s : side_) enter(s);
      for (int i = 0; i < t_.rows * t_.columns; ++i) sums_.push(m_.local(m_.real(0)));
      sum_terms();
      store();
    });
  }

 private:
  static constexpr int side = workgroup_tile::side, terms = workgroup_tile::terms;
  struct tile_side : product_side {
    using product_side::product_side;
    int each = 4;
    variable memory{};
    id first{};            ///< of the tile
    bool by_term = false;  ///< neighbouring invocations bring neighbouring terms
    id term{};             ///< of the first element that this invocation brings
    sequence<source> from;
    constexpr int width() const { return each * side; }
  };

  writer& m_;
  const loop_nest& n_;
  epilogue_writer& epilogue_;
  workgroup_tile t_;
  tile_side side_[2];
  space batch_;
  id invocation_{}, outer_[max_axes]{};
  sequence<variable> sums_;

  /// Which elements of a side this invocation brings. Neighbouring invocations bring neighbouring
  /// elements where there are such, so that their loads become one.
  constexpr void enter(tile_side& s) {
    const int last = n_.terms.dims - 1;
    s.by_term = last >= 0 && s.term_steps()[last] == 1 && s.operand == t_.row_operand;
    s.term = s.by_term ? m_.modulo(invocation_, terms) : m_.over(invocation_, s.width());
    for (int i = 0; i < (s.by_term ? s.each : 1); ++i) {
      const id at = s.by_term ? m_.plus(m_.over(invocation_, terms), side * i)
                              : m_.modulo(invocation_, s.width());
      s.from.push(s.source_of(m_.add(s.first, at), outer_));
    }
  }

  constexpr void sum_terms() {
    const i64 count = n_.terms.count();
    m_.loop(m_.integer(0), m_.integer(count), m_.integer(terms), blocks_of(count, terms),
            [&](id k) {
              for (tile_side& s : side_) bring(s, k, count);
              m_.barrier();
              m_.loop(terms, [&](id term) { add_term(term); });
              m_.barrier();
            });
  }
  /// Brings terms [k, k + 16) of a side. What is behind the last term is zero in both.
  constexpr void bring(tile_side& s, id k, i64 count) {
    for (int i = 0; i < s.each; ++i) {
      const id tile_term = s.by_term ? s.term : m_.plus(s.term, side * side / s.width() * i),
               at = s.by_term ? m_.plus(m_.over(invocation_, terms), side * i)
                              : m_.modulo(invocation_, s.width()),
               term = m_.add(k, tile_term);
      id existing = term, inside{};
      if (count % terms != 0) {
        inside = m_.below(term, m_.integer(count));
        existing = m_.select(inside, term, m_.integer(0));
      }
      const id x = s.read(s.from[s.by_term ? i : 0], existing, inside);
      m_.set(s.memory, m_.add(m_.times(tile_term, s.width()), at), x);
    }
  }
  /// Where this invocation's first element is along a side; its i-th is `side * i` further, so that
  /// neighbouring invocations store neighbouring elements.
  constexpr id position_along(int s) const { return s == 0 ? row_ : column_; }
  id row_{}, column_{};
  constexpr void add_term(id k) {
    row_ = m_.over(invocation_, side);
    column_ = m_.modulo(invocation_, side);
    sequence<id> x[2];
    for (int s = 0; s < 2; ++s) {
      const id start = m_.add(m_.times(k, side_[s].width()), position_along(s));
      for (int i = 0; i < side_[s].each; ++i)
        x[s].push(m_.get(side_[s].memory, m_.plus(start, side * i)));
    }
    for (int r = 0; r < t_.rows; ++r)
      for (int c = 0; c < t_.columns; ++c) {
        const variable& sum = sums_[r * t_.columns + c];
        m_.set(sum, m_.plus_product(m_.get(sum), x[0][r], x[1][c]));
      }
  }
  constexpr void store() {
    const id row = m_.add(side_[0].first, m_.over(invocation_, side)),
             column = m_.add(side_[1].first, m_.modulo(invocation_, side));
    const tile_store store_sum{m_, n_, epilogue_, side_[0], side_[1]};
    for (int r = 0; r < t_.rows; ++r)
      for (int c = 0; c < t_.columns; ++c) {
        const id output_row = m_.plus(row, side * r), output_column = m_.plus(column, side * c);
        store_sum(output_row, output_column, outer_,
                  [&] { return m_.get(sums_[r * t_.columns + c]); });
      }
  }
};

}  // namespace tenon::spirv
