// How the CPU runs a contraction: which operand is broadcast and which fills the vectors, what is
// packed and when. Numbers only; the kernels are in contract.hpp.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/rows.hpp>
#include <tenon/policy/cpu/tile.hpp>

namespace tenon::simd {

/// An output axis: extent and strides of the broadcast side (q), the vector side (p), the output
/// and the epilogue's operands.
struct output_axis {
  i64 extent = 1, q = 0, p = 0, out = 0;
  i64 epilogue[max_operands]{};
};

/// The map that runs over the sums, and where its operands lie; root -1: the sums.
struct epilogue_plan {
  int program = -1, operands = 0;
  int root[max_operands]{};
  i64 offset[max_operands]{};
};

/// Where an operand of the contraction is read.
struct side {
  enum class source : std::uint8_t {
    in_place,  ///< the caller's or an earlier group's memory
    packed,    ///< the model's memory, written at binding
    scratch,   ///< the arena, written at every call before the tiles run
  };
  source from = source::in_place;
  int root = -1;
  i64 offset = 0;  ///< elements, in place
  i64 at = 0;      ///< bytes, in packed memory or scratch
};

/// The vector side's three forms.
enum class vector_form : std::uint8_t {
  panels,  ///< packed into panels of a register's width: columns of a matrix, filters
  image,   ///< pixels of an image read in place: no padding, stride 1
  planes,  ///< pixels of a padded copy of the image, split by stride phase
};

/// What a piece of work covers at most. 128 outputs of a line are one block of the interpreter;
/// with 64 rows, or 128 of one tile's columns, the sums stay in the first level of the cache.
inline constexpr i64 block_columns = 128;
inline constexpr i64 block_rows = 64, turned_rows = 128;
/// Tiles of pixels that write straight to the output run this far along it before the next filters
/// do.
inline constexpr int piece_tiles = 9;
/// Terms that run in one go: with more, a panel would not stay in the second level of the cache.
inline constexpr i64 block_terms = 512;

struct contract_plan {
  // The output: batch axes (any), rows (broadcast side), columns (vector side, out stride 1).
  int batches = 0, row_axes = 0;
  output_axis batch[contraction::max_axes]{}, row[contraction::max_axes]{};
  output_axis column{}, line{};  ///< line: image height when the columns are pixels
  i64 rows = 1, batch_count = 1, terms = 1;
  // The sides.
  side q{}, p{};
  vector_form form = vector_form::panels;
  bool turned = false;  ///< the vectors are filled with filters, and the output's lines with pixels
  bool q_indexed = false;  ///< terms of q by table instead of a stride
  i64 q_step = 1;
  /// Rows of a tile that do not follow one stride need the table too.
  constexpr bool has_q_table() const { return q_indexed || row_axes > 1; }
  i64 pitch = 0, positions = 0;  ///< pixels: row pitch of the flattened image, flattened length
  // Copies made before the tiles run: the padded image (of q or p), and the panels.
  struct image_copy {
    bool used = false;
    int root = -1;
    i64 offset = 0, at = 0;          ///< source elements, scratch bytes
    i64 count = 0;                   ///< images, dense one behind the other
    i64 height = 0, width = 0;       ///< source extents
    i64 inner = 1;                   ///< neighbouring elements of a pixel
    i64 top = 0, left = 0;           ///< padding before
    i64 phases_y = 1, phases_x = 1;  ///< stride phases, one plane each
    i64 plane_height = 0, plane_width = 0;
    i64 behind = 0;  ///< zeros behind an image, in place of the padding behind its last line
    i64 item = 0;    ///< elements of one copied image
  } image{};
  struct panel_copy {
    bool at_binding = false;
    int root = -1;
    i64 offset = 0;
    int outer = 0;  ///< batch axes that the packed operand has, innermost first
    i64 extent[contraction::max_axes]{}, step[contraction::max_axes]{};
    i64 columns = 0, column_step = 0;
    i64 term[contraction::max_axes]{};  ///< strides of the terms
    i64 items = 1, item = 0;            ///< matrices, and packed elements of one
  } panels{};
  // Terms, in order.
  int term_axes = 0;
  i64 term_extent[contraction::max_axes]{}, term_q[contraction::max_axes]{},
      term_p[contraction::max_axes]{};
  int term_sweep[contraction::max_axes]{};
  // Bytes, and offsets of tables in bound memory.
  footprint need{};
  i64 table_q = 0, table_p = 0;
  int out_root = -1;
  i64 out_offset = 0;  ///< elements
  epilogue_plan after{};
  bool pixelwise_constant = true;  ///< no operand but the accumulator varies along line and column
  i64 sums = 0;  ///< elements of a thread's sums; behind them, lines on their way to the output
  i64 run = 1;   ///< neighbouring outputs along which the output and all operands move evenly
};

/// Room in bound memory for the bound form of the plan; the tables follow.
inline constexpr i64 work_bytes = aligned(static_cast<i64>(sizeof(contract_plan)) + 128);

/// `n` things in blocks of `most`, the last one smaller.
struct blocks {
  i64 n = 0, most = 1, count = 1;
  constexpr blocks(i64 things, i64 size)
      : n(things), most(size), count((things + size - 1) / size) {}
  constexpr i64 begin(i64 i) const { return i * most; }
  constexpr i64 size(i64 i) const { return i + 1 < count ? most : n - i * most; }
};
/// A size of blocks, a multiple of `unit` and at most `most`, that leaves no small block at the
/// end.
constexpr i64 even_size(i64 n, i64 most, i64 unit) {
  const i64 count = (n + most - 1) / most, each = count > 0 ? (n + count - 1) / count : most;
  return (each + unit - 1) / unit * unit;
}
/// `n` things in as few parts of at most `most` as possible, and these of nearly the same size.
struct parts {
  i64 count = 1, least = 0, larger = 0;  ///< the first `larger` parts have one more than `least`
  constexpr parts(i64 n, i64 most) : count((n + most - 1) / most) {
    least = n / count;
    larger = n % count;
  }
  constexpr i64 begin(i64 i) const { return i * least + (i < larger ? i : larger); }
  constexpr i64 size(i64 i) const { return least + (i < larger); }
  /// Calls `go(first, count, size)` for those of one size, and then for those of the other.
  template <class Go> constexpr void by_size(const Go& go) const {
    if (larger > 0) go(i64{0}, larger, static_cast<int>(least + 1));
    if (larger < count) go(larger, count - larger, static_cast<int>(least));
  }
};
constexpr i64 registers_of(i64 n) { return (n + width - 1) / width; }

namespace contracts_cpu {

/// A contraction seen through its operands' values: strides of every loop in memory.
struct reading {
  const plan_view& p;
  const node& n;
  const contraction& c;
  int map;  ///< the epilogue's node or -1
  contract_plan::image_copy image{};

  constexpr const shape& extents_of(int operand) const {
    return p.table.nodes[n.in[operand]].out.shape;
  }
  constexpr i64 through(int operand, i64 step) const {
    return restride(step, extents_of(operand), p.locations[n.in[operand]]);
  }
  /// Stride of an axis in a: of the image copy where there is one.
  constexpr i64 a(int i) const {
    for (int s = 0; s < c.sweeps; ++s) {
      const i64 pixel = !image.used ? through(0, c.swept[s].step)
                        : s == 0    ? image.plane_width * image.inner
                                    : image.inner;
      if (c.swept[s].out_axis == i) return pixel * c.swept[s].stride;
      if (c.swept[s].tap_axis == i) return pixel * c.swept[s].dilation;
    }
    const i64 step = through(0, c.axis[i].a), whole = image.height * image.width * image.inner;
    return image.used && step >= whole ? step / whole * image.item : step;
  }
  constexpr i64 b(int i) const { return through(1, c.axis[i].b); }
  constexpr bool is_out_position(int axis) const {
    for (int s = 0; s < c.sweeps; ++s)
      if (c.swept[s].out_axis == axis) return true;
    return false;
  }
  constexpr epilogue_plan epilogue(int anchor) const {
    epilogue_plan e;
    if (map < 0) return e;
    const node& m = p.table.nodes[map];
    e.program = m.detail;
    e.operands = m.operands;
    for (int k = 0; k < m.operands; ++k) {
      e.root[k] = m.in[k] == anchor ? -1 : p.locations[m.in[k]].root;
      e.offset[k] = p.locations[m.in[k]].offset;
    }
    return e;
  }
  /// True if the output and the epilogue's operands go on evenly from a run of `inner` to the next.
  constexpr bool continues(const output_axis& outer, const output_axis& inner) const {
    bool even = outer.out == inner.out * inner.extent;
    const int operands = map >= 0 ? p.table.nodes[map].operands : 0;
    for (int k = 0; k < operands; ++k)
      even = even && outer.epilogue[k] == inner.epilogue[k] * inner.extent;
    return even;
  }
  constexpr output_axis axis(int i, bool swap) const {
    output_axis x;
    x.extent = c.axis[i].extent;
    x.q = swap ? b(i) : a(i);
    x.p = swap ? a(i) : b(i);
    x.out = c.axis[i].out;
    if (map < 0) return x;
    const node& m = p.table.nodes[map];
    for (int k = 0; k < m.operands; ++k) {
      const plans::location& v = p.locations[m.in[k]];
      const plans::location seen{v.root, 0,
                                 broadcast(v, p.table.nodes[m.in[k]].out.shape, m.out.shape), true};
      x.epilogue[k] = restride(x.out, m.out.shape, seen);
    }
    return x;
  }
};

constexpr reading read_group(const plan_view& p, int g) {
  const plans::group& own = p.groups[g];
  const node& n = p.table.nodes[own.anchor];
  return {p, n, p.table.contraction_of(n), own.size > 1 ? p.members[own.begin + own.size - 1] : -1};
}

/// Decides step by step; the order of the members is the order of the decisions.
struct contract_planner {
  reading r;
  contract_plan t{};
  int vector_axis = -1, line_axis = -1;
  bool pixels = false;  ///< the vectors are filled with neighbouring pixels of an image
  bool swap = false;    ///< the vector side is operand a
  int filter_axis = -1;
  i64 scratch = 0, packed = 0, per_thread = 0, bound = work_bytes;

  /// The vector axis: the output's contiguous one, if just one operand varies along it. That
  /// operand is the vector side. A swept operand is never packed into panels: its padding is not.
  /// Chosen by the bounds where extents vary, because binding packs weights once for all of them.
  constexpr void choose_vectors() {
    const contraction& c = r.p.widest(r.n);
    for (int i = 0; i < c.axes; ++i) {
      const contraction::loop& l = c.axis[i];
      if (!l.reduced && l.extent > 1 && l.out == 1 && (l.a == 0 || (l.b == 0 && c.sweeps == 0)))
        vector_axis = i;
    }
    if (vector_axis >= 0 && r.is_out_position(vector_axis)) {
      pixels = c.swept[1].step == 1;
      vector_axis = pixels ? c.swept[1].out_axis : -1;
      line_axis = pixels ? c.swept[0].out_axis : -1;
    }
    if (pixels && filters_are_cheaper()) {
      t.turned = true;
      pixels = false;
      vector_axis = filter_axis;
      line_axis = -1;
    }
    swap = pixels || (vector_axis >= 0 && c.axis[vector_axis].b == 0);
  }
  /// Registers full of filters waste what is missing to whole registers, and the result must be
  /// turned; registers full of pixels waste the padding between the lines, and cross cache lines.
  /// Measured in hundredths of a term, on tiles of AVX-512.
  constexpr bool filters_are_cheaper() {
    const contraction& c = r.p.widest(r.n);
    i64 terms = 1, filters = 1;
    for (int i = 0; i < c.axes; ++i) {
      const contraction::loop& l = c.axis[i];
      if (l.reduced) terms *= l.extent;
      if (l.reduced || l.a != 0 || l.b == 0 || r.is_out_position(i) || l.extent == 1) continue;
      filter_axis = i;
      filters = l.extent;
    }
    if (filter_axis < 0) return false;
    const i64 across = c.axis[vector_axis].extent, outputs = c.axis[line_axis].extent * across,
              positions = outputs + (c.axis[line_axis].extent - 1) * (pitch_of(c) - across),
              few = filters % tile_rows == 1 || filters % tile_rows == 2 ? 1 : 0;
    const bool points = c.swept[0].taps * c.swept[1].taps == 1,
               steps = c.swept[0].stride * c.swept[1].stride > 1;
    const i64 by_filters = (points ? 0 : 4) + (filters <= width ? 20 : 0);
    i64 by_pixels = steps ? 10 : 0;
    if (!points) by_pixels += 3;
    if (points && positions % width != 0) by_pixels += 6;  // lines of the cache are crossed
    if (points && terms > 256) by_pixels += 5;             // every term in a page of its own
    const i64 stored = points || masks_loads ? 600 : 1600;
    return registers_of(filters) * width * outputs * (terms * (100 + by_filters) + 1200) <
           (filters + few) * registers_of(positions) * width * (terms * (100 + by_pixels) + stored);
  }
  /// Positions from a line of pixels to the next, in place or in a copy.
  constexpr i64 pitch_of(const contraction& c) const {
    const sweep& h = c.swept[1];
    const i64 reach = (c.axis[h.out_axis].extent - 1) * h.stride + (h.taps - 1) * h.dilation + 1;
    if (h.begin == 0 && reach <= h.extent && h.stride == 1) return c.swept[0].step;
    return (reach + h.stride - 1) / h.stride - (h.stride == 1 ? shared_padding(h, reach) : 0);
  }
  /// Zeros in front of a line of `reach` elements that do for the line before as well, as long as
  /// every output has a position of its own.
  static constexpr i64 shared_padding(const sweep& h, i64 reach) {
    i64 shared = reach - h.begin - h.extent;
    if (shared > h.begin) shared = h.begin;
    if (shared > (h.taps - 1) * h.dilation) shared = (h.taps - 1) * h.dilation;
    return shared > 0 ? shared : 0;
  }
  /// The swept operand is read in place, unless a tap leaves the image, or pixels that are to fill
  /// vectors are not neighbours in memory.
  constexpr void choose_image() {
    const contraction& c = r.c;
    bool in_place = true;
    for (int s = 0; s < c.sweeps; ++s) {
      const sweep& w = c.swept[s];
      in_place = in_place && w.begin == 0 && span(w) <= w.extent && (!pixels || w.stride == 1);
    }
    if (pixels)  // the last tile of an image in place moves back into it
      in_place = in_place &&
                 (c.axis[line_axis].extent - 1) * c.swept[0].step + c.axis[vector_axis].extent >=
                     tile_columns;
    if (!in_place) copy_image();
    t.form = !pixels ? vector_form::panels : in_place ? vector_form::image : vector_form::planes;
  }
  constexpr i64 span(const sweep& w) const {
    return (r.c.axis[w.out_axis].extent - 1) * w.stride + (w.taps - 1) * w.dilation + 1;
  }
  constexpr void copy_image() {
    const sweep &v = r.c.swept[0], &h = r.c.swept[1];
    const plans::location& from = r.p.locations[r.n.in[0]];
    contract_plan::image_copy& m = t.image;
    m.used = true;
    m.root = from.root;
    m.offset = from.offset;
    m.at = scratch;
    m.height = v.extent;
    m.width = h.extent;
    m.inner = h.step;
    m.count = r.extents_of(0).count() / (m.height * m.width * m.inner);
    m.top = v.begin;
    m.left = h.begin;
    m.phases_y = pixels ? v.stride : 1;
    m.phases_x = pixels ? h.stride : 1;
    m.plane_height = (span(v) + m.phases_y - 1) / m.phases_y;
    m.plane_width = (span(h) + m.phases_x - 1) / m.phases_x;
    if (pixels && m.phases_y * m.phases_x == 1) m.behind = shared_padding(h, span(h));
    m.plane_width -= m.behind;
    m.item = m.phases_y * m.phases_x * m.plane_height * m.plane_width * m.inner + m.behind;
    scratch += aligned((m.count * m.item + (pixels ? tile_columns : 0)) * 4);
    r.image = m;
  }
  constexpr void choose_sides() {
    const plans::location &q = r.p.locations[r.n.in[swap ? 1 : 0]],
                          &p = r.p.locations[r.n.in[swap ? 0 : 1]];
    t.q = {side::source::in_place, q.root, q.offset, 0};
    t.p = {side::source::in_place, p.root, p.offset, 0};
    if (t.image.used) (pixels ? t.p : t.q) = {side::source::scratch, -1, 0, t.image.at};
  }
  /// Output axes by role, and the terms.
  constexpr void collect_axes() {
    if (vector_axis >= 0) t.column = r.axis(vector_axis, swap);
    if (line_axis >= 0) t.line = r.axis(line_axis, swap);
    for (int i = 0; i < r.c.axes; ++i) {
      if (r.c.axis[i].reduced) {
        add_terms(i);
      } else if (i != vector_axis && i != line_axis && r.c.axis[i].extent > 1) {
        const output_axis x = r.axis(i, swap);
        const bool row = x.q != 0 && x.p == 0;
        (row ? t.row[t.row_axes++] : t.batch[t.batches++]) = x;
        (row ? t.rows : t.batch_count) *= x.extent;
        if (row) merge_rows();
      }
    }
    if (!pixels) return;
    t.pitch = t.image.used ? t.image.plane_width : r.c.swept[0].step;
    t.positions = (t.line.extent - 1) * t.pitch + t.column.extent;
  }
  /// Two row axes that are one in everything become one.
  constexpr void merge_rows() {
    if (t.row_axes < 2) return;
    output_axis &outer = t.row[t.row_axes - 2], &inner = t.row[t.row_axes - 1];
    if (outer.q != inner.q * inner.extent || !r.continues(outer, inner)) return;
    inner.extent *= outer.extent;
    outer = inner;
    --t.row_axes;
  }
  constexpr void add_terms(int i) {
    const int k = t.term_axes++;
    t.term_extent[k] = r.c.axis[i].extent;
    t.term_q[k] = swap ? r.b(i) : r.a(i);
    t.term_p[k] = swap ? r.a(i) : r.b(i);
    t.term_sweep[k] = -1;
    for (int s = 0; s < r.c.sweeps; ++s)
      if (r.c.swept[s].tap_axis == i) t.term_sweep[k] = s;
    t.terms *= r.c.axis[i].extent;
  }
  /// One stride over all terms of q, or a table.
  constexpr void choose_terms() {
    i64 expected = -1;
    for (int k = t.term_axes - 1; k >= 0; --k) {
      if (t.term_extent[k] == 1) continue;
      if (expected < 0)
        t.q_step = t.term_q[k];
      else if (t.term_q[k] != expected)
        t.q_indexed = true;
      expected = t.term_q[k] * t.term_extent[k];
    }
  }
  /// Panels of the vector side, or of the filters where pixels fill the vectors: at binding if that
  /// is a weight. Their layout is the same for both, so it does not depend on the image's extents.
  constexpr void plan_panels() {
    contract_plan::panel_copy& m = t.panels;
    side& of = pixels ? t.q : t.p;
    m.columns = pixels ? t.rows : t.column.extent;
    m.column_step = pixels ? t.row[0].q : t.column.p;
    m.item = t.terms * registers_of(m.columns) * width;
    for (int k = 0; k < t.term_axes; ++k) m.term[k] = pixels ? t.term_q[k] : t.term_p[k];
    for (int b = t.batches - 1; b >= 0; --b) {
      i64& step = pixels ? t.batch[b].q : t.batch[b].p;
      if (step == 0) continue;
      m.extent[m.outer] = t.batch[b].extent;
      m.step[m.outer++] = step;
      step = m.items * m.item;
      m.items *= t.batch[b].extent;
    }
    m.root = of.root;
    m.offset = of.offset;
    m.at_binding = r.p.table.nodes[m.root].kind == family::weight;
    i64& where = m.at_binding ? packed : scratch;
    of = {m.at_binding ? side::source::packed : side::source::scratch, -1, 0, where};
    where += aligned(m.items * m.item * 4);
  }
  /// Sums of one piece of work. What is turned is read in whole squares.
  constexpr void plan_sums() {
    const i64 rows = pixels     ? i64{tile_rows}
                     : t.turned ? turned_rows
                                : block_rows,
              columns = t.turned ? i64{tile_columns} : block_columns,
              all = pixels ? t.positions : t.column.extent;
    const i64 used_rows = (t.rows < rows ? t.rows : rows) + (t.turned ? width : 0),
              used_columns = all < columns ? registers_of(all) * width : columns;
    t.sums = (pixels ? rows : used_rows) * used_columns;
    per_thread = aligned((t.sums + (t.turned && r.map >= 0 ? width * turned_rows : 0)) * 4);
  }
  constexpr void plan_tables() {
    t.table_q = bound;
    bound += !pixels && t.has_q_table() ? aligned(t.terms * 4) : 0;
    t.table_p = bound;
    bound += pixels ? aligned(t.terms * 4) : 0;
    t.need = {packed, scratch, per_thread, bound};
  }
  /// Lines of the output along which the epilogue can run at once.
  constexpr void plan_runs() {
    if (pixels) {
      t.run = t.column.extent;
      if (r.continues(t.line, t.column)) t.run *= t.line.extent;
    } else if (t.turned) {
      t.run = 1;
      for (int b = t.row_axes - 1; b >= 0; --b) {
        if (t.row[b].out != t.run) break;  // one pixel an image: the next one is not its neighbour
        if (b < t.row_axes - 1 && !r.continues(t.row[b], t.row[b + 1])) break;
        t.run *= t.row[b].extent;
      }
    }
  }
  constexpr void plan_epilogue(int anchor) {
    const plans::location& result = r.p.locations[r.map >= 0 ? r.map : anchor];
    t.out_root = result.root;
    t.out_offset = result.offset;
    if (r.map < 0) return;
    t.after = r.epilogue(anchor);
    for (int k = 0; k < t.after.operands; ++k)
      if (t.after.root[k] >= 0 && (t.column.epilogue[k] != 0 || t.line.epilogue[k] != 0))
        t.pixelwise_constant = false;
  }
};

}  // namespace contracts_cpu

/// Decides everything about group `g`; usable in constant expressions (its footprint is part of the
/// plan's).
constexpr contract_plan plan_contract(const plan_view& p, int g) {
  const plans::group& own = p.groups[g];
  contracts_cpu::contract_planner made{contracts_cpu::read_group(p, g)};
  made.choose_vectors();
  made.choose_image();
  made.choose_sides();
  made.collect_axes();
  made.choose_terms();
  made.plan_panels();
  made.plan_sums();
  made.plan_runs();
  made.plan_tables();
  made.plan_epilogue(own.anchor);
  return made.t;
}

}  // namespace tenon::simd
