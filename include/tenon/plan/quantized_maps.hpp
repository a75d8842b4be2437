// Which scalar programs quantize and dequantize 8 bits. Passes know quantizeLinear and
// dequantizeLinear by their programs alone.
// SPDX-License-Identifier: MIT
#pragma once
#include <tenon/language/quantized_programs.hpp>
#include <tenon/plan/decision.hpp>

namespace tenon::plans {

/// Equal word for word. The recorder writes an operator's program always the same way, so a program
/// tells its operator; one that a user records alike means the same.
constexpr bool same_program(program_view a, program_view b) {
  if (a.size != b.size) return false;
  for (int i = 0; i < a.size; ++i)
    if (a.code[i].word != b.code[i].word) return false;
  return true;
}

/// A program that quantizes float32 to 8 bits.
constexpr bool narrows_to_bytes(program_view p) {
  using namespace quantized;
  return same_program(p, narrowing<type::float32, type::int8>.view()) ||
         same_program(p, narrowing<type::float32, type::uint8>.view());
}
/// A program that dequantizes 8 bits to float32.
constexpr bool widens_bytes(program_view p) {
  using namespace quantized;
  return same_program(p, widening<type::int8, type::float32>.view()) ||
         same_program(p, widening<type::uint8, type::float32>.view());
}
/// True if a graph quantizes anything: in all others there are no integers to keep.
constexpr bool quantizes(table_view t) {
  for (const range r : t.programs)
    if (narrows_to_bytes({t.code.data + r.begin, r.size})) return true;
  return false;
}
/// True if a graph dequantizes anything.
constexpr bool dequantizes(table_view t) {
  for (const range r : t.programs)
    if (widens_bytes({t.code.data + r.begin, r.size})) return true;
  return false;
}

}  // namespace tenon::plans
