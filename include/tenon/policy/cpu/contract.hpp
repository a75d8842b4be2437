// Contractions on the CPU: copies and panels, then tiles of registers with their epilogue.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/pack.hpp>

namespace tenon::simd {

/// A bound contraction: the plan, its epilogue, its tables.
struct contract_work {
  contract_plan plan{};
  function epilogue{};  ///< null run: the accumulators are the result
  closing after{};      ///< the same, where tiles can do it
  const std::int32_t *q_terms = nullptr, *p_terms = nullptr;
  const std::byte* packed = nullptr;
  i64 scratch_offset = 0;  ///< of the group, in the arena
};
static_assert(sizeof(contract_work) <= work_bytes);

/// Offsets of the terms, in order.
inline void write_terms(const contract_plan& t, const i64* step, bool phased,
                        std::int32_t* out) noexcept {
  i64 at[contraction::max_axes]{};
  const auto& m = t.image;
  for (i64 k = 0; k < t.terms; ++k) {
    i64 offset = 0, tap[2]{};
    for (int d = 0; d < t.term_axes; ++d) {
      if (phased && t.term_sweep[d] >= 0)
        tap[t.term_sweep[d]] = at[d] * step[d] / (t.term_sweep[d] == 0 ? m.plane_width : 1);
      else
        offset += at[d] * step[d];
    }
    if (phased) {
      const i64 phase = tap[0] % m.phases_y * m.phases_x + tap[1] % m.phases_x;
      offset +=
          (phase * m.plane_height + tap[0] / m.phases_y) * m.plane_width + tap[1] / m.phases_x;
    }
    out[k] = static_cast<std::int32_t>(offset);
    for (int d = t.term_axes - 1; d >= 0 && ++at[d] == t.term_extent[d]; --d) at[d] = 0;
  }
}

/// A position of the batch axes: offsets into everything.
struct batch_place {
  i64 q = 0, p = 0, out = 0;
  i64 epilogue[max_operands]{};
};
inline batch_place place_batch(const contract_plan& t, i64 batch) noexcept {
  batch_place w;
  for (int k = 0; k < t.after.operands; ++k) w.epilogue[k] = t.after.offset[k];
  for (int b = t.batches - 1; b >= 0; --b) {
    const output_axis& x = t.batch[b];
    const i64 at = batch % x.extent;
    batch /= x.extent;
    w.q += at * x.q;
    w.p += at * x.p;
    w.out += at * x.out;
    for (int k = 0; k < t.after.operands; ++k) w.epilogue[k] += at * x.epilogue[k];
  }
  return w;
}
/// Walks over the rows.
struct row_walk {
  const contract_plan& t;
  i64 at[contraction::max_axes]{};
  row_walk(const contract_plan& plan, i64 first) noexcept : t(plan) {
    for (int b = t.row_axes - 1; b >= 0; --b) {
      at[b] = b > 0 ? first % t.row[b].extent : first;
      first /= t.row[b].extent;
    }
  }
  void next() noexcept {
    for (int b = t.row_axes - 1; b >= 0; --b) {
      if (++at[b] < t.row[b].extent || b == 0) return;
      at[b] = 0;
    }
  }
  template <class Step> i64 offset(const Step& step) const noexcept {
    i64 r = 0;
    for (int b = 0; b < t.row_axes; ++b) r += at[b] * step(t.row[b]);
    return r;
  }
  i64 q() const noexcept {
    return offset([](const output_axis& x) { return x.q; });
  }
  i64 out() const noexcept {
    return offset([](const output_axis& x) { return x.out; });
  }
  i64 epilogue(int k) const noexcept {
    return offset([k](const output_axis& x) { return x.epilogue[k]; });
  }
};

/// Runs an epilogue over `n` neighbouring outputs. `sums` may be `out`. Operand k is read from
/// `offset[k]` on, in steps of `step(k)`.
template <class Step> inline void finish(const epilogue_plan& e, const function& run,
                                         const frame& f, const i64* offset, const Step& step,
                                         const float* sums, float* out, i64 n) noexcept {
  stream in[max_operands];
  for (int k = 0; k < e.operands; ++k) {
    if (e.root[k] < 0)
      in[k] = {sums, 1};
    else
      in[k] = {f.at<const float>(e.root[k], offset[k]), step(k)};
  }
  run_streams(run, in, e.operands, out, n);
}

/// An operand's first element, or null for none.
inline const float* operand_at(const epilogue_plan& e, const frame& f, const i64* offset,
                               int k) noexcept {
  return k < 0 ? nullptr : f.at<const float>(e.root[k], offset[k]);
}
/// Sums of `rows` rows and `registers` registers of packed columns.
template <class Q> inline void sum_panels(const contract_plan& t, Q q, const float* panels,
                                          i64 rows, i64 registers, tile_closing& after, float* sums,
                                          i64 sums_row) noexcept {
  const parts portions(t.terms, block_terms), pieces(registers, tile_vectors),
      tiles(rows, tile_rows);
  const bool closes = after.used;
  const float* bias = after.bias;
  for (i64 i = 0; i < portions.count; ++i) {
    const i64 k = portions.begin(i), terms = portions.size(i);
    for (i64 j = 0; j < pieces.count; ++j) {
      const i64 first = pieces.begin(j);
      const i64 panel = t.terms * width;
      panel_columns p{panels + first * panel + k * width, panel, nullptr};
      // Behind this piece: the next one, its next portion, or what lies behind all.
      const float* next = j + 1 < pieces.count     ? p.data + pieces.size(j) * panel
                          : i + 1 < portions.count ? panels + (k + terms) * width
                                                   : panels + registers * panel;
      const int vectors = static_cast<int>(pieces.size(j));
      after.used = closes && i + 1 == portions.count;
      if (bias != nullptr) after.bias = bias + first * width;
      for (i64 b = 0, r = 0; b < tiles.count; ++b) {
        const int own = static_cast<int>(tiles.size(b));
        p.ahead = next + b % tile_vectors * panel;
        tile_of<Q>(own, vectors)(q.from(static_cast<int>(r), k), p, terms, i > 0, after,
                                 sums + r * sums_row + first * width, sums_row);
        r += own;
      }
    }
  }
}

/// A piece of work: rows and registers of columns of one position of the batch.
struct work_piece {
  i64 batch = 0, row = 0, rows = 0, first = 0, registers = 0;
};

/// Turns biased sums of `n` pixels, and closes them with what is left of the closing.
inline void turn_and_add(const contract_work& w, const frame& f, const i64* offset,
                         const float* from, i64 from_row, i64 n, i64 columns, float* to) noexcept {
  const contract_plan& t = w.plan;
  const int r = w.after.residual, s = w.after.shift;
  const float* residual = operand_at(t.after, f, offset, r);
  const float* shift = operand_at(t.after, f, offset, s);
  float shifts[tile_columns];
  copy_constants(shift, s < 0 ? 0 : t.column.epilogue[s], columns, shifts);
  const i64 step = t.column.epilogue[r];
  const real low(w.after.low), high(w.after.high);
  transpose(from, from_row, n, columns, to, t.column.out, [&](real x, i64 c, i64 at, i64 rows) {
    const float* own = residual + c * step + at;
    const real y = rows == width ? load(own) : load_part(own, rows);
    return bounded(x + (y + real(shifts[c])), low, high);
  });
}
/// Writes sums [row][column] to the output's lines of pixels, one for each filter; what follows
/// runs on a register's width of lines while they are in the nearest cache.
inline void turn_sums(const contract_work& w, const frame& f, const work_piece& u,
                      const batch_place& at, float* sums, i64 sums_row, float* out) noexcept {
  const contract_plan& t = w.plan;
  const output_axis none{}, &inner = t.row_axes > 0 ? t.row[t.row_axes - 1] : none;
  const i64 column = u.first * width, left = t.column.extent - column,
            columns = left < u.registers * width ? left : u.registers * width;
  float* lines = sums + t.sums;
  for (i64 r = 0; r < u.rows;) {
    const i64 to_end = t.run - (u.row + r) % t.run, n = u.rows - r < to_end ? u.rows - r : to_end;
    const row_walk row(t, u.row + r);
    float* to = out + row.out() + column * t.column.out;
    const float* from = sums + r * sums_row;
    r += n;
    if (w.epilogue.run == nullptr || (w.after.used && w.after.residual < 0)) {
      transpose(from, sums_row, n, columns, to, t.column.out);
      continue;
    }
    i64 offset[max_operands];
    for (int k = 0; k < t.after.operands; ++k)
      offset[k] = at.epilogue[k] + row.epilogue(k) + column * t.column.epilogue[k];
    if (w.after.used) {
      turn_and_add(w, f, offset, from, sums_row, n, columns, to);
      continue;
    }
    for (i64 c = 0; c < columns; ++c, to += t.column.out) {
      if (c % width == 0)
        transpose(from + c, sums_row, n, columns - c < width ? columns - c : i64{width}, lines,
                  turned_rows);
      finish(
          t.after, w.epilogue, f, offset, [&](int k) { return inner.epilogue[k]; },
          lines + c % width * turned_rows, to, n);
      for (int k = 0; k < t.after.operands; ++k) offset[k] += t.column.epilogue[k];
    }
  }
}
/// Writes sums to the output's rows, finished.
inline void finish_rows(const contract_work& w, const frame& f, const work_piece& u,
                        const batch_place& at, const float* sums, i64 sums_row,
                        float* out) noexcept {
  const contract_plan& t = w.plan;
  const i64 column = u.first * width, left = t.column.extent - column,
            n = left < u.registers * width ? left : u.registers * width;
  row_walk row(t, u.row);
  for (i64 r = 0; r < u.rows; ++r, row.next(), sums += sums_row) {
    float* to = out + row.out() + column;
    if (w.epilogue.run == nullptr || w.after.used) {
      std::memcpy(to, sums, static_cast<std::size_t>(n) * sizeof(float));
      continue;
    }
    i64 offset[max_operands];
    for (int k = 0; k < t.after.operands; ++k)
      offset[k] = at.epilogue[k] + row.epilogue(k) + column * t.column.epilogue[k];
    finish(
        t.after, w.epilogue, f, offset, [&](int k) { return t.column.epilogue[k]; }, sums, to, n);
  }
}

/// Addresses of the rows of a piece, line by line.
inline void list_rows(const contract_plan& t, const work_piece& u, const float* q,
                      const float** rows) noexcept {
  const output_axis& inner = t.row[t.row_axes > 0 ? t.row_axes - 1 : 0];
  for (i64 r = 0; r < u.rows;) {
    const i64 to_end = inner.extent - (u.row + r) % inner.extent,
              n = u.rows - r < to_end ? u.rows - r : to_end, first = row_walk(t, u.row + r).q();
    for (i64 i = 0; i < n; ++i) rows[r + i] = q + first + i * inner.q;
    r += n;
  }
}
/// What tiles with packed columns do behind their sums. A residual is added where the sums are
/// turned.
inline tile_closing close_columns(const contract_work& w, const frame& f, const work_piece& u,
                                  const batch_place& at, float* bias) noexcept {
  const contract_plan& t = w.plan;
  if (!w.after.used) return {};
  const i64 column = u.first * width, left = t.column.extent - column, room = u.registers * width;
  const int k = w.after.bias;
  const i64 step = k < 0 ? 0 : t.column.epilogue[k];
  const float* from = operand_at(t.after, f, at.epilogue, k);
  copy_constants(k < 0 ? nullptr : from + column * step, step, left < room ? left : room, bias);
  for (i64 i = left; i < room; ++i) bias[i] = 0;
  if (w.after.residual < 0) return {true, bias, nullptr, 0, nullptr, w.after.low, w.after.high};
  const closing open{};
  return {true, bias, nullptr, 0, nullptr, open.low, open.high};
}
/// A piece of a product with packed columns.
inline void run_panels(const contract_work& w, const frame& f, const work_piece& u, const float* q,
                       const float* p, float* out, float* sums) noexcept {
  const contract_plan& t = w.plan;
  const batch_place at = place_batch(t, u.batch);
  q += at.q;
  p += at.p + u.first * width * t.terms;
  out += at.out;
  i64 sums_row = u.registers * width;
  // Straight into the output where it has room and nothing follows.
  const bool direct = !t.turned && (w.epilogue.run == nullptr || w.after.used) && t.row_axes <= 1 &&
                      (u.first + u.registers) * width <= t.column.extent;
  if (direct) {
    sums = out + u.row * t.row[0].out + u.first * width;
    sums_row = t.row[0].out;
  }
  float bias[block_columns];
  tile_closing after = close_columns(w, f, u, at, bias);
  if (t.has_q_table()) {
    const float* rows[turned_rows > block_rows ? turned_rows : block_rows];
    list_rows(t, u, q, rows);
    sum_panels(t, indexed_rows{rows, w.q_terms}, p, u.rows, u.registers, after, sums, sums_row);
  } else {
    const i64 step = t.row_axes > 0 ? t.row[0].q : 0;
    sum_panels(t, strided_rows{q + u.row * step, step, t.q_step, t.turned ? width : 0}, p, u.rows,
               u.registers, after, sums, sums_row);
  }
  if (t.turned)
    turn_sums(w, f, u, at, sums, sums_row, out);
  else if (!direct)
    finish_rows(w, f, u, at, sums, sums_row, out);
}

/// Positions [first, last) of the flattened image of one filter, to the output. `sums` belongs to
/// `first`; of every `pitch` positions only the first hold outputs.
inline void finish_pixels(const contract_work& w, const frame& f, const i64* offset, i64 first,
                          i64 last, float* sums, float* out) noexcept {
  const contract_plan& t = w.plan;
  const bool plain = w.epilogue.run == nullptr || w.after.used, dense = t.pitch == t.column.extent;
  const auto step = [&](int k) { return t.column.epilogue[k]; };
  const auto finish_from = [&](i64 x, i64 y, const float* from, float* to, i64 n) {
    i64 own[max_operands];
    for (int k = 0; k < t.after.operands; ++k)
      own[k] = offset[k] + x * t.column.epilogue[k] + y * t.line.epilogue[k];
    finish(t.after, w.epilogue, f, own, step, from, to, n);
  };
  if (!plain && t.pixelwise_constant)
    finish(t.after, w.epilogue, f, offset, step, sums, sums, last - first);
  const bool done = plain || t.pixelwise_constant,
             at_once = !done && t.run > t.column.extent;  // lines follow one another in everything
  if (dense && at_once) return finish_from(first, 0, sums, out + first, last - first);
  i64 begin = -1, end = -1;
  for (i64 at = first; at < last;) {
    const i64 y = at / t.pitch, x = at - y * t.pitch, next = (y + 1) * t.pitch,
              stop = next < last ? next : last;
    const i64 n = (t.column.extent - x < stop - at ? t.column.extent - x : stop - at);
    if (n > 0) {
      float* to = out + y * t.line.out + x;
      if (done || at_once)
        std::memcpy(to, sums + (at - first), static_cast<std::size_t>(n) * sizeof(float));
      else
        finish_from(x, y, sums + (at - first), to, n);
      if (begin < 0) begin = y * t.column.extent + x;
      end = y * t.column.extent + x + n;
    }
    at = stop;
  }
  if (at_once && begin >= 0) finish_from(begin, 0, out + begin, out + begin, end - begin);
}
/// True if all pixels of an image in place are outputs, in the same order.
inline bool is_dense(const contract_plan& t) noexcept {
  return t.form == vector_form::image && t.pitch == t.column.extent &&
         t.line.out == t.column.extent;
}
/// Constants of a tile's filters, and where its residual lies.
struct filter_closing {
  float bias[tile_rows], shift[tile_rows];
  tile_closing of;
  filter_closing(const contract_work& w, const frame& f, const i64* offset, int rows) noexcept {
    const auto step = [&](int k) { return k < 0 ? i64{0} : w.plan.row[0].epilogue[k]; };
    const closing& c = w.after;
    of = {c.used, bias, nullptr, step(c.residual), shift, c.low, c.high};
    if (!c.used) return;
    copy_constants(operand_at(w.plan.after, f, offset, c.bias), step(c.bias), rows, bias);
    copy_constants(operand_at(w.plan.after, f, offset, c.shift), step(c.shift), rows, shift);
    of.residual = operand_at(w.plan.after, f, offset, c.residual);
  }
};
/// True if tiles can leave out what lies between the lines when they store.
inline bool cuts_lines(const contract_plan& t) noexcept {
  return masks_loads && !is_dense(t) && t.pitch * (line_cuts::most - 2) >= width;
}
/// True if tiles of pixels write to the output themselves.
inline bool stores_pixels(const contract_work& w) noexcept {
  return (is_dense(w.plan) || cuts_lines(w.plan)) && (w.epilogue.run == nullptr || w.after.used);
}
/// Walks over the lines of a flattened image.
struct line_walk {
  const contract_plan& t;
  i64 line, begin;  ///< the line, and the position of its first pixel
  line_walk(const contract_plan& plan, i64 first) noexcept
      : t(plan), line(first / plan.pitch), begin(line * plan.pitch) {}
  /// What of the positions [first, last) is output of a tile that begins at `tile`.
  line_cuts cut(i64 tile, i64 first, i64 last) noexcept {
    line_cuts c{};
    for (int v = 0; v < tile_vectors; ++v, tile += width) {
      const i64 end = tile + width < last ? tile + width : last;
      int n = 0;
      for (i64 at = tile < first ? first : tile; at < end;) {
        for (; begin + t.pitch <= at; begin += t.pitch) ++line;
        const i64 pixels = begin + t.column.extent, stop = pixels < end ? pixels : end;
        if (at < stop) {
          c.lanes[v][n] = ((1u << (stop - at)) - 1) << (at - tile);
          c.to[v][n++] = static_cast<std::int32_t>(line * t.line.out + tile - begin);
        }
        at = begin + t.pitch;
      }
      c.count[v] = n;
    }
    return c;
  }
};
/// A piece of a convolution whose vectors are filled with pixels: a few filters at a time, over all
/// positions of the piece. Straight into the output where its pixels follow one another.
inline void run_pixels(const contract_work& w, const frame& f, const work_piece& u, const float* q,
                       const float* p, float* out, float* sums) noexcept {
  const contract_plan& t = w.plan;
  const batch_place at = place_batch(t, u.batch);
  const i64 first = u.first * width, room = u.registers * width,
            last = first + room < t.positions ? first + room : t.positions;
  // In place, the last tile moves back so that it reads nothing behind the image.
  const i64 over = t.form == vector_form::image ? first + room - last : 0;
  const bool direct = stores_pixels(w), cuts = direct && cuts_lines(t);
  const bool fetches =
      t.form == vector_form::image && t.terms <= 64;  // the taps of a window share lines
  const float* image = p + at.p + first;
  const parts pieces(u.registers, tile_vectors);
  line_cuts cut[piece_tiles];
  if (cuts) {
    line_walk walk(t, first);
    for (i64 j = 0; j < pieces.count; ++j) {
      const i64 begin = pieces.begin(j) * width, end = begin + pieces.size(j) * width;
      cut[j] = walk.cut(first + begin - (j == pieces.count - 1 ? over : 0), first + begin,
                        first + end < last ? first + end : last);
    }
  }
  const auto offset_of = [&](i64 row, i64* offset) {
    for (int k = 0; k < t.after.operands; ++k)
      offset[k] = at.epilogue[k] + row * t.row[0].epilogue[k];
  };
  for (i64 r = u.row; r < u.row + u.rows; r += tile_rows) {
    const int rows =
        static_cast<int>(u.row + u.rows - r < tile_rows ? u.row + u.rows - r : tile_rows);
    const panel_rows own{q + at.q + r / width * width * t.terms + r % width};
    i64 offset[max_operands];
    offset_of(r, offset);
    filter_closing after(w, f, offset, rows);
    const float* residual = after.of.residual;
    float* to = direct ? out + at.out + r * t.row[0].out + (cuts ? 0 : first) : sums;
    const i64 to_row = direct ? t.row[0].out : room;
    const auto run = [&](i64 j, i64 count, int vectors, i64 back) {
      const i64 column = pieces.begin(j) * width - back;
      if (residual != nullptr) after.of.residual = residual + first + column;
      strip_of(rows, vectors)(own, {image + column, w.p_terms, cuts ? &cut[j] : nullptr, fetches},
                              t.terms, after.of, cuts ? to : to + column, to_row, count);
    };
    pieces.by_size([&](i64 j, i64 count, int vectors) {
      const i64 moved = over > 0 && j + count == pieces.count;
      run(j, count - moved, vectors, 0);
      if (moved > 0) run(pieces.count - 1, 1, vectors, over);
    });
    for (i64 i = 0; i < rows && !direct; ++i) {
      offset_of(r + i, offset);
      finish_pixels(w, f, offset, first, last, sums + i * room,
                    out + at.out + (r + i) * t.row[0].out);
    }
  }
}

/// Address of a side's elements.
inline const float* address(const contract_work& w, const frame& f, const side& s,
                            std::byte* scratch) noexcept {
  if (s.from == side::source::packed) return reinterpret_cast<const float*>(w.packed + s.at);
  if (s.from == side::source::scratch) return reinterpret_cast<const float*>(scratch + s.at);
  return f.at<const float>(s.root, s.offset);
}

/// How the output is cut into pieces of work.
struct cut {
  i64 registers;     ///< of columns, in all
  i64 unit;          ///< registers that stay together
  parts columns;     ///< in units
  blocks rows;       ///< of an image: whole panels
  bool rows_inside;  ///< rows run through before columns: large panels stay in the cache
  explicit cut(const contract_work& w) noexcept
      : registers(registers_of(is_image(w) ? w.plan.positions : w.plan.column.extent)),
        unit(is_image(w) && stores_pixels(w) ? tile_vectors : 1),
        columns((registers + unit - 1) / unit, unit > 1        ? i64{piece_tiles}
                                               : w.plan.turned ? i64{tile_vectors}
                                                               : block_columns / width),
        rows(w.plan.rows, even_size(w.plan.rows, most_rows(w), is_image(w) ? width : tile_rows)),
        rows_inside(!w.plan.turned || w.plan.terms * w.plan.column.extent > (i64{1} << 17)) {}
  static bool is_image(const contract_work& w) noexcept {
    return w.plan.form != vector_form::panels;
  }
  /// Small images are cut into more pieces, for the threads.
  i64 most_rows(const contract_work& w) const noexcept {
    return w.plan.turned ? turned_rows : is_image(w) && columns.count < 4 ? i64{width} : block_rows;
  }
  i64 pieces(const contract_plan& t) const { return t.batch_count * rows.count * columns.count; }
  work_piece at(i64 u) const noexcept {
    const i64 inner = rows_inside ? rows.count : columns.count, a = u % inner, rest = u / inner,
              outer = rows_inside ? columns.count : rows.count, b = rest % outer;
    const i64 row = rows_inside ? a : b, column = rows_inside ? b : a;
    const i64 first = columns.begin(column) * unit, room = columns.size(column) * unit;
    return {rest / outer, rows.begin(row), rows.size(row), first,
            room < registers - first ? room : registers - first};
  }
};

inline void run_pieces(const contract_work& w, const frame& f, std::byte* scratch, const cut& c,
                       i64 begin, i64 end, int thread) noexcept {
  const contract_plan& t = w.plan;
  const float *q = address(w, f, t.q, scratch), *p = address(w, f, t.p, scratch);
  float* out = f.at<float>(t.out_root, t.out_offset);
  auto* sums = f.thread_scratch<float>(thread);
  for (i64 u = begin; u < end; ++u)
    (t.form == vector_form::panels ? run_panels : run_pixels)(w, f, c.at(u), q, p, out, sums);
}

inline void run_contract(const contract_work& w, const frame& f) noexcept {
  const contract_plan& t = w.plan;
  auto* scratch = f.scratch<std::byte>(w.scratch_offset);
  if (t.image.used) {
    const float* from = f.at<const float>(t.image.root, t.image.offset);
    auto* to = reinterpret_cast<float*>(scratch + t.image.at);
    const i64 source = t.image.height * t.image.width * t.image.inner;
    f.threads(t.image.count, 1 + 16384 / t.image.item, [&](i64 begin, i64 end, int) {
      for (i64 i = begin; i < end; ++i)
        copy_image(t.image, from + i * source, to + i * t.image.item);
    });
    if (t.form == vector_form::planes)
      std::memset(to + t.image.count * t.image.item, 0, tile_columns * sizeof(float));
  }
  const i64 packed_at = t.form == vector_form::panels ? t.p.at : t.q.at;
  if (!t.panels.at_binding) {
    const float* from = f.at<const float>(t.panels.root, t.panels.offset);
    f.threads(t.panels.items * panel_count(t), 1 + 16384 / (t.terms * width),
              [&](i64 begin, i64 end, int) {
                pack_panels(t, from, reinterpret_cast<float*>(scratch + packed_at), begin, end);
              });
  }
  const cut c(w);
  f.threads(
      c.pieces(t), 1 + 1000000 / (t.terms * c.rows.size(0) * c.columns.size(0) * width),
      [&](i64 begin, i64 end, int thread) { run_pieces(w, f, scratch, c, begin, end, thread); });
}

/// The epilogue as something that tiles do. Bias and shift belong to a filter or a column; a
/// residual has a line of neighbours where the output has one.
inline closing closing_of(const contract_plan& t, const table_view& table) noexcept {
  const bool pixels = t.form != vector_form::panels;
  epilogue_role roles[max_operands];
  for (int k = 0; k < t.after.operands; ++k) {
    bool constant = !pixels || (t.column.epilogue[k] == 0 && t.line.epilogue[k] == 0);
    for (int b = 0; b < t.row_axes && !pixels; ++b)
      constant = constant && t.row[b].epilogue[k] == 0;
    const bool line = t.turned
                          ? t.row_axes > 0 && t.row[t.row_axes - 1].epilogue[k] == 1
                          : is_dense(t) && t.run > t.column.extent && t.column.epilogue[k] == 1;
    roles[k] = t.after.root[k] < 0 ? epilogue_role::sums
               : constant          ? epilogue_role::constant
               : line              ? epilogue_role::residual
                                   : epilogue_role::other;
  }
  const range program = table.programs[t.after.program];
  return read_closing({table.code.data + program.begin, program.size}, roles);
}
/// Writes plan and tables into the bound memory, packed weights into the packed memory.
inline const contract_work* bind_contract(const binding<function>& b) noexcept {
  auto* w = new (b.bound) contract_work{};
  w->plan = plan_contract(*b.plan, b.group);
  const contract_plan& t = w->plan;
  w->packed = b.packed;
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (t.after.program >= 0) {
    w->epilogue = b.functions[t.after.program];
    w->after = closing_of(t, b.plan->table);
  }
  auto* q = reinterpret_cast<std::int32_t*>(b.bound + t.table_q);
  auto* p = reinterpret_cast<std::int32_t*>(b.bound + t.table_p);
  if (t.form == vector_form::panels && t.has_q_table()) write_terms(t, t.term_q, false, q);
  if (t.form != vector_form::panels) write_terms(t, t.term_p, t.form == vector_form::planes, p);
  w->q_terms = q;
  w->p_terms = p;
  if (b.packs && t.panels.at_binding) {
    const float* from = b.weight<float>(t.panels.root, t.panels.offset);
    const i64 at = t.form == vector_form::panels ? t.p.at : t.q.at;
    pack_panels(t, from, reinterpret_cast<float*>(b.packed + at), 0,
                t.panels.items * panel_count(t));
  }
  return w;
}

}  // namespace tenon::simd
