// The definition of moves: copies between layouts, padding, bands, resampling, 4-bit elements.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/policy/reference/memory.hpp>

namespace tenon::reference_kernels {

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
/// `shown` says which position of the operand a position of the result shows, or -1: the filling.
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
/// Zero outside of the columns that a row shows: the lower or upper triangle, or a band between.
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
/// Positions are ratios of integers (`sampled_at`), so that every policy finds the same ones.
/// Linear interpolation is a map over three moves: the lower neighbours, the upper ones, and the
/// fractions.
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
/// The reverse: a byte is written with its first element, and completed with its second one.
constexpr void pack(const operand& in, const shape& space, target out) {
  for (i64 i = 0, n = space.count(); i < n; ++i) {
    const int half = static_cast<int>(read(in.data, i).word & 15);
    out.byte[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? half : out.byte[i / 2] | half << 4);
  }
}
/// A move by its form. A join copies its operands one behind the other along its axis.
constexpr void move(const movement& m, const operand* in, int operands, const shape& space,
                    target out) {
  strides step{};
  switch (m.is) {
    case movement::form::reshape:
      return copy(in->data, in->where.step, out, dense(in->extent), in->extent);
    case movement::form::affine:
      for (int i = 0; i < space.rank; ++i)
        step.step[i] = plans::restride(m.step[i], in->extent, in->where);
      return copy(in->data + plans::restride(m.offset, in->extent, in->where), step, out,
                  dense(space), space);
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

}  // namespace tenon::reference_kernels
