// Contractions for GPUs: a workgroup computes a tile of rows and columns, and brings a few terms of
// both operands at a time into its own memory.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/vulkan/contract_nest.hpp>

namespace tenon::spirv {

/// Rows are the axes of the output along which `row_operand` alone moves, columns those of the other
/// one; every other axis has tiles of its own. 16 x 16 invocations compute `rows` x `columns` elements
/// each.
struct workgroup_tile {
  static constexpr int side = 16, terms = 16;  ///< invocations along both, and terms at a time
  bool used = false;
  int row_operand = 0;
  int rows = 4, columns = 4;
};

/// The axes of one kind as one: those for which `takes(i)`.
template <class F> constexpr space part_of(const space& s, F&& takes) {
  space r = s;
  for (int i = 0; i < s.dims; ++i)
    if (!takes(i)) r.extent[i] = 1;
  return r;
}
constexpr space part_of(const loop_nest& n, int operand) {
  return part_of(n.out, [&](int i) { return moves(n, operand, i) && !moves(n, 1 - operand, i); });
}

constexpr workgroup_tile choose_workgroup_tile(const loop_nest& n, const target& device) {
  constexpr int side = workgroup_tile::side;
  workgroup_tile t;
  const int last = n.out.dims - 1;
  t.row_operand = moves(n, 0, last) ? 1 : 0;
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
  constexpr workgroup_tile_writer(writer& m, const loop_nest& n, closing& after,
                                  const workgroup_tile& t)
      : m_(m), n_(n), after_(after), t_(t) {
    for (int k = 0; k < 2; ++k) {
      side_[k].operand = k == 0 ? t.row_operand : 1 - t.row_operand;
      side_[k].axes = part_of(n, side_[k].operand);
      side_[k].each = k == 0 ? t.rows : t.columns;
      side_[k].count = side_[k].axes.count();
      side_[k].memory = m.shared(kind::float32, side_[k].width() * workgroup_tile::terms);
    }
    batch_ = part_of(n.out, [&](int i) { return moves(n, 0, i) == moves(n, 1, i); });
  }
  constexpr kernel write() {
    const i64 rows = blocks_of(side_[0].count, side_[0].width()),
              columns = blocks_of(side_[1].count, side_[1].width());
    return m_.each_group(rows * columns * batch_.count(), side * side, [&](id flat, id own) {
      const id tile = m_.modulo(flat, rows * columns);
      own_ = own;
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
  /// An element of an operand's row or column that this invocation brings: of term 0.
  struct source {
    id start{}, tap[2]{};
  };
  struct tile_side {
    int operand = 0, each = 4;
    space axes{};
    i64 count = 0;
    variable memory{};
    id first{};            ///< of the tile
    bool by_term = false;  ///< neighbouring invocations bring neighbouring terms
    id term{};             ///< of the first element that this invocation brings
    sequence<source> from;
    constexpr int width() const { return each * side; }
  };

  writer& m_;
  const loop_nest& n_;
  closing& after_;
  workgroup_tile t_;
  tile_side side_[2]{};
  space batch_{};
  id own_{}, outer_[max_axes]{};
  sequence<variable> sums_;

  /// The position of a row or column; behind the last one that of the last.
  constexpr void position_of(const tile_side& s, id at, id* position) {
    const id last = m_.integer(s.count - 1);
    id own[max_axes]{};
    m_.unravel(s.axes, m_.select(m_.less(last, at), last, at), own);
    for (int i = 0; i < n_.out.dims; ++i)
      if (s.axes.extent[i] > 1) position[i] = own[i];
  }
  constexpr void enter(tile_side& s) {
    const view& v = s.operand == 0 ? n_.a : n_.b;
    const i64* step = s.operand == 0 ? n_.term_a : n_.term_b;
    s.by_term = n_.terms.dims > 0 && step[n_.terms.dims - 1] == 1 && s.operand == t_.row_operand;
    s.term = s.by_term ? m_.modulo(own_, terms) : m_.over(own_, s.width());
    for (int i = 0; i < (s.by_term ? s.each : 1); ++i) {
      const id at =
          s.by_term ? m_.plus(m_.over(own_, terms), side * i) : m_.modulo(own_, s.width());
      id position[max_axes]{};
      for (int k = 0; k < n_.out.dims; ++k) position[k] = outer_[k];
      position_of(s, m_.add(s.first, at), position);
      // the axes of the other side: this operand stands still along them
      source from{m_.index_of(v, n_.out, position), {}};
      const int borders = s.operand == 0 ? n_.borders : 0;
      for (int b = 0; b < 2; ++b)
        if (b < borders)
          from.tap[b] =
              m_.plus(m_.times(position[n_.cut[b].axis], n_.cut[b].stride), -n_.cut[b].begin);
      s.from.push(from);
    }
  }

  constexpr void sum_terms() {
    const i64 count = n_.terms.count();
    m_.loop(m_.integer(0), m_.integer(count), m_.integer(terms), blocks_of(count, terms),
            [&](id k) {
              for (tile_side& s : side_) bring(s, k, count);
              m_.barrier();
              m_.loop(terms, [&](id own) { add_term(own); });
              m_.barrier();
            });
  }
  /// Brings terms [k, k + 16) of a side. What is behind the last term is zero in both.
  constexpr void bring(tile_side& s, id k, i64 count) {
    for (int i = 0; i < s.each; ++i) {
      const id own = s.by_term ? s.term : m_.plus(s.term, side * side / s.width() * i),
               at =
                   s.by_term ? m_.plus(m_.over(own_, terms), side * i) : m_.modulo(own_, s.width()),
               term = m_.add(k, own);
      id wanted = term, inside{};
      if (count % terms != 0) {
        inside = m_.below(term, m_.integer(count));
        wanted = m_.select(inside, term, m_.integer(0));
      }
      const id x = read(s, s.from[s.by_term ? i : 0], wanted, inside);
      m_.set(s.memory, m_.add(m_.times(own, s.width()), at), x);
    }
  }
  constexpr id read(const tile_side& s, const source& from, id term, id inside) {
    const view& v = s.operand == 0 ? n_.a : n_.b;
    const i64* step = s.operand == 0 ? n_.term_a : n_.term_b;
    id at[max_axes]{}, index = from.start;
    m_.unravel(n_.terms, term, at);
    for (int i = 0; i < n_.terms.dims; ++i) index = m_.plus_times(index, at[i], step[i]);
    for (int b = 0; s.operand == 0 && b < n_.borders; ++b) {
      const border& c = n_.cut[b];
      const id x = m_.plus_times(from.tap[b], at[c.term], c.dilation),
               own = m_.below(x, m_.integer(c.extent));
      index = m_.add(index, m_.select(own, m_.times(x, c.step), m_.integer(0)));
      inside = inside.number == 0 ? own : m_.both(inside, own);
    }
    const id x = m_.read(v, index);
    return inside.number == 0 ? x : m_.select(inside, x, m_.real(0));
  }
  /// Element i of an invocation along a side stands `side * i` behind its first: neighbours store side by
  /// side.
  constexpr id own_of(int s) const { return s == 0 ? row_ : column_; }
  id row_{}, column_{};
  constexpr void add_term(id k) {
    row_ = m_.over(own_, side);
    column_ = m_.modulo(own_, side);
    sequence<id> x[2];
    for (int s = 0; s < 2; ++s) {
      const id start = m_.add(m_.times(k, side_[s].width()), own_of(s));
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
    const id row = m_.add(side_[0].first, m_.over(own_, side)),
             column = m_.add(side_[1].first, m_.modulo(own_, side));
    for (int r = 0; r < t_.rows; ++r)
      for (int c = 0; c < t_.columns; ++c) {
        const id own_row = m_.plus(row, side * r), own_column = m_.plus(column, side * c);
        const id inside = m_.both(m_.below(own_row, m_.integer(side_[0].count)),
                                  m_.below(own_column, m_.integer(side_[1].count)));
        id position[max_axes]{};
        for (int i = 0; i < n_.out.dims; ++i) position[i] = outer_[i];
        position_of(side_[0], own_row, position);
        position_of(side_[1], own_column, position);
        after_.enter(n_.out, position);
        const i64 here[max_axes]{};
        after_.store(m_.get(sums_[r * t_.columns + c]), here, n_.out.dims, inside);
      }
  }
};

}  // namespace tenon::spirv
