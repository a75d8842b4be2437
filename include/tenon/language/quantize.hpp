// Quantized numbers: quantizeLinear and dequantizeLinear, with a scale and a zero point for every
// block of the input.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>
#include <tenon/language/quantized_programs.hpp>

namespace tenon {

namespace blocks {

/// Whether one position of this axis of the scale belongs to several positions of the input, a
/// block. An extent of 1 is no such case: it broadcasts as in every element-wise operator.
constexpr bool repeats(const shape& scale, const shape& x, int axis) {
  return scale[axis] != 1 && scale[axis] != x[axis];
}
/// Checks the shapes of both operators' operands. Error: rank, extent, broadcast.
constexpr error check(const char* op, list<tensor> in) {
  const shape &x = in[0].shape, &scale = in[1].shape, &zero = in[2].shape;
  if (scale.rank != x.rank) return {code::rank, op, "scale", x.rank, scale.rank};
  if (zero.rank != x.rank) return {code::rank, op, "zeroPoint", x.rank, zero.rank};
  if (!(zero == scale)) return {code::extent, op, "zeroPoint", scale, zero};
  for (int i = 0; i < x.rank; ++i)
    if (x[i] % scale[i] != 0) return {code::broadcast, op, "scale", x, scale};
  return {};
}
/// Repeats every position of an axis of `id`, one behind the other, until the axis has `extent`.
constexpr int repeat(recorder& r, const char* op, int id, int axis, i64 extent) {
  const tensor t = r.at(id);
  shape to = t.shape;
  to.extent[axis] = extent;
  i64 outer = 1, inner = 1;
  for (int i = 0; i < to.rank; ++i) (i < axis ? outer : inner) *= i == axis ? 1 : to[i];
  movement m{};
  m.step.step[0] = inner;
  m.step.step[2] = 1;
  const int flat = r.reshape(op, id, extents(outer * t.shape[axis], inner));
  const shape each = extents(outer * t.shape[axis], extent / t.shape[axis], inner);
  return r.reshape(op, r.move(op, m, flat, {t.type, each}), to);
}
/// Records a program over (x, scale, zero). The positions of a block become an axis of their own,
/// along which scale and zero broadcast. Where that makes more than `max_rank` axes, scale and zero
/// are repeated in memory instead.
constexpr int record(recorder& r, const char* op, const recorded& program, int x, int scale,
                     int zero, const tensor& out) {
  int axes = out.shape.rank;
  for (int i = 0; i < out.shape.rank; ++i) axes += repeats(r.at(scale).shape, out.shape, i);
  if (axes == out.shape.rank) return r.map(op, program, {x, scale, zero}, out);
  for (int i = 0; i < out.shape.rank && axes > max_rank; ++i) {
    if (!repeats(r.at(scale).shape, out.shape, i)) continue;
    scale = repeat(r, op, scale, i, out.shape[i]);
    zero = repeat(r, op, zero, i, out.shape[i]);
    --axes;
  }
  const shape by_block = r.at(scale).shape;
  shape split{}, scale_shape{};
  for (int i = 0; i < out.shape.rank; ++i) {
    const bool is_split = repeats(by_block, out.shape, i);
    split.extent[split.rank++] = is_split ? by_block[i] : out.shape[i];
    scale_shape.extent[scale_shape.rank++] = by_block[i];
    if (!is_split) continue;
    split.extent[split.rank++] = out.shape[i] / by_block[i];
    scale_shape.extent[scale_shape.rank++] = 1;
  }
  const int values = r.reshape(op, x, split), s = r.reshape(op, scale, scale_shape),
            z = r.reshape(op, zero, scale_shape);
  return r.reshape(op, r.map(op, program, {values, s, z}, {out.type, split}), out.shape);
}
/// An operand with elements of 4 bits unpacked to whole bytes; others as they are.
constexpr int in_bytes(recorder& r, const char* op, int id) {
  return is_four_bit(r.at(id).type) ? r.unpack(op, id) : id;
}
/// Whether numbers can be quantized to this type.
constexpr bool is_quantized(type t) {
  return is_four_bit(t) || is_one_of(t, type::int8, type::uint8, type::int32, type::uint32);
}

}  // namespace blocks

/// `(x - zeroPoint) * scale`.
struct dequantizeLinear_t {
  static constexpr const char* name = "dequantizeLinear";
  static constexpr bool takes_four_bits = true;
  using options = no_options;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    if (in.size != 3) return error{code::operand_count, name, "", 3, in.size};
    if (!blocks::is_quantized(in[0].type))
      return error{code::element_type, name, "input", type::int8, in[0].type};
    if (!is_real(in[1].type))
      return error{code::element_type, name, "scale", type::float32, in[1].type};
    if (in[2].type != in[0].type)
      return error{code::element_type, name, "zeroPoint", in[0].type, in[2].type};
    if (const error e = blocks::check(name, in); !e.ok()) return e;
    return tensor{in[1].type, in[0].shape};
  }
  static constexpr int record(recorder& r, no_options, list<int> in, const tensor& out) {
    r.open(name);
    const int x = blocks::in_bytes(r, name, in[0]), zero = blocks::in_bytes(r, name, in[2]);
    using namespace quantized;
    const recorded& p = out.type == type::float16 ? widening_to<type::float16>(r.at(x).type)
                                                  : widening_to<type::float32>(r.at(x).type);
    const int y = blocks::record(r, name, p, x, in[1], zero, out);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "dequantizeLinear: scale and zeroPoint must have as many axes as the input; "
                  "reshape() them");
    static_assert(E.what != code::extent,
                  "dequantizeLinear: zeroPoint must have the shape of scale; expand() one of them");
    static_assert(E.what != code::broadcast,
                  "dequantizeLinear: every extent of scale must divide the input's, so that each "
                  "element stands for a block");
  }
};

/// `roundEven(x / scale) + zeroPoint`, clamped to the range of its type.
struct quantizeLinear_t {
  static constexpr const char* name = "quantizeLinear";
  static constexpr bool takes_four_bits = true;
  using options = no_options;
  static constexpr result<tensor> infer(no_options, list<tensor> in) {
    if (in.size != 3) return error{code::operand_count, name, "", 3, in.size};
    if (!is_real(in[0].type))
      return error{code::element_type, name, "input", type::float32, in[0].type};
    if (in[1].type != in[0].type)
      return error{code::element_type, name, "scale", in[0].type, in[1].type};
    if (!blocks::is_quantized(in[2].type))
      return error{code::element_type, name, "zeroPoint", type::int8, in[2].type};
    if (const error e = blocks::check(name, in); !e.ok()) return e;
    return tensor{in[2].type, in[0].shape};
  }
  static constexpr int record(recorder& r, no_options, list<int> in, const tensor& out) {
    r.open(name);
    using namespace quantized;
    const recorded& p = r.at(in[0]).type == type::float16 ? narrowing_from<type::float16>(out.type)
                                                          : narrowing_from<type::float32>(out.type);
    const int zero = blocks::in_bytes(r, name, in[2]);
    int y = blocks::record(r, name, p, in[0], in[1], zero, {unpacked(out.type), out.shape});
    if (is_four_bit(out.type)) y = r.pack(name, y, out.type);
    r.close();
    return y;
  }
  template <error E> static consteval void explain() {
    static_assert(E.what != code::rank,
                  "quantizeLinear: scale and zeroPoint must have as many axes as the input; "
                  "reshape() them");
    static_assert(E.what != code::extent,
                  "quantizeLinear: zeroPoint must have the shape of scale; expand() one of them");
    static_assert(E.what != code::broadcast,
                  "quantizeLinear: every extent of scale must divide the input's, so that each "
                  "element stands for a block");
  }
};

/// Numbers from quantized ones: `dequantizeLinear(x, scale, zeroPoint)` is `(x - zeroPoint) *
/// scale`, computed in float32.
/// Shape: the input's. scale and zeroPoint have its rank; each of their extents divides the
/// input's, so that every element of them belongs to one block.
/// Type: input and zeroPoint int4, uint4, int8, uint8, int32 or uint32; scale and result float32 or
/// float16.
/// Error: operand_count, element_type, rank, extent, broadcast.
/// Source: WebNN dequantizeLinear.
template <operand_like X, operand_like S, operand_like Z>
constexpr auto dequantizeLinear(X x, S scale, Z zeroPoint) {
  return apply<dequantizeLinear_t>(x, scale, zeroPoint);
}
/// Quantized numbers: `quantizeLinear(x, scale, zeroPoint)` is `roundEven(x / scale) + zeroPoint`,
/// clamped to the range of the type; NaN becomes the type's least number. The quotient is computed
/// in float32, for float16 as well.
/// Shape: as for dequantizeLinear.
/// Type: input and scale float32 or float16; zeroPoint and result int4, uint4, int8, uint8, int32
/// or uint32.
/// Error: operand_count, element_type, rank, extent, broadcast.
/// Source: WebNN quantizeLinear.
template <operand_like X, operand_like S, operand_like Z>
constexpr auto quantizeLinear(X x, S scale, Z zeroPoint) {
  return apply<quantizeLinear_t>(x, scale, zeroPoint);
}

}  // namespace tenon
