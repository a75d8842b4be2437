// Contractions on the CPU: copies and panels, then tiles of registers with their epilogue.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/run/cpu/contract_plan.hpp>

namespace tenon::simd {

/// A bound contraction: the plan, its epilogue, its tables.
struct contract_work {
  contract_plan plan{};
  function epilogue{};  ///< null run: the accumulators are the result
  const std::int32_t *q_terms = nullptr, *p_terms = nullptr;
  const std::byte* packed = nullptr;
  i64 scratch_offset = 0;  ///< of the group, in the arena
};
static_assert(sizeof(contract_work) <= work_bytes);

/// Copies one image into its padded, phase-split planes. Every element of the copy is written.
inline void copy_image(const contract_plan::image_copy& m, const float* from, float* to) noexcept {
  for (i64 py = 0; py < m.phases_y; ++py)
    for (i64 px = 0; px < m.phases_x; ++px)
      for (i64 y = 0; y < m.plane_height; ++y) {
        float* row = to + ((py * m.phases_x + px) * m.plane_height + y) * m.plane_width * m.inner;
        const i64 source = y * m.phases_y + py - m.top;
        // Positions x with 0 <= x * phases + px - left < width hold pixels.
        i64 first = (m.left - px + m.phases_x - 1) / m.phases_x;
        if (m.left <= px) first = 0;
        i64 last = m.width + m.left - px <= 0 ? 0 : (m.width + m.left - px - 1) / m.phases_x + 1;
        if (last > m.plane_width) last = m.plane_width;
        if (source < 0 || source >= m.height || first > last) first = last = 0;
        std::memset(row, 0, static_cast<std::size_t>(first * m.inner) * sizeof(float));
        std::memset(row + last * m.inner, 0,
                    static_cast<std::size_t>((m.plane_width - last) * m.inner) * sizeof(float));
        if (first == last) continue;
        const float* pixel = from + (source * m.width + first * m.phases_x + px - m.left) * m.inner;
        if (m.phases_x == 1)
          std::memcpy(row + first * m.inner, pixel,
                      static_cast<std::size_t>((last - first) * m.inner) * sizeof(float));
        else
          for (i64 x = first; x < last; ++x, pixel += m.phases_x * m.inner)
            for (i64 i = 0; i < m.inner; ++i) row[x * m.inner + i] = pixel[i];
      }
}

/// Packs panel `panel` of one matrix: term after term, the panel's columns, zeros behind the last.
inline void pack_panel(const contract_plan& t, const float* from, i64 panel, float* to) noexcept {
  const piece own = piece_of(t.panels.columns, panel);
  const i64 room = i64{own.vectors} * width, left = t.panels.columns - own.first,
            n = left < room ? left : room;
  float* out = to + own.first * t.terms;
  from += own.first * t.panels.column_step;
  i64 at[contraction::max_axes]{}, offset = 0;
  for (i64 k = 0; k < t.terms; ++k, out += room) {
    if (t.panels.column_step == 1)
      std::memcpy(out, from + offset, static_cast<std::size_t>(n) * sizeof(float));
    else
      gather(from + offset, t.panels.column_step, out, n);
    for (i64 i = n; i < room; ++i) out[i] = 0;
    for (int d = t.term_axes - 1; d >= 0; --d) {
      offset += t.term_p[d];
      if (++at[d] < t.term_extent[d]) break;
      offset -= t.term_p[d] * t.term_extent[d];
      at[d] = 0;
    }
  }
}
inline i64 panel_count(const contract_plan& t) noexcept { return pieces_of(t.panels.columns); }
/// Packs panels [begin, end) of all matrices, counted through.
inline void pack_panels(const contract_plan& t, const float* from, float* to, i64 begin,
                        i64 end) noexcept {
  for (i64 u = begin; u < end; ++u) {
    i64 item = u / panel_count(t), offset = 0, rest = item;
    for (int d = 0; d < t.panels.outer; ++d) {
      offset += rest % t.panels.extent[d] * t.panels.step[d];
      rest /= t.panels.extent[d];
    }
    pack_panel(t, from + offset, u % panel_count(t), to + item * t.panels.item);
  }
}

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

/// Where a tile stands: offsets over the batch, and of each of its rows.
struct tile_place {
  i64 q = 0, p = 0, out = 0;
  int rows = 0;
  bool even = true;  ///< rows are evenly spaced in q and in the output
  i64 row_q[tile_rows], row_out[tile_rows];
  i64 epilogue[max_operands], row_epilogue[max_operands][tile_rows];
};
inline void place_batch(const contract_plan& t, i64 batch, tile_place& w) noexcept {
  for (int k = 0; k < t.operands; ++k) w.epilogue[k] = 0;
  for (int b = t.batches - 1; b >= 0; --b) {
    const output_axis& x = t.batch[b];
    const i64 at = batch % x.extent;
    batch /= x.extent;
    w.q += at * x.q;
    w.p += at * x.p;
    w.out += at * x.out;
    for (int k = 0; k < t.operands; ++k) w.epilogue[k] += at * x.epilogue[k];
  }
}
inline void place_rows(const contract_plan& t, i64 first, tile_place& w) noexcept {
  w.rows = static_cast<int>(t.rows - first < tile_rows ? t.rows - first : tile_rows);
  i64 at[contraction::max_axes];
  for (int b = t.row_axes - 1; b > 0; --b) {
    at[b] = first % t.row[b].extent;
    first /= t.row[b].extent;
  }
  at[0] = first;
  for (int r = 0; r < w.rows; ++r) {
    w.row_q[r] = w.row_out[r] = 0;
    for (int k = 0; k < t.operands; ++k) w.row_epilogue[k][r] = 0;
    for (int b = 0; b < t.row_axes; ++b) {
      const output_axis& x = t.row[b];
      w.row_q[r] += at[b] * x.q;
      w.row_out[r] += at[b] * x.out;
      for (int k = 0; k < t.operands; ++k) w.row_epilogue[k][r] += at[b] * x.epilogue[k];
    }
    for (int b = t.row_axes - 1; b >= 0; --b) {
      if (++at[b] < t.row[b].extent || b == 0) break;
      at[b] = 0;
    }
    if (t.row_axes > 1 && r > 1)
      w.even = w.even && w.row_q[r] - w.row_q[r - 1] == w.row_q[1] - w.row_q[0] &&
               w.row_out[r] - w.row_out[r - 1] == w.row_out[1] - w.row_out[0];
  }
}

/// Runs the epilogue over `n` neighbouring outputs of row `r`.
inline void finish_run(const contract_work& w, const frame& f, const tile_place& at, int r,
                       i64 column_of_operands, i64 line, const float* sums, float* out,
                       i64 n) noexcept {
  const contract_plan& t = w.plan;
  stream in[max_operands];
  for (int k = 0; k < t.operands; ++k) {
    if (t.epilogue_root[k] < 0) {
      in[k] = {sums, 1};
      continue;
    }
    const i64 offset = t.epilogue_offset[k] + at.epilogue[k] + at.row_epilogue[k][r] +
                       line * t.line.epilogue[k] + column_of_operands * t.column.epilogue[k];
    in[k] = {reinterpret_cast<const float*>(f.base[t.epilogue_root[k]]) + offset,
             t.column.epilogue[k]};
  }
  run_streams(w.epilogue, in, t.operands, out, n);
}

/// A tile of matrix columns: sums straight into the output where it has room and no epilogue follows.
template <class Q> inline void panel_tile(const contract_work& w, const frame& f,
                                          const tile_place& at, Q q, const float* panels, i64 panel,
                                          float* out) noexcept {
  const contract_plan& t = w.plan;
  const auto [first, vectors] = piece_of(t.column.extent, panel);
  const i64 room = i64{vectors} * width, left = t.column.extent - first,
            n = left < room ? left : room;
  const packed_columns p{panels + first * t.terms, room};
  const bool plain = w.epilogue.run == nullptr;
  if (plain && n == room && at.even) {
    tile_of(at.rows, vectors, q, p, t.terms, out + at.row_out[0] + first,
            at.rows > 1 ? at.row_out[1] - at.row_out[0] : 0);
    return;
  }
  alignas(64) float sums[tile_rows * tile_columns];
  tile_of(at.rows, vectors, q, p, t.terms, sums, room);
  for (int r = 0; r < at.rows; ++r) {
    float* to = out + at.row_out[r] + first;
    if (plain)
      std::memcpy(to, sums + r * room, static_cast<std::size_t>(n) * sizeof(float));
    else
      finish_run(w, f, at, r, first, 0, sums + r * room, to, n);
  }
}

/// A tile of pixels [first, last) of the flattened image, computed from `from` on.
template <class Q> inline void pixel_tile(const contract_work& w, const frame& f,
                                          const tile_place& at, Q q, const float* image, i64 from,
                                          i64 first, i64 last, int vectors, float* out) noexcept {
  const contract_plan& t = w.plan;
  alignas(64) float sums[tile_rows * tile_columns];
  const i64 room = i64{vectors} * width;
  tile_of(at.rows, vectors, q, indexed_columns{image + from, w.p_terms}, t.terms, sums, room);
  const bool plain = w.epilogue.run == nullptr, at_once = !plain && t.pixelwise_constant;
  for (int r = 0; r < at.rows; ++r) {
    float* row = sums + r * room;
    if (at_once) finish_run(w, f, at, r, 0, 0, row, row, room);
    for (i64 at_pixel = first; at_pixel < last;) {
      const i64 y = at_pixel / t.pitch, x = at_pixel % t.pitch;
      const i64 end = (y + 1) * t.pitch < last ? (y + 1) * t.pitch : last;
      const i64 stop = y * t.pitch + t.column.extent < end ? y * t.pitch + t.column.extent : end;
      if (stop > at_pixel) {
        float* to = out + at.row_out[r] + y * t.line.out + x;
        if (plain || at_once)
          std::memcpy(to, row + (at_pixel - from),
                      static_cast<std::size_t>(stop - at_pixel) * sizeof(float));
        else
          finish_run(w, f, at, r, x, y, row + (at_pixel - from), to, stop - at_pixel);
      }
      at_pixel = end;
    }
  }
}

/// Address of a side's elements.
inline const float* address(const contract_work& w, const frame& f, const side& s,
                            std::byte* scratch) noexcept {
  if (s.from == side::source::packed) return reinterpret_cast<const float*>(w.packed + s.at);
  if (s.from == side::source::scratch) return reinterpret_cast<const float*>(scratch + s.at);
  return reinterpret_cast<const float*>(f.base[s.root]) + s.offset;
}

inline i64 column_pieces(const contract_plan& t) noexcept {
  return pieces_of(t.form == vector_form::panels ? t.panels.columns : t.positions);
}

inline void run_tiles(const contract_work& w, const frame& f, std::byte* scratch, i64 begin,
                      i64 end) noexcept {
  const contract_plan& t = w.plan;
  const bool pixels = t.form != vector_form::panels;
  const i64 columns = column_pieces(t), row_tiles = (t.rows + tile_rows - 1) / tile_rows;
  const float *q = address(w, f, t.q, scratch), *p = address(w, f, t.p, scratch);
  float* out = reinterpret_cast<float*>(f.base[t.out_root]) + t.out_offset;
  for (i64 u = begin; u < end; ++u) {
    const i64 row = u % row_tiles, column = u / row_tiles % columns,
              batch = u / row_tiles / columns;
    tile_place at;
    place_batch(t, batch, at);
    place_rows(t, row * tile_rows, at);
    const auto with_q = [&](auto side_q) {
      if (!pixels) return panel_tile(w, f, at, side_q, p + at.p, column, out + at.out);
      const auto [first, vectors] = piece_of(t.positions, column);
      const i64 end_of_piece = first + vectors * width,
                last = end_of_piece < t.positions ? end_of_piece : t.positions;
      // In place, the last tile moves back so that it reads nothing behind the image.
      const i64 over =
          t.form == vector_form::image && end_of_piece > last ? end_of_piece - last : 0;
      pixel_tile(w, f, at, side_q, p + at.p, first - over, first, last, vectors, out + at.out);
    };
    if (at.even && !t.q_indexed)
      with_q(strided_rows{q + at.q + at.row_q[0], at.rows > 1 ? at.row_q[1] - at.row_q[0] : 0,
                          t.q_step});
    else
      with_q(indexed_rows{q + at.q, at.row_q, w.q_terms});
  }
}

inline void run_contract(const contract_work& w, const frame& f) noexcept {
  const contract_plan& t = w.plan;
  std::byte* scratch = f.arena + w.scratch_offset;
  if (t.image.used) {
    const float* from = reinterpret_cast<const float*>(f.base[t.image.root]) + t.image.offset;
    auto* to = reinterpret_cast<float*>(scratch + t.image.at);
    const i64 source = t.image.height * t.image.width * t.image.inner;
    f.threads(t.image.count, 1 + 16384 / t.image.item, [&](i64 begin, i64 end, int) {
      for (i64 i = begin; i < end; ++i)
        copy_image(t.image, from + i * source, to + i * t.image.item);
    });
    if (t.form == vector_form::planes)
      std::memset(to + t.image.count * t.image.item, 0, tile_columns * sizeof(float));
  }
  if (t.panels.used && !t.panels.at_binding) {
    const float* from = reinterpret_cast<const float*>(f.base[t.panels.root]) + t.panels.offset;
    f.threads(t.panels.items * panel_count(t), 1 + 16384 / (t.terms * tile_columns),
              [&](i64 begin, i64 end, int) {
                pack_panels(t, from, reinterpret_cast<float*>(scratch + t.p.at), begin, end);
              });
  }
  const i64 tiles = t.batch_count * column_pieces(t) * ((t.rows + tile_rows - 1) / tile_rows);
  f.threads(tiles, 1 + 1000000 / (t.terms * tile_rows * tile_columns),
            [&](i64 begin, i64 end, int) { run_tiles(w, f, scratch, begin, end); });
}

/// Writes plan and tables into the bound memory, packed weights into the packed memory.
inline const contract_work* bind_contract(const binding<function>& b) noexcept {
  auto* w = new (b.bound) contract_work{};
  w->plan = plan_contract(*b.plan, b.group);
  const contract_plan& t = w->plan;
  w->packed = b.packed;
  w->scratch_offset = b.plan->scratch_offset[b.group];
  if (t.epilogue_program >= 0) w->epilogue = b.functions[t.epilogue_program];
  auto* q = reinterpret_cast<std::int32_t*>(b.bound + t.table_q);
  auto* p = reinterpret_cast<std::int32_t*>(b.bound + t.table_p);
  if (t.has_q_table()) write_terms(t, t.term_q, false, q);
  if (t.form != vector_form::panels) write_terms(t, t.term_p, t.form == vector_form::planes, p);
  w->q_terms = q;
  w->p_terms = p;
  if (b.packs && t.panels.used && t.panels.at_binding) {
    const float* from = reinterpret_cast<const float*>(b.weights[t.panels.root]) + t.panels.offset;
    pack_panels(t, from, reinterpret_cast<float*>(b.packed + t.p.at), 0,
                t.panels.items * panel_count(t));
  }
  return w;
}

}  // namespace tenon::simd
