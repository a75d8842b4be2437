// The definition of every family's results: plain loops, usable in constant expressions.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/base/arithmetic.hpp>
#include <tenon/plan/layout.hpp>
#include <tenon/policy/reference/scalar.hpp>

namespace tenon::reference_kernels {

/// Calls `f` with an element of the type.
template <class F> constexpr auto with_type(type t, F&& f) {
  switch (t) {
    case type::float16: return f(float16{});
    case type::int32: return f(std::int32_t{});
    case type::uint32: return f(std::uint32_t{});
    case type::int64: return f(std::int64_t{});
    case type::uint64: return f(std::uint64_t{});
    case type::int8: return f(std::int8_t{});
    case type::int4:
    case type::uint4:  // by the byte
    case type::uint8: return f(std::uint8_t{});
    default: return f(float{});
  }
}

/// The address of elements of a type. Of the pointers just the type's own is set: a constant
/// expression knows no other.
template <bool Const> struct memory {
  template <class T> using pointer = std::conditional_t<Const, const T*, T*>;
  tenon::type type = tenon::type::float32;
  pointer<float> real = nullptr;
  pointer<float16> half = nullptr;
  pointer<std::int32_t> integer = nullptr;
  pointer<std::uint32_t> word = nullptr;
  pointer<std::int64_t> wide = nullptr;
  pointer<std::uint64_t> wide_word = nullptr;
  pointer<std::int8_t> small = nullptr;
  pointer<std::uint8_t> byte = nullptr;

  constexpr memory() = default;
  template <class T> constexpr memory(T* p) : type(type_of<std::remove_const_t<T>>) {
    own<std::remove_const_t<T>>(*this) = p;
  }
  /// The pointer to elements of type T.
  template <class T> constexpr pointer<T> as() const { return own<T>(*this); }
  constexpr memory operator+(i64 elements) const {
    return with_type(type,
                     [&](auto element) { return memory(as<decltype(element)>() + elements); });
  }

 private:
  template <class T, class Self> static constexpr auto& own(Self& self) {
    if constexpr (std::is_same_v<T, float16>)
      return self.half;
    else if constexpr (std::is_same_v<T, std::int32_t>)
      return self.integer;
    else if constexpr (std::is_same_v<T, std::uint32_t>)
      return self.word;
    else if constexpr (std::is_same_v<T, std::int64_t>)
      return self.wide;
    else if constexpr (std::is_same_v<T, std::uint64_t>)
      return self.wide_word;
    else if constexpr (std::is_same_v<T, std::int8_t>)
      return self.small;
    else if constexpr (std::is_same_v<T, std::uint8_t>)
      return self.byte;
    else
      return self.real;
  }
};
using source = memory<true>;
using target = memory<false>;

/// Untyped memory at run time.
inline source source_at(const std::byte* p, type t) noexcept {
  return with_type(t, [&](auto e) { return source(reinterpret_cast<const decltype(e)*>(p)); });
}
inline target target_at(std::byte* p, type t) noexcept {
  return with_type(t, [&](auto e) { return target(reinterpret_cast<decltype(e)*>(p)); });
}

/// A tensor as a kernel reads it: address of element (0, 0, ...) and strides in elements.
struct operand {
  source data{};
  plans::location where{};  ///< offset is already in `data`
  shape extent{};
};

/// Steps through all positions of a shape in row-major order, keeping the offsets of `N` operands.
template <int N> struct odometer {
  shape space{};
  strides step[N > 0 ? N : 1]{};
  i64 offset[N > 0 ? N : 1]{};
  i64 at[max_rank]{};
  constexpr void start(i64 position) {
    for (int i = space.rank - 1; i >= 0 && position > 0; --i) {
      at[i] = position % space.extent[i];
      position /= space.extent[i];
      for (int k = 0; k < N; ++k) offset[k] += at[i] * step[k].step[i];
    }
  }
  /// Reads members, not operators: clang counts a call as two steps of a constant expression.
  constexpr void next() {
    for (int i = space.rank - 1; i >= 0; --i) {
      for (int k = 0; k < N; ++k) offset[k] += step[k].step[i];
      if (++at[i] < space.extent[i]) return;
      for (int k = 0; k < N; ++k) offset[k] -= step[k].step[i] * space.extent[i];
      at[i] = 0;
    }
  }
};

constexpr scalar_register read(const source& s, i64 at) {
  scalar_register r{};
  switch (s.type) {
    case type::int32: r.word = static_cast<std::uint32_t>(s.integer[at]); break;
    case type::uint8: r.word = s.byte[at]; break;
    case type::float16: r.real = static_cast<float>(s.half[at]); break;
    case type::uint32: r.word = s.word[at]; break;
    case type::int8: r.word = arithmetic::word(std::int32_t{s.small[at]}); break;
    case type::int64: r.wide = arithmetic::word(s.wide[at]); break;
    case type::uint64: r.wide = s.wide_word[at]; break;
    default: r.real = s.real[at];
  }
  return r;
}
constexpr void write(const target& t, i64 at, scalar_register r) {
  switch (t.type) {
    case type::int32: t.integer[at] = arithmetic::wrap(r.word); break;
    case type::uint8: t.byte[at] = static_cast<std::uint8_t>(r.word); break;
    case type::float16: t.half[at] = float16(r.real); break;
    case type::uint32: t.word[at] = r.word; break;
    case type::int8: t.small[at] = static_cast<std::int8_t>(r.word); break;
    case type::int64: t.wide[at] = arithmetic::wrap(r.wide); break;
    case type::uint64: t.wide_word[at] = r.wide; break;
    default: t.real[at] = r.real;
  }
}
template <int Operands>
constexpr void map_of(program_view p, const shape& space, const operand* in, target out) {
  odometer<Operands> o{space};
  for (int k = 0; k < Operands; ++k) o.step[k] = broadcast(in[k].where, in[k].extent, space);
  const i64 n = space.count();
  scalar_register arguments[Operands > 0 ? Operands : 1]{};
  for (i64 i = 0; i < n; ++i, o.next()) {
    for (int k = 0; k < Operands; ++k) arguments[k] = read(in[k].data, o.offset[k]);
    write(out, i, evaluate(p, arguments));
  }
}
constexpr void map(program_view p, const shape& space, const operand* in, int operands,
                   target out) {
  if (operands == 1) return map_of<1>(p, space, in, out);
  if (operands == 2) return map_of<2>(p, space, in, out);
  operand all[max_operands];  // what is not there is read as a number that no instruction reads
  for (int k = 0; k < max_operands; ++k)
    all[k] = k < operands ? in[k] : operand{in[0].data, {}, {}};
  map_of<max_operands>(p, space, all, out);
}

constexpr float combined(combine how, float a, float b) {
  switch (how) {
    case combine::sum: return a + b;
    case combine::max: return arithmetic::max(a, b);
    case combine::min: return arithmetic::min(a, b);
    default: return arithmetic::mul(a, b);
  }
}
/// The position of the first extreme of `m` elements; a NaN is one.
constexpr i64 first_extreme(combine how, const float* x, odometer<1> o, i64 m) {
  i64 best = 0;
  float found = x[o.offset[0]];
  for (i64 k = 0; k < m; ++k, o.next()) {
    const float e = x[o.offset[0]];
    if (found != found || !(how == combine::first_max ? e > found || e != e : e < found || e != e))
      continue;
    found = e;
    best = k;
  }
  return best;
}
constexpr float reduced(combine how, const float* x, odometer<1> o, i64 m) {
  float lanes[reduction_lanes];
  for (float& lane : lanes) lane = neutral(how);
  for (i64 k = 0; k < m; ++k, o.next()) {
    float& lane = lanes[k % reduction_lanes];
    const float e = x[o.offset[0]];
    lane = k < reduction_lanes ? e : combined(how, lane, e);
  }
  for (int half = reduction_lanes / 2; half > 0; half /= 2)
    for (int k = 0; k < half; ++k) lanes[k] = combined(how, lanes[k], lanes[k + half]);
  return lanes[0];
}

/// An integer of any type in 64 bits; in fewer bits arithmetic wraps around alike.
constexpr std::uint64_t integer_at(const source& s, i64 at) {
  const scalar_register r = read(s, at);
  if (lane_of(s.type) == lane::wide) return r.wide;
  return is_signed(s.type) ? arithmetic::word(std::int64_t{arithmetic::wrap(r.word)}) : r.word;
}
constexpr void put_integer(const target& t, i64 at, std::uint64_t x) {
  scalar_register r{};
  if (lane_of(t.type) == lane::wide)
    r.wide = x;
  else
    r.word = static_cast<std::uint32_t>(x);
  write(t, at, r);
}
/// Of integers with a sign the sign bit is turned around: then words compare as they do.
constexpr std::uint64_t order_of(std::uint64_t x, type t) {
  return is_signed(t) ? x ^ (std::uint64_t{1} << 63) : x;
}
constexpr std::uint64_t combined(combine how, type t, std::uint64_t a, std::uint64_t b) {
  switch (how) {
    case combine::sum: return a + b;
    case combine::max: return order_of(b, t) > order_of(a, t) ? b : a;
    case combine::min: return order_of(b, t) < order_of(a, t) ? b : a;
    default: return a * b;
  }
}
constexpr i64 first_extreme(combine how, const source& x, odometer<1> o, i64 m) {
  i64 best = 0;
  std::uint64_t found = order_of(integer_at(x, o.offset[0]), x.type);
  for (i64 k = 0; k < m; ++k, o.next()) {
    const std::uint64_t e = order_of(integer_at(x, o.offset[0]), x.type);
    if (!(how == combine::first_max ? e > found : e < found)) continue;
    found = e;
    best = k;
  }
  return best;
}
constexpr std::uint64_t reduced(combine how, const source& x, odometer<1> o, i64 m) {
  std::uint64_t all = integer_at(x, o.offset[0]);
  for (i64 k = 1; k < m; ++k) {
    o.next();
    all = combined(how, x.type, all, integer_at(x, o.offset[0]));
  }
  return all;
}

/// The axes of a reduction's operand.
struct reduced_axes {
  odometer<1> kept, summed;
};
constexpr reduced_axes axes_of(const reduction& r, const operand& in) {
  reduced_axes all;
  for (int i = 0; i < in.extent.rank; ++i) {
    odometer<1>& o = r.reduces(i) ? all.summed : all.kept;
    o.step[0].step[o.space.rank] = in.where.step[i];
    o.space.extent[o.space.rank++] = in.extent[i];
  }
  return all;
}
/// Results [begin, end).
constexpr void reduce(const reduction& r, const operand& in, target out, i64 begin, i64 end) {
  auto [kept, summed] = axes_of(r, in);
  const i64 m = summed.space.count();
  const bool real = in.data.type == type::float32;
  kept.start(begin);
  for (i64 i = begin; i < end; ++i, kept.next()) {
    const i64 from = kept.offset[0];
    if (gives_position(r.how))
      put_integer(
          out, i,
          static_cast<std::uint64_t>(real ? first_extreme(r.how, in.data.real + from, summed, m)
                                          : first_extreme(r.how, in.data + from, summed, m)));
    else if (!real)
      put_integer(out, i, reduced(r.how, in.data + from, summed, m));
    else if (r.average)
      out.real[i] =
          arithmetic::div(reduced(r.how, in.data.real + from, summed, m), static_cast<float>(m));
    else
      out.real[i] = reduced(r.how, in.data.real + from, summed, m);
  }
}

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
/// Results [begin, end) of a windowing.
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

/// Copies `space` elements from one layout into another.
constexpr void copy(const source& from, const strides& in, const target& to, const strides& out,
                    const shape& space) {
  with_type(from.type, [&](auto element) {
    const auto* x = from.as<decltype(element)>();
    auto* y = to.as<decltype(element)>();
    odometer<2> o{space, {in, out}};
    const i64 n = space.count();
    for (i64 i = 0; i < n; ++i, o.next()) y[o.offset[1]] = x[o.offset[0]];
  });
}
/// The number that stands outside of a padded operand.
template <class T> constexpr T filling(const any_number& value) {
  if constexpr (is_real(type_of<T>))
    return T(value.to_float());
  else
    return static_cast<T>(integer_of(type_of<T>, value));
}
constexpr void pad(const movement& m, const operand& in, const shape& space, target out) {
  with_type(out.type, [&](auto element) {
    const auto* x = in.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<0> o{space};
    const i64 n = space.count();
    for (i64 i = 0; i < n; ++i, o.next()) {
      i64 from = 0;
      bool outside = false;
      for (int k = 0; k < space.rank; ++k) {
        const i64 at = shown(m.mode, o.at[k] - m.begin[k], in.extent[k]);
        outside = outside || at < 0;
        from += at * in.where.step[k];
      }
      y[i] = outside ? filling<decltype(element)>(m.value) : x[from];
    }
  });
}
constexpr void band(const movement& m, const operand& in, const shape& space, target out) {
  with_type(out.type, [&](auto element) {
    const auto* x = in.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<1> o{space, {in.where.step}};
    const i64 n = space.count(), columns = space[space.rank - 1];
    for (i64 i = 0; i < n; ++i, o.next()) {
      const band_columns shown(m, o.at[space.rank - 2], columns);
      const i64 column = o.at[space.rank - 1];
      y[i] = column >= shown.begin && column < shown.end ? x[o.offset[0]] : decltype(element){};
    }
  });
}
constexpr void sample(const movement& m, const operand& in, const shape& space, target out) {
  if (m.how == sampling::fraction) {
    for (i64 i = 0; i < space[0]; ++i) out.real[i] = fraction_at(i, in.extent[m.axis], space[0]);
    return;
  }
  with_type(out.type, [&](auto element) {
    const auto* x = in.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<0> o{space};
    const i64 n = space.count();
    for (i64 i = 0; i < n; ++i, o.next()) {
      i64 from = 0;
      for (int k = 0; k < space.rank; ++k)
        from += sampled_at(m.how, o.at[k], in.extent[k], space[k]) * in.where.step[k];
      y[i] = x[from];
    }
  });
}
/// Bytes of two elements each, the first one in the low half.
constexpr void unpack(const operand& in, const shape& space, target out) {
  for (i64 i = 0, n = space.count(); i < n; ++i) {
    const int half = in.data.byte[i / 2] >> i % 2 * 4 & 15;
    if (out.type == type::int8)
      out.small[i] = static_cast<std::int8_t>((half ^ 8) - 8);
    else
      out.byte[i] = static_cast<std::uint8_t>(half);
  }
}
constexpr void pack(const operand& in, const shape& space, target out) {
  for (i64 i = 0, n = space.count(); i < n; ++i) {
    const int half = static_cast<int>(read(in.data, i).word & 15);
    out.byte[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? half : out.byte[i / 2] | half << 4);
  }
}
constexpr void move(const movement& m, const operand* in, int operands, const shape& space,
                    target out) {
  strides step{};
  switch (m.is) {
    case movement::form::reshape:
      return copy(in->data, in->where.step, out, dense(in->extent), in->extent);
    case movement::form::affine:
      for (int i = 0; i < space.rank; ++i)
        step.step[i] = restride(m.step[i], in->extent, in->where);
      return copy(in->data + restride(m.offset, in->extent, in->where), step, out, dense(space),
                  space);
    case movement::form::pad: return pad(m, *in, space, out);
    case movement::form::band: return band(m, *in, space, out);
    case movement::form::sample: return sample(m, *in, space, out);
    case movement::form::unpack: return unpack(*in, space, out);
    case movement::form::pack: return pack(*in, space, out);
    case movement::form::join: break;
  }
  i64 at = 0;
  for (int k = 0; k < operands; ++k) {
    copy(in[k].data, in[k].where.step, out + at, dense(space), in[k].extent);
    at += in[k].extent[m.axis] * dense(space)[m.axis];
  }
}

constexpr i64 index_at(const source& indices, i64 at, i64 extent) {
  if (indices.type == type::int64) return position_of(indices.wide[at], extent);
  return position_of(indices.type == type::uint32 ? i64{indices.word[at]} : indices.integer[at],
                     extent);
}
constexpr void gather(const gathering& g, const operand& in, const operand& indices,
                      const shape& space, target out) {
  with_type(out.type, [&](auto element) {
    const auto* x = in.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<2> o{space};
    for (int i = 0; i < space.rank; ++i) {
      o.step[0].step[i] = restride(g.step[i], in.extent, in.where);
      o.step[1].step[i] = restride(g.index_step[i], indices.extent, indices.where);
    }
    const i64 further = restride(g.coordinate_step, indices.extent, indices.where),
              n = space.count();
    for (i64 i = 0; i < n; ++i, o.next()) {
      i64 from = o.offset[0];
      for (int c = 0; c < g.coordinates; ++c)
        from += index_at(indices.data, o.offset[1] + c * further, g.extent[c]) *
                restride(g.coordinate_stride[c], in.extent, in.where);
      y[i] = x[from];
    }
  });
}

constexpr void scatter(const gathering& g, const operand& in, const operand& indices,
                       const operand& updates, const shape& space, target out) {
  copy(in.data, in.where.step, out, dense(space), space);
  with_type(out.type, [&](auto element) {
    const auto* x = updates.data.as<decltype(element)>();
    auto* y = out.as<decltype(element)>();
    odometer<3> o{updates.extent, {g.step, {}, updates.where.step}};
    for (int i = 0; i < updates.extent.rank; ++i)
      o.step[1].step[i] = restride(g.index_step[i], indices.extent, indices.where);
    const i64 further = restride(g.coordinate_step, indices.extent, indices.where),
              n = updates.extent.count();
    for (i64 i = 0; i < n; ++i, o.next()) {
      i64 to = o.offset[0];
      for (int c = 0; c < g.coordinates; ++c)
        to +=
            index_at(indices.data, o.offset[1] + c * further, g.extent[c]) * g.coordinate_stride[c];
      y[to] = x[o.offset[2]];
    }
  });
}

/// One output element: the terms in the order of the reduced axes, the last one fastest.
struct terms {
  odometer<2> outer;        ///< all reduced axes but the last; offsets in a and b
  i64 n = 1, a = 0, b = 0;  ///< the last reduced axis
  int sweeps = 0;
  sweep swept[2]{};
  int tap_at[2]{-1, -1};  ///< position of a sweep's tap axis in `outer`, -1: it is the last axis
};
constexpr float sum_terms(const terms& all, const float* a, const float* b, const i64* base) {
  float sum = 0;
  i64 low = 0, high = all.n,
      start = 0;  // of the last axis: taps inside the operand, offset of tap 0
  for (int s = 0; s < all.sweeps; ++s) {
    if (all.tap_at[s] >= 0) continue;
    const sweep& w = all.swept[s];
    start = base[s] * w.step;
    while (low < high && base[s] + low * w.dilation < 0) ++low;
    while (high > low && base[s] + (high - 1) * w.dilation >= w.extent) --high;
  }
  odometer<2> o = all.outer;
  const i64 runs = o.space.count();
  for (i64 r = 0; r < runs; ++r, o.next()) {
    i64 at = o.offset[0] + start;  // a number, not a pointer: in padding it may leave the operand
    const float* pb = b + o.offset[1];
    bool padding = false;
    for (int s = 0; s < all.sweeps; ++s) {
      if (all.tap_at[s] < 0) continue;
      const i64 x = base[s] + o.at[all.tap_at[s]] * all.swept[s].dilation;
      padding |= x < 0 || x >= all.swept[s].extent;
      at += x * all.swept[s].step;
    }
    const i64 first = padding ? all.n : low, last = padding ? all.n : high;
    for (i64 k = 0; k < first; ++k) sum = arithmetic::fma(0.0f, pb[k * all.b], sum);
    for (i64 k = first; k < last; ++k) sum = arithmetic::fma(a[at + k * all.a], pb[k * all.b], sum);
    for (i64 k = last; k < all.n; ++k) sum = arithmetic::fma(0.0f, pb[k * all.b], sum);
  }
  return sum;
}

/// The terms of all outputs as a list, for constant expressions: one statement a term, because
/// compilers count steps.
struct listed_term {
  i64 a = 0, b = 0;  ///< offsets
  i64 y = 0, x = 0;  ///< tap positions of the two sweeps
};
constexpr sequence<listed_term> list_terms(const terms& all) {
  sequence<listed_term> r;
  odometer<2> o = all.outer;
  for (i64 i = 0, runs = o.space.count(); i < runs; ++i, o.next())
    for (i64 k = 0; k < all.n; ++k) {
      listed_term t{o.offset[0], o.offset[1] + k * all.b, 0, 0};
      for (int s = 0; s < all.sweeps; ++s) {
        const i64 tap = (all.tap_at[s] >= 0 ? o.at[all.tap_at[s]] : k) * all.swept[s].dilation;
        (s == 0 ? t.y : t.x) = tap;
        t.a += tap * all.swept[s].step;
      }
      if (all.sweeps == 0) t.a += k * all.a;
      r.push(t);
    }
  return r;
}
constexpr float sum_listed(const terms& all, const sequence<listed_term>& listed, const float* a,
                           const float* b, const i64* base) {
  const i64 height = all.sweeps > 0 ? all.swept[0].extent : 1,
            width = all.sweeps > 1 ? all.swept[1].extent : 1;
  const i64 y = base[0], x = base[1], start = y * all.swept[0].step + x * all.swept[1].step;
  float sum = 0;
  for (const listed_term& t : listed)
    sum = arithmetic::constant::fma(
        y + t.y >= 0 && y + t.y < height && x + t.x >= 0 && x + t.x < width ? a[start + t.a] : 0.0f,
        b[t.b], sum);
  return sum;
}

/// All outputs: `sum(a, b, base)` adds up one.
template <class Sum> constexpr void each_output(const contraction& c, odometer<3> o,
                                                const int* at_output, const operand& a,
                                                const operand& b, float* out, Sum sum) {
  const i64 n = o.space.count();
  for (i64 i = 0; i < n; ++i, o.next()) {
    i64 base[2]{};
    for (int s = 0; s < c.sweeps; ++s)
      base[s] = o.at[at_output[c.swept[s].out_axis]] * c.swept[s].stride - c.swept[s].begin;
    out[o.offset[2]] = sum(a.data.real + o.offset[0], b.data.real + o.offset[1], base);
  }
}

constexpr void contract(const contraction& c, const operand& a, const operand& b, float* out) {
  odometer<3> o;
  terms all;
  int at_output[contraction::max_axes]{};
  for (int i = 0; i < c.axes; ++i) {
    const contraction::loop& l = c.axis[i];
    at_output[i] = o.space.rank;
    if (l.reduced) continue;
    o.step[0].step[o.space.rank] = restride(l.a, a.extent, a.where);
    o.step[1].step[o.space.rank] = restride(l.b, b.extent, b.where);
    o.step[2].step[o.space.rank] = l.out;
    o.space.extent[o.space.rank++] = l.extent;
  }
  all.sweeps = c.sweeps;
  for (int s = 0; s < c.sweeps; ++s) {
    all.swept[s] = c.swept[s];
    all.swept[s].step = restride(c.swept[s].step, a.extent, a.where);
  }
  int last = c.axes - 1;
  while (!c.axis[last].reduced) --last;
  for (int i = 0; i <= last; ++i) {
    const contraction::loop& l = c.axis[i];
    if (!l.reduced) continue;
    const i64 step_a = restride(l.a, a.extent, a.where), step_b = restride(l.b, b.extent, b.where);
    int sweep_of = -1;
    for (int s = 0; s < c.sweeps; ++s)
      if (c.swept[s].tap_axis == i) sweep_of = s;
    if (i == last) {
      all.n = l.extent;
      all.a = sweep_of >= 0 ? all.swept[sweep_of].step * c.swept[sweep_of].dilation : step_a;
      all.b = step_b;
    } else {
      odometer<2>& r = all.outer;
      if (sweep_of >= 0) all.tap_at[sweep_of] = r.space.rank;
      r.step[0].step[r.space.rank] = step_a;
      r.step[1].step[r.space.rank] = step_b;
      r.space.extent[r.space.rank++] = l.extent;
    }
  }
  if (__builtin_is_constant_evaluated()) {  // the builtin: folded at -O0 too, so that run time has
                                            // no heap
    const sequence<listed_term> listed = list_terms(all);
    return each_output(c, o, at_output, a, b, out,
                       [&](const float* x, const float* y, const i64* base) {
                         return sum_listed(all, listed, x, y, base);
                       });
  }
  each_output(c, o, at_output, a, b, out, [&](const float* x, const float* y, const i64* base) {
    return sum_terms(all, x, y, base);
  });
}

/// Computes one node into dense memory.
constexpr void run_node(const table_view& t, const node& n, const operand* in, target out) {
  switch (n.kind) {
    case family::map: return map(t.program_of(n), n.out.shape, in, n.operands, out);
    case family::reduce: return reduce(t.reduction_of(n), in[0], out, 0, n.out.shape.count());
    case family::window:
      return window(t.windowing_of(n), in[0], n.out.shape, out, 0, n.out.shape.count());
    case family::contract: return contract(t.contraction_of(n), in[0], in[1], out.real);
    case family::move:
      if (is_packed(n.out.type) && t.movement_of(n).reshapes())  // in constant expressions alone
        return copy(in->data, {{1}}, out, {{1}}, extents(n.out.bytes()));
      return move(t.movement_of(n), in, n.operands, n.out.shape, out);
    case family::gather:
      if (t.gathering_of(n).writes)
        return scatter(t.gathering_of(n), in[0], in[1], in[2], n.out.shape, out);
      return gather(t.gathering_of(n), in[0], in[1], n.out.shape, out);
    default: return;
  }
}

}  // namespace tenon::reference_kernels
