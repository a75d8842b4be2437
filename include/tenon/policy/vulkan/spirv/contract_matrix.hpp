// The kernel of contractions on matrix units. A workgroup of several subgroups computes a tile of
// rows and columns, each subgroup some fragments of it (matrix_tile.hpp). All invocations bring the
// next 32 terms of both operands, rounded to 16 bits, into the workgroup's memory; subgroups load
// fragments from there and multiply them, with sums in float32. The sums pass through the same
// memory on their way to the output.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/vulkan/spirv/fragment.hpp>
#include <tenon/policy/vulkan/spirv/matrix_tile.hpp>

namespace tenon::spirv {

/// Such a kernel while it is written, with one of the two spellings of fragments.
template <class Fragments> class matrix_tile_writer {
 public:
  constexpr matrix_tile_writer(writer& m, const loop_nest& n, epilogue_writer& epilogue,
                               const matrix_tile& t)
      : m_(m),
        n_(n),
        epilogue_(epilogue),
        t_(t),
        rounding_(m, t.operands),
        fragments_(m, rounding_, t.lanes),
        side_{{m, n, row_operand_of(n)}, {m, n, 1 - row_operand_of(n)}},
        batch_(batches_of(n)) {
    for (int k = 0; k < 2; ++k) plan(k);
    memory_ = m.shared(kind::int32, t.quads_of_memory(side_[0].by_term, side_[1].by_term), 2);
  }
  constexpr kernel write() {
    const i64 rows = blocks_of(side_[0].count, t_.width(0)),
              columns = blocks_of(side_[1].count, t_.width(1));
    kernel k = m_.each_group(rows * columns * batch_.count(), t_.invocations(),
                             [&](id flat, id invocation) {
                               const id tile = m_.modulo(flat, rows * columns);
                               invocation_ = invocation;
                               m_.unravel(batch_, m_.over(flat, rows * columns), outer_);
                               side_[0].first = m_.times(m_.over(tile, columns), t_.width(0));
                               side_[1].first = m_.times(m_.modulo(tile, columns), t_.width(1));
                               enter();
                               sum_terms();
                               store();
                             });
    k.subgroup = static_cast<word>(t_.lanes);
    return k;
  }

 private:
  using operand = typename Fragments::operand;
  using accumulator = typename Fragments::accumulator;
  /// How one operand comes into the workgroup's memory. A line is a row of the product, or on side
  /// 1 a column. A quad is four neighbouring terms of one line, or four neighbouring lines of one
  /// term. This invocation brings `quads` of them, which are `step` lines, or terms, apart.
  struct tile_side : product_side {
    using product_side::product_side;
    bool by_term = false;  ///< the four elements of a quad are neighbouring terms, else lines
    bool whole = false;    ///< all four of a quad exist or none, at equal distances
    bool wide = false;     ///< and contiguous: one 16-byte load if the buffer is 16-byte aligned
    int quads = 0, step = 0;
    id first{};         ///< of the tile
    id line{}, term{};  ///< of the first quad, in the tile
    id begins{};        ///< whether the buffer begins at a multiple of 16 bytes
    int memory = 0;  ///< where the operand begins in the workgroup's memory, in quads; from there:
    id stash{};      ///< this invocation's first quad
    id fragment{};   ///< the first fragment of its subgroup
    sequence<source> from;
    sequence<variable> held;  ///< quads that are on their way
  };

  writer& m_;
  const loop_nest& n_;
  epilogue_writer& epilogue_;
  matrix_tile t_;
  operand_rounding rounding_;
  Fragments fragments_;
  tile_side side_[2];
  space batch_;
  variable memory_{};
  id invocation_{}, subgroup_{}, outer_[max_axes]{};
  sequence<accumulator> sums_;

  // ---- how operands lie
  constexpr void plan(int k) {
    tile_side& s = side_[k];
    const int last = n_.terms.dims - 1;
    s.by_term = s.term_steps()[last] == 1;
    s.quads = t_.width(k) * t_.terms / matrix_tile::quad / t_.invocations();
    s.step = t_.invocations() * matrix_tile::quad / (s.by_term ? t_.terms : t_.width(k));
    s.memory = k == 0 ? 0 : t_.buffers * t_.quads(0, side_[0].by_term);
    s.whole = s.edges() == 0 &&
              (s.by_term ? n_.terms.extent[last] : lines_in_a_row(s)) % matrix_tile::quad == 0;
    s.wide = s.whole && m_.has_cursors() && is_even(s) &&
             (s.elements().element == type::float32 || m_.device.float16);
    for (int i = 0; i < s.quads; ++i) s.held.push(m_.local(kind::float32, matrix_tile::quad));
  }
  /// How many neighbouring lines are at equal distances in memory: those along the last axis.
  constexpr i64 lines_in_a_row(const tile_side& s) const {
    const int axis = last_axis(s);
    return axis < 0 ? 1 : s.axes.extent[axis];
  }
  constexpr int last_axis(const product_side& s) const {
    int axis = n_.out.dims - 1;
    while (axis >= 0 && s.axes.extent[axis] == 1) --axis;
    return axis;
  }
  /// True if the elements of quads are neighbours that begin at multiples of quads in the buffer.
  constexpr bool is_even(const tile_side& s) const {
    const access& v = s.elements();
    const int inner = s.by_term ? n_.terms.dims - 1 : last_axis(s);
    bool even = v.offset % matrix_tile::quad == 0;
    for (int i = 0; i < n_.out.dims; ++i)
      even = even && (v.step[i] % matrix_tile::quad == 0 || (!s.by_term && i == inner));
    for (int i = 0; i < n_.terms.dims; ++i)
      even = even && (s.term_steps()[i] % matrix_tile::quad == 0 || (s.by_term && i == inner));
    return even && (s.by_term ? s.term_steps()[inner] : v.step[inner]) == 1;
  }

  // ---- where this invocation is
  constexpr void enter() {
    subgroup_ = fragments_.subgroup(invocation_);
    for (int k = 0; k < 2; ++k) enter(k);
    for (int i = 0; i < t_.each[0] * t_.each[1]; ++i) sums_.push(fragments_.zero());
  }
  constexpr void enter(int k) {
    tile_side& s = side_[k];
    const int quads_in_row = (s.by_term ? t_.terms : t_.width(k)) / matrix_tile::quad;
    const id in_row = m_.modulo(invocation_, quads_in_row),
             memory_row = m_.over(invocation_, quads_in_row);
    s.stash = m_.add(m_.times(memory_row, t_.stride(k, s.by_term)), in_row);
    s.line = s.by_term ? memory_row : m_.times(in_row, matrix_tile::quad);
    s.term = s.by_term ? m_.times(in_row, matrix_tile::quad) : memory_row;
    const id begin = m_.times(subgroup_of(subgroup_, k), t_.subgroup_width(k));
    s.fragment =
        s.by_term ? m_.times(begin, t_.stride(k, true)) : m_.over(begin, matrix_tile::quad);
    if (s.wide) s.begins = begins_at_16(s.elements());
    const int sources = s.by_term ? s.quads : s.whole ? 1 : matrix_tile::quad;
    const i64 last = s.whole && !s.by_term ? s.count - matrix_tile::quad : s.count - 1;
    for (int i = 0; i < sources; ++i) {
      const id line = m_.add(s.first, m_.plus(s.line, s.by_term ? i * s.step : i));
      s.from.push(s.source_of(line, outer_, last));
    }
  }
  /// The number of a subgroup along a side of the tile.
  constexpr id subgroup_of(id subgroup, int k) {
    return k == 0 ? m_.over(subgroup, t_.subgroups[1]) : m_.modulo(subgroup, t_.subgroups[1]);
  }
  constexpr id begins_at_16(const access& v) {
    const id cursor = m_.cursor_of(v, m_.integer(0)),
             rest = m_.binary(op::BitwiseAnd, cursor, m_.constant(kind::int64, 15));
    return m_.equal(rest, m_.constant(kind::int64, 0));
  }

  // ---- terms
  /// While 32 terms are multiplied, the next 32 are being loaded. With two buffers one barrier for
  /// each step is enough: an invocation that writes into a buffer has passed the barrier that
  /// follows the last read from it.
  constexpr void sum_terms() {
    const i64 steps = blocks_of(n_.terms.count(), t_.terms);
    fetch(m_.integer(0));
    stash(m_.integer(0));
    m_.barrier();
    m_.loop(steps - 1, [&](id step) {
      const id next = m_.plus(step, 1);
      fetch(m_.times(next, t_.terms));
      multiply(step);
      if (t_.buffers == 1) m_.barrier();
      stash(next);
      m_.barrier();
    });
    multiply(m_.integer(steps - 1));
  }
  constexpr void fetch(id begin) {
    for (tile_side& s : side_) {
      if (s.wide)
        m_.when(
            s.begins, [&] { fetch(s, begin, true); }, [&] { fetch(s, begin, false); });
      else
        fetch(s, begin, false);
    }
  }
  constexpr void fetch(tile_side& s, id begin, bool wide) {
    for (int i = 0; i < s.quads; ++i) {
      const id term = m_.add(begin, m_.plus(s.term, s.by_term ? 0 : i * s.step));
      m_.set(s.held[i], wide ? quad(s, i, term) : one_by_one(s, i, term));
    }
  }
  /// Whether there is such a term; id{}: always. A term behind the last one becomes term 0, which
  /// is read and not used.
  constexpr id existing(id& term) {
    if (n_.terms.count() % t_.terms == 0) return {};
    const id inside = m_.below(term, m_.integer(n_.terms.count()));
    term = m_.select(inside, term, m_.integer(0));
    return inside;
  }
  constexpr id quad(const tile_side& s, int i, id term) {
    const id inside = existing(term);
    id at[max_axes]{};
    const id index = s.index_of(s.from[s.by_term ? i : 0], term, at);
    pointer p = m_.element(s.elements(), index, matrix_tile::quad);
    p.align = matrix_tile::quad * bytes_of(p.is);
    id x = m_.load(p);
    if (p.is == kind::float16) x = m_.convert(op::FConvert, x, kind::float32);
    return inside.number == 0
               ? x
               : m_.select(m_.splat(inside, matrix_tile::quad), x, m_.real_like(x, 0));
  }
  constexpr id one_by_one(const tile_side& s, int i, id term) {
    id x[matrix_tile::quad];
    for (int k = 0; k < matrix_tile::quad; ++k) {
      product_side::source from = s.from[s.by_term ? i : s.whole ? 0 : k];
      id element_term = s.by_term ? m_.plus(term, k) : term;
      if (!s.by_term && s.whole) from.start = m_.plus(from.start, k * line_step(s));
      const id inside = existing(element_term);
      x[k] = s.read(from, element_term, inside);
    }
    return m_.vector(x[0], x[1], x[2], x[3]);
  }
  constexpr i64 line_step(const tile_side& s) const { return s.elements().step[last_axis(s)]; }
  /// Rounds what was fetched, and puts it into buffer `step` modulo 2.
  constexpr void stash(id step) {
    for (int k = 0; k < 2; ++k) {
      tile_side& s = side_[k];
      const id start = m_.add(buffer(k, step), s.stash);
      for (int i = 0; i < s.quads; ++i) {
        const id packed = rounding_.packed(m_.get(s.held[i]));
        m_.set(memory_, m_.plus(start, i64{i} * s.step * t_.stride(k, s.by_term)), packed);
      }
    }
  }
  constexpr id buffer(int k, id step) {
    const tile_side& s = side_[k];
    if (t_.buffers == 1) return m_.integer(s.memory);
    return m_.plus(m_.times(m_.modulo(step, 2), t_.quads(k, s.by_term)), s.memory);
  }
  constexpr void multiply(id step) {
    id start[2];
    for (int k = 0; k < 2; ++k) start[k] = m_.add(buffer(k, step), side_[k].fragment);
    for (int at = 0; at < t_.terms; at += t_.fragment.terms) multiply(start, at);
  }
  constexpr void multiply(const id* start, int at) {
    sequence<operand> x[2];
    for (int k = 0; k < 2; ++k)
      for (int i = 0; i < t_.each[k]; ++i) x[k].push(load(k, start[k], i, at));
    for (int r = 0; r < t_.each[0]; ++r)
      for (int c = 0; c < t_.each[1]; ++c)
        fragments_.multiply(x[0][r], x[1][c], sums_[r * t_.each[1] + c]);
  }
  /// Fragment i of a side, from term `at` on.
  constexpr operand load(int k, id start, int i, int at) {
    const bool by_term = side_[k].by_term;
    const int stride = t_.stride(k, by_term), line = i * t_.extent(k);
    const int behind =
        by_term ? line * stride + at / matrix_tile::quad : at * stride + line / matrix_tile::quad;
    const matrix_layout layout =
        by_term == (k == 0) ? matrix_layout::by_rows : matrix_layout::by_columns;
    return fragments_.load(k == 0 ? matrix_use::a : matrix_use::b,
                           {memory_, m_.plus(start, behind), stride, layout});
  }

  // ---- results
  /// Only the driver knows which invocation holds which sum. So the sums pass through the
  /// workgroup's memory, one row of fragments at a time.
  constexpr void store() {
    const int patch = t_.fragment.rows * t_.subgroup_width(1);
    for (int r = 0; r < t_.each[0]; ++r) {
      m_.barrier();
      const id start = m_.times(subgroup_, patch / 2);
      for (int c = 0; c < t_.each[1]; ++c)
        fragments_.store(sums_[r * t_.each[1] + c],
                         {memory_, m_.plus(start, c * t_.fragment.columns / 2),
                          t_.subgroup_width(1) / 2, matrix_layout::by_rows});
      m_.barrier();
      m_.loop(patch / t_.lanes, [&](id i) { store(r, i); });
    }
  }
  /// The i-th sum of this invocation in row r of fragments.
  constexpr void store(int r, id i) {
    const int patch = t_.fragment.rows * t_.subgroup_width(1);
    const id subgroup = m_.over(invocation_, t_.lanes), lane = m_.modulo(invocation_, t_.lanes);
    const id at = m_.add(lane, m_.times(i, t_.lanes));
    const id in_row = m_.over(at, t_.subgroup_width(1)),
             in_column = m_.modulo(at, t_.subgroup_width(1));
    const id high = m_.times(subgroup_of(subgroup, 0), t_.subgroup_width(0)),
             wide = m_.times(subgroup_of(subgroup, 1), t_.subgroup_width(1));
    const id row = m_.add(side_[0].first, m_.plus(m_.add(high, in_row), r * t_.fragment.rows)),
             column = m_.add(side_[1].first, m_.add(wide, in_column));
    const id where = m_.add(m_.times(subgroup, patch), at);
    const tile_store store_sum{m_, n_, epilogue_, side_[0], side_[1]};
    store_sum(row, column, outer_,
              [&] { return m_.bits_as(m_.get_component(memory_, where), kind::float32); });
  }
};

}  // namespace tenon::spirv
