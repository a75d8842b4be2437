// Copies that contractions on the CPU make before their tiles run: images with their edge, and
// panels of a register's width. The layouts are `image_copy` and `panel_copy` (contract_plan.hpp).
//
// An image is copied at every call, one image a unit of the executor, plane by plane; the three
// ways differ in the stride along the lines: `copy_columns` (1), `copy_halves` (2), `copy_plane`
// (any, and targets whose loads have no masks). Panels of weights are packed once, at binding.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/cpu/contract_plan.hpp>
#include <tenon/policy/cpu/pixels.hpp>
#include <tenon/policy/cpu/streams.hpp>
#include <cstring>

namespace tenon::simd {

/// The lines [first, end) of a plane, or positions of a line, that lie in the image. All others are
/// edge: zeros.
struct range_of_lines {
  i64 first, end;
};
/// The lines y in [0, n) with 0 <= y * step + at < extent.
constexpr range_of_lines lines_inside(i64 n, i64 step, i64 at, i64 extent) noexcept {
  const i64 first = at < 0 ? (-at + step - 1) / step : 0,
            last = extent > at ? (extent - at + step - 1) / step : 0;
  const i64 end = last < n ? last : n;
  return {first < end ? first : end, end};
}
inline void clear(float* to, i64 n) noexcept {
  std::memset(to, 0, static_cast<std::size_t>(n) * sizeof(float));
}
/// Writes phase `py` of a copy that keeps every column. The outer loop is over registers of
/// columns, so that their mask of lanes outside of the image is computed once for all lines.
inline void copy_columns(const image_copy& m, i64 py, const float* from, float* to) noexcept {
  const i64 top = py - m.top, wide = m.plane_width;  // top: the image's line of the plane's first
  const range_of_lines y = lines_inside(m.plane_height, m.phases_y, top, m.height);
  clear(to, y.first * wide);
  clear(to + y.end * wide, (m.plane_height - y.end) * wide);
  for (i64 x = 0; x < wide; x += width) {
    const i64 at = x - m.left, n = wide - x < width ? wide - x : i64{width};
    const between columns(at, m.width);
    const float* pixel = from + (y.first * m.phases_y + top) * m.width + at;
    for (i64 i = y.first; i < y.end; ++i, pixel += m.phases_y * m.width)
      if (n == width)
        store(columns.load_at(pixel), to + i * wide + x);
      else
        store_part(columns.load_at(pixel), to + i * wide + x, n);
  }
}
/// Writes the two planes of even and odd columns of phase `py`, line by line: two loads and two
/// shuffles give a register of each.
inline void copy_halves(const image_copy& m, i64 py, const float* from, float* to) noexcept {
  const i64 top = py - m.top, wide = m.plane_width, plane = m.plane_height * wide;
  const range_of_lines y = lines_inside(m.plane_height, m.phases_y, top, m.height);
  for (float* phase : {to, to + plane}) {
    clear(phase, y.first * wide);
    clear(phase + y.end * wide, (m.plane_height - y.end) * wide);
  }
  for (i64 i = y.first; i < y.end; ++i) {
    const float* line = from + (i * m.phases_y + top) * m.width;
    const float* ahead = line + 8 * m.phases_y * m.width;  // this loop waits for memory: prefetch
    for (i64 x = 0; x < wide; x += width) {
      for (i64 k = 0; k < 2 * width; k += 16) __builtin_prefetch(ahead + 2 * x + k);
      const i64 at = 2 * x - m.left;
      real a, b;
      if (at >= 0 && at + 2 * width <= m.width) {  // not at an edge: no masks
        a = load(line + at);
        b = load(line + at + width);
      } else {
        a = between(at, m.width).load_from(line);
        b = between(at + width, m.width).load_from(line);
      }
      float* evens = to + i * wide + x;
      const real even = shuffled(a, b, evens_of{}), odd = shuffled(a, b, odds_of{});
      if (x + width <= wide) {
        store(even, evens);
        store(odd, evens + plane);
      } else {
        store_part(even, evens, wide - x);
        store_part(odd, evens + plane, wide - x);
      }
    }
  }
}
/// Writes one plane of a copy; any stride, and pixels of several elements (channels last).
inline void copy_plane(const image_copy& m, i64 py, i64 px, const float* from, float* to) noexcept {
  const range_of_lines x = lines_inside(m.plane_width, m.phases_x, px - m.left, m.width),
                       y = lines_inside(m.plane_height, m.phases_y, py - m.top, m.height);
  const i64 line = m.plane_width * m.inner;
  for (i64 i = 0; i < m.plane_height; ++i, to += line) {
    if (i < y.first || i >= y.end || x.first == x.end) {
      clear(to, line);
      continue;
    }
    const float* pixel =
        from +
        ((i * m.phases_y + py - m.top) * m.width + (x.first * m.phases_x + px - m.left)) * m.inner;
    clear(to, x.first * m.inner);
    clear(to + x.end * m.inner, (m.plane_width - x.end) * m.inner);
    for (i64 k = x.first; k < x.end && m.phases_x > 1; ++k, pixel += m.phases_x * m.inner)
      for (i64 c = 0; c < m.inner; ++c) to[k * m.inner + c] = pixel[c];
    if (m.phases_x == 1)
      std::memcpy(to + x.first * m.inner, pixel,
                  static_cast<std::size_t>((x.end - x.first) * m.inner) * sizeof(float));
  }
}
/// Copies one image into planes, edge included. Every element of the copy is written: the scratch
/// memory holds whatever an earlier group left there.
inline void copy_image(const image_copy& m, const float* from, float* to) noexcept {
  const bool single = masks_loads && m.inner == 1;
  const i64 plane = m.plane_height * m.plane_width * m.inner;
  for (i64 py = 0; py < m.phases_y; ++py, to += m.phases_x * plane)
    if (single && m.phases_x == 1)
      copy_columns(m, py, from, to);
    else if (single && m.phases_x == 2)
      copy_halves(m, py, from, to);
    else
      for (i64 px = 0; px < m.phases_x; ++px) copy_plane(m, py, px, from, to + px * plane);
  clear(to, m.tail);
}

/// Packs panel `panel` of one matrix: for each term a register of columns, with zeros behind the
/// last column. A tile reads a panel from its beginning to its end.
inline void pack_panel(const contract_plan& plan, const float* from, i64 panel,
                       float* to) noexcept {
  const panel_copy& m = plan.panels;
  const i64 step = m.column_step, left = m.columns - panel * width,
            n = left < width ? left : i64{width};
  float* out = to + panel * width * plan.terms;
  from += panel * width * step;
  i64 at[contraction::max_axes]{}, offset = 0;  // position in the terms' loops, and its offset
  for (i64 k = 0; k < plan.terms; ++k, out += width) {
    if (step == 1 && n == width) {
      store(load(from + offset), out);
    } else {
      gather(from + offset, step, out, n);
      for (i64 i = n; i < width; ++i) out[i] = 0;
    }
    for (int d = plan.term_axes - 1; d >= 0; --d) {
      offset += m.term[d];
      if (++at[d] < plan.term_extent[d]) break;
      offset -= m.term[d] * plan.term_extent[d];
      at[d] = 0;
    }
  }
}
inline i64 panel_count(const contract_plan& plan) noexcept {
  return registers_of(plan.panels.columns);
}
/// Packs panels [begin, end), which are counted through all matrices.
inline void pack_panels(const contract_plan& plan, const float* from, float* to, i64 begin,
                        i64 end) noexcept {
  const panel_copy& m = plan.panels;
  const i64 panels = panel_count(plan);
  for (i64 i = begin; i < end; ++i) {
    const i64 item = i / panels;
    i64 offset = 0, rest = item;
    for (int d = 0; d < m.outer; ++d) {
      offset += rest % m.extent[d] * m.step[d];
      rest /= m.extent[d];
    }
    pack_panel(plan, from + offset, i % panels, to + item * m.item);
  }
}

}  // namespace tenon::simd
