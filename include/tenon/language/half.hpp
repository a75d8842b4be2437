// float16 outside of the map family: operators record casts around a computation in float32. So no
// policy needs kernels for it.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/apply.hpp>
#include <tenon/language/record.hpp>

namespace tenon {

namespace casts {
/// The program that converts between two element types that are computed in the same slot kind.
constexpr recorded program(type from, type to) {
  return record_program<1>([](scalar x) { return x; }, {{from}, true, to});
}
inline constexpr recorded widened = program(type::float16, type::float32),
                          rounded = program(type::float32, type::float16);
}  // namespace casts

/// Records an operator on float16 as a cast of its operands to float32, the operator, and a cast of
/// the result back. So the result is rounded once. Operands of other types, such as indices, stay.
template <class Op> constexpr int record_in_float32(recorder& r, const typename Op::options& o,
                                                    list<int> in, const tensor& out) {
  int wide[max_operands]{};
  r.open(Op::name);
  for (int i = 0; i < in.size; ++i) {
    tensor t = r.at(in[i]);
    wide[i] = in[i];
    if (t.type != type::float16) continue;
    t.type = type::float32;
    wide[i] = r.map(Op::name, casts::widened, {in[i]}, t);
  }
  const bool rounds = out.type == type::float16;
  const int y = Op::record(r, o, {wide, in.size}, {rounds ? type::float32 : out.type, out.shape});
  const int result = rounds ? r.map(Op::name, casts::rounded, {y}, out) : y;
  r.close();
  return result;
}
/// True if an operator's first operand is float16.
constexpr bool takes_half(const recorder& r, list<int> in) {
  return r.out.nodes[in[0]].out.type == type::float16;
}
/// Checks that all operands are float32 or all are float16. Error: element_type.
constexpr error check_reals(const char* op, const char* const* names, list<tensor> in) {
  for (int i = 0; i < in.size; ++i) {
    const type expected = is_real(in[0].type) ? in[0].type : type::float32;
    if (in[i].type != expected) return {code::element_type, op, names[i], expected, in[i].type};
  }
  return {};
}

}  // namespace tenon
