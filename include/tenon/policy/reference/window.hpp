// The definition of windows: column by column, over the elements inside of the operand. In this
// order a policy may combine a column once for several windows.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/reduce.hpp>

namespace tenon::reference_kernels {

/// The window of one output: a column from top to bottom, then the columns. `at(offset)` is an
/// element, `join(a, b)` combines two.
template <class T> struct window_sum {
  T all{};
  i64 elements = 0;
};
template <class T, class At, class Join>
constexpr window_sum<T> sum_window(const windowing& w, const strides& step, i64 y0, i64 x0, At at,
                                   Join join) {
  const sweep &h = w.swept[0], &v = w.swept[1];
  T all{};
  i64 columns = 0, rows = 0;
  for (i64 kx = 0; kx < v.taps; ++kx) {
    const i64 x = x0 + kx * v.dilation;
    if (x < 0 || x >= v.extent) continue;
    T column{};
    rows = 0;
    for (i64 ky = 0; ky < h.taps; ++ky) {
      const i64 y = y0 + ky * h.dilation;
      if (y < 0 || y >= h.extent) continue;
      const T e = at(y * step[h.out_axis] + x * step[v.out_axis]);
      column = rows++ == 0 ? e : join(column, e);
    }
    if (rows == 0) break;
    all = columns++ == 0 ? column : join(all, column);
  }
  return {all, rows * columns};
}
/// Results [begin, end) of a windowing. A window without any element gives 0; an average divides by
/// the number of elements inside of the image.
constexpr void window(const windowing& w, const operand& in, const shape& space, target out,
                      i64 begin, i64 end) {
  odometer<1> o{space};
  const sweep &h = w.swept[0], &v = w.swept[1];
  for (int i = 0; i < space.rank; ++i)
    o.step[0].step[i] = i == h.out_axis || i == v.out_axis ? 0 : in.where.step[i];
  o.start(begin);
  const type t = in.data.type;
  for (i64 i = begin; i < end; ++i, o.next()) {
    const i64 y0 = o.at[h.out_axis] * h.stride - h.begin,
              x0 = o.at[v.out_axis] * v.stride - v.begin, from = o.offset[0];
    if (t != type::float32) {
      const auto r = sum_window<std::uint64_t>(
          w, in.where.step, y0, x0, [&](i64 at) { return integer_at(in.data, from + at); },
          [&](std::uint64_t a, std::uint64_t b) { return combined(w.how, t, a, b); });
      put_integer(out, i, r.all);
      continue;
    }
    const auto r = sum_window<float>(
        w, in.where.step, y0, x0, [&](i64 at) { return in.data.real[from + at]; },
        [&](float a, float b) { return combined(w.how, a, b); });
    out.real[i] = w.average && r.elements > 0 ? r.all / static_cast<float>(r.elements) : r.all;
  }
}

}  // namespace tenon::reference_kernels
