// What contractions in tiles have in common: the rows and the columns of a product as the axes of
// an output have them, elements of its operands by row and term, and where a sum goes.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/epilogue.hpp>

namespace tenon::spirv {

/// The axes of one kind as one: those for which `takes(i)`.
template <class F> constexpr space part_of(const space& s, F&& takes) {
  space r = s;
  for (int i = 0; i < s.dims; ++i)
    if (!takes(i)) r.extent[i] = 1;
  return r;
}
/// The axes of the output along which one operand alone moves.
constexpr space part_of(const loop_nest& n, int operand) {
  return part_of(n.out, [&](int i) { return moves(n, operand, i) && !moves(n, 1 - operand, i); });
}
/// The axes that are neither rows nor columns: each of their positions is a product of its own.
constexpr space batches_of(const loop_nest& n) {
  return part_of(n.out, [&](int i) { return moves(n, 0, i) == moves(n, 1, i); });
}
/// The operand of the rows: columns are neighbours in the result.
constexpr int row_operand_of(const loop_nest& n) { return moves(n, 0, n.out.dims - 1) ? 1 : 0; }

/// The rows of a product, or its columns; a line is one of them.
class product_side {
 public:
  /// Where a line's term 0 is.
  struct source {
    id start{}, tap[2]{};
  };
  int operand;
  space axes;
  i64 count;

  constexpr product_side(writer& m, const loop_nest& n, int its_operand)
      : operand(its_operand), axes(part_of(n, its_operand)), count(axes.count()), m_(m), n_(n) {}

  constexpr const access& elements() const { return operand == 0 ? n_.a : n_.b; }
  constexpr const i64* term_steps() const { return operand == 0 ? n_.term_a : n_.term_b; }
  constexpr int edges() const { return operand == 0 ? n_.edges : 0; }

  /// The position of a line; behind line `last` that of `last`.
  constexpr void position_of(id line, id* position, i64 last) const {
    const id last_line = m_.integer(last);
    id line_position[max_axes]{};
    m_.unravel(axes, m_.select(m_.less(last_line, line), last_line, line), line_position);
    for (int i = 0; i < n_.out.dims; ++i)
      if (axes.extent[i] > 1) position[i] = line_position[i];
  }
  constexpr void position_of(id line, id* position) const {
    position_of(line, position, count - 1);
  }
  /// Where a line begins in the product at position `outer`. Along the axes of the other side this
  /// operand does not move.
  constexpr source source_of(id line, const id* outer, i64 last) const {
    id position[max_axes]{};
    for (int k = 0; k < n_.out.dims; ++k) position[k] = outer[k];
    position_of(line, position, last);
    source from{m_.index_of(elements(), n_.out, position), {}};
    for (int b = 0; b < 2; ++b)
      if (b < edges())
        from.tap[b] =
            m_.plus(m_.times(position[n_.edge[b].axis], n_.edge[b].stride), -n_.edge[b].begin);
    return from;
  }
  constexpr source source_of(id line, const id* outer) const {
    return source_of(line, outer, count - 1);
  }
  /// The index of an element without regard to the edges of an image; `at` receives the term's
  /// position.
  constexpr id index_of(const source& from, id term, id* at) const {
    id index = from.start;
    m_.unravel(n_.terms, term, at);
    for (int i = 0; i < n_.terms.dims; ++i) index = m_.plus_times(index, at[i], term_steps()[i]);
    return index;
  }
  /// An element; zero where `inside` does not hold (id{}: no condition), and outside of an image.
  constexpr id read(const source& from, id term, id inside) const {
    id at[max_axes]{}, index = index_of(from, term, at);
    for (int b = 0; b < edges(); ++b) {
      const image_edge& c = n_.edge[b];
      const id x = m_.plus_times(from.tap[b], at[c.term], c.dilation),
               in_image = m_.below(x, m_.integer(c.extent));
      index = m_.add(index, m_.select(in_image, m_.times(x, c.step), m_.integer(0)));
      inside = m_.hold(inside, in_image);
    }
    const id x = m_.read(elements(), index);
    return inside.number == 0 ? x : m_.select(inside, x, m_.real(0));
  }

 private:
  writer& m_;
  const loop_nest& n_;
};

/// Where the sums of a tile go.
struct tile_store {
  writer& m;
  const loop_nest& n;
  epilogue_writer& epilogue;
  const product_side& rows;
  const product_side& columns;

  /// Stores a sum at a row and a column of the product at `outer`, if there are such; `sum()`
  /// writes what gives it.
  template <class F> constexpr void operator()(id row, id column, const id* outer, F&& sum) const {
    const id is_column = m.below(column, m.integer(columns.count)),
             is_row = m.below(row, m.integer(rows.count));
    const id inside = m.both(is_row, is_column);
    id position[max_axes]{};
    for (int i = 0; i < n.out.dims; ++i) position[i] = outer[i];
    rows.position_of(row, position);
    columns.position_of(column, position);
    epilogue.enter(n.out, position);
    const i64 here[max_axes]{};
    epilogue.store(sum(), here, n.out.dims, inside);
  }
};

}  // namespace tenon::spirv
